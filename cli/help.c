/* `help`: the overview, one command's page, and the list of commands in the man page, all written
 * from the table. */
#include "help.h"

#include "args.h"
#include "cli.h"
#include <ctype.h>
#include <string.h>

#define COLUMN 26 /* where the explanations begin */

static const struct option_spec options[] = {
	{.name = "mdoc", .hidden = true, .help = "print the man page's list of commands"},
	{0},
};

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	struct buf out = {0};

	if (args_has(a, "mdoc")) {
		help_mdoc(&out);
		report_raw(cli->report, buf_str(&out), out.len);
		buf_free(&out);
		return true;
	}
	const struct command *c = a->n_words > 0 ? command_find(a->words[0]) : NULL;
	if (a->n_words > 0 && c == NULL)
		return command_unknown(a->words[0], e);
	help_print(cli->report, c);
	return true;
}

const struct command command_help = {
	.name = "help",
	.group = GROUP_SERVICE,
	.arguments = "[COMMAND]",
	.max_words = 1,
	.complete = COMPLETE_COMMAND,
	.summary = "explains a command",
	.help = "Without a COMMAND it shows all of them.",
	.options = options,
	.run = run,
};

/* ---- Usage ---- */

static bool shown(const struct option_spec *o)
{
	return !o->later && !o->hidden;
}

static void usage_option(struct buf *out, const struct option_spec *o)
{
	if (o->letter != 0)
		buf_addf(out, " [-%c", o->letter);
	else
		buf_addf(out, " [--%s", o->name);
	if (o->value != NULL)
		buf_addf(out, " %s", o->value);
	buf_addf(out, "]%s", o->many ? "..." : "");
}

void help_usage(struct buf *out, const struct command *c)
{
	buf_adds(out, c->name);
	if (c->arguments != NULL)
		buf_addf(out, " %s", c->arguments);
	for (const struct option_spec *o = c->options; o != NULL && o->name != NULL; o++)
		if (shown(o))
			usage_option(out, o);
}

/* ---- Pages ---- */

static void option_line(struct buf *out, const struct option_spec *o)
{
	size_t start = out->len;

	if (o->letter != 0)
		buf_addf(out, "  -%c, --%s", o->letter, o->name);
	else
		buf_addf(out, "      --%s", o->name);
	if (o->value != NULL)
		buf_addf(out, " %s", o->value);
	if (out->len - start >= COLUMN) {
		buf_addc(out, '\n');
		start = out->len;
	}
	while (out->len - start < COLUMN)
		buf_addc(out, ' ');
	buf_addf(out, "%s\n", o->help);
}

static void option_lines(struct buf *out, const struct option_spec *o)
{
	for (; o != NULL && o->name != NULL; o++)
		if (shown(o))
			option_line(out, o);
}

static bool has_options(const struct command *c)
{
	for (const struct option_spec *o = c->options; o != NULL && o->name != NULL; o++)
		if (shown(o))
			return true;
	return false;
}

static void overview(struct buf *out)
{
	buf_adds(out, "usage: hubmailctl [-c FILE] [--json] [-q] COMMAND ...\n");
	for (int g = 0; g < GROUPS; g++) {
		buf_addf(out, "\n%s\n", command_group_title((enum command_group)g));
		for (size_t i = 0; commands[i] != NULL; i++)
			if (commands[i]->group == (enum command_group)g)
				buf_addf(out, "  %-12s %s\n", commands[i]->name,
					commands[i]->summary);
	}
	buf_adds(out, "\nOptions\n");
	option_lines(out, global_options);
	buf_adds(out, "\n`hubmailctl help COMMAND` explains one of them.\n");
}

static void page(struct buf *out, const struct command *c)
{
	buf_adds(out, "usage: hubmailctl ");
	help_usage(out, c);
	buf_addf(out, "\n\n%c%s.\n%s\n", toupper((unsigned char)c->summary[0]), c->summary + 1,
		c->help);
	if (has_options(c)) {
		buf_addc(out, '\n');
		option_lines(out, c->options);
	}
}

void help_print(struct report *r, const struct command *c)
{
	struct buf out = {0};

	if (c == NULL)
		overview(&out);
	else
		page(&out, c);
	report_raw(r, buf_str(&out), out.len);
	buf_free(&out);
}

/* ---- The man page ---- */

/* Roff reads a backslash as an escape and a dot at the start of a line as a request; a new sentence
 * shall begin on a new line. */
static void mdoc_text(struct buf *out, const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '\\') {
			buf_adds(out, "\\e");
		} else if (*p == '\n' || (*p == ' ' && p > text && strchr(".?!", p[-1]) != NULL &&
						 isupper((unsigned char)p[1]))) {
			buf_addc(out, '\n');
		} else {
			if (*p == '.' && (out->len == 0 || out->data[out->len - 1] == '\n'))
				buf_adds(out, "\\&");
			buf_addc(out, *p);
		}
	}
	buf_addc(out, '\n');
}

/* "[ID]", "FILE|-", "EMAIL..." as macros. */
static void mdoc_arguments(struct buf *out, const char *arguments)
{
	const char *p = arguments;

	while (*p != '\0') {
		size_t n = strcspn(p, " ");
		bool optional = *p == '[';
		const char *word = p + (optional ? 1 : 0);
		size_t len = strcspn(word, " ].");
		buf_addf(out, "%s Ar %.*s", optional ? " Oo" : "", (int)len, word);
		if (strncmp(word + len, "...", 3) == 0)
			buf_adds(out, " ...");
		if (optional)
			buf_adds(out, " Oc");
		p += n;
		p += strspn(p, " ");
	}
}

static void mdoc_flag(struct buf *out, const struct option_spec *o)
{
	if (o->letter != 0)
		buf_addf(out, " Fl %c", o->letter);
	else
		buf_addf(out, " Fl Fl %s", o->name);
	if (o->value != NULL)
		buf_addf(out, " Ar %s", o->value);
}

static void mdoc_command(struct buf *out, const struct command *c)
{
	buf_addf(out, ".It Ic %s", c->name);
	if (c->arguments != NULL)
		mdoc_arguments(out, c->arguments);
	for (const struct option_spec *o = c->options; o != NULL && o->name != NULL; o++) {
		if (!shown(o))
			continue;
		buf_adds(out, " Oo");
		mdoc_flag(out, o);
		buf_addf(out, " Oc%s", o->many ? " ..." : "");
	}
	buf_addf(out, "\n%c%s.\n", toupper((unsigned char)c->summary[0]), c->summary + 1);
	mdoc_text(out, c->help);
	if (!has_options(c))
		return;
	buf_adds(out, ".Bl -tag -width Ds -compact\n");
	for (const struct option_spec *o = c->options; o->name != NULL; o++) {
		if (!shown(o))
			continue;
		if (o->letter != 0)
			buf_addf(out, ".It Fl %c , Fl Fl %s", o->letter, o->name);
		else
			buf_addf(out, ".It Fl Fl %s", o->name);
		buf_addf(out, "%s%s\n", o->value != NULL ? " Ar " : "",
			o->value != NULL ? o->value : "");
		mdoc_text(out, o->help);
	}
	buf_adds(out, ".El\n");
}

void help_mdoc(struct buf *out)
{
	for (int g = 0; g < GROUPS; g++) {
		buf_addf(out, ".Ss %s\n.Bl -tag -width Ds\n",
			command_group_title((enum command_group)g));
		for (size_t i = 0; commands[i] != NULL; i++)
			if (commands[i]->group == (enum command_group)g)
				mdoc_command(out, commands[i]);
		buf_adds(out, ".El\n");
	}
}
