/* The few fixed words of a message, in the languages that we know. */
#ifndef COMPOSE_WORDS_H
#define COMPOSE_WORDS_H

#include "hubmail/base_buf.h"
#include <stdbool.h>
#include <stdint.h>

struct words {
	const char *language; /* of these words, for a lang attribute */
	const char *read_more;
	const char *why; /* % is the list's title */
	const char *unsubscribe;
	const char *one_more; /* after the first title of two */
	const char *more;     /* after the first of several; % is how many others there are */
	const char *date;     /* D: day, M: month's name, N: month's number, Y: year */
	const char *months[12];
	const char *colon; /* before a link that is written out */
};

/* By the language's tag (BCP 47; NULL counts as "en"); English for one that is not known. */
const struct words *words_for(const char *language);

/* Appends the pattern with the value in the place of its %. */
void words_fill(struct buf *out, const char *pattern, const char *value);

/* Appends the date; `at` is Unix seconds with the zone's offset added. */
void words_date(struct buf *out, const struct words *w, int64_t at);

bool language_is_rtl(const char *language);
/* Chinese, Japanese: a character says as much as three letters. */
bool language_is_dense(const char *language);

#endif
