/* Lists as the store knows them: a name and an id that never changes. Everything else about a list
 * stands in the configuration. */
#include "hubmail/store_subscriber.h"

#include "sql.h"

static const char SQL_FIND[] = "SELECT id FROM list WHERE name = ?1";
static const char SQL_ADD[] = "INSERT INTO list (name) VALUES (?1) ON CONFLICT DO NOTHING";
static const char SQL_NAME[] = "SELECT name FROM list WHERE id = ?1";
static const char SQL_STATES[] =
	"SELECT state, count(*) FROM subscription WHERE list_id = ?1 GROUP BY state";
static const char SQL_LAST_DIGEST[] =
	"SELECT max(created_at) FROM digest WHERE list_id = ?1 AND only_to = 0";

int64_t store_list_id(struct store *s, const char *name, struct error *e)
{
	int64_t id = 0;

	if (!sql_number(s, e, &id, SQL_FIND, "t", name))
		return 0;
	if (id == 0)
		error_set(e, ERROR_NOT_FOUND, "%s: no such list in the database", name);
	return id;
}

int64_t store_list_ensure(struct store *s, const char *name, struct error *e)
{
	int64_t id = 0;

	if (!sql_number(s, e, &id, SQL_FIND, "t", name) || id != 0)
		return id;
	if (!sql_run(s, e, SQL_ADD, "t", name) || !sql_number(s, e, &id, SQL_FIND, "t", name))
		return 0;
	return id;
}

char *store_list_name(struct store *s, int64_t list_id, struct error *e)
{
	sqlite3_stmt *st = sql_start(s, e, SQL_NAME, "i", list_id);

	if (st == NULL)
		return NULL;
	int rc = sql_step(s, st, e);
	if (rc == 0)
		error_set(e, ERROR_NOT_FOUND, "there is no list with the number %lld",
			(long long)list_id);
	if (rc != 1)
		return NULL;
	char *name = sql_text(st, 0);
	sql_end(st);
	return name;
}

bool store_list_counts(
	struct store *s, int64_t list_id, struct store_list_counts *out, struct error *e)
{
	int64_t *const counts[] = {
		[SUBSCRIPTION_PENDING] = &out->pending,
		[SUBSCRIPTION_CONFIRMED] = &out->confirmed,
		[SUBSCRIPTION_UNSUBSCRIBED] = &out->unsubscribed,
		[SUBSCRIPTION_REMOVED] = &out->removed,
	};
	int rc;

	*out = (struct store_list_counts){0};
	sqlite3_stmt *st = sql_start(s, e, SQL_STATES, "i", list_id);
	if (st == NULL)
		return false;
	while ((rc = sql_step(s, st, e)) == 1) {
		unsigned state = (unsigned)sqlite3_column_int(st, 0);
		if (state < sizeof(counts) / sizeof(counts[0]))
			*counts[state] = sqlite3_column_int64(st, 1);
	}
	return rc == 0 && sql_number(s, e, &out->last_digest_at, SQL_LAST_DIGEST, "i", list_id);
}
