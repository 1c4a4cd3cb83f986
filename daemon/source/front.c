/* Front matter: where it begins and ends, and what its keys mean, in the words of Hugo, Jekyll and
 * Eleventy. The formats themselves have their own files. */
#include "front.h"

#include "character.h"
#include "feed_date.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LIST_MAX 50 /* categories or authors of a post */

void front_free(struct front *f)
{
	free(f->title);
	free(f->summary);
	free(f->image);
	free(f->slug);
	free(f->url);
	free(f->date);
	strlist_free(&f->authors);
	strlist_free(&f->categories);
	strlist_free(&f->sections);
	*f = (struct front){0};
}

static size_t line_length(const char *s, size_t len)
{
	const char *end = len > 0 ? memchr(s, '\n', len) : NULL;
	return end != NULL ? (size_t)(end - s) + 1 : len;
}

/* The line is nothing but the mark and white space. */
static bool is_mark(const char *s, size_t len, const char *mark)
{
	size_t n = strlen(mark);
	if (len < n || memcmp(s, mark, n) != 0)
		return false;
	while (n < len && (s[n] == ' ' || s[n] == '\t' || s[n] == '\r' || s[n] == '\n'))
		n++;
	return n == len;
}

typedef bool front_fn(
	const char *s, size_t len, int first_line, struct front *out, struct error *e);

static bool json_between(
	const char *s, size_t len, int first_line, struct front *out, struct error *e)
{
	size_t used = 0;
	return front_json(s, len, first_line, out, &used, e);
}

/* Hugo and Jekyll mark YAML with ---, Hugo TOML with +++; Eleventy puts the language behind the
 * dashes. */
static front_fn *format_of(const char *s, size_t len, const char **close)
{
	*close = "---";
	if (is_mark(s, len, "---") || is_mark(s, len, "---yaml"))
		return front_yaml;
	if (is_mark(s, len, "---toml"))
		return front_toml;
	if (is_mark(s, len, "---json"))
		return json_between;
	*close = "+++";
	return is_mark(s, len, "+++") ? front_toml : NULL;
}

/* Hugo's JSON has no marks: a file that begins with an object. "{{" and "{%" begin something
 * else. */
static bool starts_with_object(const char *s, size_t len)
{
	size_t i = 1;
	if (len < 2 || s[0] != '{')
		return false;
	while (i < len && (s[i] == ' ' || s[i] == '\n' || s[i] == '\r' || s[i] == '\t'))
		i++;
	return i < len && (s[i] == '"' || s[i] == '}');
}

bool front_read(const char *s, size_t len, struct front *out, size_t *body, struct error *e)
{
	*body = 0;
	if (starts_with_object(s, len))
		return front_json(s, len < FRONT_MAX ? len : FRONT_MAX, 1, out, body, e);
	const char *close = NULL;
	size_t start = line_length(s, len);
	front_fn *read = format_of(s, start, &close);
	if (read == NULL)
		return true;
	size_t end = start;
	while (end < len && end - start <= FRONT_MAX) {
		size_t n = line_length(s + end, len - end);
		if (is_mark(s + end, n, close) ||
			(read == front_yaml && is_mark(s + end, n, "..."))) {
			*body = end + n;
			return read(s + start, end - start, 2, out, e);
		}
		end += n;
	}
	return error_set(e, ERROR_DATA,
		"line 1: the front matter has no end%s; close it with a line of %s",
		end < len ? " within 64 kB" : "", close);
}

enum meaning {
	MEANS_NOTHING,
	MEANS_TITLE,
	MEANS_DATE,
	MEANS_UPDATED,
	MEANS_AUTHOR,
	MEANS_SUMMARY,
	MEANS_IMAGE,
	MEANS_SECTION,
	MEANS_CATEGORY,
	MEANS_DRAFT,
	MEANS_PUBLISHED,
	MEANS_SLUG,
	MEANS_URL,
};

static enum meaning meaning_of(const char *key)
{
	static const struct {
		const char *key;
		enum meaning meaning;
	} keys[] = {{"title", MEANS_TITLE}, {"date", MEANS_DATE}, {"publishdate", MEANS_DATE},
		{"pubdate", MEANS_DATE}, {"lastmod", MEANS_UPDATED}, {"updated", MEANS_UPDATED},
		{"modified", MEANS_UPDATED}, {"last_modified_at", MEANS_UPDATED},
		{"author", MEANS_AUTHOR}, {"authors", MEANS_AUTHOR}, {"summary", MEANS_SUMMARY},
		{"description", MEANS_SUMMARY}, {"excerpt", MEANS_SUMMARY}, {"image", MEANS_IMAGE},
		{"images", MEANS_IMAGE}, {"cover", MEANS_IMAGE}, {"featured_image", MEANS_IMAGE},
		{"featuredimage", MEANS_IMAGE}, {"feature_image", MEANS_IMAGE},
		{"thumbnail", MEANS_IMAGE}, {"category", MEANS_SECTION},
		{"categories", MEANS_SECTION}, {"tags", MEANS_CATEGORY}, {"tag", MEANS_CATEGORY},
		{"draft", MEANS_DRAFT}, {"published", MEANS_PUBLISHED}, {"slug", MEANS_SLUG},
		{"url", MEANS_URL}, {"permalink", MEANS_URL}};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcasecmp(key, keys[i].key) == 0)
			return keys[i].meaning;
	}
	return MEANS_NOTHING;
}

/* In a map under these keys only one entry is what we look for: author: {name: …}. */
static bool inner_counts(enum meaning meaning, const char *inner)
{
	static const char *const image_keys[] = {"image", "path", "src", "url", "relative_path"};
	if (inner == NULL)
		return true;
	if (meaning == MEANS_AUTHOR)
		return strcasecmp(inner, "name") == 0;
	for (size_t i = 0; meaning == MEANS_IMAGE && i < sizeof(image_keys) / sizeof(image_keys[0]);
		i++) {
		if (strcasecmp(inner, image_keys[i]) == 0)
			return true;
	}
	return false;
}

static bool is_word(const char *value, const char *a, const char *b, const char *c)
{
	return strcasecmp(value, a) == 0 || strcasecmp(value, b) == 0 || strcasecmp(value, c) == 0;
}

/* A post that goes out by mistake cannot be taken back, so what is unclear is an error. */
static bool set_truth(const char *key, const char *value, bool *out, struct error *e)
{
	*out = is_word(value, "true", "yes", "on");
	if (*out || is_word(value, "false", "no", "off") || value[0] == '\0')
		return true;
	return error_set(e, ERROR_DATA, "%s: \"%s\" is neither true nor false", key, value);
}

static void set_line(char **to, const char *value)
{
	if (*to == NULL)
		*to = characters_line(value);
}

static bool set_date(const char *key, const char *value, int64_t *out, struct error *e)
{
	int64_t at = feed_date(value);
	if (at == 0 && value[0] != '\0')
		return error_set(e, ERROR_DATA,
			"%s: \"%s\" is no date; write 2026-11-24 or 2026-11-24T08:00:00+01:00", key,
			value);
	if (*out == 0)
		*out = at;
	return true;
}

static bool set_published(struct front *f, const char *value, struct error *e)
{
	bool published = true;
	int64_t at = feed_date(value);
	if (at != 0) {
		f->published_at = f->published_at == 0 ? at : f->published_at;
		return true;
	}
	if (!set_truth("published", value, &published, e))
		return false;
	f->draft = f->draft || (!published && value[0] != '\0');
	return true;
}

static void add_line(struct strlist *to, const char *value)
{
	char *line = characters_line(value);
	if (line == NULL || to->n >= LIST_MAX || strlist_has(to, line))
		free(line);
	else
		strlist_take(to, line);
}

bool front_set(
	struct front *f, const char *key, const char *inner, const char *value, struct error *e)
{
	/* Zola's table of tags, and what some themes put in a table of their own. */
	bool outer = inner != NULL &&
		     (strcasecmp(key, "taxonomies") == 0 || strcasecmp(key, "extra") == 0 ||
			     strcasecmp(key, "params") == 0);
	enum meaning meaning = meaning_of(outer ? inner : key);
	bool truth = false;
	if (outer && meaning != MEANS_CATEGORY && meaning != MEANS_SECTION &&
		meaning != MEANS_IMAGE && meaning != MEANS_AUTHOR)
		return true;
	inner = outer ? NULL : inner;
	if (!inner_counts(meaning, inner))
		return true;
	switch (meaning) {
	case MEANS_DATE:
		set_line(&f->date, value);
		return set_date(key, value, &f->published_at, e);
	case MEANS_UPDATED: /* nothing hangs on it */
		f->updated_at = f->updated_at != 0 ? f->updated_at : feed_date(value);
		break;
	case MEANS_DRAFT:
		if (!set_truth(key, value, &truth, e))
			return false;
		f->draft = f->draft || truth;
		break;
	case MEANS_PUBLISHED:
		return set_published(f, value, e);
	case MEANS_TITLE:
		set_line(&f->title, value);
		break;
	case MEANS_SUMMARY:
		set_line(&f->summary, value);
		break;
	case MEANS_IMAGE:
		set_line(&f->image, value);
		break;
	case MEANS_SLUG:
		set_line(&f->slug, value);
		break;
	case MEANS_URL:
		set_line(&f->url, value);
		break;
	case MEANS_AUTHOR:
		add_line(&f->authors, value);
		break;
	case MEANS_SECTION:
		add_line(&f->sections, value);
		add_line(&f->categories, value);
		break;
	case MEANS_CATEGORY:
		add_line(&f->categories, value);
		break;
	case MEANS_NOTHING:
		break;
	}
	return true;
}
