/* What the columns of a CSV file of readers mean. No file, no database: everything here is a
 * function of its arguments. */
#ifndef CLI_IMPORT_COLUMNS_H
#define CLI_IMPORT_COLUMNS_H

#include "hubmail/base_buf.h"
#include "hubmail/base_error.h"
#include <stdbool.h>
#include <stddef.h>

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

/* Writes the letters and digits of a word in lower case: how names and states are compared. */
void import_plain_word(const char *from, char *to, size_t size);

#endif
