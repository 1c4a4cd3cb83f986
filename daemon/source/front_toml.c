/* Front matter in TOML, as far as front matter goes: keys, dotted keys and tables; strings of all
 * four kinds, numbers, dates and truths, arrays of them, and inline tables of one level. Read by
 * hand, since Debian has no TOML library in C that is small. */
#include "front.h"

#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX 100
#define DEPTH_MAX 20

struct reading {
	const char *at, *end;
	int line;
	struct front *out;
	char table[KEY_MAX + 1]; /* of the [table] we are in */
	struct error *e;
};

static bool broken(struct reading *r, const char *what)
{
	return error_set(r->e, ERROR_DATA, "line %d: %s", r->line, what);
}

static bool at_end(const struct reading *r)
{
	return r->at >= r->end;
}

static char look(const struct reading *r)
{
	return at_end(r) ? '\0' : *r->at;
}

static void step(struct reading *r)
{
	if (!at_end(r) && *r->at == '\n')
		r->line++;
	r->at++;
}

static void skip_blanks(struct reading *r)
{
	while (look(r) == ' ' || look(r) == '\t' || look(r) == '\r')
		r->at++;
}

static void skip_comment(struct reading *r)
{
	skip_blanks(r);
	if (look(r) == '#') {
		while (!at_end(r) && *r->at != '\n')
			r->at++;
	}
}

/* White space, comments and line ends. */
static void skip_space(struct reading *r)
{
	for (;;) {
		skip_comment(r);
		if (look(r) != '\n')
			return;
		step(r);
	}
}

static bool at(const struct reading *r, const char *what)
{
	size_t n = strlen(what);
	return (size_t)(r->end - r->at) >= n && memcmp(r->at, what, n) == 0;
}

static bool take_unicode(struct reading *r, size_t digits, struct buf *out)
{
	uint32_t cp = 0;
	char one[4];
	for (size_t i = 0; i < digits; i++, r->at++) {
		char c = look(r);
		uint32_t d = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
			     : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
			     : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
						    : 16;
		if (d == 16)
			return broken(r, "\\u wants four digits, \\U eight");
		cp = cp << 4 | d;
	}
	buf_add(out, one, utf8_encode(cp == 0 ? 0xFFFD : cp, one));
	return true;
}

static bool take_escape(struct reading *r, struct buf *out)
{
	static const char codes[] = "btnfre\"\\";
	static const char meant[] = "\b\t\n\f\r\033\"\\";
	char c = look(r);
	const char *code = c != '\0' ? strchr(codes, c) : NULL;
	if (c == 'u' || c == 'U') {
		r->at++;
		return take_unicode(r, c == 'u' ? 4 : 8, out);
	}
	if (c == '\n' || c == ' ' || c == '\t' || c == '\r') { /* joins the lines */
		while (look(r) == '\n' || look(r) == ' ' || look(r) == '\t' || look(r) == '\r')
			step(r);
		return true;
	}
	if (code == NULL)
		return broken(
			r, "a backslash in a string wants b, t, n, f, r, u, U, \" or another one");
	buf_addc(out, meant[code - codes]);
	r->at++;
	return true;
}

static bool take_string(struct reading *r, struct buf *out)
{
	char quote = look(r);
	const char three[] = {quote, quote, quote, '\0'};
	const char one[] = {quote, '\0'};
	const char *terminator = at(r, three) ? three : one;
	bool lines = terminator == three;
	int first = r->line;
	r->at += strlen(terminator);
	if (lines && look(r) == '\n')
		step(r);
	while (!at(r, terminator)) {
		if (at_end(r) || (*r->at == '\n' && !lines)) {
			r->line = first;
			return broken(r, "a string has no end");
		}
		if (*r->at == '\\' && quote == '"') {
			r->at++;
			if (!take_escape(r, out))
				return false;
			continue;
		}
		buf_addc(out, *r->at);
		step(r);
	}
	r->at += strlen(terminator);
	return true;
}

static bool is_string(const struct reading *r)
{
	return look(r) == '"' || look(r) == '\'';
}

static bool take_word(struct reading *r, const char *stop, struct buf *out)
{
	while (!at_end(r) && strchr(stop, *r->at) == NULL)
		buf_addc(out, *r->at++);
	while (out->len > 0 && strchr(" \t\r", out->data[out->len - 1]) != NULL)
		buf_truncate(out, out->len - 1);
	return out->len > 0 || broken(r, "a value is missing");
}

static bool give(struct reading *r, const char *key, const char *inner, const char *value)
{
	return front_set(r->out, key, inner, value, r->e) || error_prefix(r->e, "line %d", r->line);
}

/* The part of a dotted key up to the dot or the end. */
static bool take_key_part(struct reading *r, struct buf *out)
{
	skip_blanks(r);
	if (is_string(r)) {
		if (!take_string(r, out))
			return false;
	} else if (!take_word(r, " \t\r\n=.]#,}", out)) {
		return false;
	}
	skip_blanks(r);
	return out->len <= KEY_MAX || broken(r, "a key is too long");
}

/* "a" or "a.b"; more parts are read, and mean nothing to us. */
static bool take_key(struct reading *r, struct buf *key, struct buf *inner)
{
	if (!take_key_part(r, key))
		return false;
	while (look(r) == '.') {
		r->at++;
		if (inner->len > 0)
			buf_adds(inner, ".");
		if (!take_key_part(r, inner))
			return false;
	}
	return true;
}

static bool take_scalar(struct reading *r, const char *key, const char *inner)
{
	struct buf value = {0};
	bool ok = is_string(r) ? take_string(r, &value) : take_word(r, "\n#,]}", &value);
	ok = ok && give(r, key, inner, buf_str(&value));
	buf_free(&value);
	return ok;
}

/* Nested arrays are flat to us, and so need no recursion. */
static bool take_array(struct reading *r, const char *key, const char *inner)
{
	int depth = 0;
	int first = r->line;
	do {
		skip_space(r);
		char c = look(r);
		if (at_end(r)) {
			r->line = first;
			return broken(r, "an array has no end; close it with ]");
		}
		if (c == '[' && ++depth > DEPTH_MAX)
			return broken(r, "the front matter is nested too deeply");
		if (c == ']')
			depth--;
		if (c == '[' || c == ']' || c == ',')
			r->at++;
		else if (c == '{')
			return broken(r, "tables in arrays are not supported");
		else if (!take_scalar(r, key, inner))
			return false;
	} while (depth > 0);
	return true;
}

static bool take_value(struct reading *r, const char *key, const char *inner)
{
	return look(r) == '[' ? take_array(r, key, inner) : take_scalar(r, key, inner);
}

static bool take_equals(struct reading *r)
{
	if (look(r) != '=')
		return broken(r, "\"key = value\" is expected");
	r->at++;
	skip_blanks(r);
	return true;
}

static bool take_inline_entry(struct reading *r, const char *key)
{
	struct buf inner = {0};
	struct buf rest = {0};
	bool ok = take_key(r, &inner, &rest) && take_equals(r) &&
		  (look(r) != '{' || broken(r, "the front matter is nested too deeply")) &&
		  take_value(r, key, buf_str(&inner));
	buf_free(&inner);
	buf_free(&rest);
	return ok;
}

static bool take_inline_table(struct reading *r, const char *key)
{
	r->at++;
	for (;;) {
		skip_space(r);
		if (look(r) == '}') {
			r->at++;
			return true;
		}
		if (at_end(r))
			return broken(r, "a table has no end; close it with }");
		if (look(r) == ',')
			r->at++;
		else if (!take_inline_entry(r, key))
			return false;
	}
}

static bool take_entry(struct reading *r)
{
	struct buf key = {0};
	struct buf inner = {0};
	bool ok = take_key(r, &key, &inner) && take_equals(r);
	const char *outer = r->table[0] != '\0' ? r->table : buf_str(&key);
	const char *second = r->table[0] != '\0' ? buf_str(&key) : inner.data;
	if (ok && look(r) == '{')
		ok = take_inline_table(r, r->table[0] != '\0' ? "" : outer);
	else if (ok)
		ok = take_value(r, outer, second);
	buf_free(&key);
	buf_free(&inner);
	return ok;
}

static bool take_table(struct reading *r)
{
	struct buf key = {0};
	struct buf inner = {0};
	bool list = at(r, "[[");
	r->at += list ? 2 : 1;
	bool ok = take_key(r, &key, &inner) &&
		  (at(r, list ? "]]" : "]") || broken(r, "a table's name ends with ]"));
	if (ok) {
		r->at += list ? 2 : 1;
		/* Entries of deeper tables are none of those we know. */
		bool known = !list && inner.len == 0 && key.len > 0;
		snprintf(r->table, sizeof(r->table), "%s", known ? key.data : ".");
	}
	buf_free(&key);
	buf_free(&inner);
	return ok;
}

bool front_toml(const char *s, size_t len, int first_line, struct front *out, struct error *e)
{
	struct reading r = {.at = s, .end = s + len, .line = first_line, .out = out, .e = e};
	for (skip_space(&r); !at_end(&r); skip_space(&r)) {
		if (!(look(&r) == '[' ? take_table(&r) : take_entry(&r)))
			return false;
		skip_comment(&r);
		if (!at_end(&r) && look(&r) != '\n')
			return broken(&r, "something follows the value");
	}
	return true;
}
