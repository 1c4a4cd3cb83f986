/* Errors with their places. They are found in the order of the table and shown in the order of the
 * files and lines, for that is how somebody mends them. */
#include "hubmail/base_error.h"
#include "hubmail/base_mem.h"
#include "read.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define PROBLEMS_MAX 200

/* config_t is the first member of struct config_text. */
static const struct config_text *text_of(const config_setting_t *s)
{
	return (const struct config_text *)s->config;
}

static void add(struct reading *r, const struct config_text *text, unsigned line, char *sentence)
{
	if (r->n_problems == PROBLEMS_MAX) {
		r->more++;
		free(sentence);
		return;
	}
	if (r->problems == NULL)
		r->problems = xcalloc(PROBLEMS_MAX, sizeof(*r->problems));
	r->problems[r->n_problems] = (struct problem){
		.file = text != NULL ? text->index : SIZE_MAX,
		.line = line,
		.order = r->n_problems,
		.text = sentence,
	};
	r->n_problems++;
}

void report_line(
	struct reading *r, const struct config_text *text, unsigned line, const char *fmt, ...)
{
	struct error e = {0};
	char *sentence;
	va_list ap;

	va_start(ap, fmt);
	sentence = xvasprintf(fmt, ap);
	va_end(ap);
	error_set(&e, ERROR_CONFIG, "%s", sentence);
	free(sentence);
	const char *file = text != NULL ? text->name : r->file;
	if (line > 0)
		add(r, text, line, xasprintf("%s:%u: %s", file, line, e.text));
	else
		add(r, text, line, xasprintf("%s: %s", file, e.text));
}

void report(struct reading *r, const config_setting_t *where, const char *path, const char *name,
	const char *fmt, ...)
{
	char *sentence;
	va_list ap;

	va_start(ap, fmt);
	sentence = xvasprintf(fmt, ap);
	va_end(ap);
	report_line(r, where != NULL ? text_of(where) : NULL,
		where != NULL ? config_setting_source_line(where) : 0, "%s%s%s: %s", path,
		path[0] != '\0' && name[0] != '\0' ? "." : "", name, sentence);
	free(sentence);
}

static int compare(const void *a, const void *b)
{
	const struct problem *x = a;
	const struct problem *y = b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

void reading_finish(struct reading *r, struct strlist *out)
{
	if (r->n_problems > 0)
		qsort(r->problems, r->n_problems, sizeof(*r->problems), compare);
	for (size_t i = 0; i < r->n_problems; i++)
		strlist_take(out, r->problems[i].text);
	if (r->more > 0)
		strlist_take(out, xasprintf("%s: … and %zu more errors", r->file, r->more));
	free(r->problems);
	r->problems = NULL;
	r->n_problems = 0;
}
