/* The tokenizer under the sanitiser and the text functions. It follows the rules that matter for
 * telling tags from text (quotes, comments, raw text elements) and leaves the tree to its users.
 * Each byte is looked at a bounded number of times. */
#include "token.h"

#include "character.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"

#include <string.h>
#include <strings.h>

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

void scanner_start(struct scanner *s, const char *html, size_t len)
{
	*s = (struct scanner){.at = html, .end = html + len};
}

/* A quote begins a value only behind '='. One that never ends is no quote: the tag then ends at the
 * next '>', so that one missing quote does not swallow the post. That fails at most once for each
 * kind of quote, so it costs nothing. */
const char *tag_end(const char *p, const char *end)
{
	bool after_equals = false;
	while (p < end && *p != '>') {
		if (after_equals && (*p == '"' || *p == '\'')) {
			const char *close = memchr(p + 1, *p, (size_t)(end - p - 1));
			if (close == NULL)
				return memchr(p, '>', (size_t)(end - p));
			p = close;
			after_equals = false;
		} else if (!is_space(*p)) {
			after_equals = *p == '=';
		}
		p++;
	}
	return p < end ? p : NULL;
}

static const char *find(const char *p, const char *end, const char *what)
{
	return p < end ? memmem(p, (size_t)(end - p), what, strlen(what)) : NULL;
}

/* What lies between p and the terminator; everything to the end if there is none. */
static bool take_until(struct scanner *s, struct token *t, const char *p, const char *terminator)
{
	const char *close = find(p, s->end, terminator);
	t->text = p;
	t->len = (size_t)((close != NULL ? close : s->end) - p);
	s->at = close != NULL ? close + strlen(terminator) : s->end;
	return true;
}

static bool take_comment(struct scanner *s, struct token *t)
{
	const char *p = s->at + 4;
	t->kind = TOKEN_COMMENT;
	if (p < s->end && *p == '>')
		return take_until(s, t, p, ">");
	if (p + 1 < s->end && p[0] == '-' && p[1] == '>')
		return take_until(s, t, p, "->");
	return take_until(s, t, p, "-->");
}

/* A CDATA section has no place in HTML, but feeds that wrapped their text twice have it there. */
static bool take_declaration(struct scanner *s, struct token *t)
{
	size_t left = (size_t)(s->end - s->at);
	if (left >= 4 && memcmp(s->at, "<!--", 4) == 0)
		return take_comment(s, t);
	if (left >= 9 && memcmp(s->at, "<![CDATA[", 9) == 0) {
		t->kind = TOKEN_TEXT;
		t->literal = true;
		return take_until(s, t, s->at + 9, "]]>");
	}
	t->kind = TOKEN_COMMENT;
	return take_until(s, t, s->at + 2, ">");
}

static const char *take_name(const char *p, const char *end, char name[TOKEN_NAME_MAX])
{
	size_t n = 0;
	for (; p < end && !is_space(*p) && *p != '/' && *p != '>'; p++) {
		if (n < TOKEN_NAME_MAX - 1)
			name[n++] = text_lower(*p);
	}
	name[n] = '\0';
	return p;
}

static bool is_raw(const char *name)
{
	static const char *const names[] = {
		"script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

/* A tag that never ends is what is left of a text that was cut: it is not shown. */
static bool take_tag(struct scanner *s, struct token *t, bool close)
{
	const char *p = take_name(s->at + (close ? 2 : 1), s->end, t->name);
	const char *gt = tag_end(p, s->end);
	if (gt == NULL) {
		s->at = s->end;
		return false;
	}
	t->kind = close ? TOKEN_CLOSE : TOKEN_OPEN;
	t->text = p;
	t->len = (size_t)(gt - p);
	t->empty = !close && gt[-1] == '/';
	s->at = gt + 1;
	if (!close && !t->empty && is_raw(t->name))
		memcpy(s->raw, t->name, sizeof(s->raw));
	return true;
}

/* The end tag of the raw element, or the end. */
static const char *raw_end(const struct scanner *s)
{
	size_t n = strlen(s->raw);
	for (const char *p = s->at; p < s->end; p++) {
		p = memchr(p, '<', (size_t)(s->end - p));
		if (p == NULL)
			break;
		size_t left = (size_t)(s->end - p);
		if (left < n + 3 || p[1] != '/' || strncasecmp(p + 2, s->raw, n) != 0)
			continue;
		if (is_space(p[n + 2]) || p[n + 2] == '>' || p[n + 2] == '/')
			return p;
	}
	return s->end;
}

static bool take_raw(struct scanner *s, struct token *t)
{
	const char *close = raw_end(s);
	t->kind = TOKEN_TEXT;
	t->literal = strcmp(s->raw, "title") != 0 && strcmp(s->raw, "textarea") != 0;
	t->text = s->at;
	t->len = (size_t)(close - s->at);
	s->at = close;
	s->raw[0] = '\0';
	return true;
}

static bool starts_markup(const char *p, const char *end)
{
	if (p + 1 >= end)
		return false;
	if (p[1] == '/')
		return p + 2 < end && p[2] != ' ';
	return is_letter(p[1]) || p[1] == '!' || p[1] == '?';
}

static bool take_text(struct scanner *s, struct token *t)
{
	const char *p = s->at;
	do {
		const char *lt = memchr(p + 1, '<', (size_t)(s->end - p - 1));
		p = lt != NULL ? lt : s->end;
	} while (p < s->end && !starts_markup(p, s->end));
	t->kind = TOKEN_TEXT;
	t->text = s->at;
	t->len = (size_t)(p - s->at);
	s->at = p;
	return true;
}

bool scanner_next(struct scanner *s, struct token *t)
{
	*t = (struct token){0};
	if (s->raw[0] != '\0')
		return take_raw(s, t);
	if (s->at >= s->end)
		return false;
	if (*s->at != '<' || !starts_markup(s->at, s->end))
		return take_text(s, t);
	if (s->at[1] == '!')
		return take_declaration(s, t);
	if (s->at[1] == '/' && is_letter(s->at[2]))
		return take_tag(s, t, true);
	if (s->at[1] == '/' || s->at[1] == '?') {
		t->kind = TOKEN_COMMENT;
		return take_until(s, t, s->at + 2, ">");
	}
	return take_tag(s, t, false);
}

static void take_value(const char **at, const char *end, struct attribute *a)
{
	const char *p = *at;
	const char *close = NULL;
	if (p < end && (*p == '"' || *p == '\''))
		close = memchr(p + 1, *p, (size_t)(end - p - 1));
	if (close != NULL) {
		a->value = p + 1;
		a->len = (size_t)(close - p - 1);
		*at = close + 1;
		return;
	}
	if (p < end && (*p == '"' || *p == '\''))
		p++;
	a->value = p;
	while (p < end && !is_space(*p))
		p++;
	a->len = (size_t)(p - a->value);
	*at = p;
}

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && is_space(*p))
		p++;
	return p;
}

bool attribute_next(const char **at, const char *end, struct attribute *a)
{
	const char *p = *at;
	while (p < end && (is_space(*p) || *p == '/'))
		p++;
	if (p == end)
		return false;
	*a = (struct attribute){.name = p, .value = p};
	do
		p++;
	while (p < end && *p != '=' && *p != '/' && !is_space(*p));
	a->name_len = (size_t)(p - a->name);
	const char *equals = skip_space(p, end);
	*at = p;
	if (equals < end && *equals == '=') {
		*at = skip_space(equals + 1, end);
		take_value(at, end, a);
	}
	return true;
}

char *token_attribute(const struct token *t, const char *name, size_t max)
{
	const char *at = t->text;
	struct attribute a;
	size_t n = strlen(name);
	while (attribute_next(&at, t->text + t->len, &a)) {
		if (a.name_len != n || strncasecmp(a.name, name, n) != 0)
			continue;
		if (a.len > max)
			return NULL;
		struct buf value = {0};
		characters_decode(a.value, a.len, true, &value);
		return value.data != NULL ? buf_take(&value) : xstrdup("");
	}
	return NULL;
}
