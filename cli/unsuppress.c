/* `unsuppress`: lifts a suppression. Whether somebody wants mail again is for them to say, so
 * nobody is subscribed by it. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include "hubmail/store_suppression.h"

static const struct column columns[] = {
	{"email", "EMAIL", 0},
	{"result", "RESULT", 0},
};
static const struct table results = {TABLE_COLUMNS(columns)};

struct work {
	const char *email;
	bool was; /* suppressed */
};

static bool lift(struct store *s, void *arg, bool *more, struct error *e)
{
	struct work *w = arg;

	(void)more;
	return store_suppression_lift(s, w->email, &w->was, e);
}

static bool unsuppress_one(struct cli *cli, const char *email, void *arg, struct error *e)
{
	struct work *w = arg;
	struct buf sentence = {0};

	w->email = email;
	if (!cli_in_steps(cli, lift, w, e))
		return false;
	if (!w->was)
		return error_set(e, ERROR_NOT_FOUND, "%s: is not suppressed", email);
	buf_addf(&sentence,
		"%s: is not suppressed any more; that subscribes nobody: `hubmailctl add` does",
		email);
	REPORT_ROW_SAID(
		cli->report, buf_str(&sentence), cell_text(email), cell_text("unsuppressed"));
	buf_free(&sentence);
	return true;
}

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	struct work w = {0};

	if (!cli_store(cli, STORE_WRITE, e) || !cli_secret(cli, e))
		return false;
	report_table(cli->report, &results);
	cli_each_address(cli, a, unsuppress_one, &w);
	return true;
}

const struct command command_unsuppress = {
	.name = "unsuppress",
	.group = GROUP_READERS,
	.arguments = "EMAIL...",
	.min_words = 1,
	.max_words = -1,
	.summary = "lets suppressed addresses be added again",
	.help = "Nobody is subscribed by that, for it takes the person's consent: `add` does it.",
	.run = run,
};
