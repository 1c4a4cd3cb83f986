/* One line of a CSV file as a reader, and the words that stand in the cells of the exports. */
#include "import_row.h"

#include "hubmail/base_clock.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "reader.h"
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 500

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
	if (import_row_has_left(r))
		return;
	r->has_state = true;
	r->state = state;
}

static bool read_state(struct import_row *r, const char *cell, struct error *e)
{
	char plain[64];

	import_plain_word(cell, plain, sizeof(plain));
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
	char address[ADDRESS_MAX + 1];
	char *name = NULL;

	if (r->email != NULL)
		return true;
	/* "Ann <ann@example.org>" stands in many a spreadsheet. */
	if (strchr(cell, '<') != NULL ? !address_parse_mailbox(cell, &name, address, e)
				      : !address_normalise(cell, address, e))
		return false;
	r->email = xstrdup(address);
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

/* Of several columns the last one counts. */
static void set_text(char **text, const char *cell)
{
	free(*text);
	*text = xstrdup(cell);
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
		set_text(&r->list, cell);
		return true;
	case FIELD_ORIGIN:
		set_text(&r->origin, cell);
		return true;
	case FIELD_SET:
		add_attribute(r, key, cell);
		return true;
	}
	return true;
}

static char *one_name(const struct name_parts *name)
{
	struct buf both = {0};

	if (name->whole != NULL)
		return text_one_line(name->whole);
	buf_addf(&both, "%s %s", name->first != NULL ? name->first : "",
		name->last != NULL ? name->last : "");
	char *line = text_one_line(buf_str(&both));
	buf_free(&both);
	return line;
}

static void put_name(struct import_row *r, const struct name_parts *name)
{
	if (name->whole == NULL && name->first == NULL && name->last == NULL)
		return;
	char *line = one_name(name);
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
	if (out->email == NULL)
		return error_set(e, ERROR_DATA, "there is no address in it");
	put_name(out, &name);
	if (out->name != NULL && strlen(out->name) > NAME_MAX_BYTES)
		return error_set(e, ERROR_DATA, "the name is longer than %d bytes", NAME_MAX_BYTES);
	if (ended && !import_row_has_left(out))
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

bool import_row_has_left(const struct import_row *r)
{
	return r->has_state && r->state >= SUBSCRIPTION_UNSUBSCRIBED;
}

void import_row_free(struct import_row *r)
{
	free(r->email);
	free(r->name);
	free(r->list);
	free(r->origin);
	strlist_free(&r->tags);
	reader_attributes_free(r->attributes, r->n_attributes);
	*r = (struct import_row){0};
}
