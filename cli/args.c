/* Taking the command line apart with getopt_long(3), whose tables are made from the command's row.
 * What an option means is left to the command. */
#include "args.h"

#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX 32
#define LONG_FIRST 1000 /* getopt's value of the option at index i is LONG_FIRST + i */

/* The options that count in one run of getopt. */
struct scan {
	const struct option_spec *all[OPTIONS_MAX];
	struct option longs[OPTIONS_MAX + 1];
	char letters[3 * OPTIONS_MAX];
	size_t n;
};

static void scan_add(struct scan *s, const struct option_spec *options)
{
	size_t len = strlen(s->letters);

	for (; options != NULL && options->name != NULL && s->n < OPTIONS_MAX; options++) {
		int takes = options->value != NULL ? required_argument : no_argument;
		s->all[s->n] = options;
		s->longs[s->n] =
			(struct option){options->name, takes, NULL, LONG_FIRST + (int)s->n};
		s->n++;
		if (options->letter == 0)
			continue;
		s->letters[len++] = options->letter;
		if (takes == required_argument)
			s->letters[len++] = ':';
		s->letters[len] = '\0';
	}
}

static const struct option_spec *scan_find(const struct scan *s, int c)
{
	if (c >= LONG_FIRST)
		return s->all[c - LONG_FIRST];
	for (size_t i = 0; i < s->n; i++)
		if (s->all[i]->letter == c)
			return s->all[i];
	return NULL;
}

static void name_prefix(const struct args *a, char out[64])
{
	snprintf(out, 64, "%s%s", a->command != NULL ? a->command->name : "",
		a->command != NULL ? ": " : "");
}

static bool unknown_option(
	const struct args *a, const struct scan *s, const char *text, struct error *e)
{
	const char *names[OPTIONS_MAX];
	char before[64];
	size_t n = 0;

	name_prefix(a, before);
	if (!text_starts(text, "--"))
		return error_set(e, ERROR_USAGE, "%s-%c: no such option (`hubmailctl help%s%s`)",
			before, optopt, a->command != NULL ? " " : "",
			a->command != NULL ? a->command->name : "");
	char *word = xstrndup(text + 2, strcspn(text + 2, "="));
	for (size_t i = 0; i < s->n; i++)
		if (!s->all[i]->later && !s->all[i]->hidden)
			names[n++] = s->all[i]->name;
	const char *meant = text_suggest(word, names, n);
	bool takes_value = optopt != 0; /* a known one, given a value that it does not take */
	if (takes_value)
		error_set(e, ERROR_USAGE, "%s--%s: takes no value", before, word);
	else if (meant != NULL)
		error_set(e, ERROR_USAGE, "%s--%s: no such option; did you mean --%s?", before,
			word, meant);
	else
		error_set(e, ERROR_USAGE, "%s--%s: no such option (`hubmailctl help%s%s`)", before,
			word, a->command != NULL ? " " : "",
			a->command != NULL ? a->command->name : "");
	free(word);
	return false;
}

static bool is_choice(const char *choices, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = choices; *p != '\0' && len > 0; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");
		if (n == len && strncmp(p, word, n) == 0)
			return true;
		p += n;
	}
	return false;
}

static bool take(struct args *a, const struct option_spec *o, const char *value, struct error *e)
{
	char before[64];

	name_prefix(a, before);
	if (o->later)
		return error_set(e, ERROR_USAGE, "%s--%s: this version does not have that yet",
			before, o->name);
	if (!o->many && args_has(a, o->name))
		return error_set(e, ERROR_USAGE, "%s--%s: given more than once", before, o->name);
	if (value != NULL && o->choices != NULL && !is_choice(o->choices, value))
		return error_set(e, ERROR_USAGE, "%s--%s: \"%s\" is not one of: %s", before,
			o->name, value, o->choices);
	if (value != NULL && !utf8_valid(value, strlen(value)))
		return error_set(e, ERROR_USAGE, "%s--%s: its value is not UTF-8", before, o->name);
	a->given = xreallocarray(a->given, a->n_given + 1, sizeof(*a->given));
	a->given[a->n_given++] = (struct given){o, value};
	return true;
}

/* One run over argv from optind on; with '+' in s->letters it ends at the first word. */
static bool scan_run(struct scan *s, int argc, char **argv, struct args *a, struct error *e)
{
	char before[64];
	int c;

	name_prefix(a, before);
	opterr = 0;
	while ((c = getopt_long(argc, argv, s->letters, s->longs, NULL)) != -1) {
		if (c == ':')
			return error_set(e, ERROR_USAGE, "%s%s: a value is missing", before,
				argv[optind - 1]);
		if (c == '?')
			return unknown_option(a, s, argv[optind - 1], e);
		if (!take(a, scan_find(s, c), optarg, e))
			return false;
	}
	return true;
}

static bool count_words(const struct args *a, struct error *e)
{
	const struct command *c = a->command;

	for (int i = 0; i < a->n_words; i++)
		if (!utf8_valid(a->words[i], strlen(a->words[i])))
			return error_set(
				e, ERROR_USAGE, "%s: %s is not UTF-8", c->name, a->words[i]);
	if (args_has(a, "help"))
		return true;
	if (a->n_words < c->min_words)
		return error_set(e, ERROR_USAGE, "%s: %s is missing (`hubmailctl help %s`)",
			c->name, c->arguments, c->name);
	if (c->max_words == 0 && a->n_words > 0)
		return error_set(
			e, ERROR_USAGE, "%s: %s: no argument is expected", c->name, a->words[0]);
	if (c->max_words > 0 && a->n_words > c->max_words)
		return error_set(e, ERROR_USAGE, "%s: %s: one argument too many (%s)", c->name,
			a->words[c->max_words], c->arguments);
	if (c->choices != NULL && a->n_words > 0 && !is_choice(c->choices, a->words[0]))
		return error_set(e, ERROR_USAGE, "%s: \"%s\" is not one of: %s", c->name,
			a->words[0], c->choices);
	return true;
}

bool args_parse(int argc, char **argv, struct args *out, struct error *e)
{
	struct scan s = {.letters = "+:"};

	*out = (struct args){0};
	optind = 0;
	scan_add(&s, global_options);
	if (!scan_run(&s, argc, argv, out, e))
		return false;
	if (optind == argc)
		return true;
	out->command = command_find(argv[optind]);
	if (out->command == NULL)
		return command_unknown(argv[optind], e);
	argc -= optind;
	argv += optind;
	s = (struct scan){.letters = ":"};
	scan_add(&s, out->command->options);
	scan_add(&s, global_options);
	optind = 0;
	if (!scan_run(&s, argc, argv, out, e))
		return false;
	out->words = argv + optind;
	out->n_words = argc - optind;
	return count_words(out, e);
}

void args_free(struct args *a)
{
	free(a->given);
	*a = (struct args){0};
}

bool args_has(const struct args *a, const char *option)
{
	for (size_t i = 0; i < a->n_given; i++)
		if (strcmp(a->given[i].option->name, option) == 0)
			return true;
	return false;
}

const char *args_value(const struct args *a, const char *option)
{
	const char *value = NULL;

	for (size_t i = 0; i < a->n_given; i++)
		if (strcmp(a->given[i].option->name, option) == 0)
			value = a->given[i].value;
	return value;
}

void args_values(const struct args *a, const char *option, struct strlist *out)
{
	for (size_t i = 0; i < a->n_given; i++)
		if (strcmp(a->given[i].option->name, option) == 0)
			strlist_add(out, a->given[i].value);
}

bool args_list(const struct args *a, const char **name, struct error *e)
{
	*name = args_value(a, "list");
	if (a->n_words == 0)
		return true;
	if (*name != NULL)
		return error_set(e, ERROR_USAGE, "%s: %s: the list is named twice",
			a->command->name, a->words[0]);
	*name = a->words[0];
	return true;
}

bool args_number(const struct args *a, const char *option, int64_t min, int64_t max,
	int64_t fallback, int64_t *out, struct error *e)
{
	const char *value = args_value(a, option);
	long long n = fallback;

	if (value != NULL && !text_to_int(value, min, max, &n))
		return error_set(e, ERROR_USAGE,
			"%s: --%s: \"%s\" is not a number from %lld to %lld", a->command->name,
			option, value, (long long)min, (long long)max);
	*out = n;
	return true;
}
