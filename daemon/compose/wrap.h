/* Lines of plain text as wide as a reader's window: columns, not bytes. */
#ifndef COMPOSE_WRAP_H
#define COMPOSE_WRAP_H

#include "hubmail/base_buf.h"
#include <stddef.h>
#include <stdint.h>

/* 0 for marks that sit on the character before, 2 for East Asian wide ones (UAX #11), else 1. */
unsigned char_width(uint32_t cp);
size_t text_width(const char *s, size_t len);

/* Appends one paragraph (no '\n' in it) broken into lines of at most `columns`, and a '\n'. One
 * that fits stays exactly as it is. Breaks at spaces and around wide characters, but no line begins
 * with a closing mark or ends in an opening one; a word that is too long, such as a link, stays
 * whole. The first `lead` bytes (ASCII: an indent, "> ", "- ") begin every line, with a space for
 * '-' in all but the first. */
void wrap_add(struct buf *out, const char *s, size_t len, size_t columns, size_t lead);

#endif
