/* What generators put into Markdown that is not Markdown. */
#ifndef SOURCE_SHORTCODE_H
#define SOURCE_SHORTCODE_H

#include "hubmail/base_buf.h"
#include <stddef.h>

/* Appends the Markdown with Hugo's shortcodes and Jekyll's tags replaced by what they show where
 * that is known (films, figures, code, quoted addresses), and taken out otherwise. Code stays as it
 * is. */
void shortcode_expand(const char *s, size_t len, struct buf *out);

#endif
