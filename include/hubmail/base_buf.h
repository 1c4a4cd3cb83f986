/* A growing byte buffer and a growing list of strings. Not shared between threads. */
#ifndef HUBMAIL_BASE_BUF_H
#define HUBMAIL_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* data is always followed by a NUL that len does not count, so that it can be read as a string;
 * in a struct buf that holds nothing yet, data is NULL. All zero is an empty buffer. */
struct buf {
	char *data;
	size_t len;
	size_t cap;
};

void buf_add(struct buf *b, const void *data, size_t len);
void buf_addc(struct buf *b, char c);
void buf_adds(struct buf *b, const char *s);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_reserve(struct buf *b, size_t more); /* room for `more` bytes beyond len, and the NUL */
void buf_truncate(struct buf *b, size_t len); /* keeps the first len bytes */
const char *buf_str(const struct buf *b);     /* borrowed; "" for an empty one */
char *buf_take(struct buf *b);                /* the caller's to free(); b is empty afterwards */
void buf_free(struct buf *b);                 /* frees the content; b is empty afterwards */

/* All zero is an empty list. */
struct strlist {
	char **items;
	size_t n;
};

void strlist_add(struct strlist *l, const char *s); /* copies s */
void strlist_take(struct strlist *l, char *s);      /* s belongs to the list from here on */
bool strlist_has(const struct strlist *l, const char *s);
void strlist_sort(struct strlist *l);                              /* as strcmp() has it */
bool strlist_has_sorted(const struct strlist *l, const char *s);   /* l has been sorted */
void strlist_copy(struct strlist *to, const struct strlist *from); /* appends copies */
void strlist_free(struct strlist *l); /* frees the strings; l is empty afterwards */

#endif
