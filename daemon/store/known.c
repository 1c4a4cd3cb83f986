/* Whether a post is one that the store has, although its source changed what it is known by; and
 * whether a look shows a source's past as if it were new. Everything is asked of the indexes of
 * post; where many posts share a link or a moment, only the newest are looked at. */
#include "known.h"

#include "hubmail/base_buf.h"
#include "hubmail/base_mem.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BURST_MAX 10 /* so many older posts may turn up at once */
#define DAY_S 86400

static const char SQL_BY_GUID[] = "SELECT id FROM post WHERE source_id = ?1 AND guid = ?2";
static const char SQL_BY_LINK[] =
	"SELECT id, guid, title FROM (SELECT id, guid, title FROM post WHERE source_id = ?1 AND link = ?2"
	" ORDER BY id DESC LIMIT 50) ORDER BY title IS NOT ?3, id DESC LIMIT 1";
static const char SQL_BY_DATE[] =
	"SELECT id, guid, title FROM (SELECT id, guid, title FROM post WHERE source_id = ?1 AND published_at = ?2"
	" LIMIT 50) WHERE title = ?3 ORDER BY id DESC LIMIT 1";
static const char SQL_BY_TEXT[] =
	"SELECT id, guid, title FROM (SELECT id, guid, title, content FROM post WHERE source_id = ?1 AND published_at = ?2"
	" LIMIT 50) WHERE title IS ?3 AND content IS ?4 ORDER BY id DESC LIMIT 1";
/* Of a post without a date, or with one that is known without. */
static const char SQL_BY_TITLE[] =
	"SELECT id, guid, title FROM (SELECT id, guid, title, published_at, found_at FROM post WHERE source_id = ?1"
	" ORDER BY published_at DESC LIMIT 1000) WHERE title = ?2 AND (?3 IS NULL OR published_at = found_at)"
	" ORDER BY id DESC LIMIT 1";
/* Of the list's other sources. What one of them has only as its past is no news here either, unless
 * it began to be watched later than this one: then nobody has had it yet. */
#define ELSEWHERE                                                                                            \
	"SELECT p.id, p.guid, p.title FROM source o JOIN source c ON c.list_id = o.list_id AND c.id <> o.id" \
	" JOIN post p ON "
#define COUNTS                                                                                     \
	" WHERE o.id = ?1 AND (p.seen IN (0, 2) OR p.found_at <= coalesce(o.first_look_at, p.found_at))"
static const char SQL_ELSEWHERE_BY_GUID[] =
	ELSEWHERE "p.source_id = c.id AND p.guid = ?2" COUNTS " LIMIT 1";
/* Of a page that has several posts of this source, a title tells which. */
static const char SQL_ELSEWHERE_BY_LINK[] = ELSEWHERE
	"p.id IN (SELECT id FROM post WHERE source_id = c.id AND link = ?2 ORDER BY id DESC LIMIT 50)" COUNTS
	" AND (p.title IS ?3 OR NOT EXISTS (SELECT 1 FROM post WHERE source_id = ?1 AND link = ?2))"
	" ORDER BY p.title IS NOT ?3, p.id DESC LIMIT 1";
/* A post that did not say when it was published has the time it was found, which tells nothing. */
static const char SQL_SPAN[] =
	"SELECT (SELECT max(published_at) FROM (SELECT published_at, found_at FROM post WHERE source_id = ?1"
	" AND published_at <= ?2 ORDER BY published_at DESC LIMIT 50) WHERE published_at <> found_at),"
	" (SELECT min(published_at) FROM post WHERE source_id = ?1), first_look_at FROM source WHERE id = ?1";

/* ---- Links ---- */

static const char *without(const char *s, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncasecmp(s, prefix, len) == 0 ? s + len : s;
}

static void add_host(struct buf *out, const char *host, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf_addc(out, (char)tolower((unsigned char)host[i]));
	if (out->len > 3 && strcmp(out->data + out->len - 3, ":80") == 0)
		buf_truncate(out, out->len - 3);
	else if (out->len > 4 && strcmp(out->data + out->len - 4, ":443") == 0)
		buf_truncate(out, out->len - 4);
}

/* s is behind the '?'. */
static void add_query(struct buf *out, const char *s, size_t len)
{
	const char *end = s + len;
	char before = '?';

	while (s < end) {
		size_t n = strcspn(s, "&#");
		if (n > 0 && strncasecmp(s, "utm_", 4) != 0) {
			buf_addc(out, before);
			buf_add(out, s, n);
			before = '&';
		}
		s += n + (s + n < end);
	}
}

char *link_key(const char *url)
{
	struct buf out = {0};

	if (url == NULL)
		return NULL;
	const char *s = without(url, "https://");
	s = without(s == url ? without(url, "http://") : s, "www.");
	size_t host = strcspn(s, "/?#");
	add_host(&out, s, host);
	s += host;
	size_t path = strcspn(s, "?#"), kept = path;
	while (kept > 0 && s[kept - 1] == '/')
		kept--;
	buf_add(&out, s, kept);
	s += path;
	if (*s == '?') {
		size_t query = strcspn(s, "#");
		add_query(&out, s + 1, query - 1);
		s += query;
	}
	buf_adds(&out, strcmp(s, "#") == 0 ? "" : s);
	return buf_take(&out);
}

/* A blog's address is the link of many posts, or of none. */
static bool names_a_page(const char *link)
{
	return strpbrk(link, "/?#") != NULL;
}

/* ---- The same post ---- */

static bool shows_guid(const struct store_look *look, const char *guid)
{
	const struct post_list *all = look->all != NULL ? look->all : look->posts;

	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->items[i].guid, guid) == 0)
			return true;
	return false;
}

struct candidate {
	int64_t id;
	bool same_title;
	bool shown; /* under its own guid in this look */
};

/* Takes the one row of a started statement; id stays 0 if there is none. */
static bool take_candidate(struct store *s, sqlite3_stmt *st, const struct store_look *look,
	const struct post *p, struct candidate *c, struct error *e)
{
	int rc = st != NULL ? sql_step(s, st, e) : -1;

	*c = (struct candidate){0};
	if (rc <= 0)
		return rc == 0;
	const char *title = (const char *)sqlite3_column_text(st, 2);
	c->id = sqlite3_column_int64(st, 0);
	c->same_title = title == NULL || p->title == NULL ? title == p->title
							  : strcmp(title, p->title) == 0;
	c->shown = shows_guid(look, (const char *)sqlite3_column_text(st, 1));
	sql_end(st);
	return true;
}

/* Posts with one link and different titles are an edit, unless the source shows both of them. */
static enum known judge_link(const struct candidate *c, bool is_page)
{
	if (c->id == 0 || (!is_page && (c->shown || !c->same_title)))
		return KNOWN_NOT;
	if (c->shown)
		return c->same_title ? KNOWN_TWIN : KNOWN_NOT;
	return KNOWN_POST;
}

enum known known_find(struct store *s, const struct store_look *look, const struct post *p,
	const char *link, int64_t *id, struct error *e)
{
	struct candidate c = {0};
	enum known found = KNOWN_NOT;

	*id = 0;
	if (!sql_number(s, e, id, SQL_BY_GUID, "it", look->source_id, p->guid))
		return KNOWN_ERROR;
	if (*id != 0)
		return KNOWN_POST;
	if (link != NULL) {
		if (!take_candidate(s,
			    sql_start(s, e, SQL_BY_LINK, "itt", look->source_id, link, p->title),
			    look, p, &c, e))
			return KNOWN_ERROR;
		found = judge_link(&c, names_a_page(link));
	}
	/* A blog that moved: guid and link are others, and yet it is the same post. */
	if (found == KNOWN_NOT && look->newest_only && p->published_at != 0 && p->title != NULL) {
		if (!take_candidate(s,
			    sql_start(s, e, SQL_BY_DATE, "iit", look->source_id, p->published_at,
				    p->title),
			    look, p, &c, e))
			return KNOWN_ERROR;
		found = c.id != 0 && !c.shown ? KNOWN_POST : KNOWN_NOT;
	}
	/* The same of a feed without dates: a title may come again, unless all else is new, too. */
	bool renamed = look->newest_only && look->past != NULL && look->past->renamed;
	if (found == KNOWN_NOT && renamed && p->title != NULL) {
		if (!take_candidate(s,
			    sql_start(s, e, SQL_BY_TITLE, "itz", look->source_id, p->title,
				    p->published_at),
			    look, p, &c, e))
			return KNOWN_ERROR;
		found = c.id != 0 && !c.shown ? KNOWN_POST : KNOWN_NOT;
	}
	/* A file under another name: nothing of it is different. */
	if (found == KNOWN_NOT && !look->newest_only && p->published_at != 0) {
		if (!take_candidate(s,
			    sql_start(s, e, SQL_BY_TEXT, "iitt", look->source_id, p->published_at,
				    p->title, p->content),
			    look, p, &c, e))
			return KNOWN_ERROR;
		found = c.id != 0 ? KNOWN_POST : KNOWN_NOT;
	}
	*id = c.id;
	return found;
}

/* ---- The same post in another source ---- */

/* No two posts of the world share it: a URL, or a URI that is made to be a name (RFC 4151, RFC
 * 8141). */
static bool is_unique(const char *guid)
{
	static const char *const forms[] = {"http://", "https://", "tag:", "urn:"};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (without(guid, forms[i]) != guid)
			return true;
	return false;
}

bool known_elsewhere(struct store *s, const struct store_look *look, const struct post *p,
	const char *link, bool *is_known, struct error *e)
{
	struct candidate c = {0};

	*is_known = false;
	if (is_unique(p->guid) &&
		!take_candidate(s,
			sql_start(s, e, SQL_ELSEWHERE_BY_GUID, "it", look->source_id, p->guid),
			look, p, &c, e))
		return false;
	*is_known = c.id != 0;
	if (*is_known || link == NULL || !names_a_page(link))
		return true;
	if (!take_candidate(s,
		    sql_start(s, e, SQL_ELSEWHERE_BY_LINK, "itt", look->source_id, link, p->title),
		    look, p, &c, e))
		return false;
	*is_known = c.id != 0 && (c.same_title || !c.shown);
	return true;
}

/* ---- The past ---- */

struct survey {
	int64_t newest, oldest, first_look_at; /* of what is known */
	size_t known, older, undated;          /* of what is shown; the last two are new */
};

static bool read_span(
	struct store *s, const struct store_look *look, struct survey *v, struct error *e)
{
	sqlite3_stmt *st = sql_start(s, e, SQL_SPAN, "ii", look->source_id, look->at);

	if (st == NULL || sql_step(s, st, e) != 1)
		return false;
	v->newest = sqlite3_column_int64(st, 0);
	v->oldest = sqlite3_column_int64(st, 1);
	v->first_look_at = sqlite3_column_int64(st, 2);
	sql_end(st);
	return true;
}

/* A source that shows nothing that is known has changed the names of all. */
static bool is_renamed(const struct store_look *look, const struct survey *v)
{
	return look->complete && v->known == 0 && look->posts->n > 1;
}

static bool count(struct store *s, const struct store_look *look, struct survey *v, struct error *e)
{
	for (size_t i = 0; i < look->posts->n; i++) {
		const struct post *p = &look->posts->items[i];
		char *link = link_key(p->url);
		int64_t id;
		enum known found = known_find(s, look, p, link, &id, e);
		free(link);
		if (found == KNOWN_ERROR)
			return false;
		v->known += found != KNOWN_NOT;
		v->undated += found == KNOWN_NOT && p->published_at == 0;
		v->older +=
			found == KNOWN_NOT && p->published_at != 0 && p->published_at < v->newest;
	}
	return true;
}

/* The same once more, with what a title tells. */
static bool count_by_title(struct store *s, const struct store_look *look, struct survey *v,
	const struct store_past *past, struct error *e)
{
	struct store_look again = *look;

	again.past = past;
	v->known = v->older = v->undated = 0;
	return count(s, &again, v, e);
}

/* A source that shows only its newest posts shows older ones when it gets longer, or when one is
 * taken out of it. */
static void judge_past(
	const struct store_look *look, const struct survey *v, struct store_past *out)
{
	int64_t began = v->oldest < v->first_look_at ? v->oldest : v->first_look_at;

	if (out->renamed)
		out->before = v->newest + 1;
	else if (v->older > BURST_MAX)
		out->before = v->newest;
	else if (look->newest_only)
		out->before = began - DAY_S;
	out->undated = out->renamed && v->undated > BURST_MAX;
}

bool store_source_past(
	struct store *s, const struct store_look *look, struct store_past *out, struct error *e)
{
	struct survey v = {0};

	*out = (struct store_past){0};
	if (look->posts == NULL || look->seen)
		return true;
	if (!read_span(s, look, &v, e))
		return false;
	/* Of a source that has had no post yet, nothing is the past. */
	if (v.first_look_at == 0 || v.oldest == 0)
		return true;
	if (!count(s, look, &v, e))
		return false;
	out->renamed = is_renamed(look, &v);
	if (out->renamed && look->newest_only && !count_by_title(s, look, &v, out, e))
		return false;
	judge_past(look, &v, out);
	return true;
}
