/* Printing: fields, tables and notes in the three styles. What libsmartcols does (widths, cutting,
 * escaping on a terminal) is left to it; tab-separated lines and JSON are written here. */
#include "report.h"

#include "hubmail/base_clock.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include <errno.h>
#include <libsmartcols.h>
#include <math.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TERMINAL_ROWS 1000 /* rows that are aligned with each other */

struct report {
	FILE *out, *err;
	enum report_style style;
	bool quiet;
	int exit_code;
	const struct table *table; /* that is being filled, or NULL */
	size_t rows;               /* it has had so far */
	size_t shown;              /* lines on the terminal before it */
	struct libscols_table *aligned;
	json_t *page;   /* the object of fields and named tables, or NULL */
	json_t *array;  /* of the named table; borrowed from page */
	bool streaming; /* '[' is out and waits for its ']' */
};

struct report *report_new(FILE *out, FILE *err, enum report_style style, bool quiet)
{
	struct report *r = xcalloc(1, sizeof(*r));

	r->out = out;
	r->err = err;
	r->style = style;
	r->quiet = quiet;
	return r;
}

void report_free(struct report *r)
{
	scols_unref_table(r->aligned);
	json_decref(r->page);
	free(r);
}

enum report_style report_style(const struct report *r)
{
	return r->style;
}

bool report_quiet(const struct report *r)
{
	return r->quiet;
}

int report_exit_code(const struct report *r)
{
	return r->exit_code;
}

bool report_broken(const struct report *r)
{
	return ferror(r->out) != 0;
}

/* ---- Cells as text and as JSON ---- */

static void list_text(struct buf *out, const struct strlist *list, const char *between)
{
	for (size_t i = 0; i < list->n; i++) {
		if (i > 0)
			buf_adds(out, between);
		buf_adds(out, list->items[i]);
	}
}

static void cell_plain(const struct report *r, const struct cell *c, struct buf *out)
{
	char at[32];

	switch (c->type) {
	case CELL_NONE:
		break;
	case CELL_TEXT:
		buf_adds(out, c->text);
		break;
	case CELL_NUMBER:
		buf_addf(out, "%lld", (long long)c->number);
		break;
	case CELL_DECIMAL:
		buf_addf(out, "%.1f", c->decimal);
		break;
	case CELL_TIME:
		if (r->style == REPORT_TERMINAL) {
			text_local_time(out, c->number);
		} else {
			clock_rfc3339(c->number, at);
			buf_adds(out, at);
		}
		break;
	case CELL_BOOL:
		buf_adds(out, c->number ? "yes" : "no");
		break;
	case CELL_LIST:
		list_text(out, c->list, r->style == REPORT_TERMINAL ? ", " : ",");
		break;
	case CELL_JSON: {
		char *text = json_dumps(c->json, JSON_COMPACT | JSON_ENCODE_ANY);
		buf_adds(out, text != NULL ? text : "");
		free(text);
		break;
	}
	}
}

static json_t *text_json(const char *text)
{
	char *clean = utf8_clean(text, strlen(text));
	json_t *json = json_string_nocheck(clean);

	free(clean);
	return json;
}

static json_t *json_of(const struct report *r, const struct cell *c)
{
	struct buf text = {0};
	json_t *json = NULL;

	switch (c->type) {
	case CELL_NONE:
		return json_null();
	case CELL_NUMBER:
		return json_integer(c->number);
	case CELL_DECIMAL:
		return json_real(round(c->decimal * 10) / 10);
	case CELL_BOOL:
		return json_boolean(c->number != 0);
	case CELL_LIST:
		json = json_array();
		for (size_t i = 0; i < c->list->n; i++)
			json_array_append_new(json, text_json(c->list->items[i]));
		return json;
	case CELL_JSON:
		return json_deep_copy(c->json);
	case CELL_TEXT:
	case CELL_TIME:
		break;
	}
	cell_plain(r, c, &text);
	json = text_json(buf_str(&text));
	buf_free(&text);
	return json;
}

/* A cell of a tab-separated line: nothing in it can end the cell or the line. */
static void cell_tabbed(const struct report *r, const struct cell *c, struct buf *out)
{
	struct buf text = {0};

	cell_plain(r, c, &text);
	for (const char *p = buf_str(&text); *p != '\0'; p++) {
		if (*p == '\t')
			buf_adds(out, "\\t");
		else if (*p == '\n')
			buf_adds(out, "\\n");
		else if (*p == '\r')
			buf_adds(out, "\\r");
		else if (*p == '\\')
			buf_adds(out, "\\\\");
		else if ((unsigned char)*p < 0x20 || *p == 0x7f)
			buf_addf(out, "\\x%02x", (unsigned)(unsigned char)*p);
		else
			buf_addc(out, *p);
	}
	buf_free(&text);
}

/* ---- Ending what was begun ---- */

static void flush_aligned(struct report *r)
{
	if (r->aligned != NULL) {
		scols_print_table(r->aligned);
		scols_unref_table(r->aligned);
		r->aligned = NULL;
	}
}

static void end_table(struct report *r)
{
	flush_aligned(r);
	if (r->table != NULL && r->rows == 0 && r->style == REPORT_TERMINAL &&
		r->table->empty != NULL && !r->quiet)
		fprintf(r->out, "%s\n", r->table->empty);
	r->table = NULL;
	r->array = NULL;
}

/* What an earlier write failed of is not known any more; a pipe tells whether it was that. */
static bool reader_has_left(FILE *f)
{
	struct pollfd fd = {fileno(f), POLLOUT, 0};

	return poll(&fd, 1, 0) > 0 && (fd.revents & POLLERR) != 0;
}

bool report_end(struct report *r, struct error *e)
{
	end_table(r);
	if (r->streaming)
		fputs(r->rows > 0 ? "\n]\n" : "]\n", r->out);
	r->streaming = false;
	if (r->page != NULL) {
		json_dumpf(r->page, r->out, JSON_INDENT(2));
		fputc('\n', r->out);
	}
	json_decref(r->page);
	r->page = NULL;
	errno = 0;
	if (fflush(r->out) == 0 && !ferror(r->out))
		return true;
	if (errno == EPIPE || reader_has_left(r->out)) {
		error_set(e, ERROR_IO, "standard output is closed");
		e->text[0] = '\0';
		return false;
	}
	return error_set(e, ERROR_IO, "standard output: %s",
		errno != 0 ? strerror(errno) : "not everything could be written");
}

/* ---- Tables ---- */

void report_table(struct report *r, const struct table *table)
{
	end_table(r);
	r->table = table;
	r->rows = 0;
	if (r->style == REPORT_TERMINAL && table->title != NULL) {
		fprintf(r->out, "%s%s\n", r->shown > 0 ? "\n" : "", table->title);
		r->shown++;
	}
	if (r->style != REPORT_JSON)
		return;
	if (table->key == NULL) {
		fputc('[', r->out);
		r->streaming = true;
		return;
	}
	if (r->page == NULL)
		r->page = json_object();
	r->array = json_array();
	json_object_set_new(r->page, table->key, r->array);
}

static struct libscols_table *new_aligned(struct report *r, bool headings)
{
	struct libscols_table *t = scols_new_table();

	scols_table_set_stream(t, r->out);
	scols_table_enable_noheadings(t, headings ? 0 : 1);
	return t;
}

static int column_flags(const struct column *c)
{
	return (c->flags & COLUMN_RIGHT ? SCOLS_FL_RIGHT : 0) |
	       (c->flags & COLUMN_CUT ? SCOLS_FL_TRUNC : 0) |
	       (c->flags & COLUMN_WRAP ? SCOLS_FL_WRAP : 0);
}

static void terminal_row(struct report *r, const struct cell *cells, size_t n)
{
	if (r->aligned == NULL) {
		r->aligned = new_aligned(r, r->rows == 0);
		for (size_t i = 0; i < n; i++)
			if (!(r->table->columns[i].flags & COLUMN_DETAIL))
				scols_table_new_column(r->aligned, r->table->columns[i].heading, 0,
					column_flags(&r->table->columns[i]));
	}
	struct libscols_line *line = scols_table_new_line(r->aligned, NULL);
	for (size_t i = 0, at = 0; i < n; i++) {
		struct buf text = {0};
		if (r->table->columns[i].flags & COLUMN_DETAIL)
			continue;
		cell_plain(r, &cells[i], &text);
		scols_line_set_data(line, at++, buf_str(&text));
		buf_free(&text);
	}
	r->shown++;
	if ((r->rows + 1) % TERMINAL_ROWS == 0)
		flush_aligned(r);
}

static void pipe_row(struct report *r, const struct cell *cells, size_t n)
{
	struct buf line = {0};

	if (r->table->key != NULL)
		buf_addf(&line, "%s\t", r->table->key);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_addc(&line, '\t');
		cell_tabbed(r, &cells[i], &line);
	}
	buf_addc(&line, '\n');
	fwrite(line.data, 1, line.len, r->out);
	buf_free(&line);
}

static void json_row(struct report *r, const struct cell *cells, size_t n)
{
	json_t *o = json_object();

	for (size_t i = 0; i < n; i++)
		json_object_set_new(o, r->table->columns[i].key, json_of(r, &cells[i]));
	if (r->array != NULL) {
		json_array_append_new(r->array, o);
		return;
	}
	fputs(r->rows > 0 ? ",\n  " : "\n  ", r->out);
	json_dumpf(o, r->out, 0);
	json_decref(o);
}

void report_row(struct report *r, const struct cell *cells, size_t n)
{
	if (n > r->table->n_columns)
		n = r->table->n_columns;
	if (r->style == REPORT_TERMINAL)
		terminal_row(r, cells, n);
	else if (r->style == REPORT_PIPE)
		pipe_row(r, cells, n);
	else
		json_row(r, cells, n);
	r->rows++;
}

void report_row_said(struct report *r, const char *sentence, const struct cell *cells, size_t n)
{
	if (r->style == REPORT_TERMINAL) {
		report_say(r, "%s", sentence);
		r->rows++;
	} else {
		report_row(r, cells, n);
	}
}

/* ---- Pages ---- */

void report_field(struct report *r, const char *key, const char *heading, struct cell value)
{
	struct buf text = {0};

	if (r->table != NULL)
		end_table(r);
	if (r->style == REPORT_JSON) {
		if (r->page == NULL)
			r->page = json_object();
		json_object_set_new(r->page, key, json_of(r, &value));
	} else if (r->style == REPORT_PIPE) {
		cell_tabbed(r, &value, &text);
		fprintf(r->out, "%s\t%s\n", key, buf_str(&text));
	} else if (value.type != CELL_NONE) {
		if (r->aligned == NULL) {
			r->aligned = new_aligned(r, false);
			scols_table_new_column(r->aligned, NULL, 0, 0);
			scols_table_new_column(r->aligned, NULL, 0, SCOLS_FL_WRAP);
		}
		struct libscols_line *line = scols_table_new_line(r->aligned, NULL);
		cell_plain(r, &value, &text);
		scols_line_set_data(line, 0, heading);
		scols_line_set_data(line, 1, buf_str(&text));
		r->shown++;
	}
	buf_free(&text);
}

void report_raw(struct report *r, const void *data, size_t len)
{
	fwrite(data, 1, len, r->out);
}

void report_json(struct report *r, json_t *json)
{
	json_dumpf(json, r->out, JSON_INDENT(2));
	fputc('\n', r->out);
	json_decref(json);
}

/* ---- Sentences ---- */

static void sentence(FILE *to, const char *before, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

static void sentence(FILE *to, const char *before, const char *fmt, va_list ap)
{
	struct buf visible = {0};
	char *text = xvasprintf(fmt, ap);

	text_visible(&visible, text);
	fprintf(to, "%s%s\n", before, buf_str(&visible));
	buf_free(&visible);
	free(text);
}

void report_say(struct report *r, const char *fmt, ...)
{
	va_list ap;

	if (r->style != REPORT_TERMINAL || r->quiet)
		return;
	flush_aligned(r);
	va_start(ap, fmt);
	sentence(r->out, "", fmt, ap);
	va_end(ap);
	r->shown++;
}

void report_note(struct report *r, const char *fmt, ...)
{
	va_list ap;

	if (r->quiet)
		return;
	fflush(r->out);
	va_start(ap, fmt);
	sentence(r->err, "", fmt, ap);
	va_end(ap);
}

static void failure_line(FILE *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void failure_line(FILE *to, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sentence(to, "hubmailctl: ", fmt, ap);
	va_end(ap);
}

void report_failure(struct report *r, const struct error *e)
{
	fflush(r->out);
	if (e->text[0] != '\0')
		failure_line(r->err, "%s", e->text);
	if (r->exit_code == 0)
		r->exit_code = error_exit_code(e);
}

/* ---- Text for people ---- */

void text_visible(struct buf *out, const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len;) {
		uint32_t cp = 0;
		size_t n = utf8_decode(text + i, len - i, &cp);
		if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp == 0xFFFD && n == 1))
			for (size_t k = 0; k < n; k++)
				buf_addf(out, "\\x%02x", (unsigned)(unsigned char)text[i + k]);
		else
			buf_add(out, text + i, n);
		i += n;
	}
}

void text_local_time(struct buf *out, int64_t at)
{
	time_t t = (time_t)at;
	struct tm tm;
	char text[64];

	if (localtime_r(&t, &tm) != NULL && strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm) > 0)
		buf_adds(out, text);
}

void text_count(struct buf *out, int64_t n)
{
	char digits[32];
	int len = snprintf(digits, sizeof(digits), "%lld", (long long)n);

	for (int i = 0; i < len; i++) {
		buf_addc(out, digits[i]);
		if (digits[i] != '-' && (len - i - 1) % 3 == 0 && i + 1 < len)
			buf_addc(out, ' ');
	}
}
