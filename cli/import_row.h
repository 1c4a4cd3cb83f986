/* One line of a CSV file as a reader. No file, no database: everything here is a function of its
 * arguments. */
#ifndef CLI_IMPORT_ROW_H
#define CLI_IMPORT_ROW_H

#include "hubmail/base_address.h"
#include "hubmail/base_buf.h"
#include "hubmail/base_error.h"
#include "hubmail/store_subscriber.h"
#include "import_columns.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct import_row {
	char *email;
	char *name, *list, *origin; /* or NULL */
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
bool import_row_has_left(const struct import_row *r); /* the line says so */
void import_row_free(struct import_row *r);

#endif
