/* The queue in memory. What is in it or with a session is also in a hash, so that the runner, who
 * asks the store for what is due, does not fetch a delivery twice. */
#include "ready.h"

#include "hubmail/base_mem.h"
#include <pthread.h>
#include <stdlib.h>

#define LOW 256

STAILQ_HEAD(item_list, ready_item);

struct ready {
	pthread_mutex_t lock; /* protects all */
	struct item_list waiting;
	size_t n_waiting;
	struct ready_item *known; /* hash by delivery.key */
	bool closed, low_told;
	void (*low)(void *arg);
	void *arg;
};

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
	free(d);
}

void outgoing_digest_rewind(struct outgoing_digest *d)
{
	atomic_store(&d->rewind, true);
}

struct ready *ready_new(void (*low)(void *arg), void *arg)
{
	struct ready *q = xcalloc(1, sizeof(*q));

	pthread_mutex_init(&q->lock, NULL);
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

/* digest_id 0: all. */
static void drop_waiting(struct ready *q, int64_t digest_id)
{
	struct item_list keep = STAILQ_HEAD_INITIALIZER(keep);
	struct ready_item *item;

	while ((item = STAILQ_FIRST(&q->waiting)) != NULL) {
		STAILQ_REMOVE_HEAD(&q->waiting, entry);
		if (digest_id != 0 && item->digest->id != digest_id) {
			STAILQ_INSERT_TAIL(&keep, item, entry);
			continue;
		}
		HASH_DEL(q->known, item);
		item_free(item);
		q->n_waiting--;
	}
	STAILQ_CONCAT(&q->waiting, &keep);
	q->low_told = false;
}

void ready_free(struct ready *q)
{
	drop_waiting(q, 0);
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
	}
	pthread_mutex_unlock(&q->lock);
	if (!is_new)
		store_ready_free(delivery);
	return is_new;
}

struct ready_item *ready_take(struct ready *q)
{
	bool tell = false;

	pthread_mutex_lock(&q->lock);
	struct ready_item *item = STAILQ_FIRST(&q->waiting);
	if (item != NULL) {
		STAILQ_REMOVE_HEAD(&q->waiting, entry);
		q->n_waiting--;
		tell = q->n_waiting < LOW && !q->low_told;
		q->low_told = q->low_told || tell;
	}
	pthread_mutex_unlock(&q->lock);
	if (tell)
		q->low(q->arg);
	return item;
}

void ready_return(struct ready *q, struct ready_item *item)
{
	pthread_mutex_lock(&q->lock);
	bool closed = q->closed;
	if (closed) {
		HASH_DEL(q->known, item);
	} else {
		STAILQ_INSERT_HEAD(&q->waiting, item, entry);
		q->n_waiting++;
	}
	pthread_mutex_unlock(&q->lock);
	if (closed)
		item_free(item);
}

void ready_done(struct ready *q, struct ready_item *item)
{
	pthread_mutex_lock(&q->lock);
	HASH_DEL(q->known, item);
	pthread_mutex_unlock(&q->lock);
	item_free(item);
}

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

void ready_close(struct ready *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	drop_waiting(q, 0);
	pthread_mutex_unlock(&q->lock);
}

void ready_drop_digest(struct ready *q, int64_t digest_id)
{
	pthread_mutex_lock(&q->lock);
	drop_waiting(q, digest_id);
	pthread_mutex_unlock(&q->lock);
}
