/* Feeds that are not XML: unescaped ampersands and markup, undefined entities, elements that never
 * end. Read as a browser reads HTML: what looks like a tag is one, end tags close what they can,
 * and everything else is text. References are HTML's; a document's own entities are never expanded.
 */
#include "feed_read.h"

#include "character.h"

#include <string.h>
#include <strings.h>

struct loose {
	const char *at, *end;
	struct feed_tree *tree;
};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void add_text(struct loose *l, const char *s, size_t len, bool references)
{
	struct buf plain = {0};
	characters_decode(s, len, references, &plain);
	feed_tree_text(l->tree, buf_str(&plain), plain.len);
	buf_free(&plain);
}

static const char *after(const struct loose *l, const char *from, const char *terminator)
{
	const char *p = memmem(from, (size_t)(l->end - from), terminator, strlen(terminator));
	return p != NULL ? p + strlen(terminator) : l->end;
}

static bool at(const struct loose *l, const char *what)
{
	size_t n = strlen(what);
	return (size_t)(l->end - l->at) >= n && memcmp(l->at, what, n) == 0;
}

/* With an internal subset in brackets, whose quotes may hide both of them. */
static const char *doctype_end(const struct loose *l)
{
	bool inside = false;
	const char *p = l->at;
	for (; p < l->end && (inside || *p != '>'); p++) {
		if (*p == '"' || *p == '\'') {
			const char *close = memchr(p + 1, *p, (size_t)(l->end - p - 1));
			p = close != NULL ? close : p;
			if (close == NULL)
				return after(l, l->at, ">");
		} else if (*p == '[') {
			inside = true;
		} else if (*p == ']') {
			inside = false;
		}
	}
	return p < l->end ? p + 1 : l->end;
}

static void take_declaration(struct loose *l)
{
	const char *end = NULL;
	if (at(l, "<![CDATA[")) {
		const char *s = l->at + 9;
		end = after(l, s, "]]>");
		bool closed = end - s >= 3 && memcmp(end - 3, "]]>", 3) == 0;
		add_text(l, s, (size_t)(end - s) - (closed ? 3 : 0), false);
	} else if (at(l, "<!--")) {
		end = after(l, l->at + 4, "-->");
	} else if (at(l, "<!DOCTYPE") || at(l, "<!doctype")) {
		end = doctype_end(l);
	} else {
		end = after(l, l->at, ">");
	}
	l->at = end;
}

static void take_attributes(struct feed_tag *tag, const char *p, const char *end)
{
	struct attribute a;
	while (tag->n < FEED_ATTRIBUTES_MAX && attribute_next(&p, end, &a))
		tag->attributes[tag->n++] = (struct feed_attribute){
			.name = a.name, .name_len = a.name_len, .value = a.value, .len = a.len};
}

/* Atom's and HTML's link never has content, so that it is often not closed; RSS's is all content.
 */
static bool is_empty(const struct feed_tag *tag, const char *gt)
{
	bool has_href = false;
	for (size_t i = 0; i < tag->n; i++)
		has_href =
			has_href || (tag->attributes[i].name_len == 4 &&
					    strncasecmp(tag->attributes[i].name, "href", 4) == 0);
	return gt[-1] == '/' || (has_href && strcmp(tag->name, "link") == 0);
}

static bool take_tag(struct loose *l)
{
	bool close = l->at[1] == '/';
	struct feed_tag tag = {0};
	const char *name = l->at + (close ? 2 : 1);
	const char *p = name;
	while (p < l->end && !is_space(*p) && *p != '/' && *p != '>' && *p != '<')
		p++;
	const char *gt = tag_end(p, l->end);
	if (gt == NULL) {
		l->at = l->end;
		return false;
	}
	feed_tag_name(&tag, name, (size_t)(p - name));
	l->at = gt + 1;
	if (close) {
		feed_tree_close_named(l->tree, tag.prefix, tag.name);
		return true;
	}
	take_attributes(&tag, p, gt);
	feed_tree_recover(l->tree, &tag);
	feed_tree_open(l->tree, &tag);
	if (is_empty(&tag, gt))
		feed_tree_close(l->tree);
	return true;
}

static bool starts_tag(const char *p, const char *end)
{
	if (p + 1 >= end)
		return true;
	if (p[1] == '/')
		return p + 2 >= end || is_letter(p[2]);
	return is_letter(p[1]) || p[1] == '!' || p[1] == '?';
}

static void take_text(struct loose *l)
{
	const char *p = l->at;
	do {
		const char *lt = memchr(p + 1, '<', (size_t)(l->end - p - 1));
		p = lt != NULL ? lt : l->end;
	} while (p < l->end && !starts_tag(p, l->end));
	add_text(l, l->at, (size_t)(p - l->at), true);
	l->at = p;
}

void feed_read_loose(const char *s, size_t len, struct feed_tree *f)
{
	struct loose l = {.at = s, .end = s + len, .tree = f};
	bool more = true;
	while (more && l.at < l.end && !feed_tree_is_full(f)) {
		if (*l.at != '<' || !starts_tag(l.at, l.end))
			take_text(&l);
		else if (l.at + 1 < l.end && (l.at[1] == '!' || l.at[1] == '?'))
			take_declaration(&l);
		else
			more = l.at + 1 < l.end && take_tag(&l);
	}
}
