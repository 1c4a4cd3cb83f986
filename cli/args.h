/* The command line, taken apart by a command's row of the table. */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "command.h"
#include "hubmail/base_buf.h"
#include <stdint.h>

struct given {
	const struct option_spec *option;
	const char *value; /* borrowed from argv, or NULL */
};

struct args {
	const struct command *command; /* NULL if the line has none */
	char **words;                  /* what is no option; borrowed from argv */
	int n_words;
	struct given *given;
	size_t n_given;
};

/* Takes argv apart (its order changes): global options, the command, its options and words.
 * ERROR_USAGE says what is wrong and what was meant. With --help among the options, words are not
 * counted. Free with args_free() in either case. */
bool args_parse(int argc, char **argv, struct args *out, struct error *e);
void args_free(struct args *a);

bool args_has(const struct args *a, const char *option);
/* The (last) value of an option, or NULL. */
const char *args_value(const struct args *a, const char *option);
/* All values of an option that may be given more than once, in their order: appended to out. */
void args_values(const struct args *a, const char *option, struct strlist *out);
/* The name of a list that may stand as the only word or behind --list; NULL if neither does.
 * ERROR_USAGE if both do. */
bool args_list(const struct args *a, const char **name, struct error *e);
/* The number in an option's value; `fallback` if it was not given. ERROR_USAGE. */
bool args_number(const struct args *a, const char *option, int64_t min, int64_t max,
	int64_t fallback, int64_t *out, struct error *e);

#endif
