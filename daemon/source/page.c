/* HTML pages as posts: title and <meta> of the head, and the part of the body that is the post. */
#include "page.h"

#include "character.h"
#include "feed_date.h"
#include "hubmail/base_mem.h"
#include "token.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define VALUE_MAX 4096

/* The kinds of container, best first. */
enum { ARTICLE, MAIN, BODY, CONTAINERS };

struct container {
	const char *start, *end;
	size_t nested;
};

struct page {
	struct front *front;
	struct container containers[CONTAINERS];
	bool in_title;
};

static void set_once(char **to, const char *value)
{
	if (*to == NULL)
		*to = characters_line(value);
}

static void set_meta(struct front *f, const char *name, const char *value)
{
	if (strcasecmp(name, "author") == 0 || strcasecmp(name, "article:author") == 0) {
		char *line = f->authors.n == 0 ? characters_line(value) : NULL;
		if (line != NULL)
			strlist_take(&f->authors, line);
	} else if (strcasecmp(name, "description") == 0 ||
		   strcasecmp(name, "og:description") == 0) {
		set_once(&f->summary, value);
	} else if (strcasecmp(name, "og:image") == 0) {
		set_once(&f->image, value);
	} else if (strcasecmp(name, "date") == 0 || strcasecmp(name, "dcterms.date") == 0 ||
		   strcasecmp(name, "article:published_time") == 0) {
		if (f->published_at == 0)
			f->published_at = feed_date(value);
	} else if (strcasecmp(name, "article:modified_time") == 0) {
		if (f->updated_at == 0)
			f->updated_at = feed_date(value);
	} else if (strcasecmp(name, "article:tag") == 0) {
		char *line = f->categories.n < 50 ? characters_line(value) : NULL;
		if (line != NULL)
			strlist_take(&f->categories, line);
	} else if (strcasecmp(name, "draft") == 0) {
		f->draft = f->draft || strcasecmp(value, "true") == 0;
	}
}

static void take_meta(struct page *p, const struct token *t)
{
	char *name = token_attribute(t, "name", 64);
	if (name == NULL)
		name = token_attribute(t, "property", 64);
	char *value = token_attribute(t, "content", VALUE_MAX);
	if (name != NULL && value != NULL)
		set_meta(p->front, name, value);
	free(name);
	free(value);
}

static int container_of(const char *name)
{
	static const char *const names[CONTAINERS] = {"article", "main", "body"};
	for (int i = 0; i < CONTAINERS; i++) {
		if (strcmp(name, names[i]) == 0)
			return i;
	}
	return -1;
}

/* Only the first of each kind counts; `after` is the byte behind the tag. */
static void take_container(struct page *p, const struct token *t, const char *after)
{
	int kind = container_of(t->name);
	if (kind < 0 || p->containers[kind].end != NULL)
		return;
	struct container *c = &p->containers[kind];
	if (t->kind == TOKEN_OPEN) {
		if (c->start == NULL)
			c->start = after;
		c->nested++;
	} else if (c->nested > 0 && --c->nested == 0) {
		c->end = t->text - strlen(t->name) - 2;
	}
}

static void take(struct page *p, const struct token *t, const char *after)
{
	if (t->kind == TOKEN_TEXT && p->in_title) {
		struct buf title = {0};
		characters_decode(t->text, t->len, true, &title);
		set_once(&p->front->title, buf_str(&title));
		buf_free(&title);
	}
	p->in_title = t->kind == TOKEN_OPEN && strcmp(t->name, "title") == 0;
	if (t->kind == TOKEN_OPEN && strcmp(t->name, "meta") == 0)
		take_meta(p, t);
	if (t->kind == TOKEN_OPEN || t->kind == TOKEN_CLOSE)
		take_container(p, t, after);
}

void page_read(
	const char *html, size_t len, struct front *front, const char **text, size_t *text_len)
{
	struct page p = {.front = front};
	struct scanner s;
	struct token t;
	scanner_start(&s, html, len);
	while (scanner_next(&s, &t))
		take(&p, &t, s.at);
	*text = html;
	*text_len = len;
	for (int i = 0; i < CONTAINERS; i++) {
		const struct container *c = &p.containers[i];
		if (c->start == NULL)
			continue;
		*text = c->start;
		*text_len = (size_t)((c->end != NULL ? c->end : html + len) - c->start);
		return;
	}
}
