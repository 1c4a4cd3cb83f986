/* Readers in a JSON array of objects, as `export --format json` writes it, in the form in which
 * lines of a CSV file come: a record of names first, then one for each object. */
#ifndef CLI_IMPORT_JSON_H
#define CLI_IMPORT_JSON_H

#include "csv_reader.h"
#include "hubmail/base_buf.h"
#include "hubmail/base_error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define IMPORT_JSON_MAX ((size_t)64 << 20)
#define IMPORT_JSON_NAMES_MAX 200 /* different ones in all objects */

struct import_json;

/* True if a file that begins so is meant as JSON: no CSV file of readers begins with a bracket. */
bool import_json_is_meant(const char *begin, size_t len);

/* Reads the whole text (taken over) once, so that nothing of a broken file is imported. NULL:
 * ERROR_DATA; its text begins with the number of the line. */
struct import_json *import_json_new(struct buf *text, struct error *e);
void import_json_free(struct import_json *j);

/* The next record, valid until the next call; never CSV_NEXT_FAILED. `line` is the one where the
 * object begins, `raw` its text. What is no object, or longer than CSV_RECORD_MAX, has a problem.
 */
enum csv_next import_json_next(struct import_json *j, struct csv_record *out);

double import_json_part(const struct import_json *j); /* read so far, 0 to 1 */

/* Writes a record as an object with its line and the reason why it was not taken. */
void import_json_reject(FILE *out, const struct csv_record *record, const char *reason);

#endif
