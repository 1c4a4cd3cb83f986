/* Front matter in YAML, through libyaml's events. A map of scalars, lists of scalars and maps of
 * scalars is read; what is deeper is skipped, and what is too deep to have been written by hand is
 * refused. Anchors are never followed. */
#include "front.h"

#include "hubmail/base_mem.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define DEPTH_MAX 20

struct reading {
	yaml_parser_t parser;
	struct front *out;
	int first_line;
	int depth;   /* of open collections */
	char *key;   /* in the outer map */
	char *inner; /* in a map under it */
	bool inner_map;
	struct error *e;
};

static void forget(char **s)
{
	free(*s);
	*s = NULL;
}

static bool broken(struct reading *r, size_t line, const char *what)
{
	return error_set(r->e, ERROR_DATA, "line %zu: %s", line + (size_t)r->first_line, what);
}

/* At depth 1 scalars are keys and values in turn; at depth 2 they belong to a list or a map. */
static bool take_scalar(struct reading *r, const yaml_event_t *event)
{
	const char *value = (const char *)event->data.scalar.value;
	bool null = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
		    (strcmp(value, "~") == 0 || strcmp(value, "null") == 0);
	if (r->depth == 1 && r->key == NULL) {
		r->key = xstrdup(value);
		return true;
	}
	if (r->depth == 2 && r->inner_map && r->inner == NULL) {
		r->inner = xstrdup(value);
		return true;
	}
	bool ok = r->depth > 2 || null || front_set(r->out, r->key, r->inner, value, r->e);
	if (!ok)
		error_prefix(r->e, "line %zu", event->start_mark.line + (size_t)r->first_line);
	if (r->depth == 1)
		forget(&r->key);
	if (r->depth == 2)
		forget(&r->inner);
	return ok;
}

static bool open_collection(struct reading *r, const yaml_event_t *event)
{
	bool map = event->type == YAML_MAPPING_START_EVENT;
	if (r->depth == 0 && !map)
		return broken(
			r, event->start_mark.line, "front matter is a list of \"key: value\"");
	if (r->depth == 1 && r->key == NULL)
		return broken(r, event->start_mark.line, "a key is a word");
	if (r->depth == 2 && r->inner_map && r->inner == NULL)
		return broken(r, event->start_mark.line, "a key is a word");
	if (++r->depth > DEPTH_MAX)
		return broken(r, event->start_mark.line, "the front matter is nested too deeply");
	if (r->depth == 2)
		r->inner_map = map;
	return true;
}

static void close_collection(struct reading *r)
{
	r->depth--;
	if (r->depth == 1)
		forget(&r->key);
	if (r->depth <= 2)
		forget(&r->inner);
}

static bool take(struct reading *r, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		if (r->depth == 0 && event->data.scalar.length > 0)
			return broken(r, event->start_mark.line,
				"front matter is a list of \"key: value\"");
		return r->depth == 0 || take_scalar(r, event);
	case YAML_ALIAS_EVENT:
		return broken(r, event->start_mark.line,
			"\"*\" refers to an anchor, which is not supported; put the text in quotes");
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		return open_collection(r, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		close_collection(r);
		return true;
	default:
		return true;
	}
}

static bool syntax_error(struct reading *r)
{
	const yaml_parser_t *p = &r->parser;
	return broken(r, p->problem_mark.line, p->problem != NULL ? p->problem : "not YAML");
}

bool front_yaml(const char *s, size_t len, int first_line, struct front *out, struct error *e)
{
	struct reading r = {.out = out, .first_line = first_line, .e = e};
	bool ok = true;
	bool more = true;
	if (yaml_parser_initialize(&r.parser) == 0)
		return error_set(e, ERROR_AGAIN, "no memory for the YAML parser");
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)s, len);
	while (ok && more) {
		yaml_event_t event;
		ok = yaml_parser_parse(&r.parser, &event) != 0;
		if (!ok) {
			syntax_error(&r);
			break;
		}
		ok = take(&r, &event);
		more = event.type != YAML_STREAM_END_EVENT && event.type != YAML_DOCUMENT_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&r.parser);
	free(r.key);
	free(r.inner);
	return ok;
}
