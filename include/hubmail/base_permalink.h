/* Patterns for the addresses of posts, "/:year/:month/:slug/", in the words of Hugo and Jekyll.
 * Pure functions: any thread. */
#ifndef HUBMAIL_BASE_PERMALINK_H
#define HUBMAIL_BASE_PERMALINK_H

#include "hubmail/base_error.h"
#include <stdbool.h>
#include <stddef.h>

enum permalink_word {
	PERMALINK_UNKNOWN,
	PERMALINK_YEAR,
	PERMALINK_SHORT_YEAR,
	PERMALINK_MONTH,
	PERMALINK_SHORT_MONTH,
	PERMALINK_DAY,
	PERMALINK_SHORT_DAY,
	PERMALINK_TITLE,
	PERMALINK_SLUG,
	PERMALINK_FILENAME,
	PERMALINK_SECTION,
	PERMALINK_SECTIONS,
	PERMALINK_CATEGORIES,
};

/* How many of the bytes at s, which stand behind a ':', are its word; and which one that is. */
size_t permalink_word(const char *s, enum permalink_word *word);

/* The pattern behind one of Jekyll's names ("pretty", "date", "none"); any other pattern itself. */
const char *permalink_pattern(const char *s);

/* Is it a pattern whose words are known, and one of which tells posts apart? Otherwise *e says why
 * not, as the end of a sentence that begins with the pattern (ERROR_DATA). */
bool permalink_check(const char *pattern, struct error *e);

#endif
