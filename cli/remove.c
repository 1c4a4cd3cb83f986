/* `remove`: ends subscriptions by the operator's hand. What is queued for them is cancelled with
 * it. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include "hubmail/base_address.h"
#include "hubmail/base_clock.h"
#include "hubmail/store_subscriber.h"

static const struct option_spec options[] = {
	{.name = "list",
		.letter = 'l',
		.value = "LIST",
		.complete = COMPLETE_LIST,
		.help = "from this list; without it, from all"},
	{0},
};

static const struct column columns[] = {
	{"email", "EMAIL", 0},
	{"ended", "ENDED", COLUMN_RIGHT},
};
static const struct table results = {TABLE_COLUMNS(columns)};

static void tell(struct cli *cli, const char *email, const char *list, int ended)
{
	struct buf sentence = {0};

	if (ended == 0)
		buf_addf(&sentence, "%s: was not subscribed any more", email);
	else if (list != NULL)
		buf_addf(&sentence, "%s: removed from %s", email, list);
	else
		buf_addf(&sentence, "%s: removed from %d list%s", email, ended,
			ended == 1 ? "" : "s");
	REPORT_ROW_SAID(cli->report, buf_str(&sentence), cell_text(email), cell_number(ended));
	buf_free(&sentence);
}

static bool remove_one(
	struct cli *cli, const char *word, const char *list, int64_t list_id, struct error *e)
{
	char email[ADDRESS_MAX + 1];
	struct store_subscriber sub;
	int ended = 0;

	if (!address_normalise(word, email, e) || !store_subscriber_get(cli->store, email, &sub, e))
		return false;
	int64_t id = sub.id;
	store_subscriber_free(&sub);
	if (!store_begin(cli->store, e))
		return false;
	if (store_subscription_end(
		    cli->store, id, list_id, SUBSCRIPTION_REMOVED, clock_now(), &ended, e) &&
		store_commit(cli->store, e)) {
		tell(cli, email, list, ended);
		return true;
	}
	store_rollback(cli->store);
	if (e->code == ERROR_NOT_FOUND)
		error_set(e, ERROR_NOT_FOUND, "%s: has no subscription%s%s", email,
			list != NULL ? " to " : "", list != NULL ? list : "");
	return false;
}

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	const char *list = args_value(a, "list");
	int64_t list_id = 0;

	if (!cli_store(cli, STORE_WRITE, e))
		return false;
	if (list != NULL && !cli_list_id(cli, list, &list_id, e))
		return false;
	if (list != NULL && list_id == 0)
		return error_set(e, ERROR_NOT_FOUND, "%s: nobody is on this list", list);
	report_table(cli->report, &results);
	for (int i = 0; i < a->n_words; i++) {
		struct error why = {0};
		if (remove_one(cli, a->words[i], list, list_id, &why))
			continue;
		if (why.code == ERROR_DATA)
			why.code = ERROR_REFUSED;
		report_failure(cli->report, &why);
	}
	return true;
}

const struct command command_remove = {
	.name = "remove",
	.group = GROUP_READERS,
	.arguments = "EMAIL...",
	.min_words = 1,
	.max_words = -1,
	.summary = "ends subscriptions",
	.help = "What is queued for them is cancelled. The person and what was sent stay known;\n"
		"`add` subscribes again.",
	.options = options,
	.run = run,
};
