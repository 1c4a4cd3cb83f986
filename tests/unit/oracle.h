/* Asks Python, whose zoneinfo reads the same zone files with other people's code: a script of
 * tests/fixtures prints one case on each line. */
#ifndef TESTS_UNIT_ORACLE_H
#define TESTS_UNIT_ORACLE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORACLE_WORDS 8

struct oracle {
	FILE *from;
	char line[256], copy[256];
	char *words[ORACLE_WORDS];
	int n_words, n_lines;
};

static inline void oracle_ask(struct oracle *o, const char *script)
{
	char command[512];

	snprintf(command, sizeof(command), "/usr/bin/python3 '" FIXTURES "/%s'", script);
	o->from = popen(command, "r"); /* NOLINT(cert-env33-c): the path is the tests' own */
	assert_non_null(o->from);
	o->n_lines = 0;
}

/* The next case in words; false at the end, when the script must have ended well. */
static inline bool oracle_next(struct oracle *o)
{
	char *rest = o->copy, *word;

	if (fgets(o->line, sizeof(o->line), o->from) == NULL) {
		assert_int_equal(pclose(o->from), 0);
		return false;
	}
	snprintf(o->copy, sizeof(o->copy), "%s", o->line);
	o->n_words = 0;
	while (o->n_words < ORACLE_WORDS && (word = strsep(&rest, " \n")) != NULL)
		if (*word != '\0')
			o->words[o->n_words++] = word;
	o->n_lines++;
	return true;
}

static inline long long oracle_number(const struct oracle *o, int i)
{
	char *end;

	assert_true(i < o->n_words);
	long long value = strtoll(o->words[i], &end, 10);
	if (end == o->words[i] || *end != '\0')
		fail_msg("%s is no number", o->words[i]);
	return value;
}

#endif
