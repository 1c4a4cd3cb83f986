/* WordPress and its kin end a summary with "[…]", a "Continue reading" link and a line that says
 * where the post appeared first. In a digest, which has a link of its own, they are noise.
 * Sanitised HTML is ours: every '<' in it begins a tag and every '>' ends one. */
#include "tail.h"

#include "hubmail/base_text.h"
#include "hubmail/source_html.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LINK_TEXT_MAX 200 /* characters; the title of the post may be part of it */
#define ROUNDS_MAX 6
#define ELLIPSIS "\xE2\x80\xA6"

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Where the visible text ends: before the white space and tags at the end. A picture is visible. */
static size_t visible_end(const char *s, size_t len)
{
	while (len > 0) {
		if (is_space(s[len - 1])) {
			len--;
		} else if (s[len - 1] == '>') {
			const char *lt = memrchr(s, '<', len);
			if (lt == NULL || strncmp(lt, "<img", 4) == 0)
				return len;
			len = (size_t)(lt - s);
		} else {
			return len;
		}
	}
	return 0;
}

static void cut_out(struct buf *b, size_t from, size_t to)
{
	memmove(b->data + from, b->data + to, b->len - to);
	buf_truncate(b, b->len - (to - from));
}

static const char *last_of(const struct buf *b, size_t before, const char *what)
{
	size_t n = strlen(what);
	for (size_t i = before; i >= n; i--) {
		if (memcmp(b->data + i - n, what, n) == 0)
			return b->data + i - n;
	}
	return NULL;
}

static bool invites(const char *text)
{
	static const char *const beginnings[] = {"continue reading", "continue to read",
		"keep reading", "read more", "read the rest", "read the full", "read full",
		"read on", "(more", "[read more", "weiterlesen", "mehr lesen", "lire la suite",
		"continuer la lecture", "leer m\xC3\xA1s", "seguir leyendo", "sigue leyendo",
		"continua a leggere", "leggi tutto", "lees verder", "verder lezen", "leia mais",
		"continue lendo", "continuar lendo", "czytaj dalej", "l\xC3\xA4s mer",
		"\xD0\xA7\xD0\xB8\xD1\x82\xD0\xB0\xD1\x82\xD1\x8C",
		"\xE9\x98\x85\xE8\xAF\xBB\xE5\x85\xA8\xE6\x96\x87",
		"\xE9\x98\x85\xE8\xAF\xBB\xE6\x9B\xB4\xE5\xA4\x9A",
		"\xE7\xBB\xA7\xE7\xBB\xAD\xE9\x98\x85\xE8\xAF\xBB",
		"\xE7\xB9\xBC\xE7\xBA\x8C\xE9\x96\xB1\xE8\xAE\x80",
		"\xE7\xB6\x9A\xE3\x81\x8D\xE3\x82\x92\xE8\xAA\xAD\xE3\x82\x80"};
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
		if (strncasecmp(text, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	}
	return false;
}

/* A link at the very end, in which nothing but the invitation stands. */
static bool drop_link(struct buf *b)
{
	size_t end = visible_end(b->data, b->len);
	char *close = strstr(b->data + end, "</a>");
	const char *open = close != NULL ? last_of(b, end, "<a ") : NULL;
	if (open == NULL || (last_of(b, end, "</a>") != NULL && last_of(b, end, "</a>") > open))
		return false;
	size_t from = (size_t)(open - b->data);
	size_t to = (size_t)(close + 4 - b->data);
	char *text = source_html_excerpt(open, to - from, LINK_TEXT_MAX);
	bool drop = invites(text);
	free(text);
	while (drop && from > 0 && is_space(b->data[from - 1]))
		from--;
	if (drop)
		cut_out(b, from, to);
	return drop;
}

static bool drop_first_appeared(struct buf *b)
{
	size_t end = visible_end(b->data, b->len);
	const char *open = last_of(b, end, "<p");
	if (open == NULL)
		return false;
	size_t from = (size_t)(open - b->data);
	char *text = source_html_text(open, b->len - from, false);
	bool drop = text_starts(text, "The post ") && strstr(text, "appeared first on") != NULL;
	free(text);
	if (drop)
		buf_truncate(b, from);
	return drop;
}

static bool shorten_dots(struct buf *b)
{
	static const char *const dots[] = {
		"[" ELLIPSIS "]", "[...]", "[..]", "[. . .]", "(" ELLIPSIS ")"};
	size_t end = visible_end(b->data, b->len);
	for (size_t i = 0; i < sizeof(dots) / sizeof(dots[0]); i++) {
		size_t n = strlen(dots[i]);
		if (end < n || memcmp(b->data + end - n, dots[i], n) != 0)
			continue;
		size_t from = end - n;
		while (from > 0 && is_space(b->data[from - 1]))
			from--;
		cut_out(b, from, end - 3);
		memcpy(b->data + from, ELLIPSIS, 3);
		return true;
	}
	return false;
}

static bool drop_empty(struct buf *b)
{
	static const char *const empty[] = {
		"<p></p>", "<div></div>", "<br>", "<strong></strong>", "<em></em>"};
	while (b->len > 0 && is_space(b->data[b->len - 1]))
		buf_truncate(b, b->len - 1);
	for (size_t i = 0; b->len > 0 && i < sizeof(empty) / sizeof(empty[0]); i++) {
		if (text_ends(b->data, empty[i])) {
			buf_truncate(b, b->len - strlen(empty[i]));
			return true;
		}
	}
	return false;
}

void tail_trim(struct buf *html)
{
	bool changed = true;
	for (int i = 0; i < ROUNDS_MAX && changed && html->len > 0; i++) {
		changed = drop_link(html) || drop_first_appeared(html);
		while (changed && drop_empty(html))
			;
	}
	if (html->len > 0)
		shorten_dots(html);
}
