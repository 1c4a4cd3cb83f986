/* Columns by their names, as hubmail, listmonk, Mailchimp, Ghost, Substack, Buttondown and people
 * with spreadsheets call them. */
#include "import_columns.h"

#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Names are compared by their letters and digits alone, in lower case. */
static const struct {
	const char *name;
	enum import_field field;
} names[] = {
	{"email", FIELD_EMAIL},
	{"emailaddress", FIELD_EMAIL},
	{"mail", FIELD_EMAIL},
	{"mailaddress", FIELD_EMAIL},
	{"name", FIELD_NAME},
	{"fullname", FIELD_NAME},
	{"displayname", FIELD_NAME},
	{"firstname", FIELD_FIRST_NAME},
	{"first", FIELD_FIRST_NAME},
	{"givenname", FIELD_FIRST_NAME},
	{"fname", FIELD_FIRST_NAME},
	{"lastname", FIELD_LAST_NAME},
	{"last", FIELD_LAST_NAME},
	{"surname", FIELD_LAST_NAME},
	{"familyname", FIELD_LAST_NAME},
	{"lname", FIELD_LAST_NAME},
	{"tags", FIELD_TAGS},
	{"tag", FIELD_TAGS},
	{"labels", FIELD_TAGS}, /* Ghost */
	{"state", FIELD_STATE},
	{"status", FIELD_STATE},         /* listmonk */
	{"subscribertype", FIELD_STATE}, /* Buttondown, older */
	{"subscribed", FIELD_SUBSCRIBED},
	{"subscribedtoemails", FIELD_SUBSCRIBED}, /* Ghost */
	{"emaildisabled", FIELD_DISABLED},        /* Substack */
	{"ended", FIELD_ENDED},
	{"unsubtime", FIELD_ENDED}, /* Mailchimp */
	{"cleantime", FIELD_ENDED}, /* Mailchimp */
	{"unsubscribedat", FIELD_ENDED},
	{"unsubscriptiondate", FIELD_ENDED}, /* Buttondown */
	{"undeliverabilitydate", FIELD_ENDED},
	{"deletedat", FIELD_ENDED}, /* Ghost */
	{"created", FIELD_CREATED},
	{"createdat", FIELD_CREATED},    /* listmonk, Ghost, Substack */
	{"creationdate", FIELD_CREATED}, /* Buttondown */
	{"subscriptiondate", FIELD_CREATED},
	{"optintime", FIELD_CREATED},   /* Mailchimp */
	{"confirmtime", FIELD_CREATED}, /* Mailchimp */
	{"startdate", FIELD_CREATED},   /* Substack */
	{"subscribedat", FIELD_CREATED},
	{"signupdate", FIELD_CREATED},
	{"edition", FIELD_EDITION},
	{"attributes", FIELD_ATTRIBUTES}, /* listmonk */
	{"metadata", FIELD_ATTRIBUTES},   /* Buttondown */
	{"list", FIELD_LIST},
	{"origin", FIELD_ORIGIN},
};
#define N_NAMES (sizeof(names) / sizeof(names[0]))

/* What --map takes. */
static const struct {
	const char *name;
	enum import_field field;
} map_names[] = {
	{"email", FIELD_EMAIL},
	{"name", FIELD_NAME},
	{"first_name", FIELD_FIRST_NAME},
	{"last_name", FIELD_LAST_NAME},
	{"tags", FIELD_TAGS},
	{"state", FIELD_STATE},
	{"subscribed", FIELD_SUBSCRIBED},
	{"created", FIELD_CREATED},
	{"ended", FIELD_ENDED},
	{"edition", FIELD_EDITION},
	{"attributes", FIELD_ATTRIBUTES},
	{"list", FIELD_LIST},
	{"origin", FIELD_ORIGIN},
	{"-", FIELD_NONE},
};
#define N_MAP_NAMES (sizeof(map_names) / sizeof(map_names[0]))

void import_plain_word(const char *from, char *to, size_t size)
{
	size_t n = 0;

	for (; *from != '\0' && n + 1 < size; from++)
		if (isalnum((unsigned char)*from))
			to[n++] = (char)tolower((unsigned char)*from);
	to[n] = '\0';
}

static enum import_field field_of(const char *cell)
{
	char plain[64];

	import_plain_word(cell, plain, sizeof(plain));
	for (size_t i = 0; i < N_NAMES; i++)
		if (strcmp(names[i].name, plain) == 0)
			return names[i].field;
	return FIELD_NONE;
}

static bool any_at_sign(const char *const *cells, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strchr(cells[i], '@') != NULL)
			return true;
	return false;
}

bool import_columns_have(const struct import_columns *c, enum import_field field)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->fields[i] == field)
			return true;
	return false;
}

/* Buttondown calls the state "type", a word that means anything elsewhere. */
static void buttondown_type(const char *const *cells, size_t n, struct import_columns *c)
{
	bool theirs = false;

	for (size_t i = 0; i < n; i++)
		theirs = theirs || strcmp(cells[i], "creation_date") == 0;
	for (size_t i = 0; i < n && theirs; i++)
		if (strcmp(cells[i], "type") == 0)
			c->fields[i] = FIELD_STATE;
}

static bool find_by_name(const char *const *cells, size_t n, struct import_columns *c)
{
	bool known = false;

	for (size_t i = 0; i < n; i++) {
		c->fields[i] = field_of(cells[i]);
		known = known || c->fields[i] == FIELD_EMAIL;
	}
	buttondown_type(cells, n, c);
	/* "Address" is the postal one in some exports, so it counts only when nothing better is
	 * there. */
	for (size_t i = 0; i < n && !known; i++) {
		char plain[64];
		import_plain_word(cells[i], plain, sizeof(plain));
		if (strcmp(plain, "address") == 0 && !any_at_sign(cells, n)) {
			c->fields[i] = FIELD_EMAIL;
			known = true;
		}
	}
	return known;
}

/* The column that a map names: by its heading, else by its number. */
static bool column_index(
	const struct import_columns *c, const char *const *cells, const char *name, size_t *at)
{
	long long number = 0;

	for (*at = 0; c->header && *at < c->n; ++*at)
		if (strcasecmp(cells[*at], name) == 0)
			return true;
	if (!text_to_int(name, 1, (long long)c->n, &number))
		return false;
	*at = (size_t)number - 1;
	return true;
}

static bool map_field(
	struct import_columns *c, size_t at, const char *map, const char *field, struct error *e)
{
	free(c->keys[at]);
	c->keys[at] = NULL;
	if (text_starts(field, "set:") && field[4] != '\0') {
		c->fields[at] = FIELD_SET;
		c->keys[at] = xstrdup(field + 4);
		return true;
	}
	for (size_t i = 0; i < N_MAP_NAMES; i++)
		if (strcmp(map_names[i].name, field) == 0) {
			c->fields[at] = map_names[i].field;
			return true;
		}
	return error_set(e, ERROR_USAGE,
		"--map %s: \"%s\" is no field (email name first_name last_name tags state subscribed "
		"created ended edition attributes list origin set:KEY, or - to leave it aside)",
		map, field);
}

static bool apply_maps(struct import_columns *c, const char *const *cells,
	const struct strlist *maps, struct error *e)
{
	for (size_t i = 0; i < maps->n; i++) {
		const char *map = maps->items[i], *equals = strrchr(map, '=');
		/* A KEY may have an '=' of its own, a heading seldom has. */
		const char *set = strstr(map, "=set:");
		size_t at = 0;
		equals = set != NULL ? set : equals;
		if (equals == NULL || equals == map)
			return error_set(e, ERROR_USAGE, "--map %s: COLUMN=FIELD is expected", map);
		char *column = xstrndup(map, (size_t)(equals - map));
		bool found = column_index(c, cells, column, &at);
		free(column);
		if (!found)
			return error_set(e, ERROR_USAGE,
				"--map %s: the file has no such column (its first line has %zu)",
				map, c->n);
		if (!map_field(c, at, map, equals + 1, e))
			return false;
	}
	return true;
}

static void note_unused(
	struct import_columns *c, const char *const *cells, const struct strlist *maps)
{
	for (size_t i = 0; i < c->n; i++) {
		bool wanted = false; /* a map said that it shall be left aside */
		for (size_t k = 0; k < maps->n; k++)
			wanted = wanted || (text_ends(maps->items[k], "=-") &&
						   text_starts(maps->items[k], cells[i]));
		if (c->fields[i] == FIELD_NONE && cells[i][0] != '\0' && !wanted)
			strlist_add(&c->unused, cells[i]);
	}
}

static bool no_addresses(const char *const *cells, size_t n, struct error *e)
{
	struct buf all = {0};

	for (size_t i = 0; i < n && all.len < 300; i++)
		buf_addf(&all, "%s%s", i > 0 ? ", " : "", cells[i]);
	error_set(e, ERROR_DATA,
		"no column with e-mail addresses: --map COLUMN=email names it (columns: %s)",
		buf_str(&all));
	buf_free(&all);
	return false;
}

bool import_columns_find(const char *const *cells, size_t n, const struct strlist *maps,
	struct import_columns *out, struct error *e)
{
	*out = (struct import_columns){.n = n};
	out->fields = xcalloc(n + 1, sizeof(*out->fields));
	out->keys = xcalloc(n + 1, sizeof(*out->keys));
	out->header = find_by_name(cells, n, out) || !any_at_sign(cells, n);
	if (!out->header) {
		memset(out->fields, 0, n * sizeof(*out->fields));
		for (size_t i = 0; i < n && !import_columns_have(out, FIELD_EMAIL); i++)
			if (strchr(cells[i], '@') != NULL)
				out->fields[i] = FIELD_EMAIL;
	}
	if (!apply_maps(out, cells, maps, e))
		return false;
	if (!import_columns_have(out, FIELD_EMAIL))
		return no_addresses(cells, n, e);
	if (out->header)
		note_unused(out, cells, maps);
	return true;
}

void import_columns_free(struct import_columns *c)
{
	for (size_t i = 0; i < c->n && c->keys != NULL; i++)
		free(c->keys[i]);
	free(c->fields);
	free(c->keys);
	strlist_free(&c->unused);
	*c = (struct import_columns){0};
}
