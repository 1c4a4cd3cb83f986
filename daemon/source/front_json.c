/* Front matter in JSON: an object at the start of the file. */
#include "front.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

static bool give(
	struct front *out, const char *key, const char *inner, const json_t *value, struct error *e)
{
	char number[32];
	if (json_is_string(value))
		return front_set(out, key, inner, json_string_value(value), e);
	if (json_is_boolean(value))
		return front_set(out, key, inner, json_is_true(value) ? "true" : "false", e);
	if (json_is_integer(value)) {
		snprintf(
			number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return front_set(out, key, inner, number, e);
	}
	return true; /* null says nothing, and deeper maps are not ours */
}

static bool give_all(struct front *out, const char *key, json_t *value, struct error *e)
{
	size_t n = 0;
	const char *inner = NULL;
	json_t *one = NULL;
	if (json_is_object(value)) {
		json_object_foreach(value, inner, one)
		{
			size_t i = 0;
			json_t *item = NULL;
			if (!give(out, key, inner, one, e))
				return false;
			json_array_foreach(one, i, item)
			{
				if (!give(out, key, inner, item, e))
					return false;
			}
		}
		return true;
	}
	json_array_foreach(value, n, one)
	{
		if (!give(out, key, NULL, one, e))
			return false;
	}
	return give(out, key, NULL, value, e);
}

bool front_json(
	const char *s, size_t len, int first_line, struct front *out, size_t *used, struct error *e)
{
	json_error_t fault;
	const char *key = NULL;
	json_t *value = NULL;
	bool ok = true;
	json_t *map = json_loadb(s, len, JSON_ALLOW_NUL | JSON_DISABLE_EOF_CHECK, &fault);
	if (map == NULL)
		return error_set(e, ERROR_DATA, "line %d: the front matter is no JSON: %s",
			fault.line + first_line - 1, fault.text);
	*used = (size_t)fault.position;
	json_object_foreach(map, key, value)
	{
		ok = ok && give_all(out, key, value, e);
	}
	if (!ok)
		error_prefix(e, "line %d", first_line);
	json_decref(map);
	return ok;
}
