/* Reading CSV with libcsv. libcsv is fed line by line, so that every record is known by its line
 * number and its raw bytes, and so that an open quote cannot swallow the rest of the file. */
#include "csv_reader.h"

#include "hubmail/base_buf.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include <csv.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK (64u << 10)
#define FIELDS_MAX 1000

struct csv_reader {
	csv_source_fn *source;
	void *arg;
	struct csv_parser parser;
	char delimiter;
	struct buf in; /* bytes that were read; those before `at` are done */
	size_t at;
	uint64_t offset;   /* of in.data[at] in the stream */
	size_t line;       /* number of the line at `at` */
	bool begun, ended; /* ended: the source has no more */
	struct buf text;   /* the fields of the record, each with a NUL */
	size_t *starts;    /* where each begins in text */
	const char **fields;
	size_t n, cap;
	size_t first_len; /* of the record's first line */
	bool skipping;    /* a line was too long: its rest comes next */
	bool complete;    /* libcsv has seen the end of the record */
};

struct csv_reader *csv_reader_new(csv_source_fn *source, void *arg)
{
	struct csv_reader *c = xcalloc(1, sizeof(*c));

	c->source = source;
	c->arg = arg;
	c->line = 1;
	c->delimiter = ',';
	csv_init(&c->parser, CSV_APPEND_NULL);
	return c;
}

void csv_reader_free(struct csv_reader *c)
{
	if (c == NULL)
		return;
	csv_free(&c->parser);
	buf_free(&c->in);
	buf_free(&c->text);
	free(c->starts);
	free(c->fields);
	free(c);
}

char csv_reader_delimiter(const struct csv_reader *c)
{
	return c->delimiter;
}

uint64_t csv_reader_offset(const struct csv_reader *c)
{
	return c->offset;
}

/* ---- Bytes and lines ---- */

/* Reads more behind what is there. False on error. */
static bool fill(struct csv_reader *c)
{
	if (c->at > CHUNK && c->in.data != NULL) {
		memmove(c->in.data, c->in.data + c->at, c->in.len - c->at);
		buf_truncate(&c->in, c->in.len - c->at);
		c->at = 0;
	}
	buf_reserve(&c->in, CHUNK);
	ssize_t n = c->source(c->arg, c->in.data + c->in.len, CHUNK);
	if (n < 0)
		return false;
	c->ended = n == 0;
	c->in.len += (size_t)n;
	c->in.data[c->in.len] = '\0';
	return true;
}

/* The length of the line that begins `from` bytes after `at`, with its end (LF, CR LF or CR); 0 if
 * nothing is left. A longer line than a record may be is given out in pieces. False on error. */
static bool line_length(struct csv_reader *c, size_t from, size_t *len)
{
	size_t seen = 0;

	for (;;) {
		const char *start = c->in.data != NULL ? c->in.data + c->at + from : "";
		size_t have = c->in.len - c->at - from;
		for (; seen < have; seen++) {
			if (start[seen] == '\n' || seen == CSV_RECORD_MAX) {
				*len = seen + 1;
				return true;
			}
			if (start[seen] != '\r')
				continue;
			if (seen + 1 == have && !c->ended)
				break;
			*len = seen + 1 + (seen + 1 < have && start[seen + 1] == '\n' ? 1 : 0);
			return true;
		}
		if (c->ended) {
			*len = have;
			return true;
		}
		if (!fill(c))
			return false;
	}
}

static void advance(struct csv_reader *c, size_t len, size_t lines)
{
	c->at += len;
	c->offset += len;
	c->line += lines;
}

/* ---- The first line ---- */

static char likely_delimiter(const char *line, size_t len)
{
	static const char candidates[] = {',', ';', '\t'};
	size_t counts[3] = {0};
	bool in_quotes = false;
	size_t best = 0;

	for (size_t i = 0; i < len; i++) {
		if (line[i] == '"')
			in_quotes = !in_quotes;
		for (size_t k = 0; k < 3 && !in_quotes; k++)
			counts[k] += line[i] == candidates[k];
	}
	for (size_t k = 1; k < 3; k++)
		if (counts[k] > counts[best])
			best = k;
	return candidates[best];
}

static void set_delimiter(struct csv_reader *c, char delimiter)
{
	c->delimiter = delimiter;
	csv_set_delim(&c->parser, (unsigned char)delimiter);
}

/* Looks at the start of the stream: the byte order mark, a line "sep=;" as spreadsheets write it,
 * the delimiter. *problem is set if it can be no CSV. */
static bool begin(struct csv_reader *c, const char **problem)
{
	size_t len = 0;

	c->begun = true;
	if (!line_length(c, 0, &len))
		return false;
	const char *line = c->in.data != NULL ? c->in.data : "";
	if (len >= 2 && (memcmp(line, "\xFF\xFE", 2) == 0 || memcmp(line, "\xFE\xFF", 2) == 0)) {
		*problem = "the file is UTF-16: save it as CSV in UTF-8";
		return true;
	}
	if (len >= 3 && memcmp(line, "\xEF\xBB\xBF", 3) == 0) {
		advance(c, 3, 0);
		line += 3;
		len -= 3;
	}
	if (len >= 6 && memcmp(line, "sep=", 4) == 0 && (line[5] == '\n' || line[5] == '\r')) {
		set_delimiter(c, line[4]);
		advance(c, len, 1);
		return true;
	}
	/* Blank lines before the first tell nothing. */
	while (len > 0 && strspn(line, "\r\n") >= len) {
		advance(c, len, 1);
		if (!line_length(c, 0, &len))
			return false;
		line = c->in.data + c->at;
	}
	set_delimiter(c, likely_delimiter(line, len));
	return true;
}

/* ---- Records ---- */

static void field(void *data, size_t len, void *arg)
{
	struct csv_reader *c = arg;

	if (c->n == FIELDS_MAX)
		return;
	if (c->n == c->cap) {
		c->cap = c->cap > 0 ? 2 * c->cap : 16;
		c->starts = xreallocarray(c->starts, c->cap, sizeof(*c->starts));
		c->fields = xreallocarray(c->fields, c->cap, sizeof(*c->fields));
	}
	c->starts[c->n++] = c->text.len;
	buf_add(&c->text, data, len);
	buf_addc(&c->text, '\0');
}

static void record_end(int how, void *arg)
{
	struct csv_reader *c = arg;

	(void)how;
	c->complete = true;
}

static void forget(struct csv_reader *c)
{
	csv_free(&c->parser);
	csv_init(&c->parser, CSV_APPEND_NULL);
	csv_set_delim(&c->parser, (unsigned char)c->delimiter);
}

/* The 32 characters that Windows-1252 has where Latin-1 has controls; 0: none. */
static const uint16_t windows_1252[32] = {0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
	0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0, 0, 0x2018, 0x2019, 0x201C, 0x201D,
	0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E, 0x0178};

static void add_converted(struct buf *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)s[i];
		uint32_t cp = byte >= 0x80 && byte < 0xA0 ? windows_1252[byte - 0x80] : byte;
		char utf8[4];
		buf_add(out, utf8, utf8_encode(cp != 0 ? cp : 0xFFFD, utf8));
	}
}

/* Makes the record's text UTF-8. */
static void convert(struct csv_reader *c)
{
	struct buf text = {0};

	for (size_t i = 0; i < c->n; i++) {
		size_t start = c->starts[i], len = strlen(c->text.data + start);
		c->starts[i] = text.len;
		add_converted(&text, c->text.data + start, len);
		buf_addc(&text, '\0');
	}
	buf_free(&c->text);
	c->text = text;
}

static void finish(struct csv_reader *c, struct csv_record *out)
{
	if (memchr(out->raw, '\0', out->raw_len) != NULL) {
		out->problem = "there are NUL bytes in it";
		return;
	}
	if (!utf8_valid(out->raw, out->raw_len)) {
		convert(c);
		out->converted = true;
	}
	for (size_t i = 0; i < c->n; i++)
		c->fields[i] = c->text.data + c->starts[i];
	out->fields = c->fields;
	out->n = c->n;
}

/* Feeds one record to libcsv. *len is its bytes, 0 at the end of the stream; *first is the length
 * of its first line. */
static bool feed(struct csv_reader *c, size_t *len, size_t *first, size_t *lines)
{
	*len = *first = *lines = 0;
	c->complete = false;
	c->n = 0;
	buf_truncate(&c->text, 0);
	do {
		size_t n = 0;
		if (!line_length(c, *len, &n))
			return false;
		if (n == 0) {
			/* The last line needs no end of its own. */
			if (*len > 0)
				csv_parse(&c->parser, "\n", 1, field, record_end, c);
			break;
		}
		csv_parse(&c->parser, c->in.data + c->at + *len, n, field, record_end, c);
		*first = *len == 0 ? n : *first;
		*len += n;
		++*lines;
		/* Blank: libcsv has not begun a record. */
		if (!c->complete && c->parser.pstate == 0)
			break;
	} while (!c->complete && *len <= CSV_RECORD_MAX && *lines < CSV_LINES_MAX);
	return true;
}

/* The rest of a line that was too long belongs to nothing. */
static bool skip_rest_of_line(struct csv_reader *c)
{
	size_t n = 0;

	while (c->skipping) {
		if (!line_length(c, 0, &n))
			return false;
		c->skipping = n > CSV_RECORD_MAX && c->in.data[c->at + n - 1] != '\n';
		advance(c, n, 0);
	}
	return true;
}

/* One line of a record that cannot be read. */
static void give_up(struct csv_reader *c, struct csv_record *out, size_t first)
{
	c->skipping = first > CSV_RECORD_MAX;
	out->problem =
		c->skipping ? "the line is too long" : "a quote (\") is opened and never closed";
	out->raw_len = first;
	out->lines = 1;
	forget(c);
}

enum csv_next csv_reader_next(struct csv_reader *c, struct csv_record *out)
{
	const char *problem = NULL;

	if (!c->begun && !begin(c, &problem))
		return CSV_NEXT_FAILED;
	if (!skip_rest_of_line(c))
		return CSV_NEXT_FAILED;
	do {
		*out = (struct csv_record){.line = c->line, .problem = problem};
		if (!feed(c, &out->raw_len, &c->first_len, &out->lines))
			return CSV_NEXT_FAILED;
		if (out->raw_len == 0)
			return CSV_NEXT_END;
		if (!c->complete && c->parser.pstate != 0)
			give_up(c, out, c->first_len);
		out->raw = c->in.data + c->at;
		advance(c, out->raw_len, out->lines);
	} while (!c->complete && out->problem == NULL);
	if (out->problem == NULL)
		finish(c, out);
	return CSV_NEXT_RECORD;
}

void csv_reader_split(struct csv_reader *c, struct csv_record *r)
{
	if (r->lines < 2)
		return;
	c->at -= r->raw_len - c->first_len;
	c->offset -= r->raw_len - c->first_len;
	c->line -= r->lines - 1;
	r->raw_len = c->first_len;
	r->lines = 1;
}
