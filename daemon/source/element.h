/* What the HTML elements are to us. */
#ifndef SOURCE_ELEMENT_H
#define SOURCE_ELEMENT_H

#include "token.h"

enum {
	ELEMENT_KEEP = 1 << 0,  /* may leave us */
	ELEMENT_DROP = 1 << 1,  /* goes with all that is in it */
	ELEMENT_VOID = 1 << 2,  /* has no content and no end tag */
	ELEMENT_BLOCK = 1 << 3, /* begins on a new line, ends a paragraph */
	ELEMENT_APART = 1 << 4, /* in text, an empty line stands around it */
	ELEMENT_P = 1 << 5,
	ELEMENT_A = 1 << 6,
	ELEMENT_HEADING = 1 << 7,
	ELEMENT_LIST = 1 << 8, /* ul, ol */
	ELEMENT_ITEM = 1 << 9, /* li */
	ELEMENT_DL = 1 << 10,
	ELEMENT_TERM = 1 << 11, /* dt, dd */
	ELEMENT_TABLE = 1 << 12,
	ELEMENT_SECTION = 1 << 13, /* thead, tbody, tfoot */
	ELEMENT_ROW = 1 << 14,
	ELEMENT_CELL = 1 << 15,
	ELEMENT_CAPTION = 1 << 16,
	ELEMENT_QUOTE = 1 << 17,
	ELEMENT_PRE = 1 << 18,
	ELEMENT_IMG = 1 << 19,
	ELEMENT_BR = 1 << 20,
	ELEMENT_HR = 1 << 21,
};

struct element {
	const char *name;
	const char *as; /* how it leaves us: <section> as <div> */
	unsigned flags;
};

/* NULL: an element that goes, and leaves what is in it. name is in lower case. */
const struct element *element_find(const char *name);

/* The element that goes with its content and is open; all zero if none is. */
struct dropping {
	char name[TOKEN_NAME_MAX];
	size_t nested; /* how many of that name are open */
};

/* True if the token is part of something that goes with its content. To be asked about each token
 * in turn. */
bool dropping_takes(struct dropping *d, const struct token *t);

#endif
