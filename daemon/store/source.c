/* Sources and what each look at them brought. Which of the posts are mailed when is asked in
 * post.c. */
#include "hubmail/store_post.h"

#include "hubmail/base_mem.h"
#include "sql.h"
#include <stdlib.h>
#include <string.h>

#define COLUMNS                                                                                                       \
	"c.id, c.list_id, l.name, c.kind, c.location, c.etag, c.last_modified, c.error, c.failures, c.first_look_at," \
	" c.checked_at, c.changed_at, (SELECT count(*) FROM post p WHERE p.source_id = c.id),"                        \
	" c.moved_to, c.failing_since, c.stopped, c.wait_until, c.ttl"

static const char SQL_ADD[] =
	"INSERT INTO source (list_id, kind, location) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
static const char SQL_GET[] = "SELECT " COLUMNS " FROM source c JOIN list l ON l.id = c.list_id"
			      " WHERE c.list_id = ?1 AND c.kind = ?2 AND c.location = ?3";
static const char SQL_EACH[] = "SELECT " COLUMNS " FROM source c JOIN list l ON l.id = c.list_id"
			       " WHERE ?1 IS NULL OR c.list_id = ?1 ORDER BY l.name, c.id";
static const char SQL_FIRST_LOOK[] = "SELECT first_look_at FROM source WHERE id = ?1";
static const char SQL_LOOKED[] =
	"UPDATE source SET checked_at = ?2, error = NULL, failures = 0, stopped = 0,"
	" failing_since = iif(?10, failing_since, NULL),"
	" etag = ?3, last_modified = ?4, moved_to = ?7, ttl = ?8, wait_until = ?9,"
	" first_look_at = iif(?5, coalesce(first_look_at, ?2), first_look_at), changed_at = iif(?6, ?2, changed_at)"
	" WHERE id = ?1";
static const char SQL_FAILED[] =
	"UPDATE source SET checked_at = ?2, error = ?3, failures = failures + 1,"
	" failing_since = coalesce(failing_since, ?2), stopped = ?4, wait_until = ?5 WHERE id = ?1";

static const char SQL_BY_GUID[] = "SELECT id FROM post WHERE source_id = ?1 AND guid = ?2";
static const char SQL_BY_LINK[] =
	"SELECT id FROM post WHERE source_id = ?1 AND url = ?2 AND title IS ?3 LIMIT 1";
static const char SQL_NEW[] =
	"INSERT INTO post (source_id, guid, url, title, author, summary, content, image, categories, published_at,"
	" updated_at, found_at, seen) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
/* Only if something is different: an unchanged post costs no write. A date once known stays unless
 * the source gives another. */
static const char SQL_CHANGE[] =
	"UPDATE post SET guid = ?2, url = ?3, title = ?4, author = ?5, summary = ?6, content = ?7, image = ?8,"
	" categories = ?9, published_at = coalesce(?10, published_at), updated_at = ?11"
	" WHERE id = ?1 AND (guid, url, title, author, summary, content, image, categories, published_at, updated_at)"
	" IS NOT (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, coalesce(?10, published_at), ?11)";

static struct store_source row(sqlite3_stmt *st)
{
	return (struct store_source){
		.id = sqlite3_column_int64(st, 0),
		.list_id = sqlite3_column_int64(st, 1),
		.list = sql_text(st, 2),
		.kind = sql_text(st, 3),
		.location = sql_text(st, 4),
		.etag = sql_text(st, 5),
		.last_modified = sql_text(st, 6),
		.error = sql_text(st, 7),
		.failures = sqlite3_column_int(st, 8),
		.first_look_at = sqlite3_column_int64(st, 9),
		.checked_at = sqlite3_column_int64(st, 10),
		.changed_at = sqlite3_column_int64(st, 11),
		.posts = sqlite3_column_int64(st, 12),
		.moved_to = sql_text(st, 13),
		.failing_since = sqlite3_column_int64(st, 14),
		.stopped = sqlite3_column_int(st, 15) != 0,
		.wait_until = sqlite3_column_int64(st, 16),
		.ttl = sqlite3_column_int64(st, 17),
	};
}

void store_source_free(struct store_source *src)
{
	free(src->list);
	free(src->kind);
	free(src->location);
	free(src->etag);
	free(src->last_modified);
	free(src->moved_to);
	free(src->error);
	*src = (struct store_source){0};
}

bool store_source_ensure(struct store *s, int64_t list_id, const char *kind, const char *location,
	struct store_source *out, struct error *e)
{
	if (!sql_run(s, e, SQL_ADD, "itt", list_id, kind, location))
		return false;
	sqlite3_stmt *st = sql_start(s, e, SQL_GET, "itt", list_id, kind, location);
	if (st == NULL || sql_step(s, st, e) != 1)
		return false;
	*out = row(st);
	sql_end(st);
	return true;
}

bool store_source_list(
	struct store *s, int64_t list_id, struct store_source **out, size_t *n, struct error *e)
{
	sqlite3_stmt *st = sql_start(s, e, SQL_EACH, "z", list_id);
	int rc = -1;

	*out = NULL;
	*n = 0;
	while (st != NULL && (rc = sql_step(s, st, e)) == 1) {
		*out = xreallocarray(*out, *n + 1, sizeof(**out));
		(*out)[(*n)++] = row(st);
	}
	return rc == 0;
}

static char *join_lines(const struct strlist *l)
{
	struct buf b = {0};

	for (size_t i = 0; i < l->n; i++)
		buf_addf(&b, i == 0 ? "%s" : "\n%s", l->items[i]);
	return buf_take(&b);
}

/* The id of a post that is known already: by its guid, or by link and title under a new guid. 0:
 * not known; -1: error. */
static int64_t known(struct store *s, int64_t source_id, const struct post *p, struct error *e)
{
	int64_t id = 0;

	if (!sql_number(s, e, &id, SQL_BY_GUID, "it", source_id, p->guid))
		return -1;
	if (id == 0 && p->url != NULL &&
		!sql_number(s, e, &id, SQL_BY_LINK, "itt", source_id, p->url, p->title))
		return -1;
	return id;
}

static bool put_post(struct store *s, const struct store_look *look, bool mark_seen,
	const struct post *p, struct store_look_result *out, struct error *e)
{
	int64_t id = known(s, look->source_id, p, e);
	char *categories = p->categories.n > 0 ? join_lines(&p->categories) : NULL;
	bool ok = false;

	if (id > 0) {
		ok = sql_run(s, e, SQL_CHANGE,
			"itttttttt"
			"zz",
			id, p->guid, p->url, p->title, p->author, p->summary, p->content, p->image,
			categories, p->published_at, p->updated_at);
		out->changed += ok && sqlite3_changes(s->db) > 0;
	} else if (id == 0) {
		bool seen = mark_seen && p->published_at <= look->at;
		int64_t published_at = p->published_at != 0 ? p->published_at : look->at;
		ok = sql_run(s, e, SQL_NEW,
			"itttttttt"
			"izid",
			look->source_id, p->guid, p->url, p->title, p->author, p->summary,
			p->content, p->image, categories, published_at, p->updated_at, look->at,
			seen ? 1 : 0);
		out->seen += ok && seen;
		out->added += ok && !seen;
	}
	free(categories);
	return ok;
}

bool store_source_look(struct store *s, const struct store_look *look,
	struct store_look_result *out, struct error *e)
{
	int64_t first_look_at = 0;

	*out = (struct store_look_result){0};
	if (!sql_number(s, e, &first_look_at, SQL_FIRST_LOOK, "i", look->source_id))
		return false;
	bool mark_seen = first_look_at == 0 || look->seen;
	for (size_t i = 0; look->posts != NULL && i < look->posts->n; i++)
		if (!put_post(s, look, mark_seen, &look->posts->items[i], out, e))
			return false;
	bool changed = out->added + out->seen + out->changed > 0;
	if ((look->error == NULL || look->complete) &&
		!sql_run(s, e, SQL_LOOKED, "iittddtzzd", look->source_id, look->at, look->etag,
			look->last_modified, look->complete ? 1 : 0, changed ? 1 : 0,
			look->moved_to, look->ttl, look->wait_until, look->error != NULL ? 1 : 0))
		return false;
	return look->error == NULL || sql_run(s, e, SQL_FAILED, "iitdz", look->source_id, look->at,
					      look->error, look->stopped ? 1 : 0, look->wait_until);
}
