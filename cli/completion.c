/* `completion`: scripts for bash, zsh and fish, written from the table. The names of lists are
 * asked of hubmailctl itself while the user types. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include "hubmail/base_buf.h"
#include <stdio.h>
#include <string.h>

#define LISTS "hubmailctl lists 2>/dev/null | cut -f1"

static void bash(struct buf *out);
static void zsh(struct buf *out);
static void fish(struct buf *out);

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	struct buf out = {0};

	(void)e;
	if (strcmp(a->words[0], "bash") == 0)
		bash(&out);
	else if (strcmp(a->words[0], "zsh") == 0)
		zsh(&out);
	else
		fish(&out);
	report_raw(cli->report, buf_str(&out), out.len);
	buf_free(&out);
	return true;
}

const struct command command_completion = {
	.name = "completion",
	.group = GROUP_SERVICE,
	.arguments = "SHELL",
	.min_words = 1,
	.max_words = 1,
	.choices = "bash zsh fish",
	.complete = COMPLETE_CHOICES,
	.summary = "prints a script that completes hubmailctl's command lines",
	.help = "SHELL is bash, zsh or fish. For bash:\n"
		"hubmailctl completion bash > /etc/bash_completion.d/hubmailctl",
	.run = run,
};

static bool shown(const struct option_spec *o)
{
	return !o->later && !o->hidden;
}

/* ---- bash ---- */

static void bash_values(
	struct buf *out, const char *pattern, enum complete what, const char *choices)
{
	if (choices != NULL)
		buf_addf(out, "\t%s) COMPREPLY=($(compgen -W '%s' -- \"$cur\")); return ;;\n",
			pattern, choices);
	else if (what == COMPLETE_FILE)
		buf_addf(out,
			"\t%s) compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\"));"
			" return ;;\n",
			pattern);
	else if (what == COMPLETE_LIST)
		buf_addf(out,
			"\t%s) COMPREPLY=($(compgen -W \"$(" LISTS ")\" -- \"$cur\")); return ;;\n",
			pattern);
	else if (what == COMPLETE_COMMAND)
		buf_addf(out,
			"\t%s) COMPREPLY=($(compgen -W \"$commands\" -- \"$cur\")); return ;;\n",
			pattern);
	else
		buf_addf(out, "\t%s) return ;;\n", pattern);
}

static void bash_option_values(
	struct buf *out, const char *command, const struct option_spec *options)
{
	for (const struct option_spec *o = options; o != NULL && o->name != NULL; o++) {
		struct buf pattern = {0};
		if (o->value == NULL || !shown(o))
			continue;
		buf_addf(&pattern, "%s:--%s", command, o->name);
		if (o->letter != 0)
			buf_addf(&pattern, "|%s:-%c", command, o->letter);
		bash_values(out, buf_str(&pattern), o->complete, o->choices);
		buf_free(&pattern);
	}
}

static void bash_option_names(struct buf *out, const struct option_spec *options)
{
	for (const struct option_spec *o = options; o != NULL && o->name != NULL; o++)
		if (shown(o))
			buf_addf(out, " --%s", o->name);
}

static void bash(struct buf *out)
{
	buf_adds(out, "# bash completion for hubmailctl\n_hubmailctl() {\n"
		      "\tlocal cur prev command word i commands options\n\tcommands='");
	for (size_t i = 0; commands[i] != NULL; i++)
		buf_addf(out, "%s%s", i > 0 ? " " : "", commands[i]->name);
	buf_adds(out, "'\n\tCOMPREPLY=()\n\tcur=${COMP_WORDS[COMP_CWORD]}\n"
		      "\tprev=${COMP_WORDS[COMP_CWORD-1]}\n\tcommand=\n"
		      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		      "\t\tword=${COMP_WORDS[i]}\n"
		      "\t\tcase $word in\n"
		      "\t\t-c|--config) ((i++)) ;;\n"
		      "\t\t-*) ;;\n"
		      "\t\t*) command=$word; break ;;\n"
		      "\t\tesac\n\tdone\n"
		      "\tcase $command:$prev in\n");
	bash_option_values(out, "*", global_options);
	for (size_t i = 0; commands[i] != NULL; i++)
		bash_option_values(out, commands[i]->name, commands[i]->options);
	buf_adds(out, "\tesac\n\tcase $command in\n");
	for (size_t i = 0; commands[i] != NULL; i++) {
		buf_addf(out, "\t%s) options='", commands[i]->name);
		bash_option_names(out, commands[i]->options);
		bash_option_names(out, global_options);
		buf_adds(out, "' ;;\n");
	}
	buf_adds(out, "\t*) options='");
	bash_option_names(out, global_options);
	buf_adds(out, "' ;;\n\tesac\n"
		      "\tif [[ $cur == -* ]]; then\n"
		      "\t\tCOMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n\t\treturn\n\tfi\n"
		      "\tcase $command in\n");
	bash_values(out, "''", COMPLETE_COMMAND, NULL);
	for (size_t i = 0; commands[i] != NULL; i++)
		bash_values(out, commands[i]->name, commands[i]->complete, commands[i]->choices);
	buf_adds(out, "\tesac\n}\ncomplete -F _hubmailctl hubmailctl\n");
}

/* ---- zsh ---- */

/* Text inside '…' in brackets of _arguments: neither quotes nor brackets nor colons. */
static void zsh_text(struct buf *out, const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '\'')
			buf_adds(out, "'\\''");
		else if (*p == '[' || *p == ']' || *p == ':')
			buf_addf(out, "\\%c", *p);
		else
			buf_addc(out, *p);
	}
}

static void zsh_action(struct buf *out, enum complete what, const char *choices)
{
	if (choices != NULL)
		buf_addf(out, "(%s)", choices);
	else if (what == COMPLETE_FILE)
		buf_adds(out, "_files");
	else if (what == COMPLETE_LIST)
		buf_adds(out, "_hubmailctl_lists");
	else if (what == COMPLETE_COMMAND)
		buf_adds(out, "_hubmailctl_commands");
	else
		buf_adds(out, " ");
}

static void zsh_option(struct buf *out, const struct option_spec *o, const char *flag)
{
	buf_addf(out, " '%s%s[", o->many ? "*" : "", flag);
	zsh_text(out, o->help);
	buf_addc(out, ']');
	if (o->value != NULL) {
		buf_adds(out, ":");
		zsh_text(out, o->value);
		buf_addc(out, ':');
		zsh_action(out, o->complete, o->choices);
	}
	buf_addc(out, '\'');
}

static void zsh_options(struct buf *out, const struct option_spec *options)
{
	for (const struct option_spec *o = options; o != NULL && o->name != NULL; o++) {
		char flag[40] = {'-', o->letter, '\0'};
		if (!shown(o))
			continue;
		if (o->letter != 0)
			zsh_option(out, o, flag);
		snprintf(flag, sizeof(flag), "--%s", o->name);
		zsh_option(out, o, flag);
	}
}

static void zsh(struct buf *out)
{
	buf_adds(out, "#compdef hubmailctl\n"
		      "_hubmailctl_lists() { compadd -- ${(f)\"$(" LISTS ")\"} }\n"
		      "_hubmailctl_commands() {\n\tlocal -a all=(");
	for (size_t i = 0; commands[i] != NULL; i++) {
		buf_addf(out, "\n\t\t'%s:", commands[i]->name);
		zsh_text(out, commands[i]->summary);
		buf_addc(out, '\'');
	}
	buf_adds(out, ")\n\t_describe command all\n}\n_hubmailctl() {\n"
		      "\tlocal state line curcontext=$curcontext\n\t_arguments -C");
	zsh_options(out, global_options);
	buf_adds(out, " '1:command:_hubmailctl_commands' '*::argument:->rest'\n"
		      "\t[[ $state == rest ]] || return\n\tcase $words[1] in\n");
	for (size_t i = 0; commands[i] != NULL; i++) {
		buf_addf(out, "\t%s) _arguments", commands[i]->name);
		zsh_options(out, commands[i]->options);
		zsh_options(out, global_options);
		if (commands[i]->arguments != NULL) {
			buf_adds(out, " '*:");
			zsh_text(out, commands[i]->arguments);
			buf_addc(out, ':');
			zsh_action(out, commands[i]->complete, commands[i]->choices);
			buf_addc(out, '\'');
		}
		buf_adds(out, " ;;\n");
	}
	buf_adds(out, "\tesac\n}\n"
		      "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _hubmailctl \"$@\"\n"
		      "else compdef _hubmailctl hubmailctl; fi\n");
}

/* ---- fish ---- */

static void fish_text(struct buf *out, const char *text)
{
	buf_addc(out, '\'');
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '\'' || *p == '\\')
			buf_addc(out, '\\');
		buf_addc(out, *p);
	}
	buf_addc(out, '\'');
}

static void fish_action(struct buf *out, enum complete what, const char *choices)
{
	if (choices != NULL)
		buf_addf(out, " -x -a '%s'", choices);
	else if (what == COMPLETE_FILE)
		buf_adds(out, " -r -F");
	else if (what == COMPLETE_LIST)
		buf_adds(out, " -x -a '(" LISTS ")'");
	else
		buf_adds(out, " -x");
}

static void fish_options(struct buf *out, const char *command, const struct option_spec *options)
{
	for (const struct option_spec *o = options; o != NULL && o->name != NULL; o++) {
		if (!shown(o))
			continue;
		buf_adds(out, "complete -c hubmailctl");
		if (command != NULL)
			buf_addf(out, " -n '__fish_seen_subcommand_from %s'", command);
		if (o->letter != 0)
			buf_addf(out, " -s %c", o->letter);
		buf_addf(out, " -l %s -d ", o->name);
		fish_text(out, o->help);
		if (o->value != NULL)
			fish_action(out, o->complete, o->choices);
		buf_addc(out, '\n');
	}
}

static void fish(struct buf *out)
{
	buf_adds(out, "# fish completion for hubmailctl\ncomplete -c hubmailctl -f\n"
		      "set -l hubmailctl_commands");
	for (size_t i = 0; commands[i] != NULL; i++)
		buf_addf(out, " %s", commands[i]->name);
	buf_addc(out, '\n');
	fish_options(out, NULL, global_options);
	for (size_t i = 0; commands[i] != NULL; i++) {
		const struct command *c = commands[i];
		buf_addf(out,
			"complete -c hubmailctl -n \"not __fish_seen_subcommand_from "
			"$hubmailctl_commands\" -a %s -d ",
			c->name);
		fish_text(out, c->summary);
		buf_addc(out, '\n');
		fish_options(out, c->name, c->options);
		if (c->complete == COMPLETE_NOTHING)
			continue;
		buf_addf(
			out, "complete -c hubmailctl -n '__fish_seen_subcommand_from %s'", c->name);
		if (c->complete == COMPLETE_COMMAND)
			buf_adds(out, " -x -a \"$hubmailctl_commands\"");
		else
			fish_action(out, c->complete, c->choices);
		buf_addc(out, '\n');
	}
}
