/* Deliveries: one digest for one subscriber, the unit of the queue. Known by (digest, subscriber).
 */
#ifndef HUBMAIL_STORE_DELIVERY_H
#define HUBMAIL_STORE_DELIVERY_H

#include "hubmail/base_error.h"
#include "hubmail/store.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum delivery_state {
	DELIVERY_QUEUED = 0,   /* not tried yet */
	DELIVERY_DEFERRED = 1, /* tried, will be tried again at due_at */
	DELIVERY_SENT = 2,
	DELIVERY_FAILED = 3,    /* a permanent answer, or given up */
	DELIVERY_CANCELLED = 4, /* unsubscribed, removed, or the digest was cancelled */
	DELIVERY_HELD = 5, /* the answer to the final dot is unknown, and on_unknown = "hold" */
};
const char *delivery_state_name(enum delivery_state s);
bool delivery_state_from_name(const char *name, enum delivery_state *s);

struct delivery_key {
	int64_t digest_id, subscriber_id;
};

/* What a session needs to know of a delivery. */
struct store_ready {
	struct delivery_key key;
	int attempts;             /* made so far */
	int64_t first_attempt_at; /* 0: none yet */
	char *email;              /* normal form */
	char *name;               /* or NULL */
};
void store_ready_free(struct store_ready *r);

/* Up to `limit` queued deliveries of a digest with subscriber ids above `after`, in their order,
 * whose subscription is confirmed. Those whose subscription is not are left out: the cancelling is
 * done by whoever ended it. *n is how many were written to out. */
bool store_delivery_fresh(struct store *s, int64_t digest_id, int64_t after, size_t limit,
	struct store_ready *out, size_t *n, struct error *e);
/* Up to `limit` deferred deliveries of digests that are not paused or cancelled, due at or before
 * now: first those of the digest with the one that is due longest. */
bool store_delivery_due(struct store *s, int64_t now, size_t limit, struct store_ready *out,
	size_t *n, struct error *e);
/* The time at which the next deferred delivery falls due; 0: there is none. */
bool store_delivery_next_due(struct store *s, int64_t *at, struct error *e);

enum delivery_outcome {
	OUTCOME_ACCEPTED, /* the relay has it */
	OUTCOME_DEFERRED, /* try again at retry_at */
	OUTCOME_FAILED,   /* never again */
	OUTCOME_UNKNOWN,  /* final dot sent, no answer: resent at retry_at, or held */
};

struct store_result {
	struct delivery_key key;
	enum delivery_outcome outcome;
	bool hold; /* OUTCOME_UNKNOWN: hold it */
	int64_t at, retry_at;
	const char *relay;    /* its name */
	int code;             /* SMTP code (RFC 5321, 4.2), 0: none came */
	const char *enhanced; /* "4.2.1" (RFC 3463), or NULL */
	const char *text;     /* the relay's words, or ours if it said none */
	int64_t use_slot;     /* counted in that stretch of the relay's use; 0: nobody counts */
};

/* One turn of a session: the result of its previous message and the taking of its next, in one
 * transaction. The next is recorded as 'final dot about to be sent' for this session, so that a
 * crash leaves a trace of it. */
struct store_turn {
	int session; /* number of the session's place, from 0; reused by later sessions */
	const struct store_result *result; /* or NULL: nothing was sent since the last turn */
	const struct delivery_key *next;   /* or NULL: the session ends or waits */
	int64_t at;
};
enum store_go {
	STORE_GO,         /* send it */
	STORE_NOT_WANTED, /* unsubscribed, cancelled, already final or not due: leave it alone */
	STORE_NOT_NOW,    /* its digest is paused */
};
bool store_delivery_turn(
	struct store *s, const struct store_turn *turn, enum store_go *go, struct error *e);

/* What relays took, in the stretches of time that began at or after `since`. Older ones are dropped
 * by store_relay_use_trim(). */
typedef void store_relay_use_fn(int64_t slot_at, int64_t sent, void *arg);
bool store_relay_use_each(struct store *s, const char *relay, int64_t since, store_relay_use_fn *fn,
	void *arg, struct error *e);
bool store_relay_use_trim(struct store *s, int64_t before, struct error *e);

/* After a start: every delivery that a session had taken when the process died and whose result is
 * not known. Each is recorded as an unknown attempt, logged by the caller through fn, and made due
 * now, or held. Clears the traces. */
typedef void store_unknown_fn(const struct delivery_key *key, const char *email, void *arg);
bool store_delivery_recover(struct store *s, bool hold, int64_t now, store_unknown_fn *fn,
	void *arg, int *n, struct error *e);

/* One line of `hubmailctl queue`. */
struct store_delivery {
	struct delivery_key key;
	char *list, *email;
	enum delivery_state state;
	int attempts;
	int64_t due_at;
	int code;                      /* of the last attempt */
	char *enhanced, *text, *relay; /* of the last attempt, or NULL */
	int64_t last_at;
};
void store_delivery_free(struct store_delivery *d);
struct store_delivery_filter {
	int64_t digest_id;     /* 0: all */
	int64_t subscriber_id; /* 0: all */
	int64_t list_id;       /* 0: all */
	int state; /* enum delivery_state; -1: what is not final (queued, deferred, held); -2: any;
		      -3: had an unknown attempt */
	size_t limit; /* 0: all */
};
typedef bool store_delivery_fn(const struct store_delivery *d, void *arg); /* false ends it */
bool store_delivery_each(struct store *s, const struct store_delivery_filter *f,
	store_delivery_fn *fn, void *arg, struct error *e);

/* Makes up to `limit` deferred and held deliveries of a digest (0: of all that are not cancelled)
 * due at `now`. *n is how many; as many as `limit`: call again. */
bool store_delivery_retry(
	struct store *s, int64_t digest_id, int limit, int64_t now, int *n, struct error *e);

/* Puts open deliveries off to `due_at` without counting a try: their turn has not come. */
bool store_delivery_put_off(struct store *s, const struct delivery_key *keys, size_t n,
	int64_t due_at, int64_t now, struct error *e);

struct store_attempt {
	int64_t at;
	const char *outcome;                 /* "accepted", "deferred", "failed", "unknown" */
	const char *relay, *enhanced, *text; /* may be NULL */
	int code;
};
typedef bool store_attempt_fn(const struct store_attempt *a, void *arg);
/* Every attempt of one delivery, oldest first. */
bool store_attempt_each(struct store *s, const struct delivery_key *key, store_attempt_fn *fn,
	void *arg, struct error *e);

#endif
