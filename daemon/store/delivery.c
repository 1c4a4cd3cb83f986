/* The queue: which deliveries are to be sent, the turns of the sessions, and what a crash left
 * open. */
#include "hubmail/store_delivery.h"

#include "hubmail/base_mem.h"
#include "hubmail/store_subscriber.h"
#include "sql.h"
#include <stdlib.h>
#include <string.h>

/* A subscription that ends cancels its open deliveries in the same transaction, so a delivery that
 * is queued was wanted when it got there; may_go() asks once more. */
static const char SQL_FRESH[] =
	"SELECT d.digest_id, d.subscriber_id, d.attempts, NULL, r.email, r.name"
	" FROM delivery d CROSS JOIN subscriber r ON r.id = d.subscriber_id"
	" WHERE d.digest_id = ?1 AND d.subscriber_id > ?2 AND d.state = 0 ORDER BY d.subscriber_id LIMIT ?3";
/* Digest by digest: a million that wait in one that is held back are not walked over. */
#define FIRST_DUE                                                                                  \
	"(SELECT d.due_at FROM delivery d INDEXED BY delivery_due"                                 \
	" WHERE d.digest_id = g.id AND d.state = 1 ORDER BY d.due_at LIMIT 1)"
static const char SQL_DUE_DIGESTS[] =
	"SELECT g.id, " FIRST_DUE " AS first_due FROM digest g"
	" WHERE g.state IN (0, 1, 2) AND g.state < 2 AND first_due <= ?1 ORDER BY first_due";
static const char SQL_DUE[] =
	"SELECT d.digest_id, d.subscriber_id, d.attempts,"
	" (SELECT at FROM attempt a WHERE a.digest_id = d.digest_id AND a.subscriber_id = d.subscriber_id AND a.number = 1),"
	" r.email, r.name"
	" FROM delivery d INDEXED BY delivery_due CROSS JOIN subscriber r ON r.id = d.subscriber_id"
	" WHERE d.digest_id = ?1 AND d.state = 1 AND d.due_at <= ?2 ORDER BY d.due_at LIMIT ?3";
static const char SQL_NEXT_DUE[] =
	"SELECT min(" FIRST_DUE ") FROM digest g WHERE g.state IN (0, 1, 2) AND g.state < 2";

static const char SQL_STATE[] =
	"SELECT d.state, d.attempts, g.state, d.due_at, s.state FROM delivery d CROSS JOIN digest g ON g.id = d.digest_id"
	" LEFT JOIN subscription s ON s.list_id = g.list_id AND s.subscriber_id = d.subscriber_id"
	" WHERE d.digest_id = ?1 AND d.subscriber_id = ?2";
/* What becomes of most: nothing has to be looked up for it. */
static const char SQL_SENT_AT_ONCE[] =
	"UPDATE delivery SET state = 2, attempts = 1"
	" WHERE digest_id = ?1 AND subscriber_id = ?2 AND state = 0 AND attempts = 0";
static const char SQL_SET[] =
	"UPDATE delivery SET state = ?3, attempts = ?4, due_at = ?5 WHERE digest_id = ?1 AND subscriber_id = ?2";
static const char SQL_ATTEMPT[] =
	"INSERT INTO attempt (digest_id, subscriber_id, number, at, outcome, relay, code, enhanced, text)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
static const char SQL_TAKE[] =
	"INSERT INTO session (place, digest_id, subscriber_id, at) VALUES (?1, ?2, ?3, ?4)"
	" ON CONFLICT (place) DO UPDATE SET digest_id = excluded.digest_id, subscriber_id = excluded.subscriber_id,"
	" at = excluded.at";
static const char SQL_TAKEN[] =
	"SELECT t.digest_id, t.subscriber_id, r.email FROM session t"
	" LEFT JOIN subscriber r ON r.id = t.subscriber_id WHERE t.digest_id IS NOT NULL LIMIT 1";
static const char SQL_UNTAKE[] = "DELETE FROM session WHERE digest_id = ?1 AND subscriber_id = ?2";
static const char SQL_UNTAKE_ALL[] = "DELETE FROM session";

static const char SQL_USE[] = "INSERT INTO relay_use (relay, slot_at, sent) VALUES (?1, ?2, 1)"
			      " ON CONFLICT (relay, slot_at) DO UPDATE SET sent = sent + 1";
static const char SQL_USE_EACH[] =
	"SELECT slot_at, sent FROM relay_use WHERE relay = ?1 AND slot_at >= ?2";
static const char SQL_USE_TRIM[] = "DELETE FROM relay_use WHERE slot_at < ?1";

static const char *const state_names[] = {
	"queued", "deferred", "sent", "failed", "cancelled", "held"};

const char *delivery_state_name(enum delivery_state s)
{
	return (size_t)s < sizeof(state_names) / sizeof(state_names[0]) ? state_names[s] : "?";
}

bool delivery_state_from_name(const char *name, enum delivery_state *s)
{
	for (size_t i = 0; i < sizeof(state_names) / sizeof(state_names[0]); i++) {
		if (strcmp(name, state_names[i]) == 0) {
			*s = (enum delivery_state)i;
			return true;
		}
	}
	return false;
}

void store_ready_free(struct store_ready *r)
{
	free(r->email);
	free(r->name);
	*r = (struct store_ready){0};
}

static bool ready_rows(struct store *s, sqlite3_stmt *st, size_t limit, struct store_ready *out,
	size_t *n, struct error *e)
{
	int rc = -1;

	while (st != NULL && *n < limit && (rc = sql_step(s, st, e)) == 1) {
		out[(*n)++] = (struct store_ready){
			.key = {sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1)},
			.attempts = sqlite3_column_int(st, 2),
			.first_attempt_at = sqlite3_column_int64(st, 3),
			.email = sql_text(st, 4),
			.name = sql_text(st, 5),
		};
	}
	if (rc == 1)
		sql_end(st);
	return rc >= 0;
}

bool store_delivery_fresh(struct store *s, int64_t digest_id, int64_t after, size_t limit,
	struct store_ready *out, size_t *n, struct error *e)
{
	*n = 0;
	return ready_rows(s, sql_start(s, e, SQL_FRESH, "iii", digest_id, after, (int64_t)limit),
		limit, out, n, e);
}

bool store_delivery_due(struct store *s, int64_t now, size_t limit, struct store_ready *out,
	size_t *n, struct error *e)
{
	sqlite3_stmt *digests = sql_start(s, e, SQL_DUE_DIGESTS, "i", now);
	int rc = -1;

	*n = 0;
	while (digests != NULL && *n < limit && (rc = sql_step(s, digests, e)) == 1) {
		sqlite3_stmt *st = sql_start(s, e, SQL_DUE, "iii", sqlite3_column_int64(digests, 0),
			now, (int64_t)(limit - *n));
		if (!ready_rows(s, st, limit, out, n, e)) {
			sql_end(digests);
			return false;
		}
	}
	if (rc == 1)
		sql_end(digests);
	return rc >= 0;
}

bool store_delivery_next_due(struct store *s, int64_t *at, struct error *e)
{
	*at = 0;
	return sql_number(s, e, at, SQL_NEXT_DUE, "");
}

struct delivery_now {
	int state, attempts, digest_state;
	int64_t due_at;
	bool wanted;
};

/* 1: found, 0: there is no such delivery, -1: error. */
static int look_up(
	struct store *s, const struct delivery_key *key, struct delivery_now *now, struct error *e)
{
	sqlite3_stmt *st = sql_start(s, e, SQL_STATE, "ii", key->digest_id, key->subscriber_id);
	int rc = st == NULL ? -1 : sql_step(s, st, e);

	if (rc != 1)
		return rc;
	*now = (struct delivery_now){sqlite3_column_int(st, 0), sqlite3_column_int(st, 1),
		sqlite3_column_int(st, 2), sqlite3_column_int64(st, 3),
		sqlite3_column_int(st, 4) == SUBSCRIPTION_CONFIRMED};
	sql_end(st);
	return 1;
}

/* What an attempt makes of a delivery. One that was cancelled while it was on the wire was sent all
 * the same, or is left alone. */
static enum delivery_state state_after(const struct store_result *r, enum delivery_state before)
{
	if (r->outcome == OUTCOME_ACCEPTED)
		return DELIVERY_SENT;
	if (before != DELIVERY_QUEUED && before != DELIVERY_DEFERRED)
		return before;
	if (r->outcome == OUTCOME_FAILED)
		return DELIVERY_FAILED;
	return r->outcome == OUTCOME_UNKNOWN && r->hold ? DELIVERY_HELD : DELIVERY_DEFERRED;
}

static bool count_use(struct store *s, const struct store_result *r, struct error *e)
{
	return r->use_slot == 0 || sql_run(s, e, SQL_USE, "ti", r->relay, r->use_slot);
}

static bool put_attempt(struct store *s, const struct store_result *r, int number, struct error *e)
{
	return sql_run(s, e, SQL_ATTEMPT,
		       "iididt"
		       "ztt",
		       r->key.digest_id, r->key.subscriber_id, number, r->at, (int)r->outcome,
		       r->relay, (int64_t)r->code, r->enhanced, r->text) &&
	       count_use(s, r, e);
}

/* *done: it was that simple. */
static bool put_sent_at_once(
	struct store *s, const struct store_result *r, bool *done, struct error *e)
{
	*done = false;
	if (r->outcome != OUTCOME_ACCEPTED)
		return true;
	if (!sql_run(s, e, SQL_SENT_AT_ONCE, "ii", r->key.digest_id, r->key.subscriber_id))
		return false;
	*done = sqlite3_changes(s->db) > 0;
	return !*done ||
	       (put_attempt(s, r, 1, e) && digest_count_later(s, r->key.digest_id, DELIVERY_QUEUED,
						   DELIVERY_SENT, r->at, e));
}

static bool put_result(struct store *s, const struct store_result *r, struct error *e)
{
	struct delivery_now was = {0};
	bool done;

	if (!put_sent_at_once(s, r, &done, e))
		return false;
	if (done)
		return true;
	int found = look_up(s, &r->key, &was, e);
	if (found < 0)
		return false;
	if (found == 0)
		return count_use(s, r, e); /* the reader was erased: that is all there is to note */
	enum delivery_state state = state_after(r, (enum delivery_state)was.state);
	int64_t due_at = state == DELIVERY_DEFERRED ? r->retry_at : 0;
	return sql_run(s, e, SQL_SET, "iiddz", r->key.digest_id, r->key.subscriber_id, (int)state,
		       was.attempts + 1, due_at) &&
	       put_attempt(s, r, was.attempts + 1, e) &&
	       digest_count_later(s, r->key.digest_id, was.state, (int)state, r->at, e);
}

bool store_relay_use_each(struct store *s, const char *relay, int64_t since, store_relay_use_fn *fn,
	void *arg, struct error *e)
{
	sqlite3_stmt *st = sql_start(s, e, SQL_USE_EACH, "ti", relay, since);
	int rc = -1;

	while (st != NULL && (rc = sql_step(s, st, e)) == 1)
		fn(sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), arg);
	return rc == 0;
}

bool store_relay_use_trim(struct store *s, int64_t before, struct error *e)
{
	return sql_run(s, e, SQL_USE_TRIM, "i", before);
}

/* A reader may have left while the delivery was final or held, which leaving does not touch, and it
 * was opened again since. */
static bool cancel_unwanted(struct store *s, const struct delivery_key *key,
	const struct delivery_now *was, int64_t at, struct error *e)
{
	return sql_run(s, e, SQL_SET, "iiddz", key->digest_id, key->subscriber_id,
		       (int)DELIVERY_CANCELLED, was->attempts, (int64_t)0) &&
	       digest_count_later(s, key->digest_id, was->state, DELIVERY_CANCELLED, at, e);
}

static bool may_go(struct store *s, const struct delivery_key *key, int64_t at, enum store_go *go,
	struct error *e)
{
	struct delivery_now now = {0};
	int found = look_up(s, key, &now, e);

	*go = STORE_NOT_WANTED;
	if (found <= 0)
		return found == 0;
	/* Whoever read the queue before the last result was there took it for due. */
	if (now.state != DELIVERY_QUEUED && (now.state != DELIVERY_DEFERRED || now.due_at > at))
		return true;
	if (now.digest_state > 1) {
		*go = STORE_NOT_NOW;
		return true;
	}
	if (!now.wanted)
		return cancel_unwanted(s, key, &now, at, e);
	*go = STORE_GO;
	return true;
}

bool store_delivery_turn(
	struct store *s, const struct store_turn *turn, enum store_go *go, struct error *e)
{
	*go = STORE_NOT_WANTED;
	if (turn->result != NULL && !put_result(s, turn->result, e))
		return false;
	if (turn->next != NULL && !may_go(s, turn->next, turn->at, go, e))
		return false;
	int64_t digest_id = *go == STORE_GO ? turn->next->digest_id : 0;
	int64_t subscriber_id = *go == STORE_GO ? turn->next->subscriber_id : 0;
	return sql_run(s, e, SQL_TAKE, "dzzi", turn->session, digest_id, subscriber_id, turn->at);
}

bool store_delivery_recover(struct store *s, bool hold, int64_t now, store_unknown_fn *fn,
	void *arg, int *n, struct error *e)
{
	int rc;

	*n = 0;
	for (;;) {
		sqlite3_stmt *st = sql_start(s, e, SQL_TAKEN, "");
		if (st == NULL || (rc = sql_step(s, st, e)) < 0)
			return false;
		if (rc == 0)
			return sql_run(s, e, SQL_UNTAKE_ALL, "");
		struct store_result r = {
			.key = {sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1)},
			.outcome = OUTCOME_UNKNOWN,
			.hold = hold,
			.at = now,
			.retry_at = now,
			.text = "hubmaild ended between the message and the relay's answer",
		};
		char *email = sql_text(st, 2);
		sql_end(st);
		bool ok = put_result(s, &r, e) &&
			  sql_run(s, e, SQL_UNTAKE, "ii", r.key.digest_id, r.key.subscriber_id);
		if (ok && fn != NULL)
			fn(&r.key, email, arg);
		free(email);
		if (!ok)
			return false;
		++*n;
	}
}
