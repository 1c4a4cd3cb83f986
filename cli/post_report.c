/* The JSON of posts, which the library writes, with what only the commands know. */
#include "post_report.h"

#include "hubmail/base_buf.h"

void post_report_json(json_t *array, const struct post_list *posts, const char *list)
{
	struct buf text = {0};
	json_t *one;
	size_t i;

	post_list_json(posts, &text);
	json_t *all = json_loadb(buf_str(&text), text.len, JSON_ALLOW_NUL, NULL);
	buf_free(&text);
	json_array_foreach(all, i, one)
	{
		if (list != NULL && i < posts->n) {
			json_object_set_new(one, "id", json_integer(posts->items[i].id));
			json_object_set_new(one, "list", json_string(list));
		}
		json_array_append(array, one);
	}
	json_decref(all);
}
