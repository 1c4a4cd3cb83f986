/* Images of a post. */
#ifndef SOURCE_IMAGE_H
#define SOURCE_IMAGE_H

#include "hubmail/base_buf.h"
#include "token.h"
#include <stdbool.h>

/* Appends the <img> of this tag as it may leave us: its real address if it is loaded late by a
 * script, its alt text alone if it is a smiley or no usable address is there, nothing if it is only
 * there to count readers. */
void image_write(const struct token *t, const char *base, struct buf *out);

/* The tag's width or height in pixels, or -1 if it does not say. */
int image_side(const struct token *t, const char *name);

/* False for the address of something that stands for a character or counts readers. */
bool image_is_picture(const char *url);

/* Appends a name="value" whose value is escaped. */
void attribute_write(const char *name, const char *value, struct buf *out);

#endif
