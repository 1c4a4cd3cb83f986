/* `export`: readers as a CSV file that `import` reads back unchanged, or as JSON. One line for each
 * subscription, those that have ended too: an export is also the proof who does not want mail. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include "hubmail/base_clock.h"
#include "hubmail/store_subscriber.h"
#include "reader.h"
#include <stdlib.h>
#include <string.h>

static const struct option_spec options[] = {
	{.name = "list",
		.letter = 'l',
		.value = "LIST",
		.complete = COMPLETE_LIST,
		.help = "this list; without it, all"},
	{.name = "format",
		.value = "FORMAT",
		.choices = "csv json",
		.complete = COMPLETE_CHOICES,
		.help = "csv (the default) or json"},
	{0},
};

static const struct column columns[] = {
	{"email", "", 0},
	{"name", "", 0},
	{"list", "", 0},
	{"state", "", 0},
	{"edition", "", 0},
	{"tags", "", 0},
	{"created", "", 0},
	{"ended", "", 0},
	{"origin", "", 0},
	{"attributes", "", 0},
};
static const struct table as_json = {TABLE_COLUMNS(columns)};

static void csv_cell(struct buf *out, const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;

	if (out->len > 0 && out->data[out->len - 1] != '\n')
		buf_addc(out, ',');
	if (len == 0)
		return;
	if (strpbrk(text, ",\"\r\n;\t") == NULL && text[0] != ' ' && text[len - 1] != ' ') {
		buf_adds(out, text);
		return;
	}
	buf_addc(out, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"')
			buf_addc(out, '"');
		buf_addc(out, *text);
	}
	buf_addc(out, '"');
}

static void csv_time(struct buf *out, int64_t at)
{
	char text[32] = "";

	if (at != 0)
		clock_rfc3339(at, text);
	csv_cell(out, text);
}

static void csv_line(struct report *r, const struct store_subscriber *sub,
	const struct store_subscription *s, const struct buf *tags, const json_t *attributes)
{
	struct buf line = {0};
	char *json = sub->n_attributes > 0 ? json_dumps(attributes, JSON_COMPACT) : NULL;

	csv_cell(&line, sub->email);
	csv_cell(&line, sub->name);
	csv_cell(&line, s->list);
	csv_cell(&line, subscription_state_name(s->state));
	csv_cell(&line, reader_edition_name(s->edition));
	csv_cell(&line, buf_str(tags));
	csv_time(&line, s->created_at);
	csv_time(&line, s->ended_at);
	csv_cell(&line, s->origin);
	csv_cell(&line, json);
	buf_addc(&line, '\n');
	report_raw(r, line.data, line.len);
	free(json);
	buf_free(&line);
}

static bool reader(const struct store_subscriber *sub, void *arg)
{
	struct report *r = arg;
	struct buf tags = {0};
	json_t *attributes = reader_attributes_json(sub->attributes, sub->n_attributes);

	reader_tags_text(&sub->tags, &tags);
	for (size_t i = 0; i < sub->n_subscriptions; i++) {
		const struct store_subscription *s = &sub->subscriptions[i];
		if (report_style(r) != REPORT_JSON) {
			csv_line(r, sub, s, &tags, attributes);
			continue;
		}
		REPORT_ROW(r, cell_text(sub->email), cell_text(sub->name), cell_text(s->list),
			cell_text(subscription_state_name(s->state)),
			cell_text(reader_edition_name(s->edition)), cell_list(&sub->tags),
			cell_time(s->created_at), cell_time(s->ended_at), cell_text(s->origin),
			cell_json(attributes));
	}
	json_decref(attributes);
	buf_free(&tags);
	return !report_broken(r);
}

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	struct store_subscriber_filter f = {.state = -1};
	const char *list = NULL;

	if (!args_list(a, &list, e) || !cli_store(cli, STORE_READ, e) ||
		(list != NULL && !cli_list_id(cli, list, &f.list_id, e)))
		return false;
	if (report_style(cli->report) == REPORT_JSON) {
		report_table(cli->report, &as_json);
	} else {
		struct buf header = {0};
		for (size_t i = 0; i < as_json.n_columns; i++)
			buf_addf(&header, "%s%s", i > 0 ? "," : "", columns[i].key);
		buf_addc(&header, '\n');
		report_raw(cli->report, header.data, header.len);
		buf_free(&header);
	}
	if (list != NULL && f.list_id == 0)
		return true;
	return store_subscriber_each(cli->store, &f, reader, cli->report, e);
}

const struct command command_export = {
	.name = "export",
	.group = GROUP_READERS,
	.arguments = "[LIST]",
	.max_words = 1,
	.complete = COMPLETE_LIST,
	.summary = "prints subscribers in the form that `import` reads",
	.help = "There is one line for each subscription, those that have ended too.",
	.options = options,
	.run = run,
};
