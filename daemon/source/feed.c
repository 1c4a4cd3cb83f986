/* The way of a feed: bytes to UTF-8, a look at what it is, then the strict reader and, if that
 * stops at a fault, the loose one from the start. */
#include "hubmail/source_feed.h"

#include "charset.h"
#include "feed_json.h"
#include "feed_read.h"
#include "feed_tree.h"
#include "hubmail/base_buf.h"

#include <string.h>
#include <strings.h>

#define UTF8_MAX (SOURCE_FEED_MAX + SOURCE_FEED_MAX / 2) /* Chinese grows by half */

static bool starts(const char *s, const char *what)
{
	return strncasecmp(s, what, strlen(what)) == 0;
}

/* Messages before the first tag, as PHP prints them, and white space. */
static const char *skip_to_markup(const char *s)
{
	const char *lt = strchr(s, '<');
	return lt != NULL ? lt : s + strlen(s);
}

static bool no_feed(const char *s, struct error *fault, struct error *e)
{
	if (*s == '\0')
		return error_set(e, ERROR_DATA, "this is no feed: there is no markup in it");
	if (starts(s, "<!doctype html") || starts(s, "<html"))
		return error_set(e, ERROR_DATA, "this is an HTML page, not a feed");
	if (fault->code != ERROR_NONE)
		return error_set(e, ERROR_DATA, "this is no feed: %s", fault->text);
	return error_set(e, ERROR_DATA, "this is XML, but neither RSS nor Atom");
}

static void forget(struct post_list *posts, size_t from)
{
	while (posts->n > from)
		post_free(&posts->items[--posts->n]);
}

static bool read_with(bool loose, const char *s, size_t len, const char *base_url,
	struct post_list *out, struct source_channel *channel, bool *is_feed, struct error *fault)
{
	struct feed_tree *tree = feed_tree_new(base_url, out);
	bool ok = true;
	if (loose)
		feed_read_loose(s, len, tree);
	else
		ok = feed_read_xml(s, len, tree, fault);
	*is_feed = feed_tree_is_feed(tree);
	source_channel_free(channel);
	*channel = feed_tree_take_channel(tree);
	feed_tree_free(tree);
	return ok;
}

static bool read_xml(const char *s, size_t len, const char *base_url, struct post_list *out,
	struct source_channel *channel, struct error *e)
{
	struct error fault = {0};
	size_t before = out->n;
	bool is_feed = false;
	bool strict = read_with(false, s, len, base_url, out, channel, &is_feed, &fault);
	if (!strict) {
		forget(out, before);
		read_with(true, s, len, base_url, out, channel, &is_feed, &fault);
	}
	if (!is_feed) {
		forget(out, before);
		return no_feed(s, &fault, e);
	}
	if (!strict && out->n == before)
		return error_set(
			e, ERROR_DATA, "the feed is damaged and has no whole item: %s", fault.text);
	return true;
}

bool source_feed_parse(const char *data, size_t len, const char *base_url, const char *charset,
	struct post_list *out, struct source_channel *channel, struct error *e)
{
	struct buf text = {0};
	struct source_channel said = {0};
	if (channel != NULL)
		*channel = (struct source_channel){0};
	if (len > SOURCE_FEED_MAX)
		return error_set(e, ERROR_DATA, "the feed has %zu bytes; at most %u are read", len,
			SOURCE_FEED_MAX);
	charset_to_utf8(data, len, charset, UTF8_MAX, &text);
	const char *s = buf_str(&text);
	char first = s[strspn(s, " \t\r\n")];
	bool json = first == '{' || first == '[';
	if (!json)
		s = skip_to_markup(s);
	bool ok = json ? feed_read_json(s, strlen(s), base_url, out, &said, e)
		       : read_xml(s, strlen(s), base_url, out, &said, e);
	if (ok && channel != NULL)
		*channel = said;
	else
		source_channel_free(&said);
	buf_free(&text);
	return ok;
}
