/* Header fields (RFC 5322, 2.2 and 3.6). Whatever text they are given, they are one field each:
 * control characters and line ends never get through. Nothing here allocates but the buffer. */
#ifndef COMPOSE_RFC5322_H
#define COMPOSE_RFC5322_H

#include "hubmail/base_buf.h"
#include <stddef.h>

/* Copies text to out on one line: control characters and white space become single spaces,
 * malformed bytes U+FFFD; cut at the end of a character to fit `size`. NULL counts as "". */
void header_clean(const char *text, char *out, size_t size);

/* "Name: text", encoded and folded. At most 1000 bytes of text. */
void header_text(struct buf *out, const char *field, const char *text);

/* "Name: display <id>", or "Name: id" without a display name (NULL or ""). */
void header_mailbox(struct buf *out, const char *field, const char *display, const char *address);

/* "Name: "display" <id>", where the brackets are always there: List-Id (RFC 2919), Message-ID. */
void header_bracketed(struct buf *out, const char *field, const char *display, const char *id);

/* "Name: value" for a value that is ASCII without spaces; anything else in it is left out. */
void header_plain(struct buf *out, const char *field, const char *value);

/* Appends the printable ASCII characters of s; the others, and spaces, are left out. */
void header_add_ascii(struct buf *out, const char *s, size_t max);

#endif
