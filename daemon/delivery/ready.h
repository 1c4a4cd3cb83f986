/* Deliveries in memory on their way from the store to a session: a short queue that the runner
 * fills and the sessions empty. Private to daemon/delivery. */
#ifndef HUBMAIL_DELIVERY_READY_H
#define HUBMAIL_DELIVERY_READY_H

#include "hubmail/base_address.h"
#include "hubmail/compose.h"
#include "hubmail/config.h"
#include "hubmail/store_delivery.h"
#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <uthash.h>

/* A digest being sent: its composed message, shared by all its deliveries. Counted references;
 * freed with the last. */
struct outgoing_digest {
	int64_t id, list_id;
	struct compose_plan *plan;
	char from[ADDRESS_MAX + 1]; /* the reverse-path (RFC 5321, 3.3) */
	struct policy_strikes *strikes;
	atomic_int refs;
};
struct outgoing_digest *outgoing_digest_ref(struct outgoing_digest *d);
void outgoing_digest_unref(struct outgoing_digest *d);

/* One delivery. It belongs to whoever has it: the queue, then a session, which gives it back or is
 * done with it. */
struct ready_item {
	struct store_ready delivery;
	struct outgoing_digest *digest;
	struct domain *domain; /* counted as on its way there; NULL: an ordinary one */
	STAILQ_ENTRY(ready_item) entry;
	UT_hash_handle hh;
};

struct ready;

struct ready *ready_new(
	void (*low)(void *arg), void *arg); /* low: called when a take leaves little, and when
					       something was dropped */
void ready_free(struct ready *q);

/* The limits of some domains; those of others that had any end. Copied. */
void ready_set_domains(struct ready *q, const struct config_domain *domains, size_t n);

/* Puts a delivery at the end, unless it is in memory already (queued here or with a session). Takes
 * over what is in `delivery` either way. */
bool ready_add(struct ready *q, struct store_ready *delivery, struct outgoing_digest *digest);

/* The next one whose domain may have a message now; waits for it up to wait_ms. NULL: there is
 * none, or the queue is closed. */
struct ready_item *ready_take(struct ready *q, int wait_ms);
/* Sleeps, unless the queue is closed: then false. */
bool ready_sleep(struct ready *q, int64_t us);
/* Gives back one that was not tried: it will be the next, or the last. */
void ready_return(struct ready *q, struct ready_item *item, bool last);

enum ready_verdict { READY_NO_WORD, READY_CONTENT, READY_COMPLAINED };
/* It is settled in the store (or none of this queue's business any more). */
void ready_done(struct ready *q, struct ready_item *item);
/* It goes unsettled: the store has it queued as before, behind the place up to which its digest has
 * been fetched by now, so that fetching has to start at the first again. */
void ready_give_up(struct ready *q, struct ready_item *item);
/* It was sent, and the store cannot be told: it must not be fetched again while this program runs.
 */
void ready_abandon(struct ready *q, struct ready_item *item);
/* True once after something of the digest was given up or dropped. */
bool ready_take_rewind(struct ready *q, int64_t digest_id);
/* What the answer said of its domain's patience; before ready_done(). reason: the relay's words. */
void ready_judge(struct ready *q, const struct ready_item *item, enum ready_verdict verdict,
	const char *reason);

size_t ready_waiting(struct ready *q); /* in the queue, but for those whose domain is set apart */
size_t ready_known(struct ready *q);   /* in the queue and with sessions */

/* How many may go now; *next_us: when more of them may (INT64_MAX: no time is known). */
size_t ready_sendable(struct ready *q, int64_t *next_us);

/* Takes out up to `max` that wait for a domain with so many before them that they are better put
 * off in the store. *after_s: for how long. They stay known until ready_done(). */
size_t ready_surplus(struct ready *q, struct ready_item **out, size_t max, int64_t *after_s);

/* From now on nothing is given out; what waits is dropped (it stays queued in the store). */
void ready_close(struct ready *q);
/* Gives up what waits of one digest, because it was paused or cancelled. */
void ready_drop_digest(struct ready *q, int64_t digest_id);

/* Domains that are set apart: [{"domain","state","waiting","busy","rate","until","reason"}]. */
json_t *ready_status(struct ready *q);

#endif
