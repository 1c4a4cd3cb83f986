/* The "relaxed" canonical forms of RFC 6376. Pure functions, linear in their input. */
#ifndef COMPOSE_RFC6376_H
#define COMPOSE_RFC6376_H

#include "hubmail/base_buf.h"
#include <stddef.h>

/* 3.4.2: one field, with or without its CRLF; the result ends in CRLF. */
void relaxed_header(struct buf *out, const char *field, size_t len);

/* 3.4.4 */
void relaxed_body(struct buf *out, const char *body, size_t len);

#endif
