/* Where the author cut the post. */
#ifndef SOURCE_MARK_H
#define SOURCE_MARK_H

#include <stddef.h>

/* How many bytes of the HTML stand before <!--more-->, or 0 if it is not there (or is at the very
 * start). */
size_t mark_more(const char *html, size_t len);

#endif
