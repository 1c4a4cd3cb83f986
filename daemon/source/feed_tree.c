/* What the elements of an XML feed mean where they stand. The tree itself is never built: of the
 * elements that are open their names are kept, of the item that is being read its fields, and each
 * item becomes a post when it ends. So a feed takes as much memory as its posts do. */
#include "feed_tree.h"

#include "channel.h"
#include "character.h"
#include "feed_item.h"
#include "feed_name.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "hubmail/source_html.h"
#include "url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEPTH_MAX 200              /* open elements; what is deeper is counted, not read */
#define VALUE_MAX (64u << 10)      /* bytes of an attribute */
#define FIELD_MAX (2u << 20)       /* bytes of a field of an item; the rest of it is left */
#define POSTS_SIZE_MAX (16u << 20) /* bytes of all posts of a feed */

struct level {
	char name[TOKEN_NAME_MAX], prefix[TOKEN_NAME_MAX];
	enum feed_space space;
	char *base; /* its xml:base made absolute, or NULL */
};

struct feed_tree {
	const char *base;
	struct post_list *out;
	size_t size;
	bool is_feed, is_atom, full;
	struct level levels[DEPTH_MAX];
	size_t depth, too_deep;

	char *site; /* the feed's own link, for want of a better base */
	struct source_channel channel;
	struct strlist authors;

	bool in_item;
	size_t item_depth;
	struct feed_item item;
	unsigned ranks[3]; /* of title, summary and content as they are now */

	/* The field whose text is being collected. */
	enum feed_field field;
	size_t field_depth;
	struct buf text;
	enum markup markup;
	bool escape;  /* nested elements came: text is text and needs escaping */
	bool wrapped; /* Atom's XHTML, with a <div> around it */
	bool named;   /* <name> in an author or <url> in an image came: only that counts */
};

struct feed_tree *feed_tree_new(const char *base_url, struct post_list *out)
{
	struct feed_tree *f = xcalloc(1, sizeof(*f));
	f->base = base_url;
	f->out = out;
	return f;
}

void feed_tree_free(struct feed_tree *f)
{
	for (size_t i = 0; i < f->depth; i++)
		free(f->levels[i].base);
	feed_item_free(&f->item);
	strlist_free(&f->authors);
	source_channel_free(&f->channel);
	buf_free(&f->text);
	free(f->site);
	free(f);
}

bool feed_tree_is_feed(const struct feed_tree *f)
{
	return f->is_feed;
}

bool feed_tree_is_full(const struct feed_tree *f)
{
	return f->full;
}

struct source_channel feed_tree_take_channel(struct feed_tree *f)
{
	struct source_channel channel = f->channel;
	f->channel = (struct source_channel){0};
	return channel;
}

static void copy_lower(char to[TOKEN_NAME_MAX], const char *s, size_t len)
{
	size_t n = 0;
	for (; n < len && n < TOKEN_NAME_MAX - 1; n++)
		to[n] = text_lower(s[n]);
	to[n] = '\0';
}

void feed_tag_name(struct feed_tag *tag, const char *s, size_t len)
{
	const char *colon = memchr(s, ':', len);
	size_t prefix = colon != NULL ? (size_t)(colon - s) : 0;
	copy_lower(tag->prefix, s, prefix);
	copy_lower(
		tag->name, colon != NULL ? colon + 1 : s, colon != NULL ? len - prefix - 1 : len);
}

/* The decoded value; the caller's. NULL if there is none, or one that is too long to mean
 * anything. */
static char *attribute(const struct feed_tag *tag, const char *name)
{
	size_t n = strlen(name);
	for (size_t i = 0; i < tag->n; i++) {
		const struct feed_attribute *a = &tag->attributes[i];
		if (a->name_len != n || strncasecmp(a->name, name, n) != 0 || a->len > VALUE_MAX)
			continue;
		struct buf value = {0};
		characters_decode(a->value, a->len, true, &value);
		return buf_take(&value);
	}
	return NULL;
}

static bool attribute_is(const struct feed_tag *tag, const char *name, const char *value)
{
	char *is = attribute(tag, name);
	bool same = is != NULL && strcasecmp(text_trim(is), value) == 0;
	free(is);
	return same;
}

static const char *current_base(const struct feed_tree *f)
{
	for (size_t i = f->depth; i > 0; i--) {
		if (f->levels[i - 1].base != NULL)
			return f->levels[i - 1].base;
	}
	return f->base != NULL ? f->base : f->site;
}

static const struct level *top(const struct feed_tree *f)
{
	return f->depth > 0 ? &f->levels[f->depth - 1] : NULL;
}

static bool push(struct feed_tree *f, const struct feed_tag *tag)
{
	if (f->depth == DEPTH_MAX) {
		f->too_deep++;
		return false;
	}
	char *base = attribute(tag, "xml:base");
	char *absolute = base != NULL ? source_url_absolute(base, current_base(f)) : NULL;
	free(base);
	struct level *l = &f->levels[f->depth++];
	memcpy(l->name, tag->name, sizeof(l->name));
	memcpy(l->prefix, tag->prefix, sizeof(l->prefix));
	l->space = feed_space_of(tag->uri, tag->prefix);
	l->base = absolute;
	return true;
}

static void begin_item(struct feed_tree *f, const struct feed_tag *tag)
{
	char *about = attribute(tag, "rdf:about");
	f->in_item = true;
	f->item_depth = f->depth;
	memset(f->ranks, 0, sizeof(f->ranks));
	f->item.base = xstrdup(current_base(f));
	if (about != NULL && about[0] != '\0')
		feed_item_set(&f->item.guid, about);
	free(about);
}

static void count_size(struct feed_tree *f, const struct post *p)
{
	f->size += p->content != NULL ? strlen(p->content) : 0;
	f->size += p->summary != NULL ? strlen(p->summary) : 0;
	f->full = f->size > POSTS_SIZE_MAX;
}

static void end_item(struct feed_tree *f)
{
	struct post post = {0};
	f->in_item = false;
	for (size_t i = 0; f->item.authors.n == 0 && i < f->authors.n; i++)
		strlist_add(&f->item.authors, f->authors.items[i]);
	if (feed_item_finish(&f->item, &post)) {
		count_size(f, &post);
		*post_list_add(f->out) = post;
		f->full = f->full || f->out->n >= SOURCE_POSTS_MAX;
	}
	feed_item_free(&f->item);
}

/* RFC 4287, 3.1.1 and 4.1.3.3; and Atom 0.3, which had media types and a mode. False if the text is
 * nothing that can be shown. */
static bool atom_markup(const struct feed_tag *tag, enum markup *markup, bool *escape)
{
	char *type = attribute(tag, "type");
	const char *t = type != NULL ? text_trim(type) : "text";
	bool known = !attribute_is(tag, "mode", "base64");
	*markup = MARKUP_TEXT;
	*escape = false;
	if (strncasecmp(t, "html", 4) == 0 || strncasecmp(t, "text/html", 9) == 0) {
		*markup = MARKUP_HTML;
	} else if (strncasecmp(t, "xhtml", 5) == 0 ||
		   strncasecmp(t, "application/xhtml", 17) == 0) {
		*markup = MARKUP_HTML;
		*escape = true;
	} else if (strchr(t, '/') != NULL && strncasecmp(t, "text/", 5) != 0) {
		known = false;
	}
	free(type);
	return known;
}

static void begin_field(struct feed_tree *f, const struct feed_tag *tag, enum feed_field field)
{
	bool is_text = field == FIELD_TITLE || field == FIELD_SUMMARY || field == FIELD_CONTENT;
	f->field = field;
	f->field_depth = f->depth;
	f->named = false;
	f->escape = false;
	f->markup = field == FIELD_TITLE ? MARKUP_GUESS : MARKUP_HTML;
	buf_truncate(&f->text, 0);
	bool atom = top(f)->space == SPACE_ATOM || (f->is_atom && top(f)->space == SPACE_CORE);
	if (is_text && atom && !atom_markup(tag, &f->markup, &f->escape))
		f->field = FIELD_NONE;
	f->wrapped = f->escape;
	if (top(f)->space == SPACE_XHTML)
		f->escape = true;
}

/* Atom's <link>, which RSS feeds borrow: RFC 4287, 4.2.7. */
static void take_link(struct feed_tree *f, const struct feed_tag *tag, const char *href)
{
	char *rel = attribute(tag, "rel");
	char *type = attribute(tag, "type");
	if (rel == NULL || rel[0] == '\0' || strcasecmp(rel, "alternate") == 0) {
		char **link = f->in_item ? &f->item.link : &f->site;
		bool page = type == NULL || strstr(type, "html") != NULL;
		if (*link == NULL && page)
			*link = source_url_absolute(href, current_base(f));
	} else if (strcasecmp(rel, "enclosure") == 0 && f->in_item && type != NULL &&
		   strncasecmp(type, "image/", 6) == 0) {
		feed_item_image(&f->item, href, current_base(f), 3);
	} else if (!f->in_item) {
		channel_link(&f->channel, rel, href, current_base(f));
	}
	free(rel);
	free(type);
}

/* Portraits come before the pictures in some feeds. */
static bool is_portrait(const char *url)
{
	return strstr(url, "gravatar.com/") != NULL;
}

static void take_image(struct feed_tree *f, const struct feed_tag *tag, const char *name, int rank)
{
	char *url = attribute(tag, name);
	char *type = attribute(tag, "type");
	bool image = rank < 3 || attribute_is(tag, "medium", "image") ||
		     (type != NULL && strncasecmp(type, "image/", 6) == 0);
	if (url != NULL && image && !is_portrait(url))
		feed_item_image(&f->item, url, current_base(f), rank);
	free(url);
	free(type);
}

static void take_category(struct feed_tree *f, const struct feed_tag *tag)
{
	char *name = attribute(tag, "label");
	if (name == NULL || name[0] == '\0') {
		free(name);
		name = attribute(tag, "term");
	}
	if (name != NULL)
		feed_item_category(&f->item, name);
	free(name);
}

/* An element that may say something of the item. */
static void open_field(struct feed_tree *f, const struct feed_tag *tag)
{
	enum feed_field field = feed_field_of(top(f)->space, tag->name);
	bool child = f->depth == f->item_depth + 1;
	bool in_group =
		f->depth == f->item_depth + 2 && strcmp(f->levels[f->depth - 2].name, "group") == 0;
	if (field == FIELD_MEDIA)
		take_image(f, tag, "url", 4);
	else if (field == FIELD_THUMBNAIL)
		take_image(f, tag, "url", 2);
	else if (field == FIELD_ENCLOSURE)
		take_image(f, tag, "url", 3);
	if (field >= FIELD_ENCLOSURE || field == FIELD_NONE || (!child && !in_group))
		return;
	char *href = field == FIELD_LINK || field == FIELD_IMAGE ? attribute(tag, "href") : NULL;
	if (href != NULL && field == FIELD_LINK)
		take_link(f, tag, href);
	else if (href != NULL)
		feed_item_image(&f->item, href, current_base(f), 1);
	free(href);
	if (field == FIELD_CATEGORY)
		take_category(f, tag);
	if (field == FIELD_GUID && attribute_is(tag, "ispermalink", "false"))
		f->item.guid_is_no_link = true;
	begin_field(f, tag, field);
}

/* Of what stands outside of items, the feed's links, how long it may be kept, and the authors that
 * items inherit (RFC 4287, 4.2.1). */
static void open_outside(struct feed_tree *f, const struct feed_tag *tag)
{
	const struct level *parent = f->depth > 1 ? &f->levels[f->depth - 2] : NULL;
	bool core = (top(f)->space & (SPACE_CORE | SPACE_ATOM)) != 0;
	if (parent == NULL || !core)
		return;
	bool of_feed = strcmp(parent->name, "feed") == 0 || strcmp(parent->name, "channel") == 0;
	if (of_feed && strcmp(tag->name, "link") == 0) {
		char *href = attribute(tag, "href");
		if (href != NULL)
			take_link(f, tag, href);
		else
			begin_field(f, tag, FIELD_LINK);
		free(href);
	} else if (of_feed && strcmp(tag->name, "ttl") == 0) {
		begin_field(f, tag, FIELD_TTL);
	} else if (strcmp(tag->name, "author") == 0 && strcmp(parent->name, "feed") == 0) {
		begin_field(f, tag, FIELD_AUTHOR);
	}
}

static bool is_markup_field(enum feed_field field)
{
	return field == FIELD_TITLE || field == FIELD_SUMMARY || field == FIELD_CONTENT;
}

/* Inside of XHTML an xml:base changes what links mean; HTML has no such thing, so they are made
 * absolute here. */
static void write_attribute(struct feed_tree *f, const struct feed_attribute *a, bool rebased)
{
	struct buf value = {0};
	bool link = (a->name_len == 4 && strncasecmp(a->name, "href", 4) == 0) ||
		    (a->name_len == 3 && strncasecmp(a->name, "src", 3) == 0);
	characters_decode(a->value, a->len, true, &value);
	char *url = link && rebased ? url_link(buf_str(&value), current_base(f)) : NULL;
	const char *s = url != NULL ? url : buf_str(&value);
	buf_addc(&f->text, ' ');
	buf_add(&f->text, a->name, a->name_len);
	buf_adds(&f->text, "=\"");
	characters_escape(s, strlen(s), &f->text);
	buf_addc(&f->text, '"');
	buf_free(&value);
	free(url);
}

/* The <div> around XHTML belongs to Atom, not to the text (RFC 4287, 3.1.1.3). */
static bool is_wrapper(const struct feed_tree *f, const char *name)
{
	return f->depth == f->field_depth + 1 && f->wrapped && strcmp(name, "div") == 0;
}

static void open_nested(struct feed_tree *f, const struct feed_tag *tag)
{
	if (!is_markup_field(f->field)) {
		bool names = strcmp(tag->name, f->field == FIELD_AUTHOR ? "name" : "url") == 0;
		if (names)
			buf_truncate(&f->text, 0);
		f->named = f->named || names;
		return;
	}
	if (f->text.len > FIELD_MAX || is_wrapper(f, tag->name))
		return;
	bool rebased = false;
	for (size_t i = f->field_depth; i < f->depth; i++)
		rebased = rebased || f->levels[i].base != NULL;
	f->escape = true;
	f->markup = MARKUP_HTML;
	buf_addc(&f->text, '<');
	buf_adds(&f->text, tag->name);
	for (size_t i = 0; i < tag->n && f->text.len <= FIELD_MAX; i++)
		write_attribute(f, &tag->attributes[i], rebased);
	buf_addc(&f->text, '>');
}

static void see_root(struct feed_tree *f, const char *name)
{
	f->is_atom = f->is_atom || strcmp(name, "feed") == 0;
	f->is_feed = f->is_atom || strcmp(name, "rss") == 0 || strcmp(name, "rdf") == 0 ||
		     strcmp(name, "channel") == 0;
}

void feed_tree_open(struct feed_tree *f, const struct feed_tag *tag)
{
	if (f->full || !push(f, tag))
		return;
	bool core = (top(f)->space & (SPACE_CORE | SPACE_ATOM)) != 0;
	if (!f->is_feed)
		see_root(f, tag->name);
	if (f->field != FIELD_NONE)
		open_nested(f, tag);
	else if (f->in_item)
		open_field(f, tag);
	else if (core && (strcmp(tag->name, "item") == 0 || strcmp(tag->name, "entry") == 0))
		begin_item(f, tag);
	else
		open_outside(f, tag);
}

void feed_tree_text(struct feed_tree *f, const char *s, size_t len)
{
	bool nested = f->depth > f->field_depth;
	if (f->field == FIELD_NONE || f->text.len >= FIELD_MAX)
		return;
	if (len > FIELD_MAX - f->text.len)
		len = FIELD_MAX - f->text.len;
	if (is_markup_field(f->field)) {
		if (f->escape)
			characters_escape(s, len, &f->text);
		else
			buf_add(&f->text, s, len);
		return;
	}
	const char *inner = f->field == FIELD_AUTHOR ? "name" : "url";
	if (f->named ? nested && strcmp(top(f)->name, inner) == 0 : !nested)
		buf_add(&f->text, s, len);
}

/* The first of a kind stays, unless the second comes from the format itself and the first from a
 * module. */
static void keep_text(struct feed_tree *f, struct feed_text *to, unsigned *rank)
{
	unsigned now = (top(f)->space & (SPACE_CORE | SPACE_ATOM | SPACE_CONTENT)) != 0 ? 2 : 1;
	const char *s = buf_str(&f->text);
	if (now <= *rank || s[strspn(s, " \t\r\n")] == '\0')
		return;
	*rank = now;
	buf_free(&to->text);
	to->text = f->text;
	f->text = (struct buf){0};
	to->markup = f->markup;
	free(to->base);
	to->base = xstrdup(current_base(f));
}

static void set_url(struct feed_tree *f, char **to)
{
	if (*to == NULL)
		*to = source_url_absolute(buf_str(&f->text), current_base(f));
}

static void end_field_outside(struct feed_tree *f, enum feed_field field)
{
	struct feed_item carrier = {0};
	if (field == FIELD_LINK)
		set_url(f, &f->site);
	if (field == FIELD_TTL)
		channel_ttl(&f->channel, buf_str(&f->text));
	if (field == FIELD_AUTHOR) {
		feed_item_author(&carrier, buf_str(&f->text));
		strlist_copy(&f->authors, &carrier.authors);
	}
	feed_item_free(&carrier);
}

static void end_field(struct feed_tree *f)
{
	enum feed_field field = f->field;
	struct feed_item *i = &f->item;
	const char *text = buf_str(&f->text);
	f->field = FIELD_NONE;
	if (!f->in_item)
		end_field_outside(f, field);
	else if (field == FIELD_TITLE)
		keep_text(f, &i->title, &f->ranks[0]);
	else if (field == FIELD_SUMMARY)
		keep_text(f, &i->summary, &f->ranks[1]);
	else if (field == FIELD_CONTENT)
		keep_text(f, &i->content, &f->ranks[2]);
	else if (field == FIELD_LINK)
		set_url(f, &i->link);
	else if (field == FIELD_ORIGINAL_LINK)
		set_url(f, &i->original_link);
	else if (field == FIELD_GUID)
		feed_item_set(&i->guid, text);
	else if (field == FIELD_PUBLISHED)
		feed_item_set(&i->published, text);
	else if (field == FIELD_UPDATED)
		feed_item_set(&i->updated, text);
	else if (field == FIELD_AUTHOR)
		feed_item_author(i, text);
	else if (field == FIELD_CATEGORY)
		feed_item_category(i, text);
	else if (field == FIELD_IMAGE)
		feed_item_image(i, text, current_base(f), 1);
}

static void close_nested(struct feed_tree *f)
{
	const char *name = top(f)->name;
	if (is_markup_field(f->field) && !is_wrapper(f, name) && f->text.len <= FIELD_MAX)
		buf_addf(&f->text, "</%s>", name);
}

void feed_tree_close(struct feed_tree *f)
{
	if (f->too_deep > 0) {
		f->too_deep--;
		return;
	}
	if (f->full || f->depth == 0)
		return;
	if (f->field != FIELD_NONE && f->depth > f->field_depth)
		close_nested(f);
	else if (f->field != FIELD_NONE)
		end_field(f);
	else if (f->in_item && f->depth == f->item_depth)
		end_item(f);
	free(f->levels[--f->depth].base);
}

void feed_tree_close_named(struct feed_tree *f, const char *prefix, const char *name)
{
	for (size_t i = f->depth; i > 0; i--) {
		const struct level *l = &f->levels[i - 1];
		if (strcmp(l->name, name) != 0 || strcmp(l->prefix, prefix) != 0)
			continue;
		f->too_deep = 0;
		while (f->depth >= i && f->depth > 0 && !f->full)
			feed_tree_close(f);
		return;
	}
}

/* Names that stand in feeds and not in texts. */
static bool is_of_feeds_alone(const struct feed_tag *tag)
{
	static const char *const names[] = {"item", "entry", "pubdate", "guid", "published",
		"updated", "creator", "encoded", "origlink"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(tag->name, names[i]) == 0)
			return true;
	}
	return false;
}

/* A title, link or date has nothing in it that is a field of its own, a number nothing at all. */
static bool ends_field(const struct feed_tree *f, const struct feed_tag *tag)
{
	if (f->field == FIELD_NONE || f->field == FIELD_SUMMARY || f->field == FIELD_CONTENT)
		return false;
	if (f->field == FIELD_TTL)
		return true;
	return tag->prefix[0] == '\0' && strcmp(tag->name, "title") != 0 &&
	       f->field != FIELD_AUTHOR && feed_field_of(SPACE_CORE, tag->name) != FIELD_NONE;
}

void feed_tree_recover(struct feed_tree *f, const struct feed_tag *tag)
{
	bool starts_item = strcmp(tag->name, "item") == 0 || strcmp(tag->name, "entry") == 0;
	if (!is_of_feeds_alone(tag) && !ends_field(f, tag))
		return;
	while (f->field != FIELD_NONE && f->depth > 0 && !f->full)
		feed_tree_close(f);
	while (starts_item && f->in_item && f->depth > 0 && !f->full)
		feed_tree_close(f);
}
