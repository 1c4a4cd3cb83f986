/* The text part: what people who like plain text read, and what is left of a message in a search
 * index or on a wrist. Everything that the HTML part shows is here too, with its links written
 * out. */
#include "content.h"
#include "hubmail/source_html.h"
#include "wrap.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS 72

static void paragraph(struct buf *out, const char *s)
{
	wrap_add(out, s, strlen(s), COLUMNS, 0);
}

static void rule(struct buf *out, char c, size_t width)
{
	for (size_t i = 0; i < width && i < COLUMNS; i++)
		buf_addc(out, c);
	buf_addc(out, '\n');
}

/* What every line of a quote or of an item of a list begins with. */
static size_t lead_of(const char *s, size_t len)
{
	size_t n = 0;
	while (n < len && n < COLUMNS / 2 && (s[n] == ' ' || s[n] == '>'))
		n++;
	return n + 2 <= len && memcmp(s + n, "- ", 2) == 0 ? n + 2 : n;
}

/* source_html_text() has set the blocks apart already; what is left is to break their lines. */
static void add_lines(struct buf *out, const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		wrap_add(out, text, len, COLUMNS, lead_of(text, len));
		text += len + (text[len] == '\n');
	}
}

static void add_full(struct buf *out, const char *html)
{
	char *text = source_html_text(html, strlen(html), true);
	add_lines(out, text);
	free(text);
}

static void add_link(struct buf *out, const struct words *w, const char *label, const char *url)
{
	buf_adds(out, label);
	buf_adds(out, w->colon);
	buf_adds(out, url);
}

static void add_byline(struct buf *out, const struct item *i)
{
	struct buf line = {0};
	buf_adds(&line, i->author);
	buf_adds(&line, i->author[0] != '\0' && i->date[0] != '\0' ? " · " : "");
	buf_adds(&line, i->date);
	if (line.len > 0)
		paragraph(out, line.data);
	buf_free(&line);
}

static void add_item(struct buf *out, const struct words *w, const struct item *i)
{
	paragraph(out, i->title);
	add_byline(out, i);
	buf_addc(out, '\n');
	if (i->full != NULL)
		add_full(out, i->full);
	else if (i->excerpt[0] != '\0')
		paragraph(out, i->excerpt);
	if (i->url == NULL)
		return;
	if (i->full != NULL || i->excerpt[0] != '\0')
		buf_addc(out, '\n');
	add_link(out, w, w->read_more, i->url);
	buf_addc(out, '\n');
}

/* After the mark that mail programs know a signature by. */
static void add_footer(const struct content *c, struct draft *d)
{
	struct buf *out = &d->text;
	buf_adds(out, "\n-- \n");
	paragraph(out, c->why);
	add_link(out, c->words, c->words->unsubscribe, c->unsubscribe);
	draft_token(d);
	buf_addc(out, '\n');
	if (c->sender[0] != '\0')
		buf_addf(out, "%s <%s>\n", c->sender, c->address);
	else
		buf_addf(out, "%s\n", c->address);
}

void text_write(const struct content *c, struct draft *d)
{
	struct buf *out = &d->text;
	paragraph(out, c->list_title);
	rule(out, '=', text_width(c->list_title, strlen(c->list_title)));
	buf_addf(out, "%s\n\n", c->date);
	for (size_t i = 0; i < c->n; i++) {
		if (i > 0) {
			buf_addc(out, '\n');
			rule(out, '-', COLUMNS);
			buf_addc(out, '\n');
		}
		add_item(out, c->words, &c->items[i]);
	}
	add_footer(c, d);
}
