/* `remove`: ends subscriptions by the operator's hand. What is queued for them is cancelled with
 * it. */
#include "args.h"
#include "cli.h"
#include "command.h"
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

struct work {
	const char *list; /* NULL: all */
	int64_t list_id;  /* 0: all */
	int64_t subscriber_id;
	int ended;
};

static bool end(struct store *s, void *arg, bool *more, struct error *e)
{
	struct work *w = arg;

	(void)more;
	return store_subscription_end(
		s, w->subscriber_id, w->list_id, SUBSCRIPTION_REMOVED, clock_now(), &w->ended, e);
}

static bool remove_one(struct cli *cli, const char *email, void *arg, struct error *e)
{
	struct work *w = arg;
	struct store_subscriber sub;

	if (!store_subscriber_get(cli->store, email, &sub, e))
		return false;
	w->subscriber_id = sub.id;
	store_subscriber_free(&sub);
	if (cli_in_steps(cli, end, w, e)) {
		tell(cli, email, w->list, w->ended);
		return true;
	}
	if (e->code == ERROR_NOT_FOUND)
		error_set(e, ERROR_NOT_FOUND, "%s: has no subscription%s%s", email,
			w->list != NULL ? " to " : "", w->list != NULL ? w->list : "");
	return false;
}

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	struct work w = {.list = args_value(a, "list")};

	if (!cli_store(cli, STORE_WRITE, e))
		return false;
	if (w.list != NULL && !cli_list_id(cli, w.list, &w.list_id, e))
		return false;
	if (w.list != NULL && w.list_id == 0)
		return error_set(e, ERROR_NOT_FOUND, "%s: nobody is on this list", w.list);
	report_table(cli->report, &results);
	cli_each_address(cli, a, remove_one, &w);
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
		"`add` subscribes again. `suppress` keeps an address away, `erase` forgets a person.",
	.options = options,
	.run = run,
};
