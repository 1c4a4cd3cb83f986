/* Films, sounds and other things that a page shows in a frame. */
#ifndef SOURCE_EMBED_H
#define SOURCE_EMBED_H

#include "element.h"
#include "hubmail/base_buf.h"
#include "token.h"
#include <stdbool.h>

/* The film or sound that is open; all zero if none is. */
struct embed {
	bool open, written;
	char *poster, *title;
};

/* Appends what stands in a mail for an <iframe>, <embed>, <video>, <audio> or a <source> in one of
 * them: a link with a picture or a title. To be asked about each token, before what goes with its
 * content is dropped; `d` is what is being dropped now. With `linked`, no link is written, for one
 * is open. */
void embed_take(struct embed *m, const struct token *t, const struct dropping *d, const char *base,
	bool linked, struct buf *out);
void embed_free(struct embed *m);

#endif
