/* Help from the table of commands. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "command.h"
#include "hubmail/base_buf.h"
#include "report.h"

/* Prints the help of a command; with NULL the overview of all. */
void help_print(struct report *r, const struct command *c);

/* Appends "add EMAIL... [-l LIST]...": a command's line of usage without the program's name. */
void help_usage(struct buf *out, const struct command *c);

/* Appends the man page's list of commands: a synopsis and the help of each, as mdoc(7). */
void help_mdoc(struct buf *out);

#endif
