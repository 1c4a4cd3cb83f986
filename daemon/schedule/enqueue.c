/* The deliveries of a digest, made in chunks that are measured: each transaction takes some 30 ms,
 * whatever the disk and the number of readers, so that results and unsubscriptions never wait
 * long. */
#include "room.h"

#include "hubmail/base_clock.h"
#include "hubmail/base_log.h"
#include "hubmail/base_mem.h"
#include "hubmail/store_digest.h"
#include <stdlib.h>

#define CHUNK_FIRST 2000
#define CHUNK_MIN 100
#define CHUNK_MAX 50000
#define AIM_US 30000

struct enqueue {
	struct write write;
	int64_t digest_id;
	int limit;
	bool more;       /* set by the job */
	int64_t took_us; /* set by the job */
	LIST_ENTRY(enqueue) entry;
};

static void ended(struct write *w, const struct error *failure);

static bool run(struct store *store, void *arg, struct error *e)
{
	struct enqueue *q = arg;
	int64_t start = clock_mono_us();
	bool ok = store_digest_enqueue(store, q->digest_id, q->limit, clock_now(), &q->more, e);

	q->took_us = clock_mono_us() - start;
	return ok;
}

/* At most twice as many as before: the first ones are cheap. */
static void adapt(struct enqueue *q)
{
	int64_t fits = q->took_us > 0 ? q->limit * (int64_t)AIM_US / q->took_us : CHUNK_MAX;

	if (fits > 2 * (int64_t)q->limit)
		fits = 2 * (int64_t)q->limit;
	if (fits < CHUNK_MIN)
		fits = CHUNK_MIN;
	q->limit = fits < CHUNK_MAX ? (int)fits : CHUNK_MAX;
}

static void ended(struct write *w, const struct error *failure)
{
	struct enqueue *q = (struct enqueue *)w;
	struct schedule *s = w->schedule;

	if (failure != NULL)
		log_error("deliveries cannot be made", "digest=%lld reason=%s",
			(long long)q->digest_id, log_quote(failure->text));
	else if (!s->closed)
		s->queued(s->queued_arg);
	if (failure == NULL && q->more && !s->closed) {
		adapt(q);
		write_submit(s, w, run, ended, STORE_JOB_RETRY);
		return;
	}
	LIST_REMOVE(q, entry);
	free(q);
}

void enqueue_start(struct schedule *s, int64_t digest_id)
{
	struct enqueue *q;

	LIST_FOREACH(q, &s->enqueues, entry)
	if (q->digest_id == digest_id)
		return;
	q = xcalloc(1, sizeof(*q));
	q->digest_id = digest_id;
	q->limit = CHUNK_FIRST;
	LIST_INSERT_HEAD(&s->enqueues, q, entry);
	write_submit(s, &q->write, run, ended, STORE_JOB_RETRY);
}

/* ---- Left unfinished ---- */

struct unfinished {
	struct schedule *schedule;
	int64_t *ids;
	size_t n;
};

static void look(void *arg)
{
	struct unfinished *u = arg;
	struct store_digest *active;
	struct error e = {0};
	size_t n;

	if (!store_digest_active(u->schedule->store, &active, &n, &e))
		log_warn("digests cannot be looked at", "reason=%s", log_quote(e.text));
	for (size_t i = 0; i < n; i++) {
		if (active[i].state == DIGEST_ENQUEUING) {
			u->ids = xreallocarray(u->ids, u->n + 1, sizeof(*u->ids));
			u->ids[u->n++] = active[i].id;
		}
		store_digest_free(&active[i]);
	}
	free(active);
}

static void looked(void *arg)
{
	struct unfinished *u = arg;
	struct schedule *s = u->schedule;

	s->looking_for_unfinished = false;
	for (size_t i = 0; i < u->n && !s->closed; i++)
		enqueue_start(s, u->ids[i]);
	free(u->ids);
	free(u);
	schedule_unref(s);
}

void enqueue_look_for_unfinished(struct schedule *s)
{
	if (s->looking_for_unfinished)
		return;
	struct unfinished *u = xcalloc(1, sizeof(*u));
	s->looking_for_unfinished = true;
	u->schedule = schedule_ref(s);
	worker_submit(s->composer, look, looked, u);
}
