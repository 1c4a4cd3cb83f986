/* What the columns of a CSV file of readers mean, and one line of it as a reader. No file, no
 * database: everything here is a function of its arguments. */
#ifndef CLI_IMPORT_ROW_H
#define CLI_IMPORT_ROW_H

#include "hubmail/base_address.h"
#include "hubmail/base_buf.h"
#include "hubmail/base_error.h"
#include "hubmail/store_subscriber.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum import_field {
	FIELD_NONE, /* left aside */
	FIELD_EMAIL,
	FIELD_NAME,
	FIELD_FIRST_NAME,
	FIELD_LAST_NAME,
	FIELD_TAGS,
	FIELD_STATE,
	FIELD_SUBSCRIBED, /* yes or no */
	FIELD_DISABLED,   /* yes or no: mail is switched off */
	FIELD_ENDED,      /* when the person unsubscribed, or the address stopped working */
	FIELD_CREATED,
	FIELD_EDITION,
	FIELD_ATTRIBUTES, /* a JSON object */
	FIELD_LIST,
	FIELD_ORIGIN,
	FIELD_SET, /* one attribute; the column's key says which */
};

struct import_columns {
	enum import_field *fields; /* for each column */
	char **keys;               /* of FIELD_SET; else NULL */
	size_t n;
	bool header;           /* the first record is one and no reader */
	struct strlist unused; /* the columns of a header that are left aside */
};

/* Understands the first record. maps are COLUMN=FIELD (a column's name or its number from 1; a
 * field's name, or set:KEY, or - to leave it aside) and win. ERROR_USAGE for a wrong map,
 * ERROR_DATA if no column has addresses. */
bool import_columns_find(const char *const *cells, size_t n, const struct strlist *maps,
	struct import_columns *out, struct error *e);
void import_columns_free(struct import_columns *c);
bool import_columns_have(const struct import_columns *c, enum import_field field);

struct import_row {
	char email[ADDRESS_MAX + 1];
	char *name;       /* or NULL */
	const char *list; /* borrowed from the cells, or NULL */
	const char *origin;
	struct strlist tags;
	struct store_key_value *attributes;
	size_t n_attributes;
	bool has_state; /* the line says what state */
	enum subscription_state state;
	int edition; /* or -1 */
	int64_t created_at, ended_at;
	bool date_unread; /* there was a date that cannot be read; it is left out */
};

/* ERROR_DATA says why the line is no reader. Free with import_row_free() in either case. */
bool import_row_read(const struct import_columns *c, const char *const *cells, size_t n,
	struct import_row *out, struct error *e);
/* True if a record of several lines looks like one that a stray quote made of them: its address
 * goes over several lines, or it has too many cells. */
bool import_row_swallowed(const struct import_columns *c, const char *const *cells, size_t n);
void import_row_free(struct import_row *r);

#endif
