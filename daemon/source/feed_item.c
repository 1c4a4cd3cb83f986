/* From what a feed says of an item to a clean post: what is a title, which link counts, by what it
 * is known again, and which of its texts are shown. */
#include "feed_item.h"

#include "character.h"
#include "element.h"
#include "feed_date.h"
#include "hubmail/base_crypto.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "hubmail/source_html.h"
#include "mark.h"
#include "sanitise.h"
#include "tail.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TITLE_MAX 1000 /* characters */
#define AUTHORS_MAX 10
#define TEXT_MAX (2u << 20)
#define CATEGORIES_MAX 50
#define CATEGORY_MAX 200 /* bytes */
#define GUID_MAX 1000    /* bytes; a longer one is known by its hash */

static void free_text(struct feed_text *t)
{
	buf_free(&t->text);
	free(t->base);
}

void feed_item_free(struct feed_item *i)
{
	free_text(&i->title);
	free_text(&i->summary);
	free_text(&i->content);
	free(i->guid);
	free(i->link);
	free(i->original_link);
	free(i->published);
	free(i->updated);
	free(i->image);
	strlist_free(&i->authors);
	strlist_free(&i->categories);
	free(i->base);
	*i = (struct feed_item){0};
}

void feed_item_set(char **field, const char *s)
{
	if (*field == NULL)
		*field = characters_line(s);
}

void feed_item_text(struct feed_text *to, const char *s, enum markup markup)
{
	if (s == NULL || s[0] == '\0' || to->text.len > 0)
		return;
	size_t len = strlen(s);
	buf_add(&to->text, s, len < TEXT_MAX ? len : TEXT_MAX);
	to->markup = markup;
}

void feed_item_image(struct feed_item *i, const char *url, const char *base, int rank)
{
	if (url == NULL || rank <= i->image_rank)
		return;
	char *absolute = source_url_absolute(url, base);
	if (absolute == NULL)
		return;
	free(i->image);
	i->image = absolute;
	i->image_rank = rank;
}

static void add_once(struct strlist *l, size_t max, const char *s)
{
	char *line = characters_line(s);
	if (line == NULL || l->n >= max || strlen(line) > CATEGORY_MAX || strlist_has(l, line))
		free(line);
	else
		strlist_take(l, line);
}

void feed_item_category(struct feed_item *i, const char *name)
{
	add_once(&i->categories, CATEGORIES_MAX, name);
}

/* RSS has "mail@example.org (Name)", some have "Name <mail@example.org>": the name is what counts.
 */
void feed_item_author(struct feed_item *i, const char *name)
{
	char *copy = xstrdup(name);
	char *s = text_trim(copy);
	char *open = strchr(s, '(');
	char *angle = strchr(s, '<');
	size_t len = strlen(s);
	if (open != NULL && len > 0 && s[len - 1] == ')' &&
		memchr(s, '@', (size_t)(open - s)) != NULL) {
		s[len - 1] = '\0';
		s = open + 1;
	} else if (angle != NULL && angle > s && strchr(angle, '@') != NULL) {
		*angle = '\0';
	}
	add_once(&i->authors, AUTHORS_MAX, text_trim(s));
	free(copy);
}

/* Does a text that should be plain have a tag or a reference in it that a reader is not meant to
 * see? "std::vector<int>" has none: there is no such element. */
static bool looks_like_markup(const char *s, size_t len)
{
	const char *last = len > 0 ? memrchr(s, '>', len) : NULL;
	char one[8];
	size_t one_len = 0;
	for (size_t i = 0; i < len; i++) {
		size_t n_reference =
			s[i] == '&' ? character_reference(s + i, len - i, one, &one_len) : 0;
		if (n_reference > 0 && s[i + n_reference - 1] == ';')
			return true;
		if (s[i] != '<' || last == NULL || last < s + i)
			continue;
		char name[TOKEN_NAME_MAX];
		size_t n = 0;
		size_t at = i + (i + 1 < len && s[i + 1] == '/' ? 2 : 1);
		while (at < len && n < sizeof(name) - 1 && strchr(" \t\r\n/>", s[at]) == NULL) {
			name[n++] = text_lower(s[at]);
			at++;
		}
		name[n] = '\0';
		if (element_find(name) != NULL || strcmp(name, "span") == 0 ||
			strcmp(name, "font") == 0)
			return true;
	}
	return false;
}

static char *plain_line(const struct feed_text *t)
{
	const char *s = buf_str(&t->text);
	char *plain = NULL;
	if (t->markup == MARKUP_HTML ||
		(t->markup == MARKUP_GUESS && looks_like_markup(s, t->text.len)))
		plain = source_html_excerpt(s, t->text.len, TITLE_MAX);
	char *line = characters_line(plain != NULL ? plain : s);
	if (line != NULL)
		line[utf8_prefix(line, TITLE_MAX)] = '\0';
	free(plain);
	return line;
}

static void escape_text(const struct feed_text *t, struct buf *out)
{
	struct buf clean = {0};
	characters_decode(buf_str(&t->text), t->text.len, false, &clean);
	char *s = clean.data != NULL ? text_trim(clean.data) : NULL;
	while (s != NULL && *s != '\0') {
		size_t line = strcspn(s, "\n");
		characters_escape(s, line, out);
		s += line;
		if (*s == '\n') {
			buf_adds(out, "<br>");
			s++;
		}
	}
	buf_free(&clean);
}

static bool shows_something(const char *html)
{
	for (const char *s = html; *s != '\0'; s++) {
		if (*s == '<' && strncmp(s, "<img", 4) == 0)
			return true;
		if (*s == '<')
			s = strchr(s, '>') != NULL ? strchr(s, '>') : s;
		else if ((unsigned char)*s > ' ')
			return true;
	}
	return false;
}

static char *clean_markup(
	const struct feed_text *t, const char *base, const char *page, bool is_summary)
{
	struct buf out = {0};
	const char *from = t->base != NULL ? t->base : base;
	if (t->text.len == 0)
		return NULL;
	if (t->markup == MARKUP_TEXT) {
		escape_text(t, &out);
	} else {
		char *html = sanitise_part(t->text.data, t->text.len, from, page);
		size_t len = strlen(html);
		out = (struct buf){.data = html, .len = len, .cap = len + 1};
	}
	if (is_summary && out.len > 0)
		tail_trim(&out);
	if (shows_something(buf_str(&out)))
		return buf_take(&out);
	buf_free(&out);
	return NULL;
}

/* The content as far as the author's mark. */
static char *summary_by_mark(const struct feed_text *content, const char *base, const char *page)
{
	if (content->markup == MARKUP_TEXT || content->text.len == 0)
		return NULL;
	size_t n = mark_more(content->text.data, content->text.len);
	if (n == 0)
		return NULL;
	char *html = sanitise_part(
		content->text.data, n, content->base != NULL ? content->base : base, page);
	if (shows_something(html))
		return html;
	free(html);
	return NULL;
}

static char *hash_of(const char *a, const char *b)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char sum[32];
	struct buf both = {0};
	struct buf hash = {0};
	buf_adds(&both, a != NULL ? a : "");
	buf_addc(&both, '\n');
	buf_adds(&both, b != NULL ? b : "");
	sha256(both.data, both.len, sum);
	buf_free(&both);
	buf_adds(&hash, "sha256:");
	for (size_t i = 0; i < 16; i++) {
		buf_addc(&hash, digits[sum[i] >> 4]);
		buf_addc(&hash, digits[sum[i] & 15]);
	}
	return buf_take(&hash);
}

static char *pick_link(const struct feed_item *i)
{
	if (i->original_link != NULL)
		return xstrdup(i->original_link);
	if (i->link != NULL)
		return xstrdup(i->link);
	if (i->guid == NULL || i->guid_is_no_link)
		return NULL;
	/* "42" would resolve to an address too, but nobody meant one. */
	bool relative = strpbrk(i->guid, "/?") != NULL && strchr(i->guid, ' ') == NULL;
	return source_url_absolute(i->guid, relative ? i->base : NULL);
}

static char *pick_guid(const struct feed_item *i, const struct post *p)
{
	if (i->guid != NULL)
		return strlen(i->guid) <= GUID_MAX ? xstrdup(i->guid) : hash_of(i->guid, NULL);
	if (p->url != NULL)
		return strlen(p->url) <= GUID_MAX ? xstrdup(p->url) : hash_of(p->url, NULL);
	if (p->title != NULL || i->published != NULL)
		return hash_of(p->title, i->published);
	return hash_of(p->content, p->summary);
}

static char *join(const struct strlist *l)
{
	struct buf all = {0};
	for (size_t i = 0; i < l->n; i++) {
		if (i > 0)
			buf_adds(&all, ", ");
		buf_adds(&all, l->items[i]);
	}
	return all.len > 0 ? buf_take(&all) : NULL;
}

bool feed_item_finish(struct feed_item *i, struct post *out)
{
	out->title = plain_line(&i->title);
	out->url = pick_link(i);
	const char *base = i->base != NULL ? i->base : out->url;
	out->content = clean_markup(&i->content, base, out->url, false);
	out->summary = clean_markup(&i->summary, base, out->url, true);
	if (out->summary == NULL)
		out->summary = summary_by_mark(&i->content, base, out->url);
	if (out->title == NULL && out->url == NULL && out->content == NULL &&
		out->summary == NULL) {
		post_free(out);
		return false;
	}
	out->guid = pick_guid(i, out);
	out->author = join(&i->authors);
	out->published_at = feed_date(i->published);
	out->updated_at = feed_date(i->updated);
	out->image = i->image;
	i->image = NULL;
	out->categories = i->categories;
	i->categories = (struct strlist){0};
	return true;
}
