/* The tables, and how an older database becomes a newer one. Each step is what one released schema
 * adds to the one before; PRAGMA user_version counts the steps a database has had. */
#include "sql.h"

#include "hubmail/base_mem.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPLICATION_ID 0x6875626d /* "hubm" */

static const char *const steps[] = {
	/* 1. Ids that stand in links and mails are never used twice (AUTOINCREMENT). Tables whose
	 * key is a pair are clustered by it (WITHOUT ROWID): a digest's deliveries lie beside each
	 * other in the order in which they are sent. */
	"CREATE TABLE list ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" name TEXT NOT NULL UNIQUE) STRICT;"

	"CREATE TABLE subscriber ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" email TEXT NOT NULL UNIQUE COLLATE NOCASE,"
	" name TEXT,"
	" created_at INTEGER NOT NULL) STRICT;"

	"CREATE TABLE subscriber_tag ("
	" subscriber_id INTEGER NOT NULL REFERENCES subscriber ON DELETE CASCADE,"
	" tag TEXT NOT NULL,"
	" PRIMARY KEY (subscriber_id, tag)) WITHOUT ROWID, STRICT;"
	"CREATE INDEX subscriber_tag_tag ON subscriber_tag (tag, subscriber_id);"

	"CREATE TABLE subscriber_attribute ("
	" subscriber_id INTEGER NOT NULL REFERENCES subscriber ON DELETE CASCADE,"
	" key TEXT NOT NULL,"
	" value TEXT NOT NULL,"
	" PRIMARY KEY (subscriber_id, key)) WITHOUT ROWID, STRICT;"

	"CREATE TABLE subscription ("
	" list_id INTEGER NOT NULL REFERENCES list,"
	" subscriber_id INTEGER NOT NULL REFERENCES subscriber ON DELETE CASCADE,"
	" state INTEGER NOT NULL,"
	" edition INTEGER," /* NULL: the list's own */
	" origin TEXT,"
	" created_at INTEGER NOT NULL,"
	" confirmed_at INTEGER,"
	" ended_at INTEGER,"
	" PRIMARY KEY (list_id, subscriber_id)) WITHOUT ROWID, STRICT;"
	"CREATE INDEX subscription_subscriber ON subscription (subscriber_id);"

	"CREATE TABLE source ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" list_id INTEGER NOT NULL REFERENCES list,"
	" kind TEXT NOT NULL,"
	" location TEXT NOT NULL,"
	" etag TEXT,"
	" last_modified TEXT,"
	" error TEXT,"
	" failures INTEGER NOT NULL DEFAULT 0,"
	" first_look_at INTEGER,"
	" checked_at INTEGER,"
	" changed_at INTEGER,"
	" UNIQUE (list_id, kind, location)) STRICT;"

	/* published_at is never NULL: what the post did not say is the time it was found. */
	"CREATE TABLE post ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" source_id INTEGER NOT NULL REFERENCES source,"
	" guid TEXT NOT NULL,"
	" url TEXT, title TEXT, author TEXT, summary TEXT, content TEXT, image TEXT,"
	" categories TEXT," /* one on each line */
	" published_at INTEGER NOT NULL,"
	" updated_at INTEGER,"
	" found_at INTEGER NOT NULL,"
	" seen INTEGER NOT NULL," /* 1: was there before the source was watched: never mailed by
				     itself; 2: nor is this, it was taken for the past; 3: nor is
				     this, another source of the list has it; 4: its file is gone */
	" UNIQUE (source_id, guid)) STRICT;"
	"CREATE INDEX post_waiting ON post (source_id, published_at) WHERE seen = 0;"
	"CREATE INDEX post_published ON post (source_id, published_at);"
	"CREATE INDEX post_url ON post (source_id, url);"

	/* The counters are kept with every change of a delivery's state, so that nobody counts a
	   million rows. */
	"CREATE TABLE digest ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" list_id INTEGER NOT NULL REFERENCES list,"
	" edition INTEGER NOT NULL,"
	" is_default INTEGER NOT NULL,"
	" only_to INTEGER NOT NULL," /* 1: for some readers only; its posts stay pending */
	" state INTEGER NOT NULL,"
	" subject TEXT NOT NULL,"
	" reason TEXT," /* why the daemon holds it back */
	" created_at INTEGER NOT NULL,"
	" finished_at INTEGER,"
	" audience INTEGER NOT NULL,"
	" enqueued_to INTEGER NOT NULL DEFAULT 0," /* the last subscriber that has a delivery */
	" all_enqueued INTEGER NOT NULL DEFAULT 0,"
	" cancelled_to INTEGER NOT NULL DEFAULT 0," /* the last subscriber whose delivery was
						       cancelled with the digest */
	" queued INTEGER NOT NULL DEFAULT 0,"
	" deferred INTEGER NOT NULL DEFAULT 0,"
	" sent INTEGER NOT NULL DEFAULT 0,"
	" failed INTEGER NOT NULL DEFAULT 0,"
	" cancelled INTEGER NOT NULL DEFAULT 0,"
	" held INTEGER NOT NULL DEFAULT 0) STRICT;"
	"CREATE INDEX digest_list ON digest (list_id, edition);"
	"CREATE INDEX digest_open ON digest (list_id) WHERE state IN (0, 1, 2);"

	"CREATE TABLE digest_message ("
	" digest_id INTEGER PRIMARY KEY REFERENCES digest,"
	" message BLOB NOT NULL) STRICT;"

	"CREATE TABLE digest_post ("
	" digest_id INTEGER NOT NULL REFERENCES digest,"
	" position INTEGER NOT NULL,"
	" post_id INTEGER NOT NULL REFERENCES post,"
	" PRIMARY KEY (digest_id, position)) WITHOUT ROWID, STRICT;"
	"CREATE INDEX digest_post_post ON digest_post (post_id, digest_id);"

	"CREATE TABLE delivery ("
	" digest_id INTEGER NOT NULL,"
	" subscriber_id INTEGER NOT NULL,"
	" state INTEGER NOT NULL,"
	" attempts INTEGER NOT NULL,"
	" due_at INTEGER,"
	" PRIMARY KEY (digest_id, subscriber_id)) WITHOUT ROWID, STRICT;"
	"CREATE INDEX delivery_due ON delivery (due_at) WHERE state = 1;"
	"CREATE INDEX delivery_held ON delivery (digest_id) WHERE state = 5;"

	"CREATE TABLE attempt ("
	" digest_id INTEGER NOT NULL,"
	" subscriber_id INTEGER NOT NULL,"
	" number INTEGER NOT NULL,"
	" at INTEGER NOT NULL,"
	" outcome INTEGER NOT NULL,"
	" relay TEXT,"
	" code INTEGER,"
	" enhanced TEXT,"
	" text TEXT,"
	" PRIMARY KEY (digest_id, subscriber_id, number)) WITHOUT ROWID, STRICT;"
	"CREATE INDEX attempt_unknown ON attempt (digest_id, subscriber_id) WHERE outcome = 3;"

	/* One row for each place of a session: the delivery whose final dot is about to be sent. */
	"CREATE TABLE session ("
	" place INTEGER PRIMARY KEY,"
	" digest_id INTEGER,"
	" subscriber_id INTEGER,"
	" at INTEGER) STRICT;"

	/* How many messages a relay took in each stretch of time: its limits outlive a restart. */
	"CREATE TABLE relay_use ("
	" relay TEXT NOT NULL,"
	" slot_at INTEGER NOT NULL,"
	" sent INTEGER NOT NULL,"
	" PRIMARY KEY (relay, slot_at)) WITHOUT ROWID, STRICT;"

	"CREATE TABLE schedule ("
	" list_id INTEGER NOT NULL REFERENCES list,"
	" edition INTEGER NOT NULL,"
	" due_at INTEGER NOT NULL,"
	" PRIMARY KEY (list_id, edition)) WITHOUT ROWID, STRICT;",

	/* 2. What a source's server asked for: to be asked elsewhere, later, or never again. */
	"ALTER TABLE source ADD COLUMN moved_to TEXT;"
	"ALTER TABLE source ADD COLUMN failing_since INTEGER;"
	"ALTER TABLE source ADD COLUMN stopped INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE source ADD COLUMN wait_until INTEGER;"
	"ALTER TABLE source ADD COLUMN ttl INTEGER;"
	"ALTER TABLE source ADD COLUMN hub TEXT;"
	"ALTER TABLE source ADD COLUMN topic TEXT;"
	"ALTER TABLE source ADD COLUMN lease_until INTEGER;"
	"UPDATE source SET failing_since = checked_at WHERE error IS NOT NULL;"
	"CREATE INDEX post_held ON post (source_id) WHERE seen = 2;"
	/* A post's link without what may change in it; this is link_key() but for rare forms. */
	"ALTER TABLE post ADD COLUMN link TEXT;"
	"UPDATE post SET link = rtrim(CASE WHEN url LIKE 'https://www.%' THEN substr(url, 13)"
	" WHEN url LIKE 'http://www.%' THEN substr(url, 12) WHEN url LIKE 'https://%' THEN substr(url, 9)"
	" WHEN url LIKE 'http://%' THEN substr(url, 8) END, '/');"
	"DROP INDEX post_url;"
	"CREATE INDEX post_link ON post (source_id, link);",

	/* 3. What is due is asked for digest by digest. */
	"DROP INDEX delivery_due;"
	"CREATE INDEX delivery_due ON delivery (digest_id, due_at) WHERE state = 1;",

	/* 4. Addresses that are never mailed again, known by a hash alone, for it outlives the
	 * person's row. */
	"CREATE TABLE suppression ("
	" hash BLOB PRIMARY KEY,"
	" reason TEXT,"
	" at INTEGER NOT NULL) WITHOUT ROWID, STRICT;",
};

struct schema schema_current(void)
{
	return (struct schema){steps, (int)(sizeof(steps) / sizeof(steps[0]))};
}

/* What a database says of itself. */
struct marks {
	int application_id, version, tables;
};

/* In one statement, and so of one moment: another process may be making the tables just now. */
static bool read_marks(sqlite3 *db, const char *path, struct marks *m, struct error *e)
{
	static const char text[] =
		"SELECT (SELECT application_id FROM pragma_application_id),"
		" (SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_schema)";
	sqlite3_stmt *st;
	bool ok = false;

	if (sqlite3_prepare_v2(db, text, -1, &st, NULL) != SQLITE_OK)
		return sql_error_db(db, path, e);
	if (sqlite3_step(st) == SQLITE_ROW) {
		*m = (struct marks){sqlite3_column_int(st, 0), sqlite3_column_int(st, 1),
			sqlite3_column_int(st, 2)};
		ok = true;
	} else {
		sql_error_db(db, path, e);
	}
	sqlite3_finalize(st);
	return ok;
}

/* An empty file has neither mark nor tables; everything else must carry our mark. */
static bool check(
	sqlite3 *db, const char *path, struct schema schema, int *version, struct error *e)
{
	struct marks m = {0};

	if (!read_marks(db, path, &m, e))
		return false;
	*version = m.version;
	if (m.application_id != APPLICATION_ID && (m.application_id != 0 || m.tables != 0))
		return error_set(e, ERROR_CONFIG,
			"%s: is a database of another program; `database` must name one of hubmail's",
			path);
	if (m.version > schema.n)
		return error_set(e, ERROR_CONFIG,
			"%s: was written by a newer hubmail (schema %d, this one knows %d): install that version",
			path, m.version, schema.n);
	return true;
}

bool schema_check(sqlite3 *db, const char *path, struct schema schema, struct error *e)
{
	int version = 0;

	return check(db, path, schema, &version, e);
}

bool schema_is_current(sqlite3 *db, const char *path, struct schema schema, struct error *e)
{
	int version = 0;

	if (!check(db, path, schema, &version, e))
		return false;
	return version == schema.n ||
	       error_set(e, ERROR_AGAIN,
		       "%s: was written by an older hubmail: start hubmaild, which brings it up to date",
		       path);
}

static bool execute(sqlite3 *db, const char *path, const char *text, struct error *e)
{
	return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK || sql_error_db(db, path, e);
}

/* A copy beside the database, before anything is changed in it. */
static bool keep_copy(sqlite3 *db, const char *path, int version, struct error *e)
{
	char *copy = xasprintf("%s.v%d.bak", path, version);
	char *text = NULL;
	bool ok = false;
	struct stat st;

	if (unlink(copy) != 0 && access(copy, F_OK) == 0) {
		error_set(e, ERROR_IO,
			"%s: is in the way of the copy made before a migration: move it away",
			copy);
		goto cleanup;
	}
	text = sqlite3_mprintf("VACUUM INTO %Q", copy);
	if (!execute(db, path, text, e)) {
		error_prefix(e, "copy before the migration to a newer schema, %s", copy);
		goto cleanup;
	}
	if (stat(path, &st) == 0)
		ok = chmod(copy, st.st_mode & 0777) == 0 &&
		     (geteuid() != 0 || chown(copy, st.st_uid, st.st_gid) == 0);
	if (!ok)
		error_set(e, ERROR_IO, "%s: its owner and mode cannot be set", copy);
cleanup:
	sqlite3_free(text);
	free(copy);
	return ok;
}

static bool apply(sqlite3 *db, const char *path, struct schema schema, struct error *e)
{
	char mark[96];
	int version = 0;

	/* Again, now that nobody else can change it. */
	if (!check(db, path, schema, &version, e))
		return false;
	for (int i = version; i < schema.n; i++)
		if (!execute(db, path, schema.steps[i], e))
			return false;
	snprintf(mark, sizeof(mark), "PRAGMA application_id = %d; PRAGMA user_version = %d",
		APPLICATION_ID, schema.n);
	return execute(db, path, mark, e);
}

bool schema_migrate(sqlite3 *db, const char *path, struct schema schema, struct error *e)
{
	int version = 0;

	if (!check(db, path, schema, &version, e))
		return false;
	if (version == schema.n)
		return true;
	if (version > 0 && !keep_copy(db, path, version, e))
		return false;
	if (!execute(db, path, "BEGIN IMMEDIATE", e))
		return false;
	if (apply(db, path, schema, e) && execute(db, path, "COMMIT", e))
		return true;
	if (!sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return error_prefix(e, "database schema %d to %d, nothing was changed", version, schema.n);
}
