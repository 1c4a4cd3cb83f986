/* Sources and what each look at them brought. Which of the posts are mailed when is asked in
 * post.c. */
#include "hubmail/store_post.h"

#include "hubmail/base_mem.h"
#include "known.h"
#include "sql.h"
#include <stdlib.h>
#include <string.h>

#define COLUMNS                                                                                                       \
	"c.id, c.list_id, l.name, c.kind, c.location, c.etag, c.last_modified, c.error, c.failures, c.first_look_at," \
	" c.checked_at, c.changed_at, (SELECT count(*) FROM post p WHERE p.source_id = c.id),"                        \
	" c.moved_to, c.failing_since, c.stopped, c.wait_until, c.ttl,"                                               \
	" (SELECT count(*) FROM post h WHERE h.source_id = c.id AND h.seen = 2),"                                     \
	" c.hub, c.topic, c.lease_until"

static const char SQL_ADD[] =
	"INSERT INTO source (list_id, kind, location) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
static const char SQL_GET[] = "SELECT " COLUMNS " FROM source c JOIN list l ON l.id = c.list_id"
			      " WHERE c.list_id = ?1 AND c.kind = ?2 AND c.location = ?3";
static const char SQL_EACH[] = "SELECT " COLUMNS " FROM source c JOIN list l ON l.id = c.list_id"
			       " WHERE ?1 IS NULL OR c.list_id = ?1 ORDER BY l.name, c.id";
static const char SQL_LEASED[] =
	"SELECT " COLUMNS " FROM source c JOIN list l ON l.id = c.list_id"
	" WHERE c.lease_until > ?1 AND c.hub IS NOT NULL AND c.topic IS NOT NULL";
static const char SQL_FIRST_LOOK[] = "SELECT first_look_at FROM source WHERE id = ?1";
static const char SQL_LOOKED[] =
	"UPDATE source SET checked_at = ?2, error = NULL, failures = 0, stopped = 0,"
	" failing_since = iif(?10, failing_since, NULL),"
	" etag = ?3, last_modified = ?4, moved_to = ?7, ttl = ?8, wait_until = ?9,"
	" lease_until = iif(hub IS ?11 AND topic IS ?12, lease_until, NULL), hub = ?11, topic = ?12,"
	" first_look_at = iif(?5, coalesce(first_look_at, ?2), first_look_at), changed_at = iif(?6, ?2, changed_at)"
	" WHERE id = ?1";
static const char SQL_FAILED[] =
	"UPDATE source SET checked_at = ?2, error = ?3, failures = failures + 1,"
	" failing_since = coalesce(failing_since, ?2), stopped = ?4, wait_until = ?5 WHERE id = ?1";

static const char SQL_LEASE[] = "UPDATE source SET lease_until = ?3 WHERE id = ?1 AND topic = ?2";
static const char SQL_NEW[] =
	"INSERT INTO post (source_id, guid, url, title, author, summary, content, image, categories, published_at,"
	" updated_at, found_at, seen, link) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
/* Only if something is different: an unchanged post costs no write. One that was withdrawn is back.
 * A date once known stays unless the source gives another. */
static const char SQL_CHANGE[] =
	"UPDATE post SET guid = ?2, url = ?3, title = ?4, author = ?5, summary = ?6, content = ?7, image = ?8,"
	" categories = ?9, published_at = coalesce(?10, published_at), updated_at = ?11, link = ?12,"
	" seen = iif(seen = 4, 0, seen)"
	" WHERE id = ?1 AND (seen = 4 OR (guid, url, title, author, summary, content, image, categories, published_at, updated_at)"
	" IS NOT (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, coalesce(?10, published_at), ?11))";
#define IS_PENDING                                                                                 \
	"seen = 0 AND NOT EXISTS (SELECT 1 FROM digest_post q JOIN digest d ON d.id = q.digest_id" \
	" WHERE q.post_id = post.id AND d.only_to = 0)"
static const char SQL_PENDING[] = "SELECT guid FROM post WHERE source_id = ?1 AND " IS_PENDING;
static const char SQL_WITHDRAW[] =
	"UPDATE post SET seen = 4 WHERE source_id = ?1 AND guid = ?2 AND " IS_PENDING;

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
		.held = sqlite3_column_int64(st, 18),
		.hub = sql_text(st, 19),
		.topic = sql_text(st, 20),
		.lease_until = sqlite3_column_int64(st, 21),
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
	free(src->hub);
	free(src->topic);
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

/* The rows of a statement, which may be NULL: then they are none, and false. */
static bool take_rows(
	struct store *s, sqlite3_stmt *st, struct store_source **out, size_t *n, struct error *e)
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

bool store_source_list(
	struct store *s, int64_t list_id, struct store_source **out, size_t *n, struct error *e)
{
	return take_rows(s, sql_start(s, e, SQL_EACH, "z", list_id), out, n, e);
}

bool store_source_leased(
	struct store *s, int64_t now, struct store_source **out, size_t *n, struct error *e)
{
	return take_rows(s, sql_start(s, e, SQL_LEASED, "i", now), out, n, e);
}

static char *join_lines(const struct strlist *l)
{
	struct buf b = {0};

	for (size_t i = 0; i < l->n; i++)
		buf_addf(&b, i == 0 ? "%s" : "\n%s", l->items[i]);
	return buf_take(&b);
}

static bool change_post(struct store *s, int64_t id, const struct post *p, const char *link,
	const char *categories, struct store_look_result *out, struct error *e)
{
	if (!sql_run(s, e, SQL_CHANGE,
		    "itttttttt"
		    "zzt",
		    id, p->guid, p->url, p->title, p->author, p->summary, p->content, p->image,
		    categories, p->published_at, p->updated_at, link))
		return false;
	out->changed += sqlite3_changes(s->db) > 0;
	return true;
}

/* Its place in post.seen. */
enum { WAITS = 0, SEEN = 1, HELD = 2, ELSEWHERE = 3 };

static int place_of(const struct store_look *look, bool mark_seen, const struct post *p)
{
	const struct store_past *past = look->past;

	if (mark_seen && p->published_at <= look->at)
		return SEEN;
	if (past != NULL && (p->published_at == 0 ? past->undated : p->published_at < past->before))
		return HELD;
	return WAITS;
}

static bool add_post(struct store *s, const struct store_look *look, bool mark_seen,
	const struct post *p, const char *link, const char *categories,
	struct store_look_result *out, struct error *e)
{
	int place = place_of(look, mark_seen, p);
	bool is_elsewhere;

	if (!known_elsewhere(s, look, p, link, &is_elsewhere, e))
		return false;
	if (is_elsewhere)
		place = ELSEWHERE;
	if (!sql_run(s, e, SQL_NEW,
		    "itttttttt"
		    "izidt",
		    look->source_id, p->guid, p->url, p->title, p->author, p->summary, p->content,
		    p->image, categories, p->published_at != 0 ? p->published_at : look->at,
		    p->updated_at, look->at, place, link))
		return false;
	out->added += place == WAITS;
	out->seen += place == SEEN || place == ELSEWHERE;
	out->held += place == HELD;
	return true;
}

static bool put_post(struct store *s, const struct store_look *look, bool mark_seen,
	const struct post *p, struct store_look_result *out, struct error *e)
{
	char *categories = p->categories.n > 0 ? join_lines(&p->categories) : NULL;
	char *link = link_key(p->url);
	bool ok = false;
	int64_t id;

	switch (known_find(s, look, p, link, &id, e)) {
	case KNOWN_POST:
		ok = change_post(s, id, p, link, categories, out, e);
		break;
	case KNOWN_NOT:
		ok = add_post(s, look, mark_seen, p, link, categories, out, e);
		break;
	case KNOWN_TWIN:
		ok = true;
		break;
	case KNOWN_ERROR:
		break;
	}
	free(categories);
	free(link);
	return ok;
}

/* ---- What is gone ---- */

static bool withdraw(struct store *s, const struct store_look *look, const struct strlist *guids,
	struct store_look_result *out, struct error *e)
{
	for (size_t i = 0; i < guids->n; i++) {
		if (!sql_run(s, e, SQL_WITHDRAW, "it", look->source_id, guids->items[i]))
			return false;
		out->withdrawn += sqlite3_changes(s->db);
	}
	return true;
}

/* What was removed while nobody watched. */
static bool withdraw_absent(struct store *s, const struct store_look *look,
	struct store_look_result *out, struct error *e)
{
	sqlite3_stmt *st = sql_start(s, e, SQL_PENDING, "i", look->source_id);
	struct strlist absent = {0};
	int rc = -1;

	while (st != NULL && (rc = sql_step(s, st, e)) == 1) {
		const char *guid = (const char *)sqlite3_column_text(st, 0);
		if (!strlist_has_sorted(look->there, guid))
			strlist_add(&absent, guid);
	}
	bool ok = rc == 0 && withdraw(s, look, &absent, out, e);
	strlist_free(&absent);
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
	if (look->gone != NULL && !withdraw(s, look, look->gone, out, e))
		return false;
	for (size_t i = 0; look->posts != NULL && i < look->posts->n; i++)
		if (!put_post(s, look, mark_seen, &look->posts->items[i], out, e))
			return false;
	if (look->there != NULL && !withdraw_absent(s, look, out, e))
		return false;
	bool changed = out->added + out->seen + out->held + out->changed + out->withdrawn > 0;
	if ((look->error == NULL || look->complete) &&
		!sql_run(s, e, SQL_LOOKED, "iittddtzzdtt", look->source_id, look->at, look->etag,
			look->last_modified, look->complete ? 1 : 0, changed ? 1 : 0,
			look->moved_to, look->ttl, look->wait_until, look->error != NULL ? 1 : 0,
			look->hub, look->topic))
		return false;
	return look->error == NULL || sql_run(s, e, SQL_FAILED, "iitdz", look->source_id, look->at,
					      look->error, look->stopped ? 1 : 0, look->wait_until);
}

bool store_source_lease(
	struct store *s, int64_t source_id, const char *topic, int64_t until, struct error *e)
{
	return sql_run(s, e, SQL_LEASE, "itz", source_id, topic, until);
}
