/* HTML as a stream of tokens, read as browsers read it (HTML, 13.2.5): nothing is an error. */
#ifndef SOURCE_TOKEN_H
#define SOURCE_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#define TOKEN_NAME_MAX 24 /* bytes of a name with its NUL; a longer one is no name we know */

enum token_kind { TOKEN_TEXT, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_COMMENT };

/* Points into the scanned bytes. */
struct token {
	enum token_kind kind;
	const char *text; /* the text, the inside of the comment, or the bytes of the attributes */
	size_t len;
	bool literal;              /* text in which '&' means nothing */
	bool empty;                /* an open tag that ends in "/>" */
	char name[TOKEN_NAME_MAX]; /* of a tag, in lower case */
};

struct scanner {
	const char *at, *end;
	char raw[TOKEN_NAME_MAX]; /* inside of this element only its end tag is markup */
};

void scanner_start(struct scanner *s, const char *html, size_t len);
bool scanner_next(struct scanner *s, struct token *t); /* false at the end; linear in all */

/* Where the tag whose name ends at p ends: its '>', or NULL if it never does. Quotes are minded. */
const char *tag_end(const char *p, const char *end);

struct attribute {
	const char *name, *value;
	size_t name_len, len; /* the value is as written, references and all */
};

/* Takes the next attribute from the `len` bytes at *at and moves *at. False if there is no more. */
bool attribute_next(const char **at, const char *end, struct attribute *a);

/* The decoded value of an attribute, the caller's; NULL if the tag has none or it is longer than
 * max bytes. */
char *token_attribute(const struct token *t, const char *name, size_t max);

#endif
