/* Lists, subscribers and their subscriptions. Writing functions belong on a STORE_WRITE connection
 * or in a writer's job. */
#ifndef HUBMAIL_STORE_SUBSCRIBER_H
#define HUBMAIL_STORE_SUBSCRIBER_H

#include "hubmail/base_address.h"
#include "hubmail/base_buf.h"
#include "hubmail/base_error.h"
#include "hubmail/edition.h"
#include "hubmail/store.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum subscription_state {
	SUBSCRIPTION_PENDING = 0, /* asked for, not confirmed: gets nothing */
	SUBSCRIPTION_CONFIRMED = 1,
	SUBSCRIPTION_UNSUBSCRIBED = 2,
	SUBSCRIPTION_REMOVED = 3, /* by the operator */
};
const char *subscription_state_name(enum subscription_state s); /* "pending", "confirmed", … */
bool subscription_state_from_name(const char *name, enum subscription_state *s);

/* The id of the list of that name; STORE_WRITE/a job makes it if it does not exist yet. 0 on error
 * (ERROR_NOT_FOUND when only reading). */
int64_t store_list_id(struct store *s, const char *name, struct error *e);
int64_t store_list_ensure(struct store *s, const char *name, struct error *e);
/* The name of the list with that id, the caller's; NULL if there is none. */
char *store_list_name(struct store *s, int64_t list_id, struct error *e);

struct store_list_counts {
	int64_t pending, confirmed, unsubscribed, removed;
	int64_t last_digest_at; /* 0: none */
};
bool store_list_counts(
	struct store *s, int64_t list_id, struct store_list_counts *out, struct error *e);

struct store_key_value {
	char *key, *value;
};

/* What `add` and `import` put in. Strings are borrowed for the call. */
struct store_subscriber_new {
	const char *email; /* normal form */
	const char *name;  /* NULL: leaves what is there */
	int64_t list_id;
	enum subscription_state state;            /* PENDING or CONFIRMED */
	int edition;                              /* enum edition, or -1: the list's own */
	const struct strlist *tags;               /* added to those that are there; may be NULL */
	const struct store_key_value *attributes; /* set over those that are there */
	size_t n_attributes;
	const char *origin; /* "hubmailctl add", "import readers.csv": kept as the proof where
			       consent came from */
	bool force;         /* also when the reader unsubscribed */
	int64_t at;         /* since when, Unix seconds; 0: now */
};

enum store_add_result {
	STORE_ADDED,        /* a new subscription */
	STORE_ALREADY,      /* it was there; name, tags and attributes were brought up to date */
	STORE_RESUBSCRIBED, /* it was unsubscribed or removed, and force was given, or removed by
			       the operator and now added again */
	STORE_CONFIRMED,    /* it was pending and is confirmed now */
	STORE_REFUSED,      /* the reader unsubscribed and force is not set: nothing was changed */
	STORE_SUPPRESSED,   /* the address is suppressed, whatever force says (see
			       store_suppression_lift()): nothing was changed */
};

/* Adds n readers one after the other, results[i] telling what became of all[i]. Those with the same
 * address must stand beside each other; many in a call are put in much faster. On a STORE_WRITE
 * connection only between store_begin() and store_commit(); after an error nothing of the
 * transaction may be kept. `now` is in Unix seconds. Needs store_set_secret(). */
bool store_subscribers_add(struct store *s, const struct store_subscriber_new *all, size_t n,
	int64_t now, enum store_add_result *results, struct error *e);

/* The same for one; STORE_REFUSED and STORE_SUPPRESSED are ERROR_REFUSED here. */
bool store_subscriber_add(struct store *s, const struct store_subscriber_new *n, int64_t now,
	enum store_add_result *result, struct error *e);

struct store_subscription {
	int64_t list_id;
	char *list; /* name */
	enum subscription_state state;
	int edition; /* or -1 */
	char *origin;
	int64_t created_at, confirmed_at, ended_at; /* 0: not */
};

struct store_subscriber {
	int64_t id;
	char *email, *name; /* name may be NULL */
	int64_t created_at;
	struct strlist tags;
	struct store_key_value *attributes;
	size_t n_attributes;
	struct store_subscription *subscriptions;
	size_t n_subscriptions;
};
void store_subscriber_free(struct store_subscriber *sub); /* the content */

/* ERROR_NOT_FOUND if nobody has that address (normal form). */
bool store_subscriber_get(
	struct store *s, const char *email, struct store_subscriber *out, struct error *e);
bool store_subscriber_get_by_id(
	struct store *s, int64_t id, struct store_subscriber *out, struct error *e);

struct store_subscriber_filter {
	int64_t list_id;         /* 0: all lists */
	int state;               /* enum subscription_state, or -1 */
	const char *tag;         /* or NULL */
	const char *key, *value; /* or NULL: attribute key = value */
	const char *search;      /* or NULL: part of the address or the name */
};
/* Calls fn for each that fits, in order of the address, with its content (valid during the call)
 * until fn returns false. With a list in the filter only that subscription is in it. No transaction
 * is open during a call: who comes or goes meanwhile may be seen or not. */
typedef bool store_subscriber_fn(const struct store_subscriber *sub, void *arg);
bool store_subscriber_each(struct store *s, const struct store_subscriber_filter *f,
	store_subscriber_fn *fn, void *arg, struct error *e);

/* Ends a subscription (list_id 0: all of them) and cancels what is queued for it. state is
 * UNSUBSCRIBED or REMOVED. *ended is how many were active; 0 with true means that there were none
 * left to end. ERROR_NOT_FOUND: no such subscriber or subscription. */
bool store_subscription_end(struct store *s, int64_t subscriber_id, int64_t list_id,
	enum subscription_state state, int64_t now, int *ended, struct error *e);

/* The state of one subscription. ERROR_NOT_FOUND if there is none. */
bool store_subscription_state(struct store *s, int64_t subscriber_id, int64_t list_id,
	enum subscription_state *out, struct error *e);

struct store_erasure {
	bool done;
	int64_t upto;   /* what the next call takes as `after` */
	int deliveries; /* erased by this call */
};
/* Erases a person and everything that names it: tags, attributes, subscriptions, deliveries with
 * their attempts. Counters of digests stay as they are, and what was still to be sent counts as
 * cancelled; so does a message that a session has on the wire just now, whatever comes of it. A
 * suppression of the address stays, too. Each call is one step of at most 50 ms, for a transaction
 * of its own: the first with after = 0, and then with *out of the last until that is done. Where it
 * stops half-way, the person is still there, without an active subscription, and can be erased
 * anew. ERROR_NOT_FOUND if there is no such person. */
bool store_subscriber_erase(struct store *s, int64_t subscriber_id, int64_t after, int64_t now,
	struct store_erasure *out, struct error *e);

/* How many confirmed readers a digest for this edition would reach (see store_digest_create()). */
bool store_audience_count(struct store *s, int64_t list_id, enum edition edition, bool is_default,
	int64_t *out, struct error *e);
/* Their addresses in order of id, through fn, until it returns false. */
typedef bool store_audience_fn(
	int64_t subscriber_id, const char *email, const char *name, void *arg);
bool store_audience_each(struct store *s, int64_t list_id, enum edition edition, bool is_default,
	store_audience_fn *fn, void *arg, struct error *e);

#endif
