/* Columns by their names, as hubmail, listmonk, Mailchimp, Ghost, Substack, Buttondown and people
 * with spreadsheets call them, and the words that stand in them. */
#include "import_row.h"

#include "hubmail/base_clock.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "reader.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 500

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

/* ---- Columns ---- */

static void letters_only(const char *from, char *to, size_t size)
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

	letters_only(cell, plain, sizeof(plain));
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
		letters_only(cells[i], plain, sizeof(plain));
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

/* ---- One line ---- */

/* What the exports call a reader's state. An empty one tells nothing. */
static const struct {
	const char *word;
	enum subscription_state state;
} state_words[] = {
	{"confirmed", SUBSCRIPTION_CONFIRMED},
	{"enabled", SUBSCRIPTION_CONFIRMED},
	{"active", SUBSCRIPTION_CONFIRMED},
	{"subscribed", SUBSCRIPTION_CONFIRMED},
	{"regular", SUBSCRIPTION_CONFIRMED},
	{"premium", SUBSCRIPTION_CONFIRMED},
	{"paid", SUBSCRIPTION_CONFIRMED},
	{"unpaid", SUBSCRIPTION_CONFIRMED},
	{"free", SUBSCRIPTION_CONFIRMED},
	{"trialed", SUBSCRIPTION_CONFIRMED},
	{"gifted", SUBSCRIPTION_CONFIRMED},
	{"comped", SUBSCRIPTION_CONFIRMED},
	{"complimentary", SUBSCRIPTION_CONFIRMED},
	{"churning", SUBSCRIPTION_CONFIRMED},
	{"churned", SUBSCRIPTION_CONFIRMED},
	{"pastdue", SUBSCRIPTION_CONFIRMED},
	{"pending", SUBSCRIPTION_PENDING},
	{"unconfirmed", SUBSCRIPTION_PENDING},
	{"unactivated", SUBSCRIPTION_PENDING},
	{"unsubscribed", SUBSCRIPTION_UNSUBSCRIBED},
	{"inactive", SUBSCRIPTION_UNSUBSCRIBED},
	{"disabled", SUBSCRIPTION_UNSUBSCRIBED},
	{"blocklisted", SUBSCRIPTION_UNSUBSCRIBED},
	{"blocked", SUBSCRIPTION_UNSUBSCRIBED},
	{"cleaned", SUBSCRIPTION_UNSUBSCRIBED},
	{"bounced", SUBSCRIPTION_UNSUBSCRIBED},
	{"undeliverable", SUBSCRIPTION_UNSUBSCRIBED},
	{"complained", SUBSCRIPTION_UNSUBSCRIBED},
	{"spammy", SUBSCRIPTION_UNSUBSCRIBED},
	{"removed", SUBSCRIPTION_REMOVED},
	{"deleted", SUBSCRIPTION_REMOVED},
};

static void set_state(struct import_row *r, enum subscription_state state)
{
	/* Of two columns the one that says no is believed. */
	if (r->has_state && r->state >= SUBSCRIPTION_UNSUBSCRIBED)
		return;
	r->has_state = true;
	r->state = state;
}

static bool read_state(struct import_row *r, const char *cell, struct error *e)
{
	char plain[64];

	letters_only(cell, plain, sizeof(plain));
	for (size_t i = 0; i < sizeof(state_words) / sizeof(state_words[0]); i++)
		if (strcmp(state_words[i].word, plain) == 0) {
			set_state(r, state_words[i].state);
			return true;
		}
	return error_set(e, ERROR_DATA, "the state \"%s\" is not known (" READER_STATES ")", cell);
}

static bool read_yes_no(struct import_row *r, const char *cell, bool yes_is_active, struct error *e)
{
	static const char *const yes[] = {"true", "yes", "1", "t", "y"};
	static const char *const no[] = {"false", "no", "0", "f", "n"};

	for (size_t i = 0; i < 5; i++) {
		if (strcasecmp(cell, yes[i]) != 0 && strcasecmp(cell, no[i]) != 0)
			continue;
		if ((strcasecmp(cell, yes[i]) == 0) != yes_is_active)
			set_state(r, SUBSCRIPTION_UNSUBSCRIBED);
		return true;
	}
	return error_set(e, ERROR_DATA, "\"%s\" is neither yes nor no", cell);
}

static void read_date(struct import_row *r, const char *cell, int64_t *at)
{
	int64_t found = 0;

	if (*at != 0)
		return;
	if (clock_parse_iso(cell, &found) || clock_parse_rfc5322(cell, &found))
		*at = found;
	else
		r->date_unread = true;
}

static void add_attribute(struct import_row *r, const char *key, const char *value)
{
	r->attributes = xreallocarray(r->attributes, r->n_attributes + 1, sizeof(*r->attributes));
	r->attributes[r->n_attributes++] = (struct store_key_value){xstrdup(key), xstrdup(value)};
}

static bool read_tags(struct import_row *r, const char *cell, struct error *e)
{
	struct error why = {0};

	reader_tags_parse(cell, &r->tags);
	for (size_t i = 0; i < r->tags.n; i++)
		if (!reader_tag_check(r->tags.items[i], &why))
			return error_set(e, ERROR_DATA, "%s", why.text);
	return true;
}

static bool read_email(struct import_row *r, const char *cell, struct error *e)
{
	char *name = NULL;

	if (r->email[0] != '\0')
		return true;
	/* "Ann <ann@example.org>" stands in many a spreadsheet. */
	if (strchr(cell, '<') == NULL)
		return address_normalise(cell, r->email, e);
	if (!address_parse_mailbox(cell, &name, r->email, e))
		return false;
	if (r->name == NULL)
		r->name = name;
	else
		free(name);
	return true;
}

static bool read_edition(struct import_row *r, const char *cell, struct error *e)
{
	enum edition edition;

	if (!edition_from_name(cell, &edition) || edition == EDITION_MANUAL)
		return error_set(
			e, ERROR_DATA, "the edition \"%s\" is none of: " READER_EDITIONS, cell);
	r->edition = (int)edition;
	return true;
}

/* The parts of a name until the whole is put together. */
struct name_parts {
	const char *whole, *first, *last;
};

static bool read_cell(struct import_row *r, struct name_parts *name, enum import_field field,
	const char *key, const char *cell, struct error *e)
{
	switch (field) {
	case FIELD_NONE:
		return true;
	case FIELD_EMAIL:
		return read_email(r, cell, e);
	case FIELD_NAME:
		name->whole = cell;
		return true;
	case FIELD_FIRST_NAME:
		name->first = cell;
		return true;
	case FIELD_LAST_NAME:
		name->last = cell;
		return true;
	case FIELD_TAGS:
		return read_tags(r, cell, e);
	case FIELD_STATE:
		return read_state(r, cell, e);
	case FIELD_SUBSCRIBED:
		return read_yes_no(r, cell, true, e);
	case FIELD_DISABLED:
		return read_yes_no(r, cell, false, e);
	case FIELD_ENDED:
		read_date(r, cell, &r->ended_at);
		return true;
	case FIELD_CREATED:
		read_date(r, cell, &r->created_at);
		return true;
	case FIELD_EDITION:
		return read_edition(r, cell, e);
	case FIELD_ATTRIBUTES:
		return reader_attributes_parse(cell, &r->attributes, &r->n_attributes, e);
	case FIELD_LIST:
		r->list = cell;
		return true;
	case FIELD_ORIGIN:
		r->origin = cell;
		return true;
	case FIELD_SET:
		add_attribute(r, key, cell);
		return true;
	}
	return true;
}

static void put_name(struct import_row *r, const struct name_parts *name)
{
	struct buf whole = {0};

	if (name->whole != NULL) {
		buf_adds(&whole, name->whole);
	} else {
		buf_adds(&whole, name->first != NULL ? name->first : "");
		if (name->first != NULL && name->last != NULL)
			buf_addc(&whole, ' ');
		buf_adds(&whole, name->last != NULL ? name->last : "");
	}
	char *line = text_one_line(buf_str(&whole));
	buf_free(&whole);
	if (line[0] == '\0') {
		free(line);
		return;
	}
	free(r->name);
	r->name = line;
}

/* A line with more cells than the header has lost its quotes somewhere: what stands where cannot be
 * told. */
static bool check_width(
	const struct import_columns *c, const char *const *cells, size_t n, struct error *e)
{
	for (size_t i = c->n; i < n && c->header; i++)
		if (cells[i][0] != '\0')
			return error_set(e, ERROR_DATA,
				"there are %zu cells where the header has %zu", n, c->n);
	return true;
}

bool import_row_read(const struct import_columns *c, const char *const *cells, size_t n,
	struct import_row *out, struct error *e)
{
	struct name_parts name = {0};
	bool ended = false;

	*out = (struct import_row){.edition = -1};
	if (!check_width(c, cells, n, e))
		return false;
	for (size_t i = 0; i < n && i < c->n; i++) {
		if (cells[i][0] == '\0')
			continue;
		if (!read_cell(out, &name, c->fields[i], c->keys[i], cells[i], e))
			return false;
		ended = ended || c->fields[i] == FIELD_ENDED;
	}
	if (out->email[0] == '\0')
		return error_set(e, ERROR_DATA, "there is no address in it");
	put_name(out, &name);
	if (out->name != NULL && strlen(out->name) > NAME_MAX_BYTES)
		return error_set(e, ERROR_DATA, "the name is longer than %d bytes", NAME_MAX_BYTES);
	if (ended && (!out->has_state || out->state < SUBSCRIPTION_UNSUBSCRIBED))
		set_state(out, SUBSCRIPTION_UNSUBSCRIBED);
	return true;
}

bool import_row_swallowed(const struct import_columns *c, const char *const *cells, size_t n)
{
	if (n > c->n)
		return true;
	for (size_t i = 0; i < n; i++)
		if (c->fields[i] == FIELD_EMAIL && strpbrk(cells[i], "\r\n") != NULL)
			return true;
	return false;
}

void import_row_free(struct import_row *r)
{
	free(r->name);
	strlist_free(&r->tags);
	reader_attributes_free(r->attributes, r->n_attributes);
	*r = (struct import_row){0};
}
