/* The sanitiser: tokens in, HTML of an allow-list out. What leaves was written here, from names in
 * our own table and values that were escaped here, so nothing that a parser might read differently
 * passes through. The open elements are kept on a stack of bounded depth, which closes what was
 * left open and keeps the parts of tables and lists where they belong: a stray </table> in
 * somebody's post must not end the table of the mail around it. */
#include "hubmail/source_html.h"

#include "character.h"
#include "element.h"
#include "embed.h"
#include "hubmail/base_buf.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "image.h"
#include "sanitise.h"
#include "token.h"
#include "url.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 100  /* open elements; deeper ones lose their tags, not their text */
#define TITLE_MAX 2000 /* bytes of a title attribute */
#define SPAN_MAX 100   /* of a cell */
#define OUT_MAX (8u << 20)

struct cleaner {
	struct buf out;
	const char *base;
	const char *page; /* where the text itself stands */
	const struct element *open[DEPTH_MAX];
	size_t depth;
	struct dropping dropping;
	struct embed embed;
};

static void close_down_to(struct cleaner *c, size_t depth)
{
	while (c->depth > depth)
		buf_addf(&c->out, "</%s>", c->open[--c->depth]->as);
}

/* One more than the place of the innermost open element with one of the flags, 0 if there is none
 * before one that has one of the `stop` flags. */
static size_t innermost(const struct cleaner *c, unsigned flags, unsigned stop)
{
	for (size_t i = c->depth; i > 0; i--) {
		if ((c->open[i - 1]->flags & flags) != 0)
			return i;
		if ((c->open[i - 1]->flags & stop) != 0)
			return 0;
	}
	return 0;
}

static void close_innermost(struct cleaner *c, unsigned flags, unsigned stop)
{
	size_t at = innermost(c, flags, stop);
	if (at > 0)
		close_down_to(c, at - 1);
}

static void push(struct cleaner *c, const struct element *el)
{
	c->open[c->depth++] = el;
}

static void open_implied(struct cleaner *c, const char *name)
{
	const struct element *el = element_find(name);
	if (c->depth == DEPTH_MAX)
		return;
	buf_addf(&c->out, "<%s>", el->as);
	push(c, el);
}

/* Parts of tables stay inside of one. False if there is none. */
static bool prepare_table_part(struct cleaner *c, const struct element *el)
{
	size_t table = innermost(c, ELEMENT_TABLE, 0);
	if (table == 0)
		return false;
	size_t section = innermost(c, ELEMENT_SECTION, ELEMENT_TABLE);
	size_t row = innermost(c, ELEMENT_ROW, ELEMENT_TABLE);
	if ((el->flags & ELEMENT_CELL) != 0 && row > 0) {
		close_down_to(c, row);
		return true;
	}
	bool in_section = (el->flags & (ELEMENT_ROW | ELEMENT_CELL)) != 0 && section > 0;
	close_down_to(c, in_section ? section : table);
	if ((el->flags & ELEMENT_CELL) != 0)
		open_implied(c, "tr");
	return true;
}

static void prepare_item(struct cleaner *c)
{
	size_t list = innermost(c, ELEMENT_LIST, ELEMENT_CELL);
	close_innermost(c, ELEMENT_ITEM, ELEMENT_LIST | ELEMENT_CELL);
	if (list == 0)
		open_implied(c, "ul");
}

/* Closes what the new element ends by beginning, and opens what it needs around it. False if it
 * cannot stand here. */
static bool prepare(struct cleaner *c, const struct element *el)
{
	const unsigned edge = ELEMENT_CELL | ELEMENT_CAPTION | ELEMENT_TABLE;
	if ((el->flags & (ELEMENT_ROW | ELEMENT_CELL | ELEMENT_SECTION | ELEMENT_CAPTION)) != 0)
		return prepare_table_part(c, el);
	if ((el->flags & ELEMENT_BLOCK) != 0)
		close_innermost(c, ELEMENT_P, edge);
	if ((el->flags & ELEMENT_HEADING) != 0)
		close_innermost(c, ELEMENT_HEADING, ~(unsigned)ELEMENT_HEADING & ELEMENT_BLOCK);
	if ((el->flags & ELEMENT_A) != 0)
		close_innermost(c, ELEMENT_A, edge);
	if ((el->flags & ELEMENT_ITEM) != 0)
		prepare_item(c);
	if ((el->flags & ELEMENT_TERM) != 0) {
		close_innermost(c, ELEMENT_TERM, ELEMENT_DL | ELEMENT_LIST | edge);
		return innermost(c, ELEMENT_DL, ELEMENT_LIST | edge) > 0;
	}
	return true;
}

static void write_number(const struct token *t, const char *name, long long max, struct buf *out)
{
	char *value = token_attribute(t, name, 16);
	long long n = 0;
	if (value != NULL && text_to_int(text_trim(value), 0, max, &n))
		buf_addf(out, " %s=\"%lld\"", name, n);
	free(value);
}

static void write_title(const struct token *t, struct buf *out)
{
	char *title = token_attribute(t, "title", TITLE_MAX);
	if (title != NULL && title[0] != '\0')
		attribute_write("title", title, out);
	free(title);
}

/* Direction and language change how a text is read, so they stay. */
static void write_common(const struct token *t, struct buf *out)
{
	char *dir = token_attribute(t, "dir", 8);
	if (dir != NULL &&
		(strcmp(dir, "rtl") == 0 || strcmp(dir, "ltr") == 0 || strcmp(dir, "auto") == 0))
		attribute_write("dir", dir, out);
	free(dir);
	char *lang = token_attribute(t, "lang", 35);
	if (lang != NULL && lang[0] != '\0' &&
		lang[strspn(lang,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")] == '\0')
		attribute_write("lang", lang, out);
	free(lang);
}

/* Returns false if the element is nothing without an attribute that is missing. */
static bool write_attributes(struct cleaner *c, const struct token *t, const struct element *el)
{
	if ((el->flags & ELEMENT_A) != 0) {
		char *href = token_attribute(t, "href", URL_MAX);
		const char *base = href != NULL && href[0] == '#' ? c->page : c->base;
		char *url = href != NULL ? url_link(href, base) : NULL;
		if (url != NULL)
			attribute_write("href", url, &c->out);
		free(href);
		free(url);
		if (url == NULL)
			return false;
		write_title(t, &c->out);
	}
	if (strcmp(el->as, "abbr") == 0)
		write_title(t, &c->out);
	if ((el->flags & ELEMENT_CELL) != 0) {
		write_number(t, "colspan", SPAN_MAX, &c->out);
		write_number(t, "rowspan", SPAN_MAX, &c->out);
	}
	if ((el->flags & ELEMENT_LIST) != 0)
		write_number(t, "start", 1000000, &c->out);
	write_common(t, &c->out);
	return true;
}

static void open_element(struct cleaner *c, const struct token *t, const struct element *el)
{
	size_t start = 0;
	if ((el->flags & ELEMENT_IMG) != 0) {
		image_write(t, c->base, &c->out);
		return;
	}
	if (!prepare(c, el) || c->depth == DEPTH_MAX)
		return;
	start = c->out.len;
	buf_addc(&c->out, '<');
	buf_adds(&c->out, el->as);
	if (!write_attributes(c, t, el)) {
		buf_truncate(&c->out, start);
		return;
	}
	buf_addc(&c->out, '>');
	if ((el->flags & ELEMENT_VOID) == 0)
		push(c, el);
}

/* An end tag reaches only so far up: one in a cell does not end what is around the table, one of an
 * emphasis does not end the list it stands in. */
static unsigned reach(const struct element *el)
{
	const unsigned parts =
		ELEMENT_TABLE | ELEMENT_SECTION | ELEMENT_ROW | ELEMENT_CELL | ELEMENT_CAPTION;
	if ((el->flags & ELEMENT_TABLE) != 0)
		return 0;
	if ((el->flags & parts) != 0)
		return ELEMENT_TABLE;
	unsigned stop = ELEMENT_CELL | ELEMENT_CAPTION | ELEMENT_TABLE;
	if ((el->flags & ELEMENT_ITEM) != 0)
		stop |= ELEMENT_LIST;
	if ((el->flags & ELEMENT_BLOCK) == 0)
		stop |= ELEMENT_LIST | ELEMENT_ITEM | ELEMENT_QUOTE;
	return stop;
}

static void close_element(struct cleaner *c, const struct element *el)
{
	unsigned stop = reach(el);
	for (size_t i = c->depth; i > 0; i--) {
		const struct element *open = c->open[i - 1];
		if (strcmp(open->as, el->as) == 0 ||
			(open->flags & el->flags & ELEMENT_HEADING) != 0) {
			close_down_to(c, i - 1);
			return;
		}
		if ((open->flags & stop) != 0)
			return;
	}
}

/* "<i/>" is an empty element where the author comes from, though not in HTML; a browser would make
 * the rest of the post italic. */
static void open_tag(struct cleaner *c, const struct token *t, const struct element *el)
{
	bool voids = (el->flags & ELEMENT_VOID) != 0;
	if (!t->empty || voids || (el->flags & ELEMENT_BLOCK) != 0)
		open_element(c, t, el);
	if (t->empty && !voids && (el->flags & ELEMENT_BLOCK) != 0)
		close_element(c, el);
}

static void take(struct cleaner *c, const struct token *t)
{
	bool linked = innermost(c, ELEMENT_A, 0) > 0;
	embed_take(&c->embed, t, &c->dropping, c->base, linked, &c->out);
	if (dropping_takes(&c->dropping, t))
		return;
	if (t->kind == TOKEN_TEXT) {
		struct buf text = {0};
		characters_decode(t->text, t->len, !t->literal, &text);
		characters_escape(buf_str(&text), text.len, &c->out);
		buf_free(&text);
		return;
	}
	const struct element *el = t->kind != TOKEN_COMMENT ? element_find(t->name) : NULL;
	if (el == NULL || (el->flags & ELEMENT_KEEP) == 0)
		return;
	if (t->kind == TOKEN_OPEN)
		open_tag(c, t, el);
	else
		close_element(c, el);
}

/* A short post may grow a lot when its links are made absolute; a post that grows without bound
 * was made to, and is cut. */
char *sanitise_part(const char *html, size_t len, const char *base_url, const char *page_url)
{
	struct cleaner c = {.base = base_url, .page = page_url};
	struct scanner s;
	struct token t;
	size_t limit = len < OUT_MAX / 16 ? len * 8 + 65536 : OUT_MAX;
	scanner_start(&s, html, len);
	while (c.out.len < limit && scanner_next(&s, &t))
		take(&c, &t);
	close_down_to(&c, 0);
	embed_free(&c.embed);
	return buf_take(&c.out);
}

char *source_html_sanitise(const char *html, size_t len, const char *base_url)
{
	return sanitise_part(html, len, base_url, base_url);
}

char *source_html_first_image(const char *html)
{
	struct scanner s;
	struct token t;
	scanner_start(&s, html, strlen(html));
	while (scanner_next(&s, &t)) {
		if (t.kind != TOKEN_OPEN || strcmp(t.name, "img") != 0)
			continue;
		int width = image_side(&t, "width");
		int height = image_side(&t, "height");
		if ((width >= 0 && width < 50) || (height >= 0 && height < 50))
			continue;
		char *src = token_attribute(&t, "src", URL_MAX);
		char *url = src != NULL ? source_url_absolute(src, NULL) : NULL;
		free(src);
		if (url != NULL)
			return url;
	}
	return NULL;
}
