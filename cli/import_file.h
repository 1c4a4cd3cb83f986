/* The file that `import` reads, CSV or JSON, and the one that takes its bad lines. */
#ifndef CLI_IMPORT_FILE_H
#define CLI_IMPORT_FILE_H

#include "csv_reader.h"
#include "hubmail/base_error.h"
#include <stdbool.h>

struct import_file;

/* Opens path ("-": standard input) and, if not NULL, rejects for writing. From here on SIGINT and
 * SIGTERM end the reading instead of the process. NULL: ERROR_NOT_FOUND, ERROR_IO, ERROR_REFUSED
 * (both are the same file). */
struct import_file *import_file_open(const char *path, const char *rejects, struct error *e);
void import_file_close(struct import_file *f);

const char *import_file_name(const struct import_file *f); /* for messages; borrowed */

/* The next record. CSV_NEXT_FAILED with ERROR_AGAIN: a signal came; with ERROR_IO: it cannot be
 * read; with ERROR_DATA: it is JSON and broken or too large; without an error: import_wait_fn said
 * so. */
enum csv_next import_file_next(struct import_file *f, struct csv_record *out, struct error *e);

/* After the first record: it is JSON, whose first record are the names in its objects. */
bool import_file_is_json(const struct import_file *f);

/* As csv_reader_split(); does nothing to JSON, whose records have one line. */
void import_file_split(struct import_file *f, struct csv_record *record);

/* Called when the next bytes are not there yet and would be waited for. False: the reading fails.
 */
typedef bool import_wait_fn(void *arg);
void import_file_on_wait(struct import_file *f, import_wait_fn *fn, void *arg);

double import_file_part(const struct import_file *f); /* read so far, 0 to 1; -1: not known */

/* The header goes to the file of bad lines too, so that it can be imported once it is mended. */
void import_file_keep_header(struct import_file *f, const struct csv_record *header);
void import_file_reject(struct import_file *f, const struct csv_record *record, const char *reason);
bool import_file_has_rejects(const struct import_file *f);
/* ERROR_IO if not every bad line could be written. */
bool import_file_end(struct import_file *f, struct error *e);

#endif
