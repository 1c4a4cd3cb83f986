/* `queue`: deliveries and what the relay said last. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include "digest_report.h"
#include "hubmail/store_delivery.h"
#include <string.h>

#define SHOWN 1000 /* on a terminal */

static const struct option_spec options[] = {
	{.name = "list",
		.letter = 'l',
		.value = "LIST",
		.complete = COMPLETE_LIST,
		.help = "of this list; without it, of all"},
	{.name = "state",
		.value = "STATE",
		.choices = "queued deferred sent failed cancelled held unknown all",
		.complete = COMPLETE_CHOICES,
		.help = "only those in this state; unknown: with an attempt whose end is not known"},
	{.name = "digest", .value = "ID", .help = "only those of this digest"},
	{.name = "limit",
		.letter = 'n',
		.value = "N",
		.help = "the first N (on a terminal 1000, elsewhere all)"},
	{0},
};

static const struct column columns[] = {
	{"digest", "DIGEST", COLUMN_RIGHT},
	{"list", "LIST", 0},
	{"email", "EMAIL", 0},
	{"state", "STATE", 0},
	{"attempts", "ATTEMPTS", COLUMN_RIGHT},
	{"due_at", "DUE", 0},
	{"last_at", "LAST TRIED", 0},
	{"relay", "RELAY", COLUMN_DETAIL},
	{"code", "CODE", COLUMN_RIGHT},
	{"enhanced", "STATUS", 0},
	{"text", "ANSWER", COLUMN_CUT},
};
static const struct table deliveries = {.empty = "nothing is queued", TABLE_COLUMNS(columns)};
static const struct table deliveries_in_state = {
	.empty = "no delivery is in that state", TABLE_COLUMNS(columns)};

struct listing {
	struct report *report;
	size_t n, limit;
	bool more, held;
};

static bool delivery(const struct store_delivery *d, void *arg)
{
	struct listing *l = arg;

	if (l->limit > 0 && l->n == l->limit) {
		l->more = true;
		return false;
	}
	l->n++;
	l->held = l->held || d->state == DELIVERY_HELD;
	REPORT_ROW(l->report, cell_number(d->key.digest_id), cell_text(d->list),
		cell_text(d->email), cell_text(delivery_state_name(d->state)),
		cell_number(d->attempts), cell_time(d->due_at), cell_time(d->last_at),
		cell_text(d->relay), d->code != 0 ? cell_number(d->code) : cell_none(),
		cell_text(d->enhanced), cell_text(d->text));
	return !report_broken(l->report);
}

/* The states to ask the store for. Of one digest all are shown: who got it, and who did not. */
static int state_of(const char *name, bool of_digest)
{
	enum delivery_state state;

	if (name == NULL)
		return of_digest ? -2 : -1;
	if (strcmp(name, "all") == 0)
		return -2;
	if (strcmp(name, "unknown") == 0)
		return -3;
	return delivery_state_from_name(name, &state) ? (int)state : -1;
}

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	const char *list = NULL, *digest = args_value(a, "digest"), *state = args_value(a, "state");
	struct store_delivery_filter f = {.state = state_of(state, digest != NULL)};
	struct listing l = {.report = cli->report};
	bool terminal = report_style(cli->report) == REPORT_TERMINAL;
	int64_t limit = 0;

	if (!args_list(a, &list, e) ||
		!args_number(a, "limit", 1, INT64_MAX - 1, terminal ? SHOWN : 0, &limit, e) ||
		(digest != NULL && !cli_id(digest, "the number of a digest", &f.digest_id, e)) ||
		!cli_store(cli, STORE_READ, e) ||
		(list != NULL && !cli_list_id(cli, list, &f.list_id, e)))
		return false;
	l.limit = (size_t)limit;
	f.limit = limit > 0 ? (size_t)limit + 1 : 0;
	report_table(cli->report, state == NULL ? &deliveries : &deliveries_in_state);
	/* A declared list that the database does not know has nothing queued. */
	if (list != NULL && f.list_id == 0)
		return true;
	if (!store_delivery_each(cli->store, &f, delivery, &l, e))
		return false;
	if (l.held)
		digest_report_held(cli->report);
	if (f.state == -3 && l.n > 0)
		report_say(cli->report,
			"unknown: the relay's answer to an attempt was lost, so the "
			"reader may have the mail twice (`hubmailctl show EMAIL`)");
	if (l.more && terminal)
		report_note(cli->report, "… and more (--limit N, or in a pipe)");
	return true;
}

const struct command command_queue = {
	.name = "queue",
	.group = GROUP_DIGESTS,
	.arguments = "[LIST]",
	.max_words = 1,
	.complete = COMPLETE_LIST,
	.summary = "lists deliveries, and what the relay said last",
	.help = "Without --state: those that are not final (queued, deferred, held), and with --digest\n"
		"all of that digest, those who got it too. A delivery is held if the relay's answer\n"
		"was lost and on_unknown is \"hold\": `retry` sends it.",
	.options = options,
	.bears_errors = true,
	.run = run,
};
