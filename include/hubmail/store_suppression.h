/* Suppressions: addresses that must never be mailed again. Of an address only a keyed hash is kept,
 * so that it stays suppressed when the person is erased, and can be suppressed without ever having
 * been a subscriber. A suppressed address has no active subscription: suppressing ends them, and
 * store_subscriber_add() makes none. Writing functions belong on a STORE_WRITE connection or in a
 * writer's job. */
#ifndef HUBMAIL_STORE_SUPPRESSION_H
#define HUBMAIL_STORE_SUPPRESSION_H

#include "hubmail/base_error.h"
#include "hubmail/store.h"
#include <stdbool.h>
#include <stdint.h>

/* All of this needs store_set_secret(). Addresses are in normal form, and compared without regard
 * to case. */

struct store_suppression {
	int64_t at;   /* since when; 0: the address is not suppressed */
	char *reason; /* or NULL */
};
void store_suppression_free(struct store_suppression *sup); /* the content */

/* Whether there is any. Many have none, and need not ask for each address. */
bool store_suppression_any(struct store *s, bool *any, struct error *e);

/* Whether the address is suppressed. That it is not is no error. */
bool store_suppression_get(
	struct store *s, const char *email, struct store_suppression *out, struct error *e);

struct store_suppressed {
	bool already; /* it was suppressed before: since then, and now for this reason, if one is
			 given */
	int ended;    /* so many subscriptions were active, and what was queued for them is
			 cancelled */
};
/* Suppresses the address and ends all subscriptions of whoever has it. reason may be NULL. */
bool store_suppression_add(struct store *s, const char *email, const char *reason, int64_t now,
	struct store_suppressed *out, struct error *e);

/* Lifts a suppression; nobody is subscribed by that. *was: it was suppressed. */
bool store_suppression_lift(struct store *s, const char *email, bool *was, struct error *e);

#endif
