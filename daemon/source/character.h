/* Characters of somebody else's text: references decoded, dangerous ones dropped. */
#ifndef SOURCE_CHARACTER_H
#define SOURCE_CHARACTER_H

#include "hubmail/base_buf.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Appends the len bytes as clean UTF-8: character references decoded (if `references`), malformed
 * bytes replaced, and without what is_unwanted() names. */
void characters_decode(const char *s, size_t len, bool references, struct buf *out);

/* Reads the reference at s, which begins with '&'. Returns its length and the characters in
 * UTF-8, or 0 if it is none and the '&' stands for itself. */
size_t character_reference(const char *s, size_t len, char out[8], size_t *out_len);

/* True for controls, for the characters that turn the direction of the text after them, and for
 * invisible ones that no script needs. */
bool character_is_unwanted(uint32_t cp);

bool character_is_space(uint32_t cp);     /* Unicode's White_Space */
bool character_is_spaceless(uint32_t cp); /* of a script that puts no spaces between words */
bool character_joins(uint32_t cp);        /* belongs to the character before it */

/* Appends the UTF-8 text with &, <, > and " escaped. */
void characters_escape(const char *s, size_t len, struct buf *out);

/* A copy (the caller's) on one line, without unwanted characters; NULL if nothing is left. */
char *characters_line(const char *s);

#endif
