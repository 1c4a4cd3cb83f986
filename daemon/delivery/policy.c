/* Counting refusals in a row. Sessions work on a digest side by side, so 'in a row' is as they come
 * in, over all of them. */
#include "policy.h"

#include "hubmail/base_log.h"
#include "hubmail/base_mem.h"
#include "hubmail/store_digest.h"
#include "ready.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STRIKES_MAX 100

struct policy_strikes {
	pthread_mutex_t lock;
	bool suspended; /* what was on the wire by then is refused, too */
	int n;
	int64_t subscriber_ids[STRIKES_MAX];
};

/* For the writer. */
struct suspension {
	struct ready *ready;
	int64_t digest_id, at;
	bool first; /* it was not held back yet */
	int n;
	int64_t subscriber_ids[STRIKES_MAX];
	char reason[400];
};

struct policy_strikes *policy_new(void)
{
	struct policy_strikes *p = xcalloc(1, sizeof(*p));

	pthread_mutex_init(&p->lock, NULL);
	return p;
}

void policy_free(struct policy_strikes *p)
{
	if (p == NULL)
		return;
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static bool suspend(struct store *s, void *arg, struct error *e)
{
	const struct suspension *u = arg;

	return store_digest_suspend(
		s, u->digest_id, u->reason, u->subscriber_ids, (size_t)u->n, u->at, e);
}

static void suspended(void *arg, const struct error *failure)
{
	struct suspension *u = arg;

	if (failure == NULL && u->first)
		log_error("digest paused", "digest=%lld refusals=%d reason=%s",
			(long long)u->digest_id, u->n, log_quote(u->reason));
	else if (failure != NULL)
		log_error("digest cannot be paused", "digest=%lld reason=%s",
			(long long)u->digest_id, log_quote(failure->text));
	ready_drop_digest(u->ready, u->digest_id);
	free(u);
}

/* NULL as long as there are fewer than `limit`. */
static struct suspension *strike(struct policy_strikes *p, const struct store_result *r, int limit)
{
	struct suspension *u = NULL;

	pthread_mutex_lock(&p->lock);
	p->subscriber_ids[p->n++] = r->key.subscriber_id;
	if (p->n >= limit || p->n == STRIKES_MAX || p->suspended) {
		u = xcalloc(1, sizeof(*u));
		u->digest_id = r->key.digest_id;
		u->at = r->at;
		u->first = !p->suspended;
		u->n = p->n;
		memcpy(u->subscriber_ids, p->subscriber_ids, sizeof(u->subscriber_ids));
		snprintf(u->reason, sizeof(u->reason), "%d %s%s%s", r->code, r->enhanced,
			r->text[0] != '\0' ? " " : "", r->text);
		p->n = 0;
		p->suspended = true;
	}
	pthread_mutex_unlock(&p->lock);
	return u;
}

/* Policy, or that the relay does not understand us: each reader would be refused like that. Some
 * say 5.5.0 of a mailbox that is not there, with one of the codes for mailboxes (RFC 5321, 4.2.3).
 */
static bool is_about_us(int code, const char *enhanced)
{
	if (enhanced == NULL)
		return false;
	return strncmp(enhanced, "5.7.", 4) == 0 ||
	       (strncmp(enhanced, "5.5.", 4) == 0 && (code < 550 || code > 553));
}

void policy_note(struct outgoing_digest *digest, struct ready *q, struct store_writer *w,
	const struct store_result *r, int limit)
{
	bool on_principle = r->outcome == OUTCOME_FAILED && is_about_us(r->code, r->enhanced);

	if (limit == 0)
		return;
	if (r->outcome == OUTCOME_ACCEPTED) {
		pthread_mutex_lock(&digest->strikes->lock);
		digest->strikes->n = 0;
		pthread_mutex_unlock(&digest->strikes->lock);
	}
	struct suspension *u = on_principle ? strike(digest->strikes, r, limit) : NULL;
	if (u == NULL)
		return;
	u->ready = q;
	store_writer_submit(w, suspend, suspended, u, STORE_JOB_RETRY);
}
