/* Refusals on principle: a relay that answers 5.7.x (policy) or 5.5.x (it cannot follow us, RFC
 * 3463, 3.6) to one reader after the other does not take our mail, whoever it is for. Then the
 * digest is held back and says why, instead of failing for a million readers. Private to
 * daemon/delivery. */
#ifndef HUBMAIL_DELIVERY_POLICY_H
#define HUBMAIL_DELIVERY_POLICY_H

#include "hubmail/store_delivery.h"
#include "hubmail/store_writer.h"

struct outgoing_digest;
struct policy_strikes;
struct ready;

struct policy_strikes *policy_new(void);
void policy_free(struct policy_strikes *p);

/* After the result was given to the writer. `limit` refusals in a row (0: any number) suspend the
 * digest, and those readers are tried again when it is resumed. */
void policy_note(struct outgoing_digest *digest, struct ready *q, struct store_writer *w,
	const struct store_result *result, int limit);

#endif
