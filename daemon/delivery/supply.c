/* Filling the ready queue. Fresh deliveries of a digest are read in the order of their key behind a
 * cursor, so that a million of them cost one pass; retries are read by the time at which they fall
 * due. Digests take turns. */
#include "supply.h"

#include "hubmail/base_clock.h"
#include "hubmail/base_crypto.h"
#include "hubmail/base_log.h"
#include "hubmail/base_mem.h"
#include "hubmail/store_digest.h"
#include "policy.h"
#include <stdlib.h>
#include <string.h>

#define FULL 1024 /* no more is fetched when this many wait */
#define CHUNK 128
#define RETRY_MS 60000 /* a digest that cannot be sent is looked at again */
#define PUT_OFF_S 300  /* … and its retries later than that */
#define DUE_ROUNDS 16

/* A digest that goes out. */
struct feed {
	int64_t digest_id;
	struct outgoing_digest *digest; /* NULL: it cannot be sent, which has been logged */
	struct senders *tried;          /* with these, and the time after which to try again */
	int64_t retry_ms;
	int64_t after; /* the last subscriber fetched */
	bool all_fetched;
	bool seen; /* still active at the last look */
};

struct supply {
	struct store *store;
	struct store_writer *writer;
	struct ready *ready;
	struct feed *feeds;
	size_t n_feeds;
};

struct supply *supply_new(
	const char *database, struct store_writer *w, struct ready *q, struct error *e)
{
	struct store *store = store_open(database, STORE_READ, e);

	if (store == NULL)
		return NULL;
	struct supply *s = xcalloc(1, sizeof(*s));
	s->store = store;
	s->writer = w;
	s->ready = q;
	return s;
}

static void feed_free(struct feed *f)
{
	outgoing_digest_unref(f->digest);
	senders_unref(f->tried);
}

void supply_free(struct supply *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n_feeds; i++)
		feed_free(&s->feeds[i]);
	free(s->feeds);
	store_close(s->store);
	free(s);
}

/* The composed message of a digest, or NULL (logged): the digest waits until the configuration or
 * the database is mended. */
static struct outgoing_digest *load_digest(
	struct supply *s, const struct senders *senders, const struct store_digest *d)
{
	const struct sender *sender = senders_find(senders, d->list);
	struct error e = {0};
	struct buf message = {0};
	struct compose_plan *plan = NULL;

	if (sender == NULL)
		error_set(&e, ERROR_CONFIG, "list %s is not in the configuration", d->list);
	else if (store_digest_message(s->store, d->id, &message, &e))
		plan = compose_plan_decode(message.data, message.len, &e);
	buf_free(&message);
	if (plan != NULL && sender->signer != NULL &&
		!compose_plan_sign(plan, sender->signer, &e)) {
		compose_plan_free(plan);
		plan = NULL;
	}
	if (plan == NULL) {
		log_error("digest cannot be sent", "digest=%lld list=%s reason=%s",
			(long long)d->id, d->list, log_quote(e.text));
		return NULL;
	}
	struct outgoing_digest *out = xcalloc(1, sizeof(*out));
	out->id = d->id;
	out->list_id = d->list_id;
	out->plan = plan;
	memcpy(out->from, sender->from, sizeof(out->from));
	atomic_init(&out->refs, 1);
	out->strikes = policy_new();
	return out;
}

static struct feed *find_feed(struct supply *s, int64_t digest_id)
{
	for (size_t i = 0; i < s->n_feeds; i++)
		if (s->feeds[i].digest_id == digest_id)
			return &s->feeds[i];
	return NULL;
}

/* What a person who reads the log wants to know of a digest that goes out no longer. */
static void log_end(struct supply *s, int64_t digest_id)
{
	struct store_digest d;
	struct error e = {0};

	if (!store_digest_get(s->store, digest_id, &d, &e)) {
		log_warn("digest not found", "digest=%lld reason=%s", (long long)digest_id,
			log_quote(e.text));
		return;
	}
	log_info(d.state == DIGEST_PAUSED ? "digest held back" : "digest ended",
		"digest=%lld list=%s state=%s sent=%lld failed=%lld cancelled=%lld held=%lld",
		(long long)d.id, d.list, digest_state_name(d.state), (long long)d.sent,
		(long long)d.failed, (long long)d.cancelled, (long long)d.held);
	store_digest_free(&d);
}

static void drop_ended_feeds(struct supply *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n_feeds; i++) {
		if (s->feeds[i].seen) {
			s->feeds[kept++] = s->feeds[i];
			continue;
		}
		log_end(s, s->feeds[i].digest_id);
		ready_drop_digest(s->ready, s->feeds[i].digest_id);
		/* If it comes back, it is fetched from the first anyway. */
		ready_take_rewind(s->ready, s->feeds[i].digest_id);
		feed_free(&s->feeds[i]);
	}
	s->n_feeds = kept;
}

/* At first, with every new configuration, and now and then. */
static void load(
	struct supply *s, struct feed *f, struct senders *senders, const struct store_digest *d)
{
	int64_t now_ms = clock_mono_ms();

	if (f->digest != NULL || f->all_fetched || (f->tried == senders && now_ms < f->retry_ms))
		return;
	senders_unref(f->tried);
	f->tried = senders_ref(senders);
	f->retry_ms = now_ms + RETRY_MS;
	f->digest = load_digest(s, senders, d);
}

static bool look_at_digests(
	struct supply *s, struct senders *senders, bool *enqueuing, struct error *e)
{
	struct store_digest *active;
	size_t n;

	*enqueuing = false;
	if (!store_digest_active(s->store, &active, &n, e))
		return false;
	for (size_t i = 0; i < s->n_feeds; i++)
		s->feeds[i].seen = false;
	for (size_t i = 0; i < n; i++) {
		struct feed *f = find_feed(s, active[i].id);
		if (f == NULL) {
			s->feeds = xreallocarray(s->feeds, s->n_feeds + 1, sizeof(*s->feeds));
			f = &s->feeds[s->n_feeds++];
			*f = (struct feed){.digest_id = active[i].id};
		}
		load(s, f, senders, &active[i]);
		if (f->digest != NULL && ready_take_rewind(s->ready, f->digest_id)) {
			f->after = 0;
			f->all_fetched = false;
		}
		f->seen = true;
		/* What is enqueued from now on lies behind what has been fetched. */
		f->all_fetched = f->all_fetched && active[i].state != DIGEST_ENQUEUING;
		*enqueuing = *enqueuing || active[i].state == DIGEST_ENQUEUING;
		store_digest_free(&active[i]);
	}
	free(active);
	drop_ended_feeds(s);
	return true;
}

struct refusal {
	struct delivery_key key;
};

static bool refuse(struct store *store, void *arg, struct error *e)
{
	const struct refusal *r = arg;
	struct store_result result = {
		.key = r->key,
		.outcome = OUTCOME_FAILED,
		.at = clock_now(),
		.text = "the address in the database is not one that mail can be sent to",
	};
	struct store_turn turn = {.session = -1, .result = &result, .at = result.at};
	enum store_go go;

	return store_delivery_turn(store, &turn, &go, e);
}

/* Addresses were checked where they came in; one that is not well-formed all the same (a database
 * edited by hand) must never reach an SMTP command. */
static void add(struct supply *s, struct store_ready *r, struct outgoing_digest *digest)
{
	struct refusal refusal = {r->key};
	struct error e = {0};

	if (address_is_normal(r->email)) {
		ready_add(s->ready, r, digest);
		return;
	}
	log_error("delivery failed", "delivery=%lld.%lld reason=address",
		(long long)r->key.digest_id, (long long)r->key.subscriber_id);
	store_ready_free(r);
	if (!store_writer_run(s->writer, refuse, &refusal, STORE_JOB_RETRY, &e))
		log_error("result not recorded", "reason=%s", log_quote(e.text));
}

static bool fetch_fresh(
	struct supply *s, struct feed *f, bool enqueuing, size_t *got, struct error *e)
{
	struct store_ready fresh[CHUNK];
	size_t n;

	if (!store_delivery_fresh(s->store, f->digest_id, f->after, CHUNK, fresh, &n, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		f->after = fresh[i].key.subscriber_id;
		add(s, &fresh[i], f->digest);
	}
	f->all_fetched = n < CHUNK && !enqueuing;
	*got += n;
	return true;
}

/* ---- What is put off ---- */

struct put_off {
	struct delivery_key keys[CHUNK];
	size_t n;
	int64_t due_at, now;
};

static bool put_off(struct store *store, void *arg, struct error *e)
{
	const struct put_off *p = arg;

	return store_delivery_put_off(store, p->keys, p->n, p->due_at, p->now, e);
}

static bool run_put_off(struct supply *s, struct put_off *p)
{
	struct error e = {0};

	if (store_writer_run(s->writer, put_off, p, STORE_JOB_RETRY, &e))
		return true;
	log_error("deliveries not put off", "reason=%s", log_quote(e.text));
	return false;
}

/* Those of a digest that cannot be sent are put into p, as many as fit. */
static bool fetch_due_once(struct supply *s, int64_t now, struct put_off *p, struct error *e)
{
	size_t limit = CHUNK + ready_known(s->ready), n;
	struct store_ready *due = xcalloc(limit, sizeof(*due));
	bool ok = store_delivery_due(s->store, now, limit, due, &n, e);

	for (size_t i = 0; ok && i < n; i++) {
		struct feed *f = find_feed(s, due[i].key.digest_id);
		if (f != NULL && f->digest != NULL) {
			add(s, &due[i], f->digest);
			continue;
		}
		if (f != NULL && p->n < CHUNK)
			p->keys[p->n++] = due[i].key;
		store_ready_free(&due[i]);
	}
	free(due);
	return ok;
}

/* What cannot be sent must not be in front of all others for ever. */
static bool fetch_due(struct supply *s, int64_t now, struct error *e)
{
	for (int round = 0; round < DUE_ROUNDS; round++) {
		struct put_off p = {.due_at = now + PUT_OFF_S, .now = now};
		if (!fetch_due_once(s, now, &p, e))
			return false;
		if (p.n == 0 || !run_put_off(s, &p))
			break;
	}
	return true;
}

/* What waits behind many others for one domain goes back to the store, so that the queue has room
 * for those of other domains. */
static void put_off_surplus(struct supply *s, int64_t now)
{
	struct ready_item *items[CHUNK];
	struct put_off p = {.now = now};
	int64_t after_s;

	while ((p.n = ready_surplus(s->ready, items, CHUNK, &after_s)) > 0) {
		p.due_at = now + after_s + 5 + random_below((uint32_t)after_s / 4 + 10);
		for (size_t i = 0; i < p.n; i++)
			p.keys[i] = items[i]->delivery.key;
		bool ok = run_put_off(s, &p);
		for (size_t i = 0; i < p.n; i++)
			(ok ? ready_done : ready_give_up)(s->ready, items[i]);
		if (!ok)
			return;
	}
}

/* ---- Relays ---- */

static void add_history(int64_t slot_at, int64_t sent, void *relay)
{
	relay_add_history(relay, slot_at, sent);
}

void supply_relay_history(struct supply *s, struct relay *relay, int64_t now)
{
	const struct config_relay *c = relay_settings(relay);
	struct error e = {0};

	if (!store_relay_use_each(
		    s->store, c->name, now - c->limit.seconds, add_history, relay, &e))
		log_error("what a relay took is not known", "relay=%s reason=%s", c->name,
			log_quote(e.text));
}

bool supply_more(
	struct supply *s, struct senders *senders, int64_t now, int64_t *next_due, struct error *e)
{
	bool enqueuing;
	size_t got = 1;

	*next_due = 0;
	/* The states are read before the deliveries: if nothing was being enqueued then, what is
	 * read now is all there is. */
	if (!look_at_digests(s, senders, &enqueuing, e))
		return false;
	if (ready_waiting(s->ready) < FULL && !fetch_due(s, now, e))
		return false;
	while (got > 0 && ready_waiting(s->ready) < FULL) {
		got = 0;
		put_off_surplus(s, now);
		for (size_t i = 0; i < s->n_feeds; i++) {
			struct feed *f = &s->feeds[i];
			if (f->digest != NULL && !f->all_fetched &&
				!fetch_fresh(s, f, enqueuing, &got, e))
				return false;
		}
	}
	return store_delivery_next_due(s->store, next_due, e);
}
