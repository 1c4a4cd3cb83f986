/* What WordPress says of its posts in JSON. The guid is the one of its feed, so that a source may
 * change from one to the other without mailing anything again. Posts that are private or want a
 * password are left alone, even if the answer holds them. */
#include "feed_wordpress.h"

#include "feed_item.h"
#include "hubmail/base_mem.h"
#include "hubmail/source_feed.h"
#include "hubmail/source_html.h"

#include <stdlib.h>
#include <string.h>

static const char *string_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static const char *rendered(const json_t *post, const char *key)
{
	return string_of(json_object_get(post, key), "rendered");
}

static bool is_public(const json_t *post)
{
	const char *status = string_of(post, "status");
	const json_t *content = json_object_get(post, "content");
	const json_t *excerpt = json_object_get(post, "excerpt");
	return (status == NULL || strcmp(status, "publish") == 0) &&
	       !json_is_true(json_object_get(content, "protected")) &&
	       !json_is_true(json_object_get(excerpt, "protected"));
}

static void add_authors(struct feed_item *i, const json_t *authors)
{
	size_t n = 0;
	json_t *author = NULL;
	json_array_foreach(authors, n, author)
	{
		const char *name = string_of(author, "name");
		if (name != NULL)
			feed_item_author(i, name);
	}
}

/* A list for each taxonomy: categories, tags, and whatever a plugin added. */
static void add_terms(struct feed_item *i, const json_t *taxonomies)
{
	size_t n = 0;
	size_t m = 0;
	json_t *terms = NULL;
	json_t *term = NULL;
	json_array_foreach(taxonomies, n, terms)
	{
		json_array_foreach(terms, m, term)
		{
			const char *taxonomy = string_of(term, "taxonomy");
			const char *name = string_of(term, "name");
			bool ours = taxonomy != NULL && (strcmp(taxonomy, "category") == 0 ||
								strcmp(taxonomy, "post_tag") == 0);
			if (!ours || name == NULL)
				continue;
			char *text = source_html_text(name, strlen(name), false);
			feed_item_category(i, text);
			free(text);
		}
	}
}

static void read_post(struct feed_item *i, const json_t *post)
{
	const json_t *embedded = json_object_get(post, "_embedded");
	const json_t *media = json_array_get(json_object_get(embedded, "wp:featuredmedia"), 0);
	const char *link = string_of(post, "link");
	feed_item_set(&i->guid, rendered(post, "guid"));
	i->guid_is_no_link = true;
	if (link != NULL)
		i->link = source_url_absolute(link, i->base);
	feed_item_text(&i->title, rendered(post, "title"), MARKUP_HTML);
	feed_item_text(&i->summary, rendered(post, "excerpt"), MARKUP_HTML);
	feed_item_text(&i->content, rendered(post, "content"), MARKUP_HTML);
	feed_item_set(&i->published, string_of(post, "date_gmt"));
	feed_item_set(&i->updated, string_of(post, "modified_gmt"));
	feed_item_image(i, string_of(media, "source_url"), i->base, 1);
	add_authors(i, json_object_get(embedded, "author"));
	add_terms(i, json_object_get(embedded, "wp:term"));
}

bool feed_wordpress_read(const json_t *array, const char *base_url, struct post_list *out)
{
	size_t n = 0;
	json_t *o = NULL;
	json_array_foreach(array, n, o)
	{
		if (rendered(o, "title") == NULL && rendered(o, "content") == NULL)
			return n > 0;
		struct feed_item item = {.base = xstrdup(base_url)};
		struct post post = {0};
		if (is_public(o)) {
			read_post(&item, o);
			if (feed_item_finish(&item, &post))
				*post_list_add(out) = post;
		}
		feed_item_free(&item);
		if (out->n >= SOURCE_POSTS_MAX)
			break;
	}
	return true;
}
