/* Posts as plain data: making, freeing, and the JSON in which the commands print them. */
#include "hubmail/post.h"
#include "hubmail/base_clock.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

void post_free(struct post *p)
{
	free(p->guid);
	free(p->url);
	free(p->title);
	free(p->author);
	free(p->summary);
	free(p->content);
	free(p->image);
	strlist_free(&p->categories);
	*p = (struct post){0};
}

/* The room is always the next power of two, so it need not be remembered. */
struct post *post_list_add(struct post_list *l)
{
	if ((l->n & (l->n - 1)) == 0)
		l->items = xreallocarray(l->items, l->n > 0 ? l->n * 2 : 1, sizeof(*l->items));
	struct post *p = &l->items[l->n++];
	*p = (struct post){0};
	return p;
}

void post_list_free(struct post_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		post_free(&l->items[i]);
	free(l->items);
	*l = (struct post_list){0};
}

/* Text that is not UTF-8 cannot stand in JSON and is mended. */
static json_t *text_json(const char *s)
{
	if (s == NULL)
		return json_null();
	size_t len = strlen(s);
	if (utf8_valid(s, len))
		return json_stringn_nocheck(s, len);
	char *clean = utf8_clean(s, len);
	json_t *json = json_string_nocheck(clean);
	free(clean);
	return json;
}

static json_t *time_json(int64_t at)
{
	char text[32];
	if (at == 0)
		return json_null();
	clock_rfc3339(at, text);
	return json_string(text);
}

static json_t *post_json(const struct post *p)
{
	json_t *o = json_object();
	json_t *categories = json_array();
	for (size_t i = 0; i < p->categories.n; i++)
		json_array_append_new(categories, text_json(p->categories.items[i]));
	json_object_set_new(o, "guid", text_json(p->guid));
	json_object_set_new(o, "url", text_json(p->url));
	json_object_set_new(o, "title", text_json(p->title));
	json_object_set_new(o, "author", text_json(p->author));
	json_object_set_new(o, "published", time_json(p->published_at));
	json_object_set_new(o, "updated", time_json(p->updated_at));
	json_object_set_new(o, "summary", text_json(p->summary));
	json_object_set_new(o, "content", text_json(p->content));
	json_object_set_new(o, "image", text_json(p->image));
	json_object_set_new(o, "categories", categories);
	return o;
}

static int add_to_buf(const char *data, size_t len, void *out)
{
	buf_add(out, data, len);
	return 0;
}

/* One post at a time: the whole array never stands in memory twice. */
void post_list_json(const struct post_list *l, struct buf *out)
{
	buf_addc(out, '[');
	for (size_t i = 0; i < l->n; i++) {
		json_t *post = post_json(&l->items[i]);
		if (i > 0)
			buf_addc(out, ',');
		json_dump_callback(post, add_to_buf, out, JSON_COMPACT);
		json_decref(post);
	}
	buf_addc(out, ']');
}
