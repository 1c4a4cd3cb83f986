/* Hugo's {{< shortcodes >}} and Jekyll's {% tags %} and {{ expressions }}. They are programs of a
 * site that we do not have; a few say plainly what they show, the others would only be seen as
 * braces in a mail. In code they are what the author wants to show, so that is left alone. */
#include "shortcode.h"

#include "character.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TAG_MAX 2000   /* bytes of a tag */
#define CODE_MAX 10000 /* bytes of code between backquotes */

struct reading {
	const char *at, *end;
	struct buf *out;
	char fence; /* the character of the fence that is open, or 0 */
	size_t fence_length;
	bool raw;                   /* between {% raw %} and {% endraw %} */
	const char *none_before[4]; /* of each kind of tag: up to here there is no end of it */
};

static const struct {
	const char *open, *close;
} kinds[4] = {{"{{<", ">}}"}, {"{{%", "%}}"}, {"{%", "%}"}, {"{{", "}}"}};

static const char *find(const char *s, const char *end, size_t max, const char *what)
{
	size_t len = (size_t)(end - s);
	return memmem(s, len < max ? len : max, what, strlen(what));
}

static bool at(const struct reading *r, const char *what)
{
	size_t n = strlen(what);
	return (size_t)(r->end - r->at) >= n && memcmp(r->at, what, n) == 0;
}

static size_t run_length(const char *s, const char *end, char c)
{
	size_t n = 0;
	while (s + n < end && s[n] == c)
		n++;
	return n;
}

/* At the start of a line: is it a fence, and which? */
static void see_fence(struct reading *r)
{
	const char *s = r->at;
	size_t indent = run_length(s, r->end, ' ');
	s += indent;
	if (indent > 3 || s >= r->end || (*s != '`' && *s != '~'))
		return;
	size_t n = run_length(s, r->end, *s);
	if (r->fence == 0 && n >= 3) {
		r->fence = *s;
		r->fence_length = n;
	} else if (r->fence == *s && n >= r->fence_length) {
		r->fence = 0;
		const char *line_end = memchr(s, '\n', (size_t)(r->end - s));
		size_t rest = (size_t)((line_end != NULL ? line_end : r->end) - r->at);
		buf_add(r->out, r->at, rest);
		r->at += rest;
	}
}

/* Backquotes that have an end are copied with what is between them. */
static void copy_code(struct reading *r)
{
	size_t n = run_length(r->at, r->end, '`');
	const char *limit = r->end - r->at > CODE_MAX ? r->at + CODE_MAX : r->end;
	const char *p = r->at + n;
	while (p < limit) {
		const char *tick = memchr(p, '`', (size_t)(limit - p));
		if (tick == NULL)
			break;
		size_t m = run_length(tick, limit, '`');
		p = tick + m;
		if (m == n) {
			buf_add(r->out, r->at, (size_t)(p - r->at));
			r->at = p;
			return;
		}
	}
	buf_add(r->out, r->at, n);
	r->at += n;
}

/* The first word behind the name of the tag; the caller's. */
static char *first_argument(const char *s)
{
	s += strspn(s, " \t");
	s += strcspn(s, " \t");
	s += strspn(s, " \t");
	size_t n = strcspn(s, " \t");
	if (n >= 2 && (s[0] == '"' || s[0] == '\'') && s[n - 1] == s[0]) {
		s++;
		n -= 2;
	}
	return xstrndup(s, n);
}

/* The value of key="value"; NULL if there is none. */
static char *argument(const char *s, const char *key)
{
	size_t n = strlen(key);
	for (const char *p = strstr(s, key); p != NULL; p = strstr(p + 1, key)) {
		if (p[n] != '=' || p == s || p[-1] != ' ')
			continue;
		char quote = p[n + 1];
		if (quote != '"' && quote != '\'' && quote != '`')
			return xstrndup(p + n + 1, strcspn(p + n + 1, " \t"));
		const char *close = strchr(p + n + 2, quote);
		return close != NULL ? xstrndup(p + n + 2, (size_t)(close - (p + n + 2))) : NULL;
	}
	return NULL;
}

static void add_attribute(struct buf *out, const char *name, const char *value)
{
	buf_addf(out, " %s=\"", name);
	characters_escape(value, strlen(value), out);
	buf_addc(out, '"');
}

/* A frame, of which the sanitiser makes a link with a picture. */
static void show_film(struct reading *r, const char *tag, const char *place)
{
	char *id = argument(tag, "id");
	if (id == NULL)
		id = first_argument(tag);
	char *url = xasprintf("%s%s", place, id);
	buf_adds(r->out, "<iframe");
	add_attribute(r->out, "src", url);
	buf_adds(r->out, "></iframe>");
	free(url);
	free(id);
}

static void show_figure(struct reading *r, const char *tag)
{
	char *src = argument(tag, "src");
	char *alt = argument(tag, "alt");
	char *caption = argument(tag, "caption");
	if (src != NULL) {
		buf_adds(r->out, "<figure><img");
		add_attribute(r->out, "src", src);
		add_attribute(r->out, "alt", alt != NULL ? alt : "");
		buf_addc(r->out, '>');
		if (caption != NULL) {
			buf_adds(r->out, "<figcaption>");
			characters_escape(caption, strlen(caption), r->out);
			buf_adds(r->out, "</figcaption>");
		}
		buf_adds(r->out, "</figure>");
	}
	free(src);
	free(alt);
	free(caption);
}

static bool is_tag(const char *tag, const char *name)
{
	size_t n = strlen(name);
	tag += strspn(tag, " \t\n-");
	return strncmp(tag, name, n) == 0 && (tag[n] == '\0' || strchr(" \t\n-", tag[n]) != NULL);
}

static void show(struct reading *r, const char *tag)
{
	if (is_tag(tag, "youtube"))
		show_film(r, tag, "https://www.youtube.com/embed/");
	else if (is_tag(tag, "vimeo"))
		show_film(r, tag, "https://player.vimeo.com/video/");
	else if (is_tag(tag, "figure"))
		show_figure(r, tag);
	else if (is_tag(tag, "highlight") || is_tag(tag, "endhighlight"))
		buf_adds(r->out, "\n```\n");
	r->raw = is_tag(tag, "raw");
}

/* {{ '/a.png' | relative_url }} shows the address, {{ site.title }} something of the site; anything
 * else in braces may be what the author writes about. */
static bool show_expression(struct reading *r, const char *inside)
{
	const char *s = inside + strspn(inside, " \t-");
	const char *close = *s == '"' || *s == '\'' ? strchr(s + 1, *s) : NULL;
	if (close != NULL) {
		buf_add(r->out, s + 1, (size_t)(close - s - 1));
		return true;
	}
	return text_starts(s, "site.") || text_starts(s, "page.");
}

/* The end of a tag that begins at r->at. What was searched in vain once is not searched again. */
static const char *close_of(struct reading *r, size_t kind)
{
	const char *s = r->at + strlen(kinds[kind].open);
	const char *limit = r->end - s > TAG_MAX ? s + TAG_MAX : r->end;
	const char *from =
		r->none_before[kind] != NULL && r->none_before[kind] > s ? r->none_before[kind] : s;
	if (from >= limit)
		return NULL;
	size_t n = strlen(kinds[kind].close);
	const char *end = memmem(from, (size_t)(limit - from), kinds[kind].close, n);
	if (end == NULL && (size_t)(limit - s) >= n)
		r->none_before[kind] = limit - n + 1;
	return end;
}

/* Takes the tag at r->at, if it has an end nearby. */
static bool take_tag(struct reading *r, size_t kind)
{
	const char *open = kinds[kind].open;
	const char *close = kinds[kind].close;
	const char *s = r->at + strlen(open);
	const char *end = close_of(r, kind);
	if (end == NULL)
		return false;
	char *inside = xstrndup(s, (size_t)(end - s));
	bool taken = true;
	if (text_starts(inside, "/*")) /* how Hugo's users write about shortcodes */
		buf_addf(
			r->out, "%s%.*s%s", open, (int)strcspn(inside + 2, "*"), inside + 2, close);
	else if (strcmp(open, "{{") == 0)
		taken = show_expression(r, inside);
	else
		show(r, inside);
	free(inside);
	if (taken)
		r->at = end + strlen(close);
	return taken;
}

static bool take_any_tag(struct reading *r)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (at(r, kinds[i].open))
			return take_tag(r, i);
	}
	return false;
}

static bool ends_raw(const char *tag, const char *end)
{
	const char *close = find(tag, end, TAG_MAX, "%}");
	char *inside = xstrndup(tag, close != NULL ? (size_t)(close - tag) : 0);
	bool ends = is_tag(inside, "endraw");
	free(inside);
	return ends;
}

static void copy_raw(struct reading *r)
{
	const char *end = find(r->at, r->end, SIZE_MAX, "{%");
	while (end != NULL && !ends_raw(end + 2, r->end))
		end = find(end + 2, r->end, SIZE_MAX, "{%");
	if (end == NULL)
		end = r->end;
	buf_add(r->out, r->at, (size_t)(end - r->at));
	r->at = end;
	r->raw = false;
}

void shortcode_expand(const char *s, size_t len, struct buf *out)
{
	struct reading r = {.at = s, .end = s + len, .out = out};
	bool line_start = true;
	while (r.at < r.end) {
		if (line_start)
			see_fence(&r);
		line_start = false;
		if (r.at >= r.end)
			break;
		if (r.raw) {
			copy_raw(&r);
		} else if (r.fence == 0 && *r.at == '`') {
			copy_code(&r);
		} else if (r.fence != 0 || *r.at != '{' || !take_any_tag(&r)) {
			line_start = *r.at == '\n';
			buf_addc(out, *r.at++);
		}
	}
}
