/* Bytes of any charset into UTF-8. */
#ifndef SOURCE_CHARSET_H
#define SOURCE_CHARSET_H

#include "hubmail/base_buf.h"
#include <stddef.h>

/* Appends the document as UTF-8 without a byte order mark and without NUL. What decides, in this
 * order: a byte order mark; `charset` (of the HTTP header, may be NULL); an XML declaration or
 * <meta charset>; a guess. A charset that nobody knows is not believed. Latin-1 is not believed of
 * bytes that are UTF-8 (servers say it by default). Bytes that are malformed in UTF-8 are read as
 * Windows-1252, in another charset as U+FFFD. Stops after max bytes. */
void charset_to_utf8(
	const char *data, size_t len, const char *charset, size_t max, struct buf *out);

#endif
