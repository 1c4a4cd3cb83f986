/* Taking a JSON array apart object by object. Jansson parses one at a time, so that each has its
 * line and its own text, and memory holds the tree of one alone. */
#include "import_json.h"

#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct import_json {
	struct buf text;
	size_t at;   /* what was read of it */
	size_t line; /* there, from 1 */
	size_t n;    /* elements read */
	struct strlist names;
	bool names_given;
	json_t *now;           /* the element whose cells were given last */
	struct strlist dumped; /* what of them is no text in it */
	const char **cells;
};

static size_t after_mark(const char *text, size_t len)
{
	return len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

bool import_json_is_meant(const char *begin, size_t len)
{
	size_t i = after_mark(begin, len);

	while (i < len && strchr(" \t\r\n", begin[i]) != NULL && begin[i] != '\0')
		i++;
	return i < len && (begin[i] == '[' || begin[i] == '{');
}

/* ---- The array ---- */

static void advance(struct import_json *j, size_t n)
{
	for (; n > 0; n--, j->at++)
		j->line += j->text.data[j->at] == '\n';
}

/* The next character that is no white space, or NUL at the end. */
static char look(struct import_json *j)
{
	while (j->at < j->text.len && strchr(" \t\r\n", j->text.data[j->at]) != NULL &&
		j->text.data[j->at] != '\0')
		advance(j, 1);
	return j->at < j->text.len ? j->text.data[j->at] : '\0';
}

static bool broken(const struct import_json *j, size_t lines_on, const char *why, struct error *e)
{
	return error_set(e, ERROR_DATA, "%zu: the JSON is broken: %s (nothing of it is imported)",
		j->line + lines_on, why);
}

static bool begin_array(struct import_json *j, struct error *e)
{
	j->at = after_mark(j->text.data, j->text.len);
	j->line = 1;
	j->n = 0;
	if (look(j) != '[')
		return error_set(e, ERROR_DATA,
			"%zu: an array of readers ([ {\"email\": …}, … ]) is expected", j->line);
	advance(j, 1);
	return true;
}

/* One element: its value (the caller's), its text and its line. *value is NULL after the last. */
static bool next_element(
	struct import_json *j, json_t **value, struct csv_record *out, struct error *e)
{
	json_error_t why;
	char c = look(j);

	*value = NULL;
	if (c == ']') {
		advance(j, 1);
		look(j);
		return j->at == j->text.len || broken(j, 0, "something follows the array", e);
	}
	if (j->n > 0 && c != ',')
		return broken(j, 0, "a comma or ] is expected after an object", e);
	if (j->n > 0) {
		advance(j, 1);
		look(j);
	}
	*out = (struct csv_record){.line = j->line, .lines = 1, .raw = j->text.data + j->at};
	*value = json_loadb(
		out->raw, j->text.len - j->at, JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY, &why);
	if (*value == NULL)
		return broken(j, why.line > 0 ? (size_t)why.line - 1 : 0, why.text, e);
	out->raw_len = (size_t)why.position;
	advance(j, out->raw_len);
	j->n++;
	return true;
}

/* ---- The names ---- */

static bool add_names(struct import_json *j, json_t *known, json_t *object, struct error *e)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		if (json_object_get(known, name) != NULL)
			continue;
		if (j->names.n == IMPORT_JSON_NAMES_MAX)
			return error_set(e, ERROR_DATA,
				"%zu: the objects have more than %d different names: is this a list of "
				"readers?",
				j->line, IMPORT_JSON_NAMES_MAX);
		json_object_set_new(known, name, json_true());
		strlist_add(&j->names, name);
	}
	return true;
}

static bool read_through(struct import_json *j, struct error *e)
{
	json_t *known = json_object(), *value = NULL;
	struct csv_record record;
	bool good = begin_array(j, e);

	while (good && (good = next_element(j, &value, &record, e)) && value != NULL) {
		if (record.raw_len <= CSV_RECORD_MAX)
			good = add_names(j, known, value, e);
		json_decref(value);
	}
	json_decref(known);
	return good && begin_array(j, e);
}

struct import_json *import_json_new(struct buf *text, struct error *e)
{
	struct import_json *j = xcalloc(1, sizeof(*j));

	j->text = *text;
	*text = (struct buf){0};
	if (!read_through(j, e)) {
		import_json_free(j);
		return NULL;
	}
	if (j->names.n == 0) { /* nobody is in it: as a CSV file with no more than a header */
		strlist_add(&j->names, "email");
		strlist_add(&j->names, "list");
	}
	j->cells = xcalloc(j->names.n, sizeof(*j->cells));
	return j;
}

void import_json_free(struct import_json *j)
{
	if (j == NULL)
		return;
	json_decref(j->now);
	strlist_free(&j->dumped);
	strlist_free(&j->names);
	free(j->cells);
	buf_free(&j->text);
	free(j);
}

/* ---- Records ---- */

/* Texts as they are; lists and objects as their JSON, which the columns that hold such understand.
 */
static const char *cell(struct import_json *j, const char *name)
{
	const json_t *value = json_object_get(j->now, name);

	if (value == NULL || json_is_null(value))
		return "";
	if (json_is_string(value))
		return json_string_value(value);
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	strlist_add(&j->dumped, text != NULL ? text : "");
	free(text);
	return j->dumped.items[j->dumped.n - 1];
}

static void give_names(struct import_json *j, struct csv_record *out)
{
	for (size_t i = 0; i < j->names.n; i++)
		j->cells[i] = j->names.items[i];
	*out = (struct csv_record){
		.line = 1, .lines = 1, .fields = j->cells, .n = j->names.n, .raw = ""};
}

enum csv_next import_json_next(struct import_json *j, struct csv_record *out)
{
	if (!j->names_given) {
		j->names_given = true;
		give_names(j, out);
		return CSV_NEXT_RECORD;
	}
	strlist_free(&j->dumped);
	json_decref(j->now);
	j->now = NULL;
	if (!next_element(j, &j->now, out, NULL) || j->now == NULL)
		return CSV_NEXT_END;
	if (!json_is_object(j->now)) {
		out->problem = "a reader is an object: { \"email\": … }";
	} else if (out->raw_len > CSV_RECORD_MAX) {
		out->problem = "the object is longer than 64 KB";
	} else {
		for (size_t i = 0; i < j->names.n; i++)
			j->cells[i] = cell(j, j->names.items[i]);
		out->fields = j->cells;
		out->n = j->names.n;
	}
	return CSV_NEXT_RECORD;
}

double import_json_part(const struct import_json *j)
{
	return j->text.len > 0 ? (double)j->at / (double)j->text.len : 1;
}

void import_json_reject(FILE *out, const struct csv_record *record, const char *reason)
{
	json_t *value = json_loadb(record->raw, record->raw_len, JSON_DECODE_ANY, NULL);
	char *clean = utf8_clean(reason, strlen(reason));
	json_t *o = json_object();

	json_object_set_new(o, "line", json_integer((json_int_t)record->line));
	json_object_set_new(o, "reason", json_string(clean));
	if (json_is_object(value))
		json_object_update_missing(o, value);
	else
		json_object_set(o, "value", value);
	json_dumpf(o, out, JSON_COMPACT);
	json_decref(o);
	json_decref(value);
	free(clean);
}
