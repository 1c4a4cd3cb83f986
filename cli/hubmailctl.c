/* hubmailctl: what an operator does with hubmail from a shell. This file reads the command line,
 * finds the command in the table, runs it and ends with its exit code; the work is done in one file
 * for each command, and all printing in report.c. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include "help.h"
#include "hubmail/config.h"
#include "report.h"
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum report_style choose_style(const struct args *a)
{
	const char *format = args_value(a, "format");

	if (args_has(a, "json") || (format != NULL && strcmp(format, "json") == 0))
		return REPORT_JSON;
	return isatty(STDOUT_FILENO) ? REPORT_TERMINAL : REPORT_PIPE;
}

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	if (args_has(a, "version")) {
		static const char version[] = "hubmailctl " HUBMAIL_VERSION "\n";
		report_raw(cli->report, version, sizeof(version) - 1);
		return true;
	}
	if (a->command == NULL || args_has(a, "help")) {
		help_print(cli->report, a->command);
		return true;
	}
	return a->command->run(cli, a, e);
}

int main(int argc, char **argv)
{
	struct args a;
	struct cli cli = {0};
	struct error e = {0}, late = {0};

	setlocale(LC_ALL, "");
	setlocale(LC_NUMERIC, "C"); /* JSON and tab-separated lines are read by programs */
	signal(SIGPIPE, SIG_IGN);
	bool parsed = args_parse(argc, argv, &a, &e);
	cli.config_file = args_value(&a, "config");
	if (cli.config_file == NULL)
		cli.config_file = CONFIG_DEFAULT_FILE;
	cli.bears_errors = a.command != NULL && a.command->bears_errors;
	cli.quiet = args_has(&a, "quiet");
	cli.report = report_new(stdout, stderr, choose_style(&a), cli.quiet);
	bool done = parsed && run(&cli, &a, &e);
	if (!report_end(cli.report, &late))
		report_failure(cli.report, &late);
	if (!done)
		report_failure(cli.report, &e);
	int exit_code = report_exit_code(cli.report);
	struct report *report = cli.report;
	cli_free(&cli);
	report_free(report);
	args_free(&a);
	return exit_code;
}
