/* `import`: readers from a CSV or JSON file. A bad line is told and the next one read; a good one
 * is collected, to be stored with many others. What a line means is in import_row.c, where lines
 * come from in import_file.c, how they are stored in import_batch.c. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include "hubmail/base_mem.h"
#include "hubmail/store_subscriber.h"
#include "hubmail/store_suppression.h"
#include "import_batch.h"
#include "import_file.h"
#include "progress.h"
#include "reader.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BAD_LINES_TOLD 20

static const struct option_spec options[] = {
	{.name = "list",
		.letter = 'l',
		.value = "LIST",
		.complete = COMPLETE_LIST,
		.help = "to this list; without it, to the one the line names, or the only one"},
	{.name = "map",
		.value = "COLUMN=FIELD",
		.many = true,
		.help = "what a column (its name, or its number from 1) has"},
	{.name = "state",
		.value = "STATE",
		.choices = "confirmed pending",
		.complete = COMPLETE_CHOICES,
		.help = "of readers whose line says none (default confirmed)"},
	{.name = "dry-run", .help = "read and count, store nothing"},
	{.name = "rejects",
		.value = "FILE",
		.complete = COMPLETE_FILE,
		.help = "write the bad lines there, each with its number and the reason"},
	{0},
};

struct bad_line {
	size_t line;
	char *reason;
};

struct import {
	struct cli *cli;
	struct import_file *file;
	const struct config_list *list; /* or NULL: each line names its own */
	struct import_list *lists;      /* those of the configuration, in its order */
	struct import_columns columns;
	struct import_batch batch;
	int64_t bad, converted, dates_unread; /* lines */
	struct bad_line told[BAD_LINES_TOLD];
	struct progress progress;
	bool begun;           /* a batch: */
	bool suppressions;    /* there were some then */
	double part;          /* of the file that is stored, but for the batch */
	struct error failure; /* of storing while the next line was waited for */
};

/* ---- One reader ---- */

static void bad_line(struct import *im, const struct csv_record *record, const char *reason)
{
	struct error e = {0};

	im->bad++;
	import_file_reject(im->file, record, reason);
	if (im->bad > BAD_LINES_TOLD)
		return;
	im->told[im->bad - 1] = (struct bad_line){record->line, xstrdup(reason)};
	progress_clear(&im->progress);
	error_set(&e, ERROR_DATA, "%s:%zu: %s", import_file_name(im->file), record->line, reason);
	report_failure(im->cli->report, &e);
}

static const struct config_list *list_of(
	const struct import *im, const struct import_row *row, struct error *e)
{
	const struct config_list *list = im->list;

	if (list != NULL && row->list != NULL && strcmp(row->list, list->name) != 0) {
		/* Consent was given to that list and no other. */
		error_set(e, ERROR_DATA,
			"it is for the list %s (leave -l away, or the column aside with --map list=-)",
			row->list);
		return NULL;
	}
	if (list == NULL && row->list == NULL)
		error_set(e, ERROR_DATA, "it names no list");
	else if (list == NULL && (list = config_find_list(im->cli->config, row->list)) == NULL)
		error_set(e, ERROR_DATA, "%s: no such list", row->list);
	if (list != NULL && row->edition >= 0 &&
		!reader_edition_offered(list, (enum edition)row->edition, e))
		return NULL;
	return list;
}

/* ---- The file ---- */

/* Asked once for each batch: most databases have no suppressions. */
static bool begin_batch(struct import *im, struct error *e)
{
	struct store *store = im->batch.keep.store;

	if (im->begun)
		return true;
	im->begun = store_suppression_any(store, &im->suppressions, e) &&
		    (!im->suppressions || store_begin_reading(store, e));
	return im->begun;
}

/* A line can only be told while it is at hand. Whoever is suppressed after that is left out when
 * the batch is stored. That somebody has left is kept without a word: nobody is mailed for it. */
static bool is_suppressed(
	struct import *im, const struct import_row *row, bool *suppressed, struct error *e)
{
	struct store *store = im->batch.keep.store;
	struct store_suppression sup;

	*suppressed = false;
	if (!begin_batch(im, e))
		return false;
	if (!im->suppressions || import_row_has_left(row))
		return true;
	if (!store_suppression_get(store, row->email, &sup, e))
		return false;
	*suppressed = sup.at != 0;
	store_suppression_free(&sup);
	return true;
}

static bool keep_row(struct import *im, const struct config_list *list, struct import_row *row,
	const struct csv_record *record, struct error *e)
{
	bool suppressed;

	if (!is_suppressed(im, row, &suppressed, e))
		return false;
	if (suppressed) {
		bad_line(im, record, "the address is suppressed (`hubmailctl show` says why)");
		return true;
	}
	im->converted += record->converted;
	im->dates_unread += row->date_unread;
	import_batch_add(
		&im->batch, row, &im->lists[list - im->cli->config->lists], record->raw_len);
	return true;
}

/* A good line is kept, a bad one told. False: the import cannot go on. */
static bool take(struct import *im, struct csv_record *record, struct error *e)
{
	struct import_row row = {0};
	struct error why = {0};
	const struct config_list *list = NULL;
	bool go_on = true;

	if (record->problem != NULL) {
		bad_line(im, record, record->problem);
		return true;
	}
	if (import_row_read(&im->columns, record->fields, record->n, &row, &why) &&
		(list = list_of(im, &row, &why)) != NULL) {
		go_on = keep_row(im, list, &row, record, e);
	} else if (record->lines > 1 &&
		   import_row_swallowed(&im->columns, record->fields, record->n)) {
		import_file_split(im->file, record);
		bad_line(im, record, "a quote (\") is opened and not closed on the line");
	} else {
		bad_line(im, record, why.text);
	}
	import_row_free(&row);
	return go_on;
}

static double part_stored(const struct import *im)
{
	double read = import_file_part(im->file);

	return read < 0 ? read : im->part + (read - im->part) * import_batch_part(&im->batch);
}

static void show_progress(void *arg)
{
	struct import *im = arg;
	struct buf text = {0};

	if (!progress_due(&im->progress))
		return;
	text_count(&text, im->batch.keep.counts.readers);
	buf_adds(&text, " readers");
	if (im->bad > 0)
		buf_addf(&text, ", %lld bad lines", (long long)im->bad);
	progress_show(&im->progress, part_stored(im), buf_str(&text));
	buf_free(&text);
}

static bool store_batch(struct import *im, struct error *e)
{
	store_rollback(im->batch.keep.store); /* the reading */
	im->begun = false;
	bool good = import_batch_store(&im->batch, e);

	im->part = import_file_part(im->file);
	return good;
}

/* Nobody who came through a pipe waits for those who come later. */
static bool store_before_wait(void *arg)
{
	struct import *im = arg;

	return store_batch(im, &im->failure);
}

static bool read_lines(struct import *im, const struct csv_record *first, struct error *e)
{
	struct csv_record record = *first;

	if (!im->columns.header && !take(im, &record, e))
		return false;
	for (;;) {
		if (import_batch_full(&im->batch) && !store_batch(im, e))
			return false;
		switch (import_file_next(im->file, &record, e)) {
		case CSV_NEXT_END:
			return store_batch(im, e);
		case CSV_NEXT_FAILED:
			/* What was good until here is kept, whatever else went wrong. */
			if (e->code == ERROR_NONE)
				*e = im->failure;
			else
				store_batch(im, &im->failure);
			return false;
		case CSV_NEXT_RECORD:
			if (!take(im, &record, e))
				return false;
		}
	}
}

/* ---- What came of it ---- */

static const struct column bad_columns[] = {{"line", "LINE", 0}, {"reason", "REASON", 0}};
static const struct table bad_table = {.key = "bad_lines", TABLE_COLUMNS(bad_columns)};

static void add_part(struct buf *out, int64_t n, const char *what)
{
	if (n == 0)
		return;
	buf_adds(out, out->len > 0 ? ", " : "");
	text_count(out, n);
	buf_addf(out, " %s", what);
}

static void summary_sentence(struct import *im)
{
	const struct import_counts *c = &im->batch.stored;
	struct buf s = {0};

	add_part(&s, c->added, "added");
	add_part(&s, c->confirmed, "confirmed");
	add_part(&s, c->resubscribed, "subscribed again");
	add_part(&s, c->already, "there already");
	add_part(&s, c->ended, "kept as unsubscribed or removed");
	add_part(&s, c->ended_here, "ended here, because the file says unsubscribed or removed");
	add_part(&s, c->came_back, "left alone: they subscribed again here later");
	add_part(&s, c->left_alone, "unsubscribed or suppressed here and left alone");
	add_part(&s, im->bad, im->bad == 1 ? "bad line" : "bad lines");
	report_say(im->cli->report, "%s: %s%s", import_file_name(im->file),
		s.len > 0 ? buf_str(&s) : "nobody in it",
		im->batch.keep.dry_run
			? " (dry run: nothing is stored; an address that stands twice counts twice)"
			: "");
	buf_free(&s);
}

static void summary(struct import *im)
{
	const struct import_counts *c = &im->batch.stored;
	struct report *r = im->cli->report;

	progress_clear(&im->progress);
	if (im->bad > BAD_LINES_TOLD)
		report_note(r, "%s: %lld more bad lines%s", import_file_name(im->file),
			(long long)(im->bad - BAD_LINES_TOLD),
			import_file_has_rejects(im->file) ? "" : " (--rejects FILE keeps them)");
	if (im->converted > 0)
		report_note(r, "%s: %lld line%s not in UTF-8, read as Windows-1252",
			import_file_name(im->file), (long long)im->converted,
			im->converted == 1 ? "" : "s");
	if (im->dates_unread > 0)
		report_note(r, "%s: %lld date%s could not be read and left out",
			import_file_name(im->file), (long long)im->dates_unread,
			im->dates_unread == 1 ? "" : "s");
	summary_sentence(im);
	if (report_style(r) == REPORT_TERMINAL)
		return;
	report_field(r, "added", "", cell_number(c->added));
	report_field(r, "confirmed", "", cell_number(c->confirmed));
	report_field(r, "resubscribed", "", cell_number(c->resubscribed));
	report_field(r, "already", "", cell_number(c->already));
	report_field(r, "ended", "", cell_number(c->ended));
	report_field(r, "ended_here", "", cell_number(c->ended_here));
	report_field(r, "came_back", "", cell_number(c->came_back));
	report_field(r, "left_alone", "", cell_number(c->left_alone));
	report_field(r, "bad", "", cell_number(im->bad));
	report_field(r, "dry_run", "", cell_bool(im->batch.keep.dry_run));
	if (report_style(r) != REPORT_JSON)
		return;
	report_table(r, &bad_table);
	for (int64_t i = 0; i < im->bad && i < BAD_LINES_TOLD; i++)
		REPORT_ROW(
			r, cell_number((int64_t)im->told[i].line), cell_text(im->told[i].reason));
}

/* ---- Start ---- */

static bool understand_header(
	struct import *im, const struct args *a, const struct csv_record *first, struct error *e)
{
	struct strlist maps = {0};
	struct buf unused = {0};

	if (first->problem != NULL)
		return error_set(
			e, ERROR_DATA, "%s:1: %s", import_file_name(im->file), first->problem);
	args_values(a, "map", &maps);
	bool known = import_columns_find(first->fields, first->n, &maps, &im->columns, e);
	strlist_free(&maps);
	if (!known)
		return e->code == ERROR_USAGE ? false
					      : error_prefix(e, "%s", import_file_name(im->file));
	if (!im->columns.header && import_file_is_json(im->file))
		return error_set(e, ERROR_DATA,
			"%s: an address stands in the place of a name: readers look like {\"email\": "
			"\"ann@example.org\"}",
			import_file_name(im->file));
	if (im->columns.header)
		import_file_keep_header(im->file, first);
	for (size_t i = 0; i < im->columns.unused.n && unused.len < 200; i++)
		buf_addf(&unused, " %s", im->columns.unused.items[i]);
	if (unused.len > 0)
		report_note(im->cli->report,
			"%s: columns left aside (--map COLUMN=set:KEY keeps one):%s",
			import_file_name(im->file), buf_str(&unused));
	buf_free(&unused);
	return true;
}

static bool choose_list(struct import *im, const struct args *a, struct error *e)
{
	const char *name = args_value(a, "list");

	if (name == NULL && import_columns_have(&im->columns, FIELD_LIST))
		return true;
	im->list = cli_list(im->cli, name, e);
	return im->list != NULL;
}

static bool import(struct import *im, const struct args *a, struct error *e)
{
	struct csv_record first;
	enum csv_next next = import_file_next(im->file, &first, e);

	if (next == CSV_NEXT_FAILED)
		return false;
	if (next == CSV_NEXT_END)
		return error_set(e, ERROR_DATA, "%s: is empty", import_file_name(im->file));
	if (!understand_header(im, a, &first, e) || !choose_list(im, a, e) ||
		!cli_store(im->cli, im->batch.keep.dry_run ? STORE_READ : STORE_WRITE, e) ||
		!cli_secret(im->cli, e))
		return false;
	im->batch.keep.store = im->cli->store;
	im->batch.tick = show_progress;
	im->batch.tick_arg = im;
	import_file_on_wait(im->file, store_before_wait, im);
	progress_begin(&im->progress, im->cli->report, 0);
	bool done = read_lines(im, &first, e);
	if (!import_file_end(im->file, done ? e : NULL))
		done = false;
	summary(im);
	if (!done && e->code != ERROR_NONE)
		error_set(e, e->code,
			"%s; what is counted above is stored, and it is safe to import again",
			e->text);
	return done;
}

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	struct import im = {.cli = cli, .batch.keep.state = SUBSCRIPTION_CONFIRMED};
	const char *state = args_value(a, "state");

	if (!cli_config(cli, e))
		return false;
	/* A name that is wrong is told before the file is read. */
	if (args_has(a, "list") && cli_list(cli, args_value(a, "list"), e) == NULL)
		return false;
	if (state != NULL)
		subscription_state_from_name(state, &im.batch.keep.state);
	im.batch.keep.dry_run = args_has(a, "dry-run");
	im.lists = xcalloc(cli->config->n_lists + 1, sizeof(*im.lists));
	for (size_t i = 0; i < cli->config->n_lists; i++)
		im.lists[i].name = cli->config->lists[i].name;
	im.file = import_file_open(a->words[0], args_value(a, "rejects"), e);
	bool done = im.file != NULL;
	if (done) {
		im.batch.keep.origin = xasprintf(IMPORT_ORIGIN "%s", import_file_name(im.file));
		done = import(&im, a, e);
	}
	import_file_close(im.file);
	import_columns_free(&im.columns);
	for (size_t i = 0; i < BAD_LINES_TOLD; i++)
		free(im.told[i].reason);
	import_batch_free(&im.batch);
	free(im.lists);
	free(im.batch.keep.origin);
	return done;
}

const struct command command_import = {
	.name = "import",
	.group = GROUP_READERS,
	.arguments = "FILE|-",
	.min_words = 1,
	.max_words = 1,
	.complete = COMPLETE_FILE,
	.summary = "adds subscribers from a CSV or JSON file",
	.help = "The header is understood if it is hubmail's own, or that of an export by listmonk,\n"
		"Mailchimp, Ghost, Substack or Buttondown, or says email, name, tags and the like;\n"
		"without a header the first column with an @ has the addresses. All good lines are\n"
		"kept; bad ones are told, and make the exit code 65. Importing again does no harm.\n"
		"Whoever unsubscribed stays so, and a suppressed address counts as bad; whoever the\n"
		"file says has left is kept as such, and ended here, unless the file's date of that\n"
		"is older than the subscription here.\n"
		"FIELD is email, name, first_name, last_name, tags, state, subscribed, created,\n"
		"ended, edition, attributes, list, origin, set:KEY, or - to leave a column aside.\n"
		"JSON is what `export --format json` writes, an array of objects with these names,\n"
		"up to 64 MB; a CSV file may have any size.",
	.options = options,
	.run = run,
};
