/* `subscribers`: lists readers, one line for each subscription. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include "hubmail/base_mem.h"
#include "hubmail/store_subscriber.h"
#include "reader.h"
#include <stdlib.h>
#include <string.h>

static const struct option_spec options[] = {
	{.name = "list",
		.letter = 'l',
		.value = "LIST",
		.complete = COMPLETE_LIST,
		.help = "of this list; without it, of all"},
	{.name = "state",
		.value = "STATE",
		.choices = READER_STATES,
		.complete = COMPLETE_CHOICES,
		.help = "only those in this state"},
	{.name = "tag", .value = "TAG", .help = "only those with this tag"},
	{.name = "where", .value = "KEY=VALUE", .help = "only those of whom this is known"},
	{.name = "search", .value = "TEXT", .help = "only those with TEXT in address or name"},
	{0},
};

static const struct column columns[] = {
	{"email", "EMAIL", 0},
	{"name", "NAME", COLUMN_CUT},
	{"list", "LIST", 0},
	{"state", "STATE", 0},
	{"edition", "EDITION", 0},
	{"tags", "TAGS", COLUMN_CUT},
	{"created_at", "SINCE", 0},
};
static const struct table readers = {.empty = "nobody fits", TABLE_COLUMNS(columns)};

struct listing {
	struct report *report;
	int state;
};

static bool reader(const struct store_subscriber *sub, void *arg)
{
	struct listing *l = arg;

	for (size_t i = 0; i < sub->n_subscriptions; i++) {
		const struct store_subscription *s = &sub->subscriptions[i];
		if (l->state >= 0 && (int)s->state != l->state)
			continue;
		REPORT_ROW(l->report, cell_text(sub->email), cell_text(sub->name),
			cell_text(s->list), cell_text(subscription_state_name(s->state)),
			cell_text(reader_edition_name(s->edition)), cell_list(&sub->tags),
			cell_time(s->created_at));
	}
	return !report_broken(l->report);
}

static bool take_where(
	const struct args *a, struct store_subscriber_filter *f, char **key, struct error *e)
{
	const char *where = args_value(a, "where");
	const char *equals = where != NULL ? strchr(where, '=') : NULL;

	if (where == NULL)
		return true;
	if (equals == NULL || equals == where)
		return error_set(
			e, ERROR_USAGE, "subscribers: --where: \"%s\" is not KEY=VALUE", where);
	*key = xstrndup(where, (size_t)(equals - where));
	f->key = *key;
	f->value = equals + 1;
	return true;
}

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	struct store_subscriber_filter f = {
		.state = -1, .tag = args_value(a, "tag"), .search = args_value(a, "search")};
	const char *list = NULL, *state = args_value(a, "state");
	enum subscription_state wanted;
	char *key = NULL;

	if (!args_list(a, &list, e) || !take_where(a, &f, &key, e))
		return false;
	if (state != NULL && subscription_state_from_name(state, &wanted))
		f.state = (int)wanted;
	bool done = cli_store(cli, STORE_READ, e) &&
		    (list == NULL || cli_list_id(cli, list, &f.list_id, e));
	if (done) {
		struct listing l = {cli->report, f.state};
		report_table(cli->report, &readers);
		/* A declared list that the database does not know has nobody on it. */
		if (list == NULL || f.list_id != 0)
			done = store_subscriber_each(cli->store, &f, reader, &l, e);
	}
	free(key);
	return done;
}

const struct command command_subscribers = {
	.name = "subscribers",
	.group = GROUP_READERS,
	.arguments = "[LIST]",
	.max_words = 1,
	.complete = COMPLETE_LIST,
	.summary = "lists subscribers",
	.help = "There is one line for each subscription.",
	.options = options,
	.run = run,
};
