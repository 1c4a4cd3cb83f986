/* Addresses, beyond source_url_absolute(). */
#ifndef SOURCE_URL_H
#define SOURCE_URL_H

#include "hubmail/base_buf.h"
#include <stdbool.h>
#include <stddef.h>

#define URL_MAX 4096 /* bytes; a longer one is no address */
#define BASE_MAX                                                                                   \
	1024 /* bytes; a longer one is no base, since each link would be resolved against it */

/* What may stand as a link: an absolute http(s) address, or mailto:. NULL if it is neither. The
 * caller's. */
char *url_link(const char *url, const char *base);

/* Appends s with everything that may not stand in an address percent-encoded; '%' stays, since it
 * was written by somebody who encoded. */
void url_encode(const char *s, size_t len, struct buf *out);

#endif
