/* Quoted-printable (RFC 2045, 6.7), made so that the result is its own "relaxed" form (RFC 6376,
 * 3.4.4): no tab, no two spaces in a row, none at a line's end. A signer can hash it as it is. */
#ifndef COMPOSE_RFC2045_H
#define COMPOSE_RFC2045_H

#include "hubmail/base_buf.h"
#include <stddef.h>

#define QP_LINE_MAX 76

/* Appends the text, whose line ends are '\n' or CRLF. *column is where the line stands, 0 at first.
 * No character is split over two lines; nothing can begin a line with "." or "From ". */
void qp_encode(struct buf *out, size_t *column, const char *s, size_t len);

/* Ends the line softly, unless it is empty. */
void qp_soft_break(struct buf *out, size_t *column);

/* Appends what the text means; CRLF becomes '\n'. What is not quoted-printable stays as it is. */
void qp_decode(struct buf *out, const char *s, size_t len);

#endif
