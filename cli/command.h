/* What a command of hubmailctl is: one row of a table. The table drives the parsing of the command
 * line, --help, the man page's synopses and the shells' completion. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "hubmail/base_error.h"
#include <stdbool.h>
#include <stddef.h>

struct cli;
struct args;

/* What a shell offers in the place of an argument or an option's value. */
enum complete {
	COMPLETE_NOTHING,
	COMPLETE_FILE,
	COMPLETE_LIST,
	COMPLETE_COMMAND,
	COMPLETE_CHOICES, /* the words in `choices` */
};

struct option_spec {
	const char *name;    /* "list" for --list */
	const char *value;   /* "LIST": what it takes; NULL: nothing */
	const char *choices; /* the only values it takes, separated by spaces; or NULL */
	const char *help;    /* half a sentence */
	char letter;         /* 'l' for -l; 0: none */
	bool many;           /* may be given more than once */
	bool later;  /* belongs to a feature that is not there yet: refused with a plain sentence */
	bool hidden; /* not shown to people */
	enum complete complete;
};

/* One of enum command_group's lines in the overview. */
enum command_group { GROUP_READERS, GROUP_POSTS, GROUP_DIGESTS, GROUP_SERVICE, GROUPS };

/* Does the work: what it has to tell goes to cli->report. False with *e filled: it failed. */
typedef bool command_fn(struct cli *cli, const struct args *args, struct error *e);

struct command {
	const char *name;
	enum command_group group;
	const char *arguments; /* "EMAIL...", "[ID]": at least as many as stand outside brackets */
	int min_words, max_words;          /* max_words -1: any number */
	const char *summary;               /* "adds subscribers" */
	const char *help;                  /* some sentences, in lines of at most 78 characters */
	const struct option_spec *options; /* ends with one without a name; or NULL */
	const char *choices;               /* of its argument, or NULL */
	enum complete complete;            /* of its arguments */
	bool bears_errors; /* runs though hubmail.conf has errors, if the daemon does */
	command_fn *run;
};

/* The options that stand before or after any command; ends with one without a name. */
extern const struct option_spec global_options[];

/* All commands in the order of the overview; ends with NULL. */
extern const struct command *const commands[];

const char *command_group_title(enum command_group g);
const struct command *command_find(const char *name); /* or NULL */

/* ERROR_USAGE for a name that is no command: with a suggestion, or that it comes with a later
 * version. Returns false. */
bool command_unknown(const char *name, struct error *e);

#endif
