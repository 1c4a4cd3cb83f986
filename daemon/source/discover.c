/* From a page to the feeds it may have: what it links to, then the paths that blog software uses.
 */
#include "hubmail/source_feed.h"

#include "charset.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "hubmail/source_html.h"
#include "token.h"
#include "url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PAGE_MAX (2u << 20) /* bytes of a page that are looked at */
#define CANDIDATES_MAX 20
#define START_MAX 4096 /* bytes in which a page shows that it is one */

struct search {
	char *base;
	struct strlist linked;   /* as feeds of the page */
	struct strlist comments; /* feeds of comments: nobody means them, but they are feeds */
	struct strlist anchored; /* links for people that look like feeds */
	char generator[32];
};

static void add(struct strlist *to, const char *href, const char *base)
{
	char *url = source_url_absolute(href, base);
	if (url == NULL || strlist_has(to, url) || to->n >= CANDIDATES_MAX)
		free(url);
	else
		strlist_take(to, url);
}

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);
	for (const char *s = list; *s != '\0'; s += strcspn(s, " \t\r\n")) {
		s += strspn(s, " \t\r\n");
		if (strncasecmp(s, word, n) == 0 && strchr(" \t\r\n", s[n]) != NULL)
			return true;
	}
	return false;
}

static bool is_feed_type(const char *type)
{
	static const char *const types[] = {"application/rss+xml", "application/atom+xml",
		"application/rdf+xml", "application/feed+json", "application/json",
		"application/xml", "text/xml", "application/x.atom+xml"};
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strncasecmp(type, types[i], strlen(types[i])) == 0)
			return true;
	}
	return false;
}

static bool is_of_comments(const char *href, const char *title)
{
	return strstr(href, "/comments/") != NULL || strcasestr(title, "comment") != NULL ||
	       strcasestr(title, "kommentar") != NULL;
}

/* WordPress announces its REST API in the same way. */
static bool is_api(const char *href)
{
	return strstr(href, "/wp-json") != NULL || strstr(href, "oembed") != NULL;
}

static void take_link(struct search *s, const struct token *t)
{
	char *rel = token_attribute(t, "rel", 200);
	char *type = token_attribute(t, "type", 200);
	char *href = token_attribute(t, "href", URL_MAX);
	char *title = token_attribute(t, "title", 1000);
	bool alternate = rel != NULL && (has_word(rel, "alternate") || has_word(rel, "feed"));
	if (alternate && href != NULL && type != NULL && is_feed_type(type) && !is_api(href))
		add(is_of_comments(href, title != NULL ? title : "") ? &s->comments : &s->linked,
			href, s->base);
	free(rel);
	free(type);
	free(href);
	free(title);
}

static bool looks_like_feed(const char *href)
{
	static const char *const endings[] = {".rss", ".rdf", ".atom", "/feed", "/feed/", "/rss",
		"/rss/", "/atom.xml", "/feed.xml", "/rss.xml", "/index.xml", "/feed.json"};
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (text_ends(href, endings[i]))
			return true;
	}
	return strncasecmp(href, "http://feeds.feedburner.com/", 28) == 0 ||
	       strncasecmp(href, "https://feeds.feedburner.com/", 29) == 0;
}

static void take_anchor(struct search *s, const struct token *t)
{
	char *href = token_attribute(t, "href", URL_MAX);
	if (href != NULL && looks_like_feed(href))
		add(&s->anchored, href, s->base);
	free(href);
}

static void take_base(struct search *s, const struct token *t)
{
	char *href = token_attribute(t, "href", URL_MAX);
	char *base = href != NULL ? source_url_absolute(href, s->base) : NULL;
	if (base != NULL) {
		free(s->base);
		s->base = base;
	}
	free(href);
}

static void take_meta(struct search *s, const struct token *t)
{
	char *name = token_attribute(t, "name", 64);
	char *content = token_attribute(t, "content", 200);
	if (name != NULL && content != NULL && strcasecmp(name, "generator") == 0) {
		strncpy(s->generator, content, sizeof(s->generator) - 1);
		s->generator[sizeof(s->generator) - 1] = '\0';
	}
	free(name);
	free(content);
}

static void take(struct search *s, const struct token *t)
{
	if (t->kind != TOKEN_OPEN)
		return;
	if (strcmp(t->name, "link") == 0)
		take_link(s, t);
	else if (strcmp(t->name, "a") == 0)
		take_anchor(s, t);
	else if (strcmp(t->name, "base") == 0)
		take_base(s, t);
	else if (strcmp(t->name, "meta") == 0)
		take_meta(s, t);
}

static void move_all(struct strlist *to, const struct strlist *from)
{
	for (size_t i = 0; i < from->n && to->n < CANDIDATES_MAX; i++) {
		if (!strlist_has(to, from->items[i]))
			strlist_add(to, from->items[i]);
	}
}

/* Where the software that made the page puts its feed; where any may have put it otherwise. */
static void add_usual(struct strlist *out, const char *generator, const char *page_url)
{
	static const struct {
		const char *generator, *path;
	} usual[] = {{"WordPress", "/feed/"}, {"Ghost", "/rss/"}, {"Hugo", "/index.xml"},
		{"Jekyll", "/feed.xml"}, {"Hexo", "/atom.xml"}, {"", "/rss.xml"},
		{"", "/feed.json"}};
	const size_t n = sizeof(usual) / sizeof(usual[0]);
	for (size_t i = 0; i < n; i++) {
		const char *by = usual[i].generator;
		if (by[0] != '\0' && strncasecmp(generator, by, strlen(by)) == 0)
			add(out, usual[i].path + 1, page_url);
	}
	for (size_t i = 0; i < n; i++)
		add(out, usual[i].path + 1, page_url);
	for (size_t i = 0; i < n; i++)
		add(out, usual[i].path, page_url);
}

bool source_feed_is_page(const char *data, size_t len)
{
	static const char *const signs[] = {"<!doctype html", "<html", "<head", "<title", "<body"};
	char *start = xstrndup(data, len < START_MAX ? len : START_MAX);
	bool is_page = false;

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		is_page = is_page || strcasestr(start, signs[i]) != NULL;
	free(start);
	return is_page;
}

void source_feed_discover(const char *html, size_t len, const char *page_url, struct strlist *out)
{
	struct buf text = {0};
	struct search s = {.base = xstrdup(page_url)};
	struct scanner scanner;
	struct token t;
	charset_to_utf8(html, len < PAGE_MAX ? len : PAGE_MAX, NULL, (size_t)PAGE_MAX * 2, &text);
	scanner_start(&scanner, buf_str(&text), text.len);
	while (scanner_next(&scanner, &t))
		take(&s, &t);
	move_all(out, &s.linked);
	move_all(out, &s.anchored);
	add_usual(out, s.generator, page_url);
	move_all(out, &s.comments);
	strlist_free(&s.linked);
	strlist_free(&s.anchored);
	strlist_free(&s.comments);
	free(s.base);
	buf_free(&text);
}
