/* `backup`: a copy of the database while others go on using it. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include <string.h>

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	if (strcmp(a->words[0], "-") == 0)
		return error_set(e, ERROR_USAGE,
			"backup: a database cannot be written to standard output: name a file");
	if (!cli_store(cli, STORE_WRITE, e) || !store_backup(cli->store, a->words[0], e))
		return false;
	report_say(cli->report, "%s: a copy of %s", a->words[0], cli->config->database);
	if (report_style(cli->report) != REPORT_TERMINAL)
		report_field(cli->report, "backup", "", cell_text(a->words[0]));
	return true;
}

const struct command command_backup = {
	.name = "backup",
	.group = GROUP_SERVICE,
	.arguments = "FILE",
	.min_words = 1,
	.max_words = 1,
	.complete = COMPLETE_FILE,
	.summary = "copies the database while it is in use",
	.help = "FILE must not exist yet; only its owner can read it. The configuration and the secret\n"
		"file are not in it.",
	.run = run,
};
