/* UTF-8 (RFC 3629) and small text helpers. Pure functions: any thread. */
#ifndef HUBMAIL_BASE_TEXT_H
#define HUBMAIL_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True if the len bytes are well-formed UTF-8 without NUL. */
bool utf8_valid(const char *s, size_t len);

/* A copy of the len bytes in which every malformed sequence and NUL became U+FFFD; the caller's. */
char *utf8_clean(const char *s, size_t len);

/* Decodes the character at s (at most len bytes, len > 0). Returns how many bytes it has and puts
 * its code point in *cp; a malformed byte counts as one byte with code point 0xFFFD. */
size_t utf8_decode(const char *s, size_t len, uint32_t *cp);

/* Appends the character's UTF-8 form to out (room for 4) and returns its length; a surrogate or
 * something past 0x10FFFF becomes U+FFFD. */
size_t utf8_encode(uint32_t cp, char out[4]);

/* How many bytes the first `chars` characters of s take (all of s, if it has fewer). */
size_t utf8_prefix(const char *s, size_t chars);

/* A copy of s (the caller's) with every run of white space and control characters turned into one
 * space, none at either end: a title that came in over several lines. NULL gives NULL. */
char *text_one_line(const char *s);

/* Cuts white space from both ends of s in place and returns its start. */
char *text_trim(char *s);

/* The small letter of a capital of ASCII, whatever the locale; any other byte as it is. */
char text_lower(char c);

bool text_starts(const char *s, const char *prefix);
bool text_same(const char *a, const char *b); /* both may be NULL */
bool text_ends(const char *s, const char *suffix);

/* The one of the n words that is closest to `word`, or NULL if none is close enough to have been
 * meant (at most two letters changed, dropped, added or swapped, and no more than a third of the
 * word): for "did you mean". Borrowed from words. */
const char *text_suggest(const char *word, const char *const *words, size_t n);

/* Parses a whole decimal number between min and max. False if it is anything else. */
bool text_to_int(const char *s, long long min, long long max, long long *out);

#endif
