/* Turns options and posts into what both parts show. Everything here is cleaned on the way in:
 * titles are one line, links are absolute http(s), text is well-formed UTF-8. */
#include "content.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "hubmail/source_html.h"
#include "rfc5322.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TITLE_CHARS 300
#define AUTHOR_CHARS 120
#define SUBJECT_CHARS 150
#define EXCERPT_CHARS 320
#define PREVIEW_CHARS 140
#define LANGUAGE_MAX 35

/* One clean line of at most that many characters, cut between words if there is a gap near. */
static char *line(const char *s, size_t chars)
{
	char *clean = utf8_clean(s != NULL ? s : "", s != NULL ? strlen(s) : 0);
	char *out = text_one_line(clean);
	free(clean);
	size_t end = utf8_prefix(out, chars);
	if (out[end] == '\0')
		return out;
	end = utf8_prefix(out, chars - 1);
	size_t gap = end;
	while (gap > end - end / 4 && out[gap] != ' ')
		gap--;
	if (out[gap] == ' ')
		end = gap;
	char *cut = xasprintf("%.*s…", (int)end, out);
	free(out);
	return cut;
}

static char *safe_language(const char *tag)
{
	struct buf out = {0};
	for (const char *p = tag != NULL ? tag : ""; *p != '\0' && out.len < LANGUAGE_MAX; p++) {
		if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			(*p >= '0' && *p <= '9') || *p == '-')
			buf_addc(&out, *p);
	}
	if (out.len == 0)
		buf_adds(&out, "en");
	return buf_take(&out);
}

/* The base as a URL that may stand between angle brackets: what is not printable ASCII is written
 * as %XX. */
static char *unsubscribe_link(const char *web_url)
{
	struct buf out = {0};
	for (const char *p = web_url != NULL ? web_url : ""; *p != '\0'; p++) {
		if (*p <= ' ' || *p > '~' || *p == '<' || *p == '>' || *p == '"')
			buf_addf(&out, "%%%02X", (unsigned char)*p);
		else
			buf_addc(&out, *p);
	}
	buf_adds(&out, "/unsubscribe/");
	return buf_take(&out);
}

/* ---- One post ---- */

static const char *best_text(const struct post *p)
{
	return p->summary != NULL && p->summary[0] != '\0' ? p->summary : p->content;
}

static char *excerpt(const char *html, size_t chars)
{
	return html != NULL ? source_html_excerpt(html, strlen(html), chars) : xstrdup("");
}

static char *date_text(const struct words *w, const struct zone *zone, int64_t at)
{
	struct buf out = {0};
	if (at != 0)
		words_date(&out, w, at + (zone != NULL ? zone_offset(zone, at) : 0));
	return buf_take(&out);
}

static char *title_of(const struct post *p, const char *fallback)
{
	char *title = line(p->title, TITLE_CHARS);
	if (title[0] == '\0') {
		free(title);
		title = excerpt(best_text(p), 80);
	}
	if (title[0] == '\0') {
		free(title);
		title = xstrdup(fallback);
	}
	return title;
}

static char *full_text(const struct post *p)
{
	const char *html = p->content != NULL && p->content[0] != '\0' ? p->content : p->summary;
	return html != NULL ? source_html_sanitise(html, strlen(html), p->url) : NULL;
}

static void fill_item(
	struct item *i, const struct post *p, const struct compose_options *o, struct content *c)
{
	size_t chars = language_is_dense(c->language) ? EXCERPT_CHARS / 2 : EXCERPT_CHARS;
	i->title = title_of(p, c->list_title);
	i->author = line(p->author, AUTHOR_CHARS);
	i->date = date_text(c->words, o->zone, p->published_at);
	i->url = p->url != NULL ? source_url_absolute(p->url, NULL) : NULL;
	i->image = p->image != NULL ? source_url_absolute(p->image, NULL) : NULL;
	i->excerpt = excerpt(best_text(p), chars);
	i->full = o->full ? full_text(p) : NULL;
	if (i->full != NULL && i->image != NULL && strstr(i->full, i->image) != NULL) {
		free(i->image);
		i->image = NULL;
	}
}

/* ---- The whole ---- */

static char *make_subject(const struct compose_options *o, const struct content *c)
{
	struct buf out = {0};
	char number[24];
	char *own = line(o->subject, SUBJECT_CHARS);
	if (own[0] != '\0')
		return own;
	free(own);
	char *title = line(c->items[0].title, SUBJECT_CHARS - 30);
	buf_adds(&out, title);
	free(title);
	if (c->n == 1)
		return buf_take(&out);
	if (!language_is_dense(c->words->language))
		buf_addc(&out, ' ');
	snprintf(number, sizeof(number), "%zu", c->n - 1);
	words_fill(&out, c->n == 2 ? c->words->one_more : c->words->more, number);
	return buf_take(&out);
}

/* Beside the subject, which has the first title: the other titles, or how the only post begins. */
static char *make_preview(const struct content *c)
{
	struct buf out = {0};
	for (size_t i = 1; i < c->n && out.len < 4 * (size_t)PREVIEW_CHARS; i++) {
		if (i > 1)
			buf_adds(&out, " · ");
		buf_adds(&out, c->items[i].title);
	}
	if (c->n == 1)
		buf_adds(&out, c->items[0].excerpt);
	char *preview = line(buf_str(&out), PREVIEW_CHARS);
	buf_free(&out);
	return preview;
}

static char *why_text(const struct words *w, const char *list_title)
{
	struct buf out = {0};
	words_fill(&out, w->why, list_title);
	return buf_take(&out);
}

struct content *content_new(const struct compose_options *o, const struct post *posts, size_t n)
{
	struct content *c = xcalloc(1, sizeof(*c));
	c->language = safe_language(o->language);
	c->words = words_for(c->language);
	c->list_title = line(o->list_title, TITLE_CHARS);
	c->sender = line(o->from_name != NULL ? o->from_name : o->list_title, AUTHOR_CHARS);
	c->address = line(o->from_address, TITLE_CHARS);
	c->date = date_text(c->words, o->zone, o->at);
	c->unsubscribe = unsubscribe_link(o->web_url);
	c->why = why_text(c->words, c->list_title);
	c->items = xcalloc(n, sizeof(*c->items));
	c->n = n;
	for (size_t i = 0; i < n; i++)
		fill_item(&c->items[i], &posts[i], o, c);
	c->subject = make_subject(o, c);
	c->preview = make_preview(c);
	return c;
}

static void free_item(struct item *i)
{
	free(i->title);
	free(i->author);
	free(i->date);
	free(i->url);
	free(i->image);
	free(i->excerpt);
	free(i->full);
}

void content_free(struct content *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n; i++)
		free_item(&c->items[i]);
	free(c->items);
	free(c->language);
	free(c->list_title);
	free(c->sender);
	free(c->address);
	free(c->date);
	free(c->unsubscribe);
	free(c->why);
	free(c->subject);
	free(c->preview);
	free(c);
}

void draft_token(struct draft *d)
{
	assert(d->n_slots < DRAFT_SLOTS_MAX);
	d->slots[d->n_slots++] = d->text.len;
}
