/* `suppress`: addresses that must never be mailed again, whether they are readers or not. Their
 * subscriptions end with it, and what is queued for them. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include "hubmail/base_clock.h"
#include "hubmail/base_text.h"
#include "hubmail/store_suppression.h"
#include <stdlib.h>

static const struct option_spec options[] = {
	{.name = "reason", .value = "TEXT", .help = "why; `show` tells it"},
	{0},
};

static const struct column columns[] = {
	{"email", "EMAIL", 0},
	{"result", "RESULT", 0},
	{"ended", "ENDED", COLUMN_RIGHT},
};
static const struct table results = {TABLE_COLUMNS(columns)};

struct work {
	const char *email;
	char *reason; /* on one line, or NULL */
	struct store_suppressed done;
};

static void tell(struct cli *cli, const char *email, const struct store_suppressed *done)
{
	struct buf sentence = {0};

	buf_addf(
		&sentence, "%s: %s", email, done->already ? "is suppressed already" : "suppressed");
	if (done->ended > 0)
		buf_addf(&sentence, "; removed from %d list%s", done->ended,
			done->ended == 1 ? "" : "s");
	REPORT_ROW_SAID(cli->report, buf_str(&sentence), cell_text(email),
		cell_text(done->already ? "already" : "suppressed"), cell_number(done->ended));
	buf_free(&sentence);
}

static bool add(struct store *s, void *arg, bool *more, struct error *e)
{
	struct work *w = arg;

	(void)more;
	return store_suppression_add(s, w->email, w->reason, clock_now(), &w->done, e);
}

static bool suppress_one(struct cli *cli, const char *email, void *arg, struct error *e)
{
	struct work *w = arg;

	w->email = email;
	if (!cli_in_steps(cli, add, w, e))
		return false;
	tell(cli, email, &w->done);
	return true;
}

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	struct work w = {0};

	if (!cli_store(cli, STORE_WRITE, e) || !cli_secret(cli, e))
		return false;
	w.reason = text_one_line(args_value(a, "reason"));
	report_table(cli->report, &results);
	cli_each_address(cli, a, suppress_one, &w);
	free(w.reason);
	return true;
}

const struct command command_suppress = {
	.name = "suppress",
	.group = GROUP_READERS,
	.arguments = "EMAIL...",
	.min_words = 1,
	.max_words = -1,
	.summary = "has addresses never mailed again",
	.help = "Their subscriptions end, and what is queued for them is cancelled. `add` and `import`\n"
		"refuse them from then on. An address need not be a subscriber's. Only a keyed hash\n"
		"of it is kept, which stays when the person is erased; the reason goes then.",
	.options = options,
	.run = run,
};
