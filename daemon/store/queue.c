/* The queue as people look at it: deliveries by digest, reader and state, and the attempts of each.
 */
#include "hubmail/store_delivery.h"

#include "hubmail/base_mem.h"
#include "sql.h"
#include <stdlib.h>

#define COLUMNS                                                                                                     \
	"d.digest_id, d.subscriber_id, l.name, r.email, d.state, d.attempts, d.due_at, a.code, a.enhanced, a.text," \
	" a.relay, a.at"
#define LAST_ATTEMPT                                                                               \
	" LEFT JOIN attempt a ON a.digest_id = d.digest_id AND a.subscriber_id = d.subscriber_id AND a.number = d.attempts"
#define PEOPLE " LEFT JOIN subscriber r ON r.id = d.subscriber_id"

/* By digest, so that each is found through the key of its deliveries; for one reader too, for there
 * are fewer digests than readers and an index by reader would cost every delivery. */
static const char SQL_EACH[] = "SELECT " COLUMNS " FROM digest g JOIN list l ON l.id = g.list_id"
			       " CROSS JOIN delivery d ON d.digest_id = g.id" LAST_ATTEMPT PEOPLE
			       " WHERE (?1 IS NULL OR g.id = ?1) AND ?2 IS NULL"
			       " AND (?3 = -2 OR d.state = ?3 OR ?3 = -1 AND d.state IN (0, 1, 5))"
			       " AND (?5 IS NULL OR g.list_id = ?5)"
			       " ORDER BY g.id, d.subscriber_id LIMIT ?4";
static const char SQL_ONE_READER[] =
	"SELECT " COLUMNS " FROM digest g JOIN list l ON l.id = g.list_id"
	" CROSS JOIN delivery d ON d.digest_id = g.id AND d.subscriber_id = ?2" LAST_ATTEMPT PEOPLE
	" WHERE (?1 IS NULL OR g.id = ?1) AND (?3 = -2 OR d.state = ?3 OR ?3 = -1 AND d.state IN (0, 1, 5))"
	" AND (?5 IS NULL OR g.list_id = ?5) ORDER BY g.id LIMIT ?4";
static const char SQL_UNKNOWN[] =
	"SELECT DISTINCT " COLUMNS " FROM attempt u INDEXED BY attempt_unknown"
	" CROSS JOIN delivery d ON d.digest_id = u.digest_id AND d.subscriber_id = u.subscriber_id"
	" CROSS JOIN digest g ON g.id = d.digest_id CROSS JOIN list l ON l.id = g.list_id" LAST_ATTEMPT
		PEOPLE
	" WHERE u.outcome = 3 AND (?1 IS NULL OR d.digest_id = ?1) AND (?2 IS NULL OR d.subscriber_id = ?2)"
	" AND (?5 IS NULL OR g.list_id = ?5) ORDER BY d.digest_id, d.subscriber_id LIMIT ?4";
static const char SQL_ATTEMPTS[] = "SELECT at, outcome, relay, code, enhanced, text FROM attempt"
				   " WHERE digest_id = ?1 AND subscriber_id = ?2 ORDER BY number";

static struct store_delivery row(sqlite3_stmt *st)
{
	return (struct store_delivery){
		.key = {sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1)},
		.list = sql_text(st, 2),
		.email = sql_text(st, 3),
		.state = (enum delivery_state)sqlite3_column_int(st, 4),
		.attempts = sqlite3_column_int(st, 5),
		.due_at = sqlite3_column_int64(st, 6),
		.code = sqlite3_column_int(st, 7),
		.enhanced = sql_text(st, 8),
		.text = sql_text(st, 9),
		.relay = sql_text(st, 10),
		.last_at = sqlite3_column_int64(st, 11),
	};
}

void store_delivery_free(struct store_delivery *d)
{
	free(d->list);
	free(d->email);
	free(d->enhanced);
	free(d->text);
	free(d->relay);
	*d = (struct store_delivery){0};
}

bool store_delivery_each(struct store *s, const struct store_delivery_filter *f,
	store_delivery_fn *fn, void *arg, struct error *e)
{
	const char *text = f->state == -3          ? SQL_UNKNOWN
			   : f->subscriber_id != 0 ? SQL_ONE_READER
						   : SQL_EACH;
	int64_t limit = f->limit == 0 ? -1 : (int64_t)f->limit;
	sqlite3_stmt *st = sql_start(
		s, e, text, "zzdiz", f->digest_id, f->subscriber_id, f->state, limit, f->list_id);
	bool go_on = true;
	int rc = -1;

	while (st != NULL && go_on && (rc = sql_step(s, st, e)) == 1) {
		struct store_delivery d = row(st);
		go_on = fn(&d, arg);
		store_delivery_free(&d);
	}
	if (st != NULL)
		sql_end(st);
	return st != NULL && rc >= 0;
}

bool store_attempt_each(struct store *s, const struct delivery_key *key, store_attempt_fn *fn,
	void *arg, struct error *e)
{
	static const char *const outcomes[] = {"accepted", "deferred", "failed", "unknown"};
	sqlite3_stmt *st = sql_start(s, e, SQL_ATTEMPTS, "ii", key->digest_id, key->subscriber_id);
	bool go_on = true;
	int rc = -1;

	while (st != NULL && go_on && (rc = sql_step(s, st, e)) == 1) {
		unsigned outcome = (unsigned)sqlite3_column_int(st, 1);
		struct store_attempt a = {
			.at = sqlite3_column_int64(st, 0),
			.outcome = outcome < 4 ? outcomes[outcome] : "?",
			.relay = (const char *)sqlite3_column_text(st, 2),
			.code = sqlite3_column_int(st, 3),
			.enhanced = (const char *)sqlite3_column_text(st, 4),
			.text = (const char *)sqlite3_column_text(st, 5),
		};
		go_on = fn(&a, arg);
	}
	if (st != NULL)
		sql_end(st);
	return st != NULL && rc >= 0;
}
