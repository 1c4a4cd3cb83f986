/* Tags, attributes and editions between the command line, CSV files and the store. */
#include "reader.h"

#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include <stdlib.h>
#include <string.h>

#define WORD_MAX 200 /* bytes of a tag or an attribute's key */

static bool has_control(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	return false;
}

bool reader_tag_check(const char *tag, struct error *e)
{
	if (tag[0] == '\0' || strlen(tag) > WORD_MAX || has_control(tag))
		return error_set(e, ERROR_USAGE,
			"\"%s\": a tag is a text of 1 to %d bytes on one line", tag, WORD_MAX);
	return true;
}

static void attribute_add(struct store_key_value **all, size_t *n, char *key, char *value)
{
	*all = xreallocarray(*all, *n + 1, sizeof(**all));
	(*all)[(*n)++] = (struct store_key_value){key, value};
}

bool reader_attributes(const struct args *a, const char *option, struct store_key_value **out,
	size_t *n, struct error *e)
{
	struct strlist pairs = {0};

	args_values(a, option, &pairs);
	for (size_t i = 0; i < pairs.n && e->code == ERROR_NONE; i++) {
		const char *pair = pairs.items[i], *equals = strchr(pair, '=');
		if (equals == NULL || equals == pair || equals - pair > WORD_MAX)
			error_set(e, ERROR_USAGE, "%s: --%s: \"%s\" is not KEY=VALUE",
				a->command->name, option, pair);
		else
			attribute_add(out, n, xstrndup(pair, (size_t)(equals - pair)),
				xstrdup(equals + 1));
	}
	strlist_free(&pairs);
	return e->code == ERROR_NONE;
}

void reader_attributes_free(struct store_key_value *attributes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(attributes[i].key);
		free(attributes[i].value);
	}
	free(attributes);
}

bool reader_edition_offered(const struct config_list *list, enum edition edition, struct error *e)
{
	struct buf offered = {0};

	if ((size_t)edition < 5 && list->offers[edition])
		return true;
	for (int i = EDITION_EACH; i <= EDITION_MONTHLY; i++)
		if (list->offers[i])
			buf_addf(&offered, " %s", edition_name((enum edition)i));
	error_set(e, ERROR_REFUSED, "the list %s does not offer the edition %s (it offers:%s)",
		list->name, edition_name(edition), offered.len > 0 ? buf_str(&offered) : " none");
	buf_free(&offered);
	return false;
}

const char *reader_edition_name(int edition)
{
	return edition < 0 ? NULL : edition_name((enum edition)edition);
}

/* ---- Tags in one cell ---- */

static bool needs_quotes(const char *tag)
{
	size_t len = strlen(tag);

	return len == 0 || tag[0] == ' ' || tag[len - 1] == ' ' || tag[0] == '[' ||
	       strpbrk(tag, ",\"") != NULL;
}

void reader_tags_text(const struct strlist *tags, struct buf *out)
{
	for (size_t i = 0; i < tags->n; i++) {
		const char *tag = tags->items[i];
		if (i > 0)
			buf_addc(out, ',');
		if (!needs_quotes(tag)) {
			buf_adds(out, tag);
			continue;
		}
		buf_addc(out, '"');
		for (; *tag != '\0'; tag++) {
			if (*tag == '"')
				buf_addc(out, '"');
			buf_addc(out, *tag);
		}
		buf_addc(out, '"');
	}
}

static bool tags_json(const char *text, struct strlist *out)
{
	json_t *array = json_loads(text, 0, NULL), *item;
	size_t i;

	if (!json_is_array(array)) {
		json_decref(array);
		return false;
	}
	json_array_foreach(array, i, item)
	{
		const char *tag = json_string_value(item);
		if (tag == NULL)
			tag = json_string_value(json_object_get(item, "name"));
		if (tag != NULL && tag[0] != '\0')
			strlist_add(out, tag);
	}
	json_decref(array);
	return true;
}

/* The text in quotes that begins at p; returns what follows. */
static const char *quoted(const char *p, struct buf *tag)
{
	for (p++; *p != '\0'; p++) {
		if (p[0] == '"' && p[1] == '"')
			p++;
		else if (p[0] == '"')
			return p + 1;
		buf_addc(tag, *p);
	}
	return p;
}

void reader_tags_parse(const char *text, struct strlist *out)
{
	if (text[0] == '[' && tags_json(text, out))
		return;
	for (const char *p = text; *p != '\0';) {
		struct buf tag = {0};
		p += strspn(p, " ,");
		if (*p == '"') {
			p = quoted(p, &tag);
		} else {
			size_t n = strcspn(p, ",");
			buf_add(&tag, p, n);
			p += n;
			while (tag.len > 0 && tag.data[tag.len - 1] == ' ')
				buf_truncate(&tag, tag.len - 1);
		}
		if (tag.len > 0)
			strlist_add(out, buf_str(&tag));
		buf_free(&tag);
	}
}

/* ---- Attributes in one cell ---- */

json_t *reader_attributes_json(const struct store_key_value *attributes, size_t n)
{
	json_t *o = json_object();

	for (size_t i = 0; i < n; i++) {
		char *key = utf8_clean(attributes[i].key, strlen(attributes[i].key));
		char *value = utf8_clean(attributes[i].value, strlen(attributes[i].value));
		json_object_set_new_nocheck(o, key, json_string_nocheck(value));
		free(key);
		free(value);
	}
	return o;
}

static char *attribute_value(const json_t *value)
{
	if (json_is_string(value))
		return xstrdup(json_string_value(value));
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	char *copy = xstrdup(text != NULL ? text : "");
	free(text);
	return copy;
}

bool reader_attributes_parse(
	const char *text, struct store_key_value **out, size_t *n, struct error *e)
{
	json_error_t why;
	json_t *o = json_loads(text, 0, &why), *value;
	const char *key;

	if (!json_is_object(o)) {
		json_decref(o);
		return error_set(e, ERROR_DATA, "the attributes are no JSON object");
	}
	json_object_foreach(o, key, value)
	{
		if (!json_is_null(value) && key[0] != '\0' && strlen(key) <= WORD_MAX)
			attribute_add(out, n, xstrdup(key), attribute_value(value));
	}
	json_decref(o);
	return true;
}
