/* Digests: keeping a composed one, making its deliveries step by step, its counters, and the times
 * of the editions. */
#include "hubmail/store_digest.h"

#include "hubmail/base_mem.h"
#include "hubmail/store_delivery.h"
#include "sql.h"
#include <stdlib.h>
#include <string.h>

#define COLUMNS                                                                                                      \
	"d.id, d.list_id, l.name, d.edition, d.state, d.subject, d.created_at, d.finished_at, d.queued, d.deferred," \
	" d.sent, d.failed, d.cancelled, d.held, d.audience, d.reason"

static const char SQL_HAD[] =
	"SELECT d.id FROM digest_post q JOIN digest d ON d.id = q.digest_id"
	" WHERE q.post_id = ?3 AND d.list_id = ?1 AND d.edition = ?2 AND d.only_to = 0 LIMIT 1";
static const char SQL_NEW[] =
	"INSERT INTO digest (list_id, edition, is_default, only_to, state, all_enqueued, subject, created_at, audience)"
	" VALUES (?1, ?2, ?3, ?4, ?4, ?4, ?5, ?6,"
	" iif(?4, ?7, (SELECT count(*) FROM subscription s WHERE " SQL_AUDIENCE ")))";
static const char SQL_NEW_MESSAGE[] =
	"INSERT INTO digest_message (digest_id, message) VALUES (?1, ?2)";
static const char SQL_NEW_POST[] =
	"INSERT INTO digest_post (digest_id, position, post_id) VALUES (?1, ?2, ?3)";
/* A reader may have been erased since the digest was asked for. */
static const char SQL_NEW_DELIVERY[] =
	"INSERT INTO delivery (digest_id, subscriber_id, state, attempts)"
	" SELECT ?1, id, 0, 0 FROM subscriber WHERE id = ?2 ON CONFLICT DO NOTHING";

static const char SQL_PLAN[] =
	"SELECT list_id, edition, is_default, enqueued_to, state FROM digest WHERE id = ?1";
static const char SQL_ENQUEUE[] =
	"INSERT INTO delivery (digest_id, subscriber_id, state, attempts)"
	" SELECT ?4, s.subscriber_id, 0, 0 FROM subscription s WHERE " SQL_AUDIENCE
	" AND s.subscriber_id > ?5"
	" ORDER BY s.subscriber_id LIMIT ?6";
static const char SQL_ENQUEUED[] =
	"UPDATE digest SET enqueued_to = coalesce((SELECT max(subscriber_id) FROM delivery WHERE digest_id = ?1), 0)"
	" WHERE id = ?1";
static const char SQL_ALL_ENQUEUED[] =
	"UPDATE digest SET all_enqueued = 1, state = iif(queued + deferred = 0, 3, 1),"
	" finished_at = iif(queued + deferred = 0, ?2, NULL)"
	" WHERE id = ?1 AND state = 0";

/* The states' numbers are those of enum delivery_state and enum digest_state. A digest that is
 * being sent ends with its last open delivery, and one that has ended goes on when a delivery is
 * opened again. */
static const char SQL_COUNT[] =
	"UPDATE digest SET queued = queued + ?2, deferred = deferred + ?3, sent = sent + ?4, failed = failed + ?5,"
	" cancelled = cancelled + ?6, held = held + ?7,"
	" finished_at = CASE WHEN state = 1 AND queued + deferred + ?2 + ?3 = 0 THEN ?8"
	"  WHEN state = 3 AND queued + deferred + ?2 + ?3 > 0 THEN NULL ELSE finished_at END,"
	" state = CASE WHEN state = 1 AND queued + deferred + ?2 + ?3 = 0 THEN 3"
	"  WHEN state = 3 AND queued + deferred + ?2 + ?3 > 0 THEN 1 ELSE state END"
	" WHERE id = ?1";

static const char SQL_GET[] =
	"SELECT " COLUMNS " FROM digest d JOIN list l ON l.id = d.list_id WHERE d.id = ?1";
static const char SQL_EACH[] =
	"SELECT " COLUMNS
	" FROM digest d JOIN list l ON l.id = d.list_id WHERE ?1 IS NULL OR d.list_id = ?1"
	" ORDER BY d.id DESC LIMIT ?2";
static const char SQL_ACTIVE[] =
	"SELECT " COLUMNS
	" FROM digest d JOIN list l ON l.id = d.list_id WHERE d.state IN (0, 1, 2) AND d.state < 2"
	" ORDER BY d.id";
static const char SQL_UNFINISHED[] =
	"SELECT " COLUMNS
	" FROM digest d JOIN list l ON l.id = d.list_id WHERE d.state IN (0, 1, 2)"
	" ORDER BY d.id";
static const char SQL_MESSAGE[] = "SELECT message FROM digest_message WHERE digest_id = ?1";
static const char SQL_POSTS[] =
	"SELECT post_id FROM digest_post WHERE digest_id = ?1 ORDER BY position";

static const char SQL_SCHEDULE_GET[] =
	"SELECT due_at FROM schedule WHERE list_id = ?1 AND edition = ?2";
static const char SQL_SCHEDULE_SET[] =
	"INSERT INTO schedule (list_id, edition, due_at) VALUES (?1, ?2, ?3)"
	" ON CONFLICT (list_id, edition) DO UPDATE SET due_at = excluded.due_at";

const char *digest_state_name(enum digest_state s)
{
	static const char *const names[] = {"enqueuing", "sending", "paused", "done", "cancelled"};

	return (size_t)s < sizeof(names) / sizeof(names[0]) ? names[s] : "?";
}

static bool still_pending(struct store *s, const struct store_digest_new *n, struct error *e)
{
	for (size_t i = 0; i < n->n_posts; i++) {
		int64_t had = 0;
		if (!sql_number(s, e, &had, SQL_HAD, "idi", n->list_id, (int)n->edition,
			    n->post_ids[i]))
			return false;
		if (had != 0)
			return error_set(e, ERROR_REFUSED,
				"post %lld already went out in digest %lld",
				(long long)n->post_ids[i], (long long)had);
	}
	return true;
}

static bool put_posts(
	struct store *s, int64_t id, const struct store_digest_new *n, struct error *e)
{
	for (size_t i = 0; i < n->n_posts; i++)
		if (!sql_run(s, e, SQL_NEW_POST, "iii", id, (int64_t)i, n->post_ids[i]))
			return false;
	return true;
}

/* A digest for some readers has all its deliveries from the start. */
static bool put_deliveries(
	struct store *s, int64_t id, const struct store_digest_new *n, int64_t now, struct error *e)
{
	int64_t made = 0;

	for (size_t i = 0; i < n->n_to; i++) {
		if (!sql_run(s, e, SQL_NEW_DELIVERY, "ii", id, n->to[i]))
			return false;
		made += sqlite3_changes(s->db);
	}
	return digest_count(s, id, -1, DELIVERY_QUEUED, made, now, e);
}

bool store_digest_create(struct store *s, const struct store_digest_new *n, int64_t now,
	int64_t *id, struct error *e)
{
	bool only_to = n->to != NULL;

	if (n->only_pending && !still_pending(s, n, e))
		return false;
	/* only_to gives the first state too: nothing is left to enqueue for such a digest (SENDING
	 * = 1). */
	if (!sql_run(s, e, SQL_NEW, "idddtii", n->list_id, (int)n->edition, n->is_default ? 1 : 0,
		    only_to ? 1 : 0, n->subject, now, (int64_t)n->n_to))
		return false;
	*id = sqlite3_last_insert_rowid(s->db);
	return sql_run(s, e, SQL_NEW_MESSAGE, "ib", *id, n->message, n->message_len) &&
	       put_posts(s, *id, n, e) && (!only_to || put_deliveries(s, *id, n, now, e));
}

bool store_digest_enqueue(
	struct store *s, int64_t id, int limit, int64_t now, bool *more, struct error *e)
{
	sqlite3_stmt *st = sql_start(s, e, SQL_PLAN, "i", id);
	int rc = st == NULL ? -1 : sql_step(s, st, e);

	*more = false;
	if (rc == 0)
		return error_set(e, ERROR_NOT_FOUND, "digest %lld: there is none of that number",
			(long long)id);
	if (rc < 0)
		return false;
	int64_t list_id = sqlite3_column_int64(st, 0), after = sqlite3_column_int64(st, 3);
	int edition = sqlite3_column_int(st, 1), is_default = sqlite3_column_int(st, 2),
	    state = sqlite3_column_int(st, 4);
	sql_end(st);
	if (state != DIGEST_ENQUEUING)
		return true;
	if (!sql_run(s, e, SQL_ENQUEUE, "iddiid", list_id, edition, is_default, id, after, limit))
		return false;
	int made = sqlite3_changes(s->db);
	if (made > 0 && (!digest_count(s, id, -1, DELIVERY_QUEUED, made, now, e) ||
				!sql_run(s, e, SQL_ENQUEUED, "i", id)))
		return false;
	*more = made == limit;
	return *more || sql_run(s, e, SQL_ALL_ENQUEUED, "ii", id, now);
}

static void note_change(struct digest_change *c, int from, int to, int64_t n)
{
	if (from >= 0)
		c->by_state[from] -= n;
	c->by_state[to] += n;
}

static bool put_change(struct store *s, const struct digest_change *c, struct error *e)
{
	const int64_t *n = c->by_state;

	return sql_run(s, e, SQL_COUNT, "iiiiiiii", c->digest_id, n[DELIVERY_QUEUED],
		n[DELIVERY_DEFERRED], n[DELIVERY_SENT], n[DELIVERY_FAILED], n[DELIVERY_CANCELLED],
		n[DELIVERY_HELD], c->at);
}

bool digest_count(struct store *s, int64_t digest_id, int from, int to, int64_t n, int64_t now,
	struct error *e)
{
	struct digest_change c = {.digest_id = digest_id, .at = now};

	note_change(&c, from, to, n);
	return from == to || put_change(s, &c, e);
}

static struct digest_change *change_of(struct store *s, int64_t digest_id)
{
	for (size_t i = 0; i < s->n_changes; i++)
		if (s->changes[i].digest_id == digest_id)
			return &s->changes[i];
	if (s->n_changes == DIGEST_CHANGES)
		return NULL;
	s->changes[s->n_changes] = (struct digest_change){.digest_id = digest_id};
	return &s->changes[s->n_changes++];
}

bool digest_count_later(
	struct store *s, int64_t digest_id, int from, int to, int64_t now, struct error *e)
{
	struct digest_change *c;

	if (from == to)
		return true;
	if (sqlite3_get_autocommit(s->db) || (c = change_of(s, digest_id)) == NULL)
		return digest_count(s, digest_id, from, to, 1, now, e);
	note_change(c, from, to, 1);
	c->at = now;
	return true;
}

bool digest_settle(struct store *s, struct error *e)
{
	size_t n = s->n_changes;

	s->n_changes = 0;
	for (size_t i = 0; i < n; i++)
		if (!put_change(s, &s->changes[i], e))
			return false;
	return true;
}

static struct store_digest row(sqlite3_stmt *st)
{
	struct store_digest d = {
		.id = sqlite3_column_int64(st, 0),
		.list_id = sqlite3_column_int64(st, 1),
		.list = sql_text(st, 2),
		.edition = (enum edition)sqlite3_column_int(st, 3),
		.state = (enum digest_state)sqlite3_column_int(st, 4),
		.subject = sql_text(st, 5),
		.created_at = sqlite3_column_int64(st, 6),
		.finished_at = sqlite3_column_int64(st, 7),
		.queued = sqlite3_column_int64(st, 8),
		.deferred = sqlite3_column_int64(st, 9),
		.sent = sqlite3_column_int64(st, 10),
		.failed = sqlite3_column_int64(st, 11),
		.cancelled = sqlite3_column_int64(st, 12),
		.held = sqlite3_column_int64(st, 13),
		.audience = sqlite3_column_int64(st, 14),
		.reason = sql_text(st, 15),
	};

	d.total = d.queued + d.deferred + d.sent + d.failed + d.cancelled + d.held;
	return d;
}

void store_digest_free(struct store_digest *d)
{
	free(d->list);
	free(d->subject);
	free(d->reason);
	*d = (struct store_digest){0};
}

bool store_digest_get(struct store *s, int64_t id, struct store_digest *out, struct error *e)
{
	sqlite3_stmt *st = sql_start(s, e, SQL_GET, "i", id);
	int rc = st == NULL ? -1 : sql_step(s, st, e);

	*out = (struct store_digest){0};
	if (rc == 0)
		return error_set(e, ERROR_NOT_FOUND,
			"digest %lld: there is none of that number (`hubmailctl digests` shows them)",
			(long long)id);
	if (rc < 0)
		return false;
	*out = row(st);
	sql_end(st);
	return true;
}

static bool rows(
	struct store *s, sqlite3_stmt *st, struct store_digest **out, size_t *n, struct error *e)
{
	int rc = -1;

	*out = NULL;
	*n = 0;
	while (st != NULL && (rc = sql_step(s, st, e)) == 1) {
		*out = xreallocarray(*out, *n + 1, sizeof(**out));
		(*out)[(*n)++] = row(st);
	}
	return rc == 0;
}

bool store_digest_list(struct store *s, int64_t list_id, size_t limit, struct store_digest **out,
	size_t *n, struct error *e)
{
	return rows(s,
		sql_start(s, e, SQL_EACH, "zi", list_id, limit == 0 ? (int64_t)-1 : (int64_t)limit),
		out, n, e);
}

bool store_digest_active(struct store *s, struct store_digest **out, size_t *n, struct error *e)
{
	return rows(s, sql_start(s, e, SQL_ACTIVE, ""), out, n, e);
}

bool store_digest_unfinished(struct store *s, struct store_digest **out, size_t *n, struct error *e)
{
	return rows(s, sql_start(s, e, SQL_UNFINISHED, ""), out, n, e);
}

bool store_digest_message(struct store *s, int64_t id, struct buf *out, struct error *e)
{
	sqlite3_stmt *st = sql_start(s, e, SQL_MESSAGE, "i", id);
	int rc = st == NULL ? -1 : sql_step(s, st, e);

	if (rc == 0)
		return error_set(
			e, ERROR_NOT_FOUND, "digest %lld: its message is not there", (long long)id);
	if (rc < 0)
		return false;
	buf_add(out, sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0));
	sql_end(st);
	return true;
}

bool store_digest_posts(struct store *s, int64_t id, int64_t **ids, size_t *n, struct error *e)
{
	sqlite3_stmt *st = sql_start(s, e, SQL_POSTS, "i", id);
	int rc = -1;

	*ids = NULL;
	*n = 0;
	while (st != NULL && (rc = sql_step(s, st, e)) == 1) {
		*ids = xreallocarray(*ids, *n + 1, sizeof(**ids));
		(*ids)[(*n)++] = sqlite3_column_int64(st, 0);
	}
	return rc == 0;
}

bool store_schedule_get(struct store *s, int64_t list_id, enum edition edition,
	int64_t *last_due_at, struct error *e)
{
	*last_due_at = 0;
	return sql_number(s, e, last_due_at, SQL_SCHEDULE_GET, "id", list_id, (int)edition);
}

bool store_schedule_set(
	struct store *s, int64_t list_id, enum edition edition, int64_t due_at, struct error *e)
{
	return sql_run(s, e, SQL_SCHEDULE_SET, "idi", list_id, (int)edition, due_at);
}
