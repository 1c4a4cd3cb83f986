/* The text of an HTML fragment, from the same tokens that the sanitiser reads: as lines for the
 * text part of a mail, or as one line that is cut for an excerpt. */
#include "hubmail/source_html.h"

#include "character.h"
#include "element.h"
#include "hubmail/base_buf.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "token.h"
#include "url.h"

#include <stdlib.h>
#include <string.h>

#define ALT_MAX 2000
#define INDENT_MAX 5 /* deeper quotes and lists are not indented further */

struct writer {
	struct buf out;
	bool one_line;
	bool links;
	size_t chars, max_chars; /* of a one-line text; it ends soon after max_chars */

	/* What comes before the next character, decided when it comes. */
	int newlines;
	bool space, bullet, bar;

	unsigned quotes, lists, pres;
	bool cell;  /* a cell stands before in this row */
	char *href; /* of the link that is open */
	size_t link_start;
	struct dropping dropping;
};

static void add_prefix(struct writer *w)
{
	for (unsigned i = 0; i < w->quotes && i < INDENT_MAX; i++)
		buf_adds(&w->out, "> ");
	for (unsigned i = w->bullet ? 1 : 0; i < w->lists && i < INDENT_MAX; i++)
		buf_adds(&w->out, "  ");
	if (w->bullet)
		buf_adds(&w->out, "- ");
}

/* White space and line ends before something visible. */
static void flush(struct writer *w)
{
	bool first = w->out.len == 0;
	if (w->one_line) {
		if (!first && (w->space || w->newlines > 0)) {
			buf_addc(&w->out, ' ');
			w->chars++;
		}
	} else if (first || w->newlines > 0) {
		for (int i = 0; i < w->newlines && !first; i++)
			buf_addc(&w->out, '\n');
		add_prefix(w);
	} else if (w->bar || w->space) {
		buf_adds(&w->out, w->bar ? " | " : " ");
	}
	w->newlines = 0;
	w->space = w->bullet = w->bar = false;
}

static void new_line(struct writer *w, int n)
{
	if (w->newlines < n)
		w->newlines = n;
	w->space = false;
}

/* In <pre> white space means what it is. */
static void add_blank(struct writer *w, char c)
{
	if (w->pres == 0 || w->one_line) {
		w->space = true;
	} else if (c == '\n') {
		w->space = false;
		w->newlines = w->newlines < 3 ? w->newlines + 1 : 3;
	} else if (c != '\r') {
		flush(w);
		buf_addc(&w->out, c == '\t' ? '\t' : ' ');
	}
}

static void add_plain(struct writer *w, const char *s, size_t len)
{
	for (size_t i = 0; i < len && (w->max_chars == 0 || w->chars <= w->max_chars);) {
		uint32_t cp = 0;
		size_t n = utf8_decode(s + i, len - i, &cp);
		if (character_is_space(cp)) {
			add_blank(w, s[i]);
		} else {
			flush(w);
			buf_add(&w->out, s + i, n);
			w->chars++;
		}
		i += n;
	}
}

static void add_text(struct writer *w, const struct token *t)
{
	struct buf plain = {0};
	characters_decode(t->text, t->len, !t->literal, &plain);
	add_plain(w, buf_str(&plain), plain.len);
	buf_free(&plain);
}

static void end_link(struct writer *w)
{
	if (w->href != NULL && w->out.len > w->link_start) {
		const char *text = w->out.data + w->link_start;
		text += strspn(text, " \n>-|");
		const char *bare = strstr(w->href, "://");
		bare = bare != NULL ? bare + 3 : w->href;
		if (text[0] != '\0' && strcmp(text, w->href) != 0 && strcmp(text, bare) != 0)
			buf_addf(&w->out, " <%s>", w->href);
	}
	free(w->href);
	w->href = NULL;
}

static void begin_link(struct writer *w, const struct token *t)
{
	end_link(w);
	if (!w->links)
		return;
	char *href = token_attribute(t, "href", URL_MAX);
	if (href != NULL)
		w->href = url_link(href, NULL);
	free(href);
	w->link_start = w->out.len;
}

static void add_image(struct writer *w, const struct token *t)
{
	if (w->one_line)
		return;
	char *alt = token_attribute(t, "alt", ALT_MAX);
	if (alt != NULL && alt[0] != '\0') {
		add_plain(w, "[", 1);
		add_plain(w, alt, strlen(alt));
		w->space = false;
		add_plain(w, "]", 1);
	}
	free(alt);
}

static void begin_cell(struct writer *w)
{
	w->bar = w->cell;
	w->space = true;
	w->cell = true;
}

static void begin_element(struct writer *w, const struct token *t, const struct element *el)
{
	if ((el->flags & ELEMENT_BLOCK) != 0)
		new_line(w, (el->flags & ELEMENT_APART) != 0 && w->lists == 0 ? 2 : 1);
	if ((el->flags & ELEMENT_A) != 0)
		begin_link(w, t);
	if ((el->flags & ELEMENT_IMG) != 0)
		add_image(w, t);
	if ((el->flags & ELEMENT_BR) != 0)
		w->newlines = w->newlines < 2 ? w->newlines + 1 : 2;
	if ((el->flags & ELEMENT_HR) != 0 && !w->one_line)
		add_plain(w, "---", 3);
	if ((el->flags & ELEMENT_HR) != 0)
		new_line(w, 2);
	if ((el->flags & ELEMENT_ROW) != 0)
		w->cell = false;
	if ((el->flags & ELEMENT_CELL) != 0)
		begin_cell(w);
	if ((el->flags & ELEMENT_ITEM) != 0)
		w->bullet = true;
	w->lists += (el->flags & ELEMENT_LIST) != 0 ? 1 : 0;
	w->quotes += (el->flags & ELEMENT_QUOTE) != 0 ? 1 : 0;
	w->pres += (el->flags & ELEMENT_PRE) != 0 ? 1 : 0;
}

static unsigned one_less(unsigned n, bool less)
{
	return less && n > 0 ? n - 1 : n;
}

static void end_element(struct writer *w, const struct element *el)
{
	if ((el->flags & ELEMENT_A) != 0)
		end_link(w);
	w->lists = one_less(w->lists, (el->flags & ELEMENT_LIST) != 0);
	w->quotes = one_less(w->quotes, (el->flags & ELEMENT_QUOTE) != 0);
	w->pres = one_less(w->pres, (el->flags & ELEMENT_PRE) != 0);
	if ((el->flags & ELEMENT_BLOCK) != 0)
		new_line(w, (el->flags & ELEMENT_APART) != 0 && w->lists == 0 ? 2 : 1);
}

static void take(struct writer *w, const struct token *t)
{
	if (dropping_takes(&w->dropping, t))
		return;
	if (t->kind == TOKEN_TEXT) {
		add_text(w, t);
		return;
	}
	const struct element *el = t->kind != TOKEN_COMMENT ? element_find(t->name) : NULL;
	if (el == NULL || (el->flags & ELEMENT_KEEP) == 0)
		return;
	if (t->kind == TOKEN_OPEN)
		begin_element(w, t, el);
	if (t->kind == TOKEN_CLOSE || (t->empty && (el->flags & ELEMENT_VOID) == 0))
		end_element(w, el);
}

static void write_all(struct writer *w, const char *html, size_t len)
{
	struct scanner s;
	struct token t;
	scanner_start(&s, html, len);
	while (scanner_next(&s, &t) && (w->max_chars == 0 || w->chars <= w->max_chars))
		take(w, &t);
	end_link(w);
}

char *source_html_text(const char *html, size_t len, bool links)
{
	struct writer w = {.links = links};
	write_all(&w, html, len);
	return buf_take(&w.out);
}

static bool is_one_of(uint32_t cp, const uint32_t *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i] == cp)
			return true;
	}
	return false;
}

/* May a line end between these two? The rules for scripts without spaces are the coarsest part of
 * UAX 14: not after what opens, not before what closes or continues. */
static bool may_cut(uint32_t before, uint32_t after)
{
	static const uint32_t opening[] = {
		0x3008, 0x300A, 0x300C, 0x300E, 0x3010, 0x3014, 0x3016, 0xFF08, 0xFF3B, 0xFF5B};
	static const uint32_t closing[] = {0x3001, 0x3002, 0x3009, 0x300B, 0x300D, 0x300F, 0x3011,
		0x3015, 0x3017, 0x30FC, 0x3005, 0xFF01, 0xFF09, 0xFF0C, 0xFF0E, 0xFF1A, 0xFF1B,
		0xFF1F, 0xFF3D, 0xFF5D, 0x2026, 0x201D, 0x2019};
	if (character_is_space(after))
		return true;
	if (character_joins(after) || before == 0x200D)
		return false;
	if (!character_is_spaceless(before) && !character_is_spaceless(after))
		return false;
	return !is_one_of(before, opening, sizeof(opening) / sizeof(opening[0])) &&
	       !is_one_of(after, closing, sizeof(closing) / sizeof(closing[0]));
}

/* Where the text is cut so that at most `chars` characters stay: after a word, or, if the first
 * word is longer than that, after a character that nothing belongs to. */
static size_t cut_at(const char *s, size_t len, size_t chars)
{
	size_t word = 0;
	size_t character = 0;
	uint32_t before = 0;
	for (size_t i = 0, n = 0; i < len && n <= chars; n++) {
		uint32_t cp = 0;
		size_t bytes = utf8_decode(s + i, len - i, &cp);
		if (i > 0 && may_cut(before, cp))
			word = i;
		if (i > 0 && !character_joins(cp) && before != 0x200D)
			character = i;
		before = cp;
		i += bytes;
	}
	return word > 0 ? word : character;
}

/* A comma before the ellipsis would look as if it had been forgotten. */
static void drop_ending(struct buf *b)
{
	static const char *const endings[] = {" ", ",", ";", ":", ".", "-", "(", "\xE2\x80\x93",
		"\xE2\x80\x94", "\xE2\x80\xA6", "\xE3\x80\x81", "\xE3\x80\x82", "\xEF\xBC\x8C",
		"\xEF\xBC\x9B", "\xEF\xBC\x9A"};
	bool again = true;
	while (again) {
		again = false;
		for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]) && !again; i++) {
			again = b->len > 0 && text_ends(b->data, endings[i]);
			if (again)
				buf_truncate(b, b->len - strlen(endings[i]));
		}
	}
}

char *source_html_excerpt(const char *html, size_t len, size_t chars)
{
	struct writer w = {.one_line = true, .max_chars = chars};
	if (chars == 0)
		return xstrdup("");
	write_all(&w, html, len);
	if (w.chars > chars) {
		buf_truncate(&w.out, cut_at(w.out.data, w.out.len, chars - 1));
		drop_ending(&w.out);
		buf_adds(&w.out, "\xE2\x80\xA6");
	}
	return buf_take(&w.out);
}
