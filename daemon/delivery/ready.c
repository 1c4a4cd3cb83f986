/* The queue in memory: one list for everybody, and lists of their own for the domains that are set
 * apart, so that a slow one holds nobody else up. What is in it or with a session is also in a
 * hash, so that the runner, who asks the store for what is due, does not fetch a delivery twice. */
#include "ready.h"

#include "domain.h"
#include "hubmail/base_clock.h"
#include "hubmail/base_json.h"
#include "hubmail/base_log.h"
#include "hubmail/base_mem.h"
#include "policy.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOW 256
#define DOMAINS_SHOWN 200
#define DOMAIN_WAITING 64 /* more than these are put off in the store */

struct ready {
	pthread_mutex_t lock; /* protects all */
	pthread_cond_t changed;
	struct item_list waiting;
	size_t n_waiting;
	struct domain *domains;   /* hash by name: those that are set apart */
	struct ready_item *known; /* hash by delivery.key */
	int64_t *rewinds;         /* digests of which something was given up */
	size_t n_rewinds;
	bool closed, low_told;
	void (*low)(void *arg);
	void *arg;
};

/* ---- Digests ---- */

struct outgoing_digest *outgoing_digest_ref(struct outgoing_digest *d)
{
	atomic_fetch_add(&d->refs, 1);
	return d;
}

void outgoing_digest_unref(struct outgoing_digest *d)
{
	if (d == NULL || atomic_fetch_sub(&d->refs, 1) > 1)
		return;
	compose_plan_free(d->plan);
	policy_free(d->strikes);
	free(d);
}

/* ---- Domains ---- */

static struct domain *find_domain(struct ready *q, const char *name)
{
	struct domain *d = NULL;

	if (q->domains != NULL)
		HASH_FIND_STR(q->domains, name, d);
	return d;
}

static struct domain *ensure_domain(struct ready *q, const char *name)
{
	struct domain *d = find_domain(q, name);

	if (d == NULL) {
		d = domain_new(name);
		HASH_ADD_KEYPTR(hh, q->domains, d->name, strlen(d->name), d);
	}
	return d;
}

static void drop_if_ordinary(struct ready *q, struct domain *d)
{
	if (!domain_is_ordinary(d, clock_mono_us()))
		return;
	HASH_DEL(q->domains, d);
	domain_free(d);
}

void ready_set_domains(struct ready *q, const struct config_domain *domains, size_t n)
{
	struct domain *d, *next;

	pthread_mutex_lock(&q->lock);
	HASH_ITER(hh, q->domains, d, next)
	{
		d->configured = false;
		d->most = 0;
		pace_set(&d->pace, 0, 1);
	}
	for (size_t i = 0; i < n; i++) {
		d = ensure_domain(q, domains[i].name);
		d->configured = true;
		d->most = domains[i].connections;
		pace_set(&d->pace, domains[i].rate.count, domains[i].rate.seconds);
	}
	HASH_ITER(hh, q->domains, d, next)
	{
		drop_if_ordinary(q, d);
	}
	pthread_mutex_unlock(&q->lock);
}

static void leave_domain(struct ready *q, struct ready_item *item)
{
	struct domain *d = item->domain;

	item->domain = NULL;
	if (d == NULL)
		return;
	d->busy--;
	drop_if_ordinary(q, d);
}

void ready_judge(struct ready *q, const struct ready_item *item, enum ready_verdict verdict,
	const char *reason)
{
	const char *name = address_domain(item->delivery.email);
	bool is_new = false;
	int slow = 0;

	pthread_mutex_lock(&q->lock);
	struct domain *d =
		verdict == READY_COMPLAINED ? ensure_domain(q, name) : find_domain(q, name);
	if (d != NULL && verdict == READY_COMPLAINED) {
		slow = d->slow;
		domain_complained(d, reason, clock_mono_us());
		is_new = d->slow != slow;
		slow = d->slow;
	} else if (d != NULL && verdict == READY_CONTENT) {
		domain_content(d);
	}
	pthread_mutex_unlock(&q->lock);
	if (is_new)
		log_warn("domain slowed down", "domain=%s level=%d reason=%s", name, slow,
			log_quote(reason));
}

/* ---- The queue ---- */

struct ready *ready_new(void (*low)(void *arg), void *arg)
{
	struct ready *q = xcalloc(1, sizeof(*q));
	pthread_condattr_t attr;

	pthread_mutex_init(&q->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&q->changed, &attr);
	pthread_condattr_destroy(&attr);
	STAILQ_INIT(&q->waiting);
	q->low = low;
	q->arg = arg;
	return q;
}

static void item_free(struct ready_item *item)
{
	store_ready_free(&item->delivery);
	outgoing_digest_unref(item->digest);
	free(item);
}

/* Frees those of a list that belong to a digest (0: all). Returns how many. */
static size_t drop_from(struct ready *q, struct item_list *list, int64_t digest_id)
{
	struct item_list keep = STAILQ_HEAD_INITIALIZER(keep);
	struct ready_item *item;
	size_t dropped = 0;

	while ((item = STAILQ_FIRST(list)) != NULL) {
		STAILQ_REMOVE_HEAD(list, entry);
		if (digest_id != 0 && item->digest->id != digest_id) {
			STAILQ_INSERT_TAIL(&keep, item, entry);
			continue;
		}
		/* It is in the hash, which the analyzer cannot know. */
		HASH_DEL(q->known, item); /* NOLINT(clang-analyzer-*) */
		item_free(item);
		dropped++;
	}
	STAILQ_CONCAT(list, &keep);
	return dropped;
}

/* Returns how many. */
static size_t drop_waiting(struct ready *q, int64_t digest_id)
{
	struct domain *d, *next;
	size_t dropped = drop_from(q, &q->waiting, digest_id);

	q->n_waiting -= dropped;
	HASH_ITER(hh, q->domains, d, next)
	{
		size_t here = drop_from(q, &d->waiting, digest_id);
		d->n_waiting -= (int)here;
		dropped += here;
		drop_if_ordinary(q, d);
	}
	q->low_told = false;
	return dropped;
}

void ready_free(struct ready *q)
{
	struct domain *d, *next;
	struct ready_item *item, *other;

	drop_waiting(q, 0);
	HASH_ITER(hh, q->known, item, other)
	{
		HASH_DEL(q->known, item); /* NOLINT(clang-analyzer-*): as above */
		item_free(item);
	}
	HASH_ITER(hh, q->domains, d, next)
	{
		HASH_DEL(q->domains, d); /* NOLINT(clang-analyzer-*): as above */
		domain_free(d);
	}
	free(q->rewinds);
	pthread_cond_destroy(&q->changed);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

bool ready_add(struct ready *q, struct store_ready *delivery, struct outgoing_digest *digest)
{
	struct ready_item *item;

	pthread_mutex_lock(&q->lock);
	HASH_FIND(hh, q->known, &delivery->key, sizeof(delivery->key), item);
	bool is_new = item == NULL && !q->closed;
	if (is_new) {
		item = xcalloc(1, sizeof(*item));
		item->delivery = *delivery;
		item->digest = outgoing_digest_ref(digest);
		HASH_ADD(hh, q->known, delivery.key, sizeof(item->delivery.key), item);
		STAILQ_INSERT_TAIL(&q->waiting, item, entry);
		q->n_waiting++;
		q->low_told = false;
		pthread_cond_signal(&q->changed);
	}
	pthread_mutex_unlock(&q->lock);
	if (!is_new)
		store_ready_free(delivery);
	return is_new;
}

/* ---- Taking ---- */

static struct ready_item *take_from_domain(struct domain *d, int64_t now_us)
{
	struct ready_item *item = STAILQ_FIRST(&d->waiting);

	STAILQ_REMOVE_HEAD(&d->waiting, entry);
	d->n_waiting--;
	domain_take(d, now_us);
	item->domain = d;
	return item;
}

/* The first of a domain that is set apart and may have one now. *next_us: when the next of them
 * may. */
static struct ready_item *take_set_apart(struct ready *q, int64_t now_us, int64_t *next_us)
{
	for (struct domain *d = q->domains; d != NULL; d = d->hh.next) {
		if (d->n_waiting == 0)
			continue;
		int64_t open_us = domain_open_us(d, now_us);
		if (open_us <= now_us)
			return take_from_domain(d, now_us);
		if (open_us < *next_us)
			*next_us = open_us;
	}
	return NULL;
}

/* The first whose domain is an ordinary one; those that are not go to their own lists. */
static struct ready_item *take_ordinary(struct ready *q)
{
	struct ready_item *item;

	while ((item = STAILQ_FIRST(&q->waiting)) != NULL) {
		struct domain *d = find_domain(q, address_domain(item->delivery.email));
		STAILQ_REMOVE_HEAD(&q->waiting, entry);
		q->n_waiting--;
		if (d == NULL)
			return item;
		STAILQ_INSERT_TAIL(&d->waiting, item, entry);
		d->n_waiting++;
	}
	return NULL;
}

static struct ready_item *take_now(struct ready *q, int64_t now_us, int64_t *next_us)
{
	struct ready_item *item = take_set_apart(q, now_us, next_us);

	if (item == NULL && (item = take_ordinary(q)) == NULL)
		item = take_set_apart(q, now_us, next_us); /* what take_ordinary() has put there */
	return item;
}

static void wait_until(struct ready *q, int64_t at_us)
{
	struct timespec at = {(time_t)(at_us / 1000000), (long)(at_us % 1000000) * 1000};

	pthread_cond_timedwait(&q->changed, &q->lock, &at);
}

struct ready_item *ready_take(struct ready *q, int wait_ms)
{
	int64_t deadline_us = clock_mono_us() + (int64_t)wait_ms * 1000;
	struct ready_item *item = NULL;
	bool tell = false;

	pthread_mutex_lock(&q->lock);
	while (!q->closed) {
		int64_t now_us = clock_mono_us(), next_us = deadline_us;
		item = take_now(q, now_us, &next_us);
		if (item != NULL || now_us >= deadline_us)
			break;
		wait_until(q, next_us);
	}
	tell = item != NULL && q->n_waiting < LOW && !q->low_told;
	q->low_told = q->low_told || tell;
	pthread_mutex_unlock(&q->lock);
	if (tell)
		q->low(q->arg);
	return item;
}

bool ready_sleep(struct ready *q, int64_t us)
{
	int64_t until_us = clock_mono_us() + us;

	pthread_mutex_lock(&q->lock);
	while (!q->closed && clock_mono_us() < until_us)
		wait_until(q, until_us);
	bool open = !q->closed;
	pthread_mutex_unlock(&q->lock);
	return open;
}

void ready_return(struct ready *q, struct ready_item *item, bool last)
{
	pthread_mutex_lock(&q->lock);
	leave_domain(q, item);
	bool closed = q->closed;
	if (closed) {
		HASH_DEL(q->known, item);
	} else {
		if (last)
			STAILQ_INSERT_TAIL(&q->waiting, item, entry);
		else
			STAILQ_INSERT_HEAD(&q->waiting, item, entry);
		q->n_waiting++;
		pthread_cond_signal(&q->changed);
	}
	pthread_mutex_unlock(&q->lock);
	if (closed)
		item_free(item);
}

static void let_go(struct ready *q, struct ready_item *item)
{
	HASH_DEL(q->known, item);
	/* Somebody may wait for the place that is free now. */
	if (item->domain != NULL)
		pthread_cond_signal(&q->changed);
	leave_domain(q, item);
}

void ready_done(struct ready *q, struct ready_item *item)
{
	pthread_mutex_lock(&q->lock);
	let_go(q, item);
	pthread_mutex_unlock(&q->lock);
	item_free(item);
}

void ready_abandon(struct ready *q, struct ready_item *item)
{
	pthread_mutex_lock(&q->lock);
	leave_domain(q, item);
	pthread_mutex_unlock(&q->lock);
}

/* ---- Starting again ---- */

static int64_t *find_rewind(struct ready *q, int64_t digest_id)
{
	for (size_t i = 0; i < q->n_rewinds; i++)
		if (q->rewinds[i] == digest_id)
			return &q->rewinds[i];
	return NULL;
}

/* By the digest's number: whoever fetches it now may not be who fetched it when it was held back.
 */
static void note_rewind(struct ready *q, int64_t digest_id)
{
	if (find_rewind(q, digest_id) != NULL)
		return;
	q->rewinds = xreallocarray(q->rewinds, q->n_rewinds + 1, sizeof(*q->rewinds));
	q->rewinds[q->n_rewinds++] = digest_id;
}

/* Both at once: what is fetched between the two would be taken for known and passed over. */
void ready_give_up(struct ready *q, struct ready_item *item)
{
	pthread_mutex_lock(&q->lock);
	let_go(q, item);
	note_rewind(q, item->digest->id);
	pthread_mutex_unlock(&q->lock);
	item_free(item);
}

bool ready_take_rewind(struct ready *q, int64_t digest_id)
{
	pthread_mutex_lock(&q->lock);
	int64_t *at = find_rewind(q, digest_id);
	if (at != NULL)
		*at = q->rewinds[--q->n_rewinds];
	pthread_mutex_unlock(&q->lock);
	return at != NULL;
}

/* ---- What the runner asks ---- */

size_t ready_waiting(struct ready *q)
{
	pthread_mutex_lock(&q->lock);
	size_t n = q->n_waiting;
	pthread_mutex_unlock(&q->lock);
	return n;
}

size_t ready_known(struct ready *q)
{
	pthread_mutex_lock(&q->lock);
	size_t n = HASH_COUNT(q->known);
	pthread_mutex_unlock(&q->lock);
	return n;
}

size_t ready_sendable(struct ready *q, int64_t *next_us)
{
	int64_t now_us = clock_mono_us();
	struct domain *d, *next;

	*next_us = INT64_MAX;
	pthread_mutex_lock(&q->lock);
	size_t n = q->n_waiting;
	HASH_ITER(hh, q->domains, d, next)
	{
		int64_t open_us = d->n_waiting > 0 ? domain_open_us(d, now_us) : INT64_MAX;
		if (open_us <= now_us)
			n += (size_t)d->n_waiting;
		else if (open_us < *next_us)
			*next_us = open_us;
		drop_if_ordinary(q, d);
	}
	pthread_mutex_unlock(&q->lock);
	return n;
}

/* Those behind the first DOMAIN_WAITING. */
static size_t take_behind(struct domain *d, struct ready_item **out, size_t max)
{
	struct item_list front = STAILQ_HEAD_INITIALIZER(front);
	struct ready_item *item;
	size_t n = 0;

	for (int i = 0; i < DOMAIN_WAITING && (item = STAILQ_FIRST(&d->waiting)) != NULL; i++) {
		STAILQ_REMOVE_HEAD(&d->waiting, entry);
		STAILQ_INSERT_TAIL(&front, item, entry);
	}
	while (n < max && (item = STAILQ_FIRST(&d->waiting)) != NULL) {
		STAILQ_REMOVE_HEAD(&d->waiting, entry);
		d->n_waiting--;
		out[n++] = item;
	}
	STAILQ_CONCAT(&front, &d->waiting);
	STAILQ_CONCAT(&d->waiting, &front);
	return n;
}

size_t ready_surplus(struct ready *q, struct ready_item **out, size_t max, int64_t *after_s)
{
	int64_t now_us = clock_mono_us();
	size_t n = 0;

	*after_s = 0;
	pthread_mutex_lock(&q->lock);
	for (struct domain *d = q->domains; d != NULL && n == 0; d = d->hh.next) {
		n = take_behind(d, out, max);
		if (n > 0)
			*after_s = domain_plan(d, n, DOMAIN_WAITING, now_us);
	}
	pthread_mutex_unlock(&q->lock);
	return n;
}

void ready_close(struct ready *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	drop_waiting(q, 0);
	pthread_cond_broadcast(&q->changed);
	pthread_mutex_unlock(&q->lock);
}

void ready_drop_digest(struct ready *q, int64_t digest_id)
{
	pthread_mutex_lock(&q->lock);
	if (drop_waiting(q, digest_id) > 0)
		note_rewind(q, digest_id);
	pthread_mutex_unlock(&q->lock);
	q->low(q->arg);
}

json_t *ready_status(struct ready *q)
{
	json_t *all = json_array();
	int64_t now_us = clock_mono_us(), now = clock_now();

	pthread_mutex_lock(&q->lock);
	for (struct domain *d = q->domains; d != NULL && json_array_size(all) < DOMAINS_SHOWN;
		d = d->hh.next) {
		bool paused = d->slow > 0 && d->until_us > now_us;
		int64_t each_us = d->slow > 0 ? d->slow_pace.interval_us : d->pace.interval_us;
		json_array_append_new(all,
			json_pack("{s:s, s:s, s:i, s:i, s:f, s:I, s:o}", "domain", d->name, "state",
				paused        ? "paused"
				: d->slow > 0 ? "slowed"
					      : "limited",
				"waiting", d->n_waiting, "busy", d->busy, "rate",
				each_us > 0 ? 1e6 / (double)each_us : 0.0, "until",
				(json_int_t)(paused ? now + (d->until_us - now_us) / 1000000 : 0),
				"reason", json_text(d->slow > 0 ? d->reason : NULL)));
	}
	pthread_mutex_unlock(&q->lock);
	return all;
}
