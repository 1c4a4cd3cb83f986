/* The one place that prints. A command fills a report with fields, tables and notes; the report
 * shows them as aligned tables on a terminal, as tab-separated lines in a pipe, or as JSON. Rows of
 * a long table are printed while they come, so that no listing has to fit into memory. */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "hubmail/base_buf.h"
#include "hubmail/base_error.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum report_style {
	REPORT_TERMINAL, /* tables, times in the local zone, sentences */
	REPORT_PIPE,     /* lines of cells separated by tabs, times in RFC 3339 UTC */
	REPORT_JSON,
};

struct report;

/* out and err are borrowed. With `quiet` sentences and notes are left out; failures and listings
 * are not. */
struct report *report_new(FILE *out, FILE *err, enum report_style style, bool quiet);

/* Prints what waits. ERROR_IO if standard output did not take all of it (a closed pipe is told by
 * *e too; its text is then empty). */
bool report_end(struct report *r, struct error *e);
void report_free(struct report *r);

enum report_style report_style(const struct report *r);
bool report_quiet(const struct report *r);

/* ---- Cells ---- */

enum cell_type {
	CELL_NONE,
	CELL_TEXT,
	CELL_NUMBER,
	CELL_TIME,
	CELL_BOOL,
	CELL_LIST,
	CELL_DECIMAL,
	CELL_JSON
};

struct cell {
	enum cell_type type;
	const char *text;
	int64_t number;
	double decimal;
	const struct strlist *list;
	const json_t *json;
};

static inline struct cell cell_text(const char *text) /* NULL: nothing */
{
	return (struct cell){.type = text != NULL ? CELL_TEXT : CELL_NONE, .text = text};
}

static inline struct cell cell_number(int64_t number)
{
	return (struct cell){.type = CELL_NUMBER, .number = number};
}

static inline struct cell cell_decimal(double number)
{
	return (struct cell){.type = CELL_DECIMAL, .decimal = number};
}

static inline struct cell cell_time(int64_t at) /* 0: nothing */
{
	return (struct cell){.type = at != 0 ? CELL_TIME : CELL_NONE, .number = at};
}

static inline struct cell cell_bool(bool yes)
{
	return (struct cell){.type = CELL_BOOL, .number = yes};
}

static inline struct cell cell_list(const struct strlist *list)
{
	return (struct cell){.type = CELL_LIST, .list = list};
}

static inline struct cell cell_json(const json_t *json) /* borrowed */
{
	return (struct cell){.type = CELL_JSON, .json = json};
}

static inline struct cell cell_none(void)
{
	return (struct cell){.type = CELL_NONE};
}

/* ---- Tables and fields ---- */

enum column_flags {
	COLUMN_RIGHT = 1,  /* numbers */
	COLUMN_CUT = 2,    /* may be cut when the terminal is narrow */
	COLUMN_DETAIL = 4, /* not on a terminal */
	COLUMN_WRAP = 8,   /* goes on in the next line when the terminal is narrow */
};

struct column {
	const char *key;     /* in JSON */
	const char *heading; /* on a terminal */
	unsigned flags;
};

struct table {
	const char *key;   /* its name in JSON and the first cell of its lines in a pipe; NULL: the
			      table is the whole report */
	const char *title; /* on a terminal, above it; or NULL */
	const char *empty; /* said on a terminal if no row comes; or NULL */
	const struct column *columns;
	size_t n_columns;
};

#define TABLE_COLUMNS(array) .columns = (array), .n_columns = sizeof(array) / sizeof((array)[0])

/* Begins a table; what was begun before ends. `table` is borrowed until then. */
void report_table(struct report *r, const struct table *table);

/* One row: a cell for each column. REPORT_ROW(r, cell_text(a), cell_number(b)). */
void report_row(struct report *r, const struct cell *cells, size_t n);
#define REPORT_ROW(r, ...)                                                                         \
	report_row((r), (const struct cell[]){__VA_ARGS__},                                        \
		sizeof((const struct cell[]){__VA_ARGS__}) / sizeof(struct cell))

/* The same; on a terminal the sentence stands in the row's place. */
void report_row_said(struct report *r, const char *sentence, const struct cell *cells, size_t n);
#define REPORT_ROW_SAID(r, sentence, ...)                                                          \
	report_row_said((r), (sentence), (const struct cell[]){__VA_ARGS__},                       \
		sizeof((const struct cell[]){__VA_ARGS__}) / sizeof(struct cell))

/* One value of a page, such as `show` prints. */
void report_field(struct report *r, const char *key, const char *heading, struct cell value);

/* Bytes for standard output, as they are (an export, a message). Nothing else is put there then. */
void report_raw(struct report *r, const void *data, size_t len);

/* A whole JSON document; takes it over. Only in REPORT_JSON. */
void report_json(struct report *r, json_t *json);

/* A sentence on a terminal, in the place of a result. */
void report_say(struct report *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A sentence beside the result, on standard error, in every style. */
void report_note(struct report *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Something failed and the command goes on with the rest: on standard error, and the exit code. */
void report_failure(struct report *r, const struct error *e);
int report_exit_code(const struct report *r); /* of the first failure; 0: there was none */

/* True once standard output does not take any more: then going on makes no sense. */
bool report_broken(const struct report *r);

/* ---- Text for people ---- */

/* Appends text so that a terminal only shows it: control characters and malformed bytes as \xNN. */
void text_visible(struct buf *out, const char *text);
/* Appends the local time, "2026-11-24 14:26". */
void text_local_time(struct buf *out, int64_t at);
/* Appends a number with a thin separator between thousands: "1 234 567". */
void text_count(struct buf *out, int64_t n);

#endif
