/* Encoded words (RFC 2047): text that is not ASCII, in a header. Nothing here allocates but the
 * buffer that is written to. */
#ifndef COMPOSE_RFC2047_H
#define COMPOSE_RFC2047_H

#include "hubmail/base_buf.h"
#include <stdbool.h>
#include <stddef.h>

#define HEADER_LINE_MAX 76

/* How far the last line of the buffer has come. */
size_t header_column(const struct buf *out);

/* Ends the line with a fold if `more` bytes and the space before them do not fit on it; else
 * appends the space. */
void header_space(struct buf *out, size_t more);

/* Appends clean UTF-8 text (one line, words separated by single spaces) as an unstructured field
 * body, folded at 76. Only the words that need it are encoded; no character is split. */
void rfc2047_text(struct buf *out, const char *text);

/* The same as a phrase, such as the name before an address: plain atoms, a quoted string or encoded
 * words (RFC 2047, 5, rule 3). */
void rfc2047_phrase(struct buf *out, const char *text);

#endif
