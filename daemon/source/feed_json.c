/* JSON Feed (jsonfeed.org), through jansson, which also reads what WordPress's API answers. The
 * whole document becomes a tree there, and a value of two bytes takes a hundred times that, so what
 * the tree would take is reckoned first. */
#include "feed_json.h"

#include "channel.h"
#include "feed_item.h"
#include "feed_wordpress.h"
#include "hubmail/base_mem.h"
#include "hubmail/source_html.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TREE_MAX (40u << 20) /* bytes that the tree may take */
#define VALUE_SIZE 64        /* bytes of a value in it, at most */
#define OBJECT_SIZE 400      /* and of an empty object */
#define POSTS_SIZE_MAX (16u << 20)

static bool fits(const char *s, size_t len)
{
	size_t size = len;
	bool inside = false;
	for (size_t i = 0; i < len; i++) {
		if (inside && s[i] == '\\')
			i++;
		else if (s[i] == '"')
			inside = !inside;
		else if (!inside && s[i] == '{')
			size += OBJECT_SIZE;
		else if (!inside && (s[i] == ',' || s[i] == '[' || s[i] == ':'))
			size += VALUE_SIZE;
	}
	return size <= TREE_MAX;
}

static const char *string_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s != NULL && s[0] != '\0' ? s : NULL;
}

static void add_author(struct feed_item *i, const json_t *author)
{
	const char *name =
		json_is_string(author) ? json_string_value(author) : string_of(author, "name");
	if (name != NULL)
		feed_item_author(i, name);
}

/* Version 1.1 has "authors", 1.0 had "author"; what the item does not say, the feed says. */
static void add_authors(struct feed_item *i, const json_t *from)
{
	size_t n = 0;
	json_t *author = NULL;
	json_array_foreach(json_object_get(from, "authors"), n, author) add_author(i, author);
	if (i->authors.n == 0)
		add_author(i, json_object_get(from, "author"));
}

/* The specification wants a string, and says that numbers are to be taken as one. */
static void set_id(struct feed_item *i, const json_t *id)
{
	if (json_is_integer(id)) {
		char *s = xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(id));
		feed_item_set(&i->guid, s);
		free(s);
	} else if (json_is_string(id)) {
		feed_item_set(&i->guid, json_string_value(id));
	}
}

static void read_item(struct feed_item *i, const json_t *o, const json_t *feed)
{
	const char *url = string_of(o, "url");
	size_t n = 0;
	json_t *tag = NULL;
	if (url == NULL)
		url = string_of(o, "external_url");
	set_id(i, json_object_get(o, "id"));
	if (url != NULL)
		i->link = source_url_absolute(url, i->base);
	feed_item_text(&i->title, string_of(o, "title"), MARKUP_TEXT);
	feed_item_text(&i->summary, string_of(o, "summary"), MARKUP_TEXT);
	feed_item_text(&i->content, string_of(o, "content_html"), MARKUP_HTML);
	feed_item_text(&i->content, string_of(o, "content_text"), MARKUP_TEXT);
	feed_item_set(&i->published, string_of(o, "date_published"));
	feed_item_set(&i->updated, string_of(o, "date_modified"));
	feed_item_image(i, string_of(o, "image"), i->base, 2);
	feed_item_image(i, string_of(o, "banner_image"), i->base, 1);
	json_array_foreach(json_object_get(o, "tags"), n, tag)
	{
		if (json_is_string(tag))
			feed_item_category(i, json_string_value(tag));
	}
	add_authors(i, o);
	if (i->authors.n == 0)
		add_authors(i, feed);
}

static void read_items(
	const json_t *feed, const json_t *items, const char *base_url, struct post_list *out)
{
	size_t n = 0;
	size_t size = 0;
	json_t *o = NULL;
	const char *base = base_url != NULL ? base_url : string_of(feed, "home_page_url");
	json_array_foreach(items, n, o)
	{
		struct feed_item item = {.base = xstrdup(base)};
		struct post post = {0};
		if (json_is_object(o))
			read_item(&item, o, feed);
		if (json_is_object(o) && feed_item_finish(&item, &post)) {
			size += post.content != NULL ? strlen(post.content) : 0;
			*post_list_add(out) = post;
		}
		feed_item_free(&item);
		if (out->n >= SOURCE_POSTS_MAX || size > POSTS_SIZE_MAX)
			return;
	}
}

static void read_channel(const json_t *feed, const char *base_url, struct source_channel *channel)
{
	size_t n = 0;
	json_t *hub = NULL;
	json_array_foreach(json_object_get(feed, "hubs"), n, hub)
	{
		const char *type = string_of(hub, "type");
		if (type != NULL && strcasecmp(type, "WebSub") == 0)
			channel_link(channel, "hub", string_of(hub, "url"), base_url);
	}
	channel_link(channel, "self", string_of(feed, "feed_url"), base_url);
}

static bool read_feed(const json_t *feed, const char *base_url, struct post_list *out,
	struct source_channel *channel)
{
	const char *version = string_of(feed, "version");
	const json_t *items = json_object_get(feed, "items");
	if (!json_is_array(items) || (version != NULL && strstr(version, "jsonfeed") == NULL))
		return false;
	read_items(feed, items, base_url, out);
	read_channel(feed, base_url, channel);
	return true;
}

bool feed_read_json(const char *s, size_t len, const char *base_url, struct post_list *out,
	struct source_channel *channel, struct error *e)
{
	json_error_t fault;
	if (!fits(s, len))
		return error_set(e, ERROR_DATA, "the JSON has more values than any feed");
	json_t *feed = json_loadb(s, len, JSON_ALLOW_NUL | JSON_DISABLE_EOF_CHECK, &fault);
	if (feed == NULL)
		return error_set(
			e, ERROR_DATA, "line %d: this is no JSON: %s", fault.line, fault.text);
	bool is_feed = json_is_array(feed) ? feed_wordpress_read(feed, base_url, out)
					   : read_feed(feed, base_url, out, channel);
	json_decref(feed);
	return is_feed || error_set(e, ERROR_DATA, "this is JSON, but no JSON Feed");
}
