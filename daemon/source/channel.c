/* The head of a feed, read by the scanner of HTML: it stands nearly always before the first post,
 * and it must not cost a second reading of a big feed. JSON feeds say the same in a list of hubs.
 */
#include "hubmail/source_channel.h"

#include "charset.h"
#include "hubmail/base_buf.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "hubmail/source_html.h"
#include "token.h"
#include "url.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEAD_MAX (256u << 10)
#define TTL_MAX_MINUTES 527040 /* 366 days */

static void set_once(char **to, const char *href, const char *base_url)
{
	if (*to == NULL && href != NULL)
		*to = source_url_absolute(href, base_url);
}

/* <link rel="hub" href="…"> of Atom, by whatever prefix. */
static void take_link(struct source_channel *c, const struct token *t, const char *base_url)
{
	char *rel = token_attribute(t, "rel", 64);
	char *href = token_attribute(t, "href", URL_MAX);

	if (rel != NULL && strcasecmp(rel, "hub") == 0)
		set_once(&c->hub, href, base_url);
	else if (rel != NULL && strcasecmp(rel, "self") == 0)
		set_once(&c->self, href, base_url);
	free(rel);
	free(href);
}

static void take_ttl(struct source_channel *c, const struct token *t)
{
	char *text = xstrndup(t->text, t->len < 32 ? t->len : 32);
	long long minutes = 0;

	if (text_to_int(text_trim(text), 1, TTL_MAX_MINUTES, &minutes))
		c->ttl = (int64_t)minutes * 60;
	free(text);
}

static bool is_element(const struct token *t, const char *name)
{
	const char *colon = strchr(t->name, ':');

	return strcmp(colon != NULL ? colon + 1 : t->name, name) == 0;
}

static void read_markup(const char *s, size_t len, const char *base_url, struct source_channel *out)
{
	struct scanner scanner;
	struct token t;
	bool in_ttl = false;

	scanner_start(&scanner, s, len);
	while (scanner_next(&scanner, &t)) {
		if (t.kind == TOKEN_TEXT && in_ttl)
			take_ttl(out, &t);
		in_ttl = t.kind == TOKEN_OPEN && strcmp(t.name, "ttl") == 0;
		if (t.kind != TOKEN_OPEN)
			continue;
		if (strcmp(t.name, "item") == 0 || strcmp(t.name, "entry") == 0)
			return;
		if (is_element(&t, "link"))
			take_link(out, &t, base_url);
	}
}

static void read_json(const char *s, size_t len, const char *base_url, struct source_channel *out)
{
	json_t *feed = json_loadb(s, len, 0, NULL), *hub;
	size_t i;

	json_array_foreach(json_object_get(feed, "hubs"), i, hub)
	{
		const char *type = json_string_value(json_object_get(hub, "type"));
		if (type != NULL && strcasecmp(type, "WebSub") == 0)
			set_once(&out->hub, json_string_value(json_object_get(hub, "url")),
				base_url);
	}
	set_once(&out->self, json_string_value(json_object_get(feed, "feed_url")), base_url);
	json_decref(feed);
}

void source_channel_read(const char *data, size_t len, const char *base_url, const char *charset,
	struct source_channel *out)
{
	struct buf text = {0};

	*out = (struct source_channel){0};
	size_t blank = 0;
	while (blank < len && strchr(" \t\r\n", data[blank]) != NULL)
		blank++;
	if (blank < len && data[blank] == '{') {
		read_json(data, len, base_url, out);
		return;
	}
	charset_to_utf8(
		data, len < HEAD_MAX ? len : HEAD_MAX, charset, (size_t)HEAD_MAX * 2, &text);
	read_markup(buf_str(&text), text.len, base_url, out);
	buf_free(&text);
}

void source_channel_free(struct source_channel *c)
{
	free(c->hub);
	free(c->self);
	*c = (struct source_channel){0};
}
