/* When editions fall due, for a zone that has been read already. Pure functions. */
#ifndef HUBMAIL_SCHEDULE_DUE_H
#define HUBMAIL_SCHEDULE_DUE_H

#include "hubmail/base_zone.h"
#include "hubmail/config.h"
#include <stdint.h>

/* As schedule_next_due(). */
int64_t due_next(const struct config_schedule *when, const struct zone *z, int64_t after);

/* The due time that is to be taken care of now: the latest one up to now, if it lies after
 * `handled`, the last that was. 0: there is none. However many were missed, it is one.
 *
 * The clock may have been wrong when `handled` was noted. A clock that went back a little does not
 * bring an edition twice; a `handled` that lies beyond the next due time as the clock is now does
 * not count. */
int64_t due_now(
	const struct config_schedule *when, const struct zone *z, int64_t handled, int64_t now);

/* The next due time that is in the future and will be taken care of. 0: never. */
int64_t due_following(
	const struct config_schedule *when, const struct zone *z, int64_t handled, int64_t now);

#endif
