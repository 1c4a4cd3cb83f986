/* Posts: which of them wait for a digest, which are the newest, which were asked for. */
#include "hubmail/store_post.h"

#include "hubmail/base_mem.h"
#include "sql.h"
#include <stdlib.h>
#include <string.h>

#define COLUMNS                                                                                    \
	"p.id, p.guid, p.url, p.title, p.author, p.summary, p.content, p.image, p.categories, p.published_at, p.updated_at"

/* A digest for some readers only leaves its posts pending; one that was cancelled was not wanted.
 */
#define NO_DIGEST_HAD_IT                                                                           \
	"NOT EXISTS (SELECT 1 FROM digest_post q JOIN digest d ON d.id = q.digest_id"              \
	" WHERE q.post_id = p.id AND d.list_id = ?1 AND d.edition = ?2 AND d.only_to = 0)"

static const char SQL_PENDING[] =
	"SELECT " COLUMNS " FROM source c JOIN post p ON p.source_id = c.id"
	" WHERE c.list_id = ?1 AND p.seen = 0 AND p.published_at <= ?3 AND " NO_DIGEST_HAD_IT
	" ORDER BY p.published_at, p.id LIMIT ?4";
static const char SQL_NEXT[] =
	"SELECT min(p.published_at) FROM source c JOIN post p ON p.source_id = c.id"
	" WHERE c.list_id = ?1 AND p.seen = 0 AND p.published_at > ?3 AND " NO_DIGEST_HAD_IT;
static const char SQL_HELD[] = "SELECT " COLUMNS " FROM source c JOIN post p ON p.source_id = c.id"
			       " WHERE c.list_id = ?1 AND p.seen = 2 ORDER BY p.published_at, p.id";
static const char SQL_LAST[] =
	"SELECT * FROM (SELECT " COLUMNS
	" FROM source c JOIN post p ON p.source_id = c.id WHERE c.list_id = ?1 AND p.seen < 3 AND p.published_at <= ?3"
	" ORDER BY p.published_at DESC, p.id DESC LIMIT ?2) ORDER BY published_at, id";
static const char SQL_BY_ID[] =
	"SELECT " COLUMNS
	" FROM post p JOIN source c ON c.id = p.source_id WHERE p.id = ?1 AND c.list_id = ?2";

static void split_lines(const char *text, struct strlist *out)
{
	while (text != NULL && *text != '\0') {
		size_t len = strcspn(text, "\n");
		strlist_take(out, xstrndup(text, len));
		text += len + (text[len] == '\n');
	}
}

static void add_row(sqlite3_stmt *st, struct post_list *out)
{
	struct post *p = post_list_add(out);

	p->id = sqlite3_column_int64(st, 0);
	p->guid = sql_text(st, 1);
	p->url = sql_text(st, 2);
	p->title = sql_text(st, 3);
	p->author = sql_text(st, 4);
	p->summary = sql_text(st, 5);
	p->content = sql_text(st, 6);
	p->image = sql_text(st, 7);
	split_lines((const char *)sqlite3_column_text(st, 8), &p->categories);
	p->published_at = sqlite3_column_int64(st, 9);
	p->updated_at = sqlite3_column_int64(st, 10);
}

static bool add_rows(struct store *s, sqlite3_stmt *st, struct post_list *out, struct error *e)
{
	int rc = -1;

	while (st != NULL && (rc = sql_step(s, st, e)) == 1)
		add_row(st, out);
	return rc == 0;
}

bool store_post_pending(struct store *s, int64_t list_id, enum edition edition, int64_t now,
	size_t limit, struct post_list *out, int64_t *next_at, struct error *e)
{
	int64_t max = limit == 0 ? -1 : (int64_t)limit;

	if (!add_rows(s, sql_start(s, e, SQL_PENDING, "idii", list_id, (int)edition, now, max), out,
		    e))
		return false;
	if (next_at == NULL)
		return true;
	*next_at = 0;
	return sql_number(s, e, next_at, SQL_NEXT, "idi", list_id, (int)edition, now);
}

bool store_post_held(struct store *s, int64_t list_id, struct post_list *out, struct error *e)
{
	return add_rows(s, sql_start(s, e, SQL_HELD, "i", list_id), out, e);
}

bool store_post_last(struct store *s, int64_t list_id, size_t n, int64_t until,
	struct post_list *out, struct error *e)
{
	return add_rows(s, sql_start(s, e, SQL_LAST, "iii", list_id, (int64_t)n, until), out, e);
}

bool store_post_by_ids(struct store *s, int64_t list_id, const int64_t *ids, size_t n,
	struct post_list *out, struct error *e)
{
	for (size_t i = 0; i < n; i++) {
		sqlite3_stmt *st = sql_start(s, e, SQL_BY_ID, "ii", ids[i], list_id);
		int rc = st == NULL ? -1 : sql_step(s, st, e);
		if (rc == 0)
			return error_set(e, ERROR_NOT_FOUND,
				"post %lld: this list has none of that number (`hubmailctl posts` shows them)",
				(long long)ids[i]);
		if (rc < 0)
			return false;
		add_row(st, out);
		sql_end(st);
	}
	return true;
}
