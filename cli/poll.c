/* `poll`: has the daemon look at its sources now. */
#include "args.h"
#include "cli.h"
#include "command.h"

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	json_t *request = json_pack("{s:s}", "command", "poll");

	if (a->n_words > 0)
		json_object_set_new(request, "source", json_string(a->words[0]));
	json_t *answer = cli_ask(cli, request, e);
	if (answer == NULL)
		return false;
	int64_t n = json_integer_value(json_object_get(answer, "looking"));
	json_decref(answer);
	if (report_style(cli->report) != REPORT_TERMINAL)
		report_field(cli->report, "looking", "", cell_number(n));
	report_say(cli->report,
		"looking at %lld source%s now (`hubmailctl sources` shows what came)", (long long)n,
		n == 1 ? "" : "s");
	return true;
}

const struct command command_poll = {
	.name = "poll",
	.group = GROUP_POSTS,
	.arguments = "[SOURCE]",
	.max_words = 1,
	.complete = COMPLETE_LIST,
	.summary = "looks at the sources now",
	.help = "SOURCE is a source's location or a list's name; without it, all are looked at. Needs\n"
		"the daemon.",
	.run = run,
};
