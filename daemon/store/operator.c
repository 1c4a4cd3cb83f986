/* What a person does to the queue: hold a digest back, let it go on, cancel it, have what waits for
 * another try tried now. */
#include "hubmail/store_delivery.h"
#include "hubmail/store_digest.h"
#include "sql.h"

static const char SQL_PAUSE[] = "UPDATE digest SET state = 2 WHERE id = ?1 AND state IN (0, 1)";
/* One whose last open delivery ended while it was held back is done. */
static const char SQL_RESUME[] =
	"UPDATE digest SET state = CASE WHEN NOT all_enqueued THEN 0 WHEN queued + deferred = 0 THEN 3 ELSE 1 END,"
	" finished_at = iif(all_enqueued AND queued + deferred = 0, ?2, NULL), reason = NULL"
	" WHERE id = ?1 AND state = 2";
static const char SQL_REASON[] = "UPDATE digest SET reason = ?2 WHERE id = ?1 AND state = 2";
static const char SQL_DELIVERY_STATE[] =
	"SELECT state FROM delivery WHERE digest_id = ?1 AND subscriber_id = ?2";
static const char SQL_CANCEL[] =
	"UPDATE digest SET state = 4, finished_at = ?2 WHERE id = ?1 AND state IN (0, 1, 2)";
static const char SQL_STATE[] = "SELECT state FROM digest WHERE id = ?1";
static const char SQL_CANCELLED_TO[] = "SELECT cancelled_to FROM digest WHERE id = ?1";
static const char SQL_CANCEL_UP_TO[] =
	"SELECT max(subscriber_id) FROM (SELECT subscriber_id FROM delivery"
	" WHERE digest_id = ?1 AND subscriber_id > ?2 ORDER BY subscriber_id LIMIT ?3)";
static const char SQL_CANCEL_RANGE[] =
	"UPDATE delivery SET state = 4, due_at = NULL"
	" WHERE digest_id = ?1 AND subscriber_id > ?2 AND subscriber_id <= ?3 AND state = ?4";
static const char SQL_SET_CANCELLED_TO[] = "UPDATE digest SET cancelled_to = ?2 WHERE id = ?1";

/* By the index on due_at: there may be a million deliveries, and few of them wait. */
static const char SQL_WAITING[] =
	"SELECT d.digest_id, d.subscriber_id FROM digest g INDEXED BY digest_open"
	" CROSS JOIN delivery d INDEXED BY delivery_due ON d.digest_id = g.id AND d.state = 1 AND d.due_at > ?2"
	" WHERE g.state IN (0, 1, 2) AND (?1 IS NULL OR g.id = ?1) LIMIT 1";
static const char SQL_HELD[] =
	"SELECT d.digest_id, d.subscriber_id FROM delivery d INDEXED BY delivery_held"
	" WHERE d.state = 5 AND (?1 IS NULL OR d.digest_id = ?1)"
	" AND (SELECT state FROM digest g WHERE g.id = d.digest_id) <> 4 LIMIT 1";
static const char SQL_TRY_AT[] =
	"UPDATE delivery SET state = 1, due_at = ?3 WHERE digest_id = ?1 AND subscriber_id = ?2";

/* The digest is not in a state that the command changes: is that an error? */
static bool unchanged(
	struct store *s, int64_t id, enum digest_state refused, const char *what, struct error *e)
{
	int64_t state = -1;

	if (!sql_number(s, e, &state, SQL_STATE, "i", id))
		return false;
	if (state < 0)
		return error_set(e, ERROR_NOT_FOUND,
			"digest %lld: there is none of that number (`hubmailctl digests` shows them)",
			(long long)id);
	if (state == (int64_t)refused || state == DIGEST_DONE)
		return error_set(e, ERROR_REFUSED, "digest %lld: is %s: it cannot be %s",
			(long long)id, digest_state_name((enum digest_state)state), what);
	return true;
}

bool store_digest_pause(struct store *s, int64_t id, struct error *e)
{
	return sql_run(s, e, SQL_PAUSE, "i", id) &&
	       (sqlite3_changes(s->db) > 0 || unchanged(s, id, DIGEST_CANCELLED, "paused", e));
}

/* -1: there is no such delivery, or an error. */
static int64_t state_of(struct store *s, int64_t digest_id, int64_t subscriber_id, struct error *e)
{
	int64_t state = -1;

	if (!sql_number(s, e, &state, SQL_DELIVERY_STATE, "ii", digest_id, subscriber_id))
		return -1;
	return state;
}

static bool set_due(struct store *s, const struct delivery_key *key, enum delivery_state was,
	int64_t due_at, int64_t now, struct error *e)
{
	return sql_run(s, e, SQL_TRY_AT, "iii", key->digest_id, key->subscriber_id, due_at) &&
	       digest_count(s, key->digest_id, (int)was, DELIVERY_DEFERRED, 1, now, e);
}

bool store_digest_suspend(struct store *s, int64_t id, const char *reason,
	const int64_t *subscriber_ids, size_t n, int64_t now, struct error *e)
{
	struct error none = {0};

	if (e == NULL)
		e = &none;
	for (size_t i = 0; i < n; i++) {
		struct delivery_key key = {id, subscriber_ids[i]};
		if (state_of(s, id, key.subscriber_id, e) == DELIVERY_FAILED &&
			!set_due(s, &key, DELIVERY_FAILED, now, now, e))
			return false;
	}
	return e->code == ERROR_NONE && sql_run(s, e, SQL_PAUSE, "i", id) &&
	       sql_run(s, e, SQL_REASON, "it", id, reason);
}

bool store_delivery_put_off(struct store *s, const struct delivery_key *keys, size_t n,
	int64_t due_at, int64_t now, struct error *e)
{
	struct error none = {0};

	if (e == NULL)
		e = &none;
	for (size_t i = 0; i < n; i++) {
		int64_t state = state_of(s, keys[i].digest_id, keys[i].subscriber_id, e);
		if ((state == DELIVERY_QUEUED || state == DELIVERY_DEFERRED) &&
			!set_due(s, &keys[i], (enum delivery_state)state, due_at, now, e))
			return false;
	}
	return e->code == ERROR_NONE;
}

bool store_digest_resume(struct store *s, int64_t id, int64_t now, struct error *e)
{
	return sql_run(s, e, SQL_RESUME, "ii", id, now) &&
	       (sqlite3_changes(s->db) > 0 || unchanged(s, id, DIGEST_CANCELLED, "resumed", e));
}

static bool cancel_range(
	struct store *s, int64_t id, int64_t after, int64_t to, int64_t now, struct error *e)
{
	static const enum delivery_state open_states[] = {
		DELIVERY_QUEUED, DELIVERY_DEFERRED, DELIVERY_HELD};

	for (size_t i = 0; i < sizeof(open_states) / sizeof(open_states[0]); i++) {
		if (!sql_run(s, e, SQL_CANCEL_RANGE, "iiid", id, after, to, (int)open_states[i]) ||
			!digest_count(s, id, (int)open_states[i], DELIVERY_CANCELLED,
				sqlite3_changes(s->db), now, e))
			return false;
	}
	return sql_run(s, e, SQL_SET_CANCELLED_TO, "ii", id, to);
}

bool store_digest_cancel(
	struct store *s, int64_t id, int limit, int64_t now, bool *more, struct error *e)
{
	int64_t after = 0, to = 0;

	*more = false;
	if (!sql_run(s, e, SQL_CANCEL, "ii", id, now))
		return false;
	if (sqlite3_changes(s->db) == 0 && !unchanged(s, id, DIGEST_DONE, "cancelled", e))
		return false;
	if (!sql_number(s, e, &after, SQL_CANCELLED_TO, "i", id) ||
		!sql_number(s, e, &to, SQL_CANCEL_UP_TO, "iii", id, after, (int64_t)limit))
		return false;
	*more = to > after;
	return !*more || cancel_range(s, id, after, to, now, e);
}

/* 1: one was made due, 0: none is left, -1: error. */
static int try_one(
	struct store *s, sqlite3_stmt *st, enum delivery_state was, int64_t now, struct error *e)
{
	int rc = st == NULL ? -1 : sql_step(s, st, e);

	if (rc <= 0)
		return rc;
	struct delivery_key key = {sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1)};
	sql_end(st);
	return set_due(s, &key, was, now, now, e) ? 1 : -1;
}

bool store_delivery_retry(
	struct store *s, int64_t digest_id, int limit, int64_t now, int *n, struct error *e)
{
	int rc = 1;

	*n = 0;
	while (*n < limit && (rc = try_one(s, sql_start(s, e, SQL_WAITING, "zi", digest_id, now),
				      DELIVERY_DEFERRED, now, e)) == 1)
		++*n;
	while (rc >= 0 && *n < limit &&
		(rc = try_one(
			 s, sql_start(s, e, SQL_HELD, "z", digest_id), DELIVERY_HELD, now, e)) == 1)
		++*n;
	return rc >= 0;
}
