/* The thin layer between this room's functions and SQLite: a cache of prepared statements, binding,
 * and errors in words. What the statements say stands in the files that use them. */
#include "sql.h"

#include "hubmail/base_mem.h"
#include <stdarg.h>
#include <string.h>
#include <uthash.h>

struct sql_cached {
	const char *text; /* the key: the address of the constant */
	sqlite3_stmt *st;
	UT_hash_handle hh;
};

static sqlite3_stmt *prepared(struct store *s, const char *text, struct error *e)
{
	struct sql_cached *c;

	HASH_FIND_PTR(s->statements, &text, c);
	if (c != NULL)
		return c->st;
	sqlite3_stmt *st;
	if (sqlite3_prepare_v3(s->db, text, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL) !=
		SQLITE_OK) {
		sql_error(s, e);
		return NULL;
	}
	c = xcalloc(1, sizeof(*c));
	c->text = text;
	c->st = st;
	HASH_ADD_PTR(s->statements, text, c);
	return st;
}

static void bind_text(sqlite3_stmt *st, int i, const char *text)
{
	if (text == NULL)
		sqlite3_bind_null(st, i);
	else
		sqlite3_bind_text(st, i, text, -1, SQLITE_STATIC);
}

static void bind_id(sqlite3_stmt *st, int i, int64_t id)
{
	if (id == 0)
		sqlite3_bind_null(st, i);
	else
		sqlite3_bind_int64(st, i, id);
}

static void bind_all(sqlite3_stmt *st, const char *types, va_list ap)
{
	for (int i = 1; types[i - 1] != '\0'; i++) {
		switch (types[i - 1]) {
		case 'i':
			sqlite3_bind_int64(st, i, va_arg(ap, int64_t));
			break;
		case 'd':
			sqlite3_bind_int(st, i, va_arg(ap, int));
			break;
		case 'z':
			bind_id(st, i, va_arg(ap, int64_t));
			break;
		case 't':
			bind_text(st, i, va_arg(ap, const char *));
			break;
		default: {
			const void *data = va_arg(ap, const void *);
			sqlite3_bind_blob64(st, i, data, va_arg(ap, size_t), SQLITE_STATIC);
			break;
		}
		}
	}
}

static sqlite3_stmt *start(
	struct store *s, struct error *e, const char *text, const char *types, va_list ap)
{
	sqlite3_stmt *st = prepared(s, text, e);

	if (st == NULL)
		return NULL;
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	bind_all(st, types, ap);
	return st;
}

sqlite3_stmt *sql_start(struct store *s, struct error *e, const char *text, const char *types, ...)
{
	va_list ap;

	va_start(ap, types);
	sqlite3_stmt *st = start(s, e, text, types, ap);
	va_end(ap);
	return st;
}

int sql_step(struct store *s, sqlite3_stmt *st, struct error *e)
{
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		sql_error(s, e);
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : -1;
}

bool sql_run(struct store *s, struct error *e, const char *text, const char *types, ...)
{
	va_list ap;

	va_start(ap, types);
	sqlite3_stmt *st = start(s, e, text, types, ap);
	va_end(ap);
	if (st == NULL)
		return false;
	int rc = sql_step(s, st, e);
	if (rc == 1)
		sqlite3_reset(st);
	return rc >= 0;
}

bool sql_number(
	struct store *s, struct error *e, int64_t *out, const char *text, const char *types, ...)
{
	va_list ap;

	va_start(ap, types);
	sqlite3_stmt *st = start(s, e, text, types, ap);
	va_end(ap);
	if (st == NULL)
		return false;
	int rc = sql_step(s, st, e);
	if (rc == 1) {
		*out = sqlite3_column_int64(st, 0);
		sqlite3_reset(st);
	}
	return rc >= 0;
}

void sql_end(sqlite3_stmt *st)
{
	sqlite3_reset(st);
}

char *sql_text(sqlite3_stmt *st, int column)
{
	return xstrdup((const char *)sqlite3_column_text(st, column));
}

static enum error_code code_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_FULL:
		return ERROR_AGAIN;
	/* What breaks the tables' rules breaks them every time: no other try mends that. A damaged
	 * file is a matter of the disk's. */
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_TOOBIG:
		return ERROR_DATA;
	default:
		return ERROR_IO;
	}
}

bool sql_error_db(sqlite3 *db, const char *path, struct error *e)
{
	int rc = sqlite3_extended_errcode(db);

	switch (rc & 0xff) {
	case SQLITE_FULL:
		return error_set(
			e, ERROR_AGAIN, "%s: no space left on the disk: make room there", path);
	case SQLITE_BUSY:
		return error_set(e, ERROR_AGAIN,
			"%s: locked by another program for too long: try again", path);
	case SQLITE_READONLY:
		return error_set(e, ERROR_IO,
			"%s: cannot be written by this user: run as root or as the daemon's user",
			path);
	case SQLITE_CANTOPEN:
		return error_set(e, ERROR_IO,
			"%s: cannot be opened: check that the folder exists and this user may write there",
			path);
	case SQLITE_NOTADB:
		return error_set(e, ERROR_CONFIG, "%s: is not a hubmail database", path);
	default:
		return error_set(
			e, code_of(rc), "%s: %s (SQLite %d)", path, sqlite3_errmsg(db), rc);
	}
}

/* SQLite prepares a PRAGMA anew each time it runs, which is too dear for every transaction. */
bool sql_set_durable(struct store *s, bool durable, struct error *e)
{
	const char *text = durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL";

	if (s->durable == durable)
		return true;
	if (sqlite3_exec(s->db, text, NULL, NULL, NULL) != SQLITE_OK)
		return sql_error(s, e);
	s->durable = durable;
	return true;
}

bool sql_error(struct store *s, struct error *e)
{
	return sql_error_db(s->db, s->path, e);
}

void sql_free(struct store *s)
{
	struct sql_cached *c, *next;

	HASH_ITER(hh, s->statements, c, next)
	{
		/* HASH_ITER has read the next one already, which the analyzer cannot know. */
		HASH_DEL(s->statements, c); /* NOLINT(clang-analyzer-*) */
		sqlite3_finalize(c->st);
		free(c);
	}
}
