/* SQLite as the files of this room use it: statements prepared once for each connection, bound by a
 * format string, errors turned into sentences. Private to daemon/store. */
#ifndef HUBMAIL_STORE_SQL_H
#define HUBMAIL_STORE_SQL_H

#include "hubmail/base_crypto.h"
#include "hubmail/base_error.h"
#include "hubmail/store.h"
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sql_cached;

/* What a transaction has changed in a digest's counters so far. */
struct digest_change {
	int64_t digest_id, at;
	int64_t by_state[6]; /* enum delivery_state */
};

#define DIGEST_CHANGES 8

struct store {
	sqlite3 *db;
	char *path;
	enum store_mode mode;
	struct sql_cached *statements;
	struct deriver *hasher; /* of suppressed addresses; NULL before store_set_secret() */
	bool durable;           /* commits are on disk (fsync) when they return */
	int wal_looked_at;      /* pages that the WAL had when it was last asked for a checkpoint */
	struct digest_change changes[DIGEST_CHANGES]; /* not in the tables yet */
	size_t n_changes;
};

/* What the next transactions promise: see enum store_mode. Between transactions only. */
bool sql_set_durable(struct store *s, bool durable, struct error *e);

/* The statement for `text` (a constant: it is found again by its address), bound by `types`: one
 * letter for each argument: i (int64_t), d (int), t (const char *, NULL is NULL), z (int64_t, 0 is
 * NULL), b (const void *, size_t). Text and blobs must live until the statement is stepped for the
 * last time. NULL on error. */
sqlite3_stmt *sql_start(struct store *s, struct error *e, const char *text, const char *types, ...);

/* Steps a statement: 1 = there is a row, 0 = no more (the statement is reset), -1 = error (reset
 * too). */
int sql_step(struct store *s, sqlite3_stmt *st, struct error *e);

/* A statement without rows, from start to end. */
bool sql_run(struct store *s, struct error *e, const char *text, const char *types, ...);

/* A statement that gives one number: *out keeps its value if there is no row. */
bool sql_number(
	struct store *s, struct error *e, int64_t *out, const char *text, const char *types, ...);

/* Ends a statement before its last row. */
void sql_end(sqlite3_stmt *st);

/* Text of a column: the caller's copy, or NULL. */
char *sql_text(sqlite3_stmt *st, int column);

/* Fills *e with what SQLite says went wrong. Returns false. */
bool sql_error(struct store *s, struct error *e);
bool sql_error_db(sqlite3 *db, const char *path, struct error *e);

void sql_free(struct store *s); /* finalises all statements */

/* Whom a digest for list ?1 and edition ?2 reaches, ?3 telling whether it is the list's own
 * edition; s is the subscription. */
#define SQL_AUDIENCE                                                                               \
	"s.list_id = ?1 AND s.state = 1 AND (s.edition = ?2 OR s.edition IS NULL AND ?3)"

/* schema.c: brings the database up to the number of steps given (schema_current() has this
 * program's). */
struct schema {
	const char *const *steps;
	int n;
};
struct schema schema_current(void);
bool schema_migrate(sqlite3 *db, const char *path, struct schema schema, struct error *e);
bool schema_check(sqlite3 *db, const char *path, struct schema schema, struct error *e);
/* … and that it needs no migration. */
bool schema_is_current(sqlite3 *db, const char *path, struct schema schema, struct error *e);

/* digest.c: moves n deliveries of a digest from one state to another in its counters, and ends the
 * digest when nothing is left. from -1: they are new. */
bool digest_count(struct store *s, int64_t digest_id, int from, int to, int64_t n, int64_t now,
	struct error *e);

/* The same for one delivery, of which there are many in a transaction: written by digest_settle(),
 * which store_commit() calls, and the writer before a job that may look at the counters. Outside of
 * a transaction it is written at once. */
bool digest_count_later(
	struct store *s, int64_t digest_id, int from, int to, int64_t now, struct error *e);
bool digest_settle(struct store *s, struct error *e);

/* subscription.c: ends all subscriptions of a person, who need not have any, as the operator does.
 */
bool subscription_end_all(
	struct store *s, int64_t subscriber_id, int64_t now, int *ended, struct error *e);

/* suppression.c: the words with which a person's address was suppressed, if it is, may name the
 * person. */
bool suppression_forget_reason(struct store *s, int64_t subscriber_id, struct error *e);

#endif
