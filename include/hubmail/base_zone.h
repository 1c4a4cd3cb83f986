/* Time zones by their IANA names, read from the system's zoneinfo files (TZif, RFC 8536, with the
 * rule for the time after the last transition in the footer). The C library knows only one zone for
 * the whole process; here each list and reader has its own. A zone is immutable: any thread. */
#ifndef HUBMAIL_BASE_ZONE_H
#define HUBMAIL_BASE_ZONE_H

#include "hubmail/base_error.h"
#include <stdint.h>

struct zone;

/* "Asia/Shanghai", "UTC". NULL: ERROR_CONFIG if there is no such zone (with a suggestion if a known
 * name is close) or the name is none ('..', a leading '/'); ERROR_IO if its file cannot be read or
 * is damaged. Free with zone_free(). */
struct zone *zone_load(const char *name, struct error *e);
void zone_free(struct zone *z);

/* Seconds to add to UTC for the local time at that moment. */
int zone_offset(const struct zone *z, int64_t at);

/* The moment at which clocks there show that date and time. day may overflow into the next months.
 * A time that a change of clocks skips is the first moment after the gap; one that comes twice is
 * the first. minute_of_day: 0..1439. */
int64_t zone_to_utc(const struct zone *z, int year, int month, int day, int minute_of_day);

#endif
