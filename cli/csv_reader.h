/* Records of a CSV file (RFC 4180, and what people call CSV), one after another from a stream. */
#ifndef CLI_CSV_READER_H
#define CLI_CSV_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CSV_RECORD_MAX (64u << 10) /* bytes of a record */
#define CSV_LINES_MAX 100          /* lines of a record with line breaks in quotes */

/* Gives at most max bytes; 0 at the end, -1 with errno set on error. */
typedef ssize_t csv_source_fn(void *arg, void *out, size_t max);

struct csv_record {
	size_t line;               /* the record's first line, from 1 */
	size_t lines;              /* how many it has */
	const char *const *fields; /* UTF-8 */
	size_t n;
	const char *raw; /* the bytes as they came, with the line's end */
	size_t raw_len;
	const char *problem; /* why it cannot be read, or NULL; then there are no fields */
	bool converted;      /* it was not UTF-8 and was read as Windows-1252 */
};

enum csv_next { CSV_NEXT_RECORD, CSV_NEXT_END, CSV_NEXT_FAILED /* errno tells */ };

struct csv_reader;

/* The delimiter (comma, semicolon or tab) is found out from the first line; a byte order mark is
 * left out; blank lines are passed over. */
struct csv_reader *csv_reader_new(csv_source_fn *source, void *arg);
void csv_reader_free(struct csv_reader *c);

/* The next record, valid until the next call. A quote that is never closed makes a bad record of
 * its own line alone: the lines after it are read. */
enum csv_next csv_reader_next(struct csv_reader *c, struct csv_record *out);

/* For a record of several lines that turned out to be none, most likely because a quote was opened
 * by mistake: leaves its first line in *r and has the others read again by the next call. Before
 * that. */
void csv_reader_split(struct csv_reader *c, struct csv_record *r);

char csv_reader_delimiter(const struct csv_reader *c);  /* after the first record */
uint64_t csv_reader_offset(const struct csv_reader *c); /* bytes read so far */

#endif
