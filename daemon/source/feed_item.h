/* An item as a feed has it, of whatever format; and the post that it becomes. */
#ifndef SOURCE_FEED_ITEM_H
#define SOURCE_FEED_ITEM_H

#include "hubmail/base_buf.h"
#include "hubmail/post.h"
#include <stdbool.h>
#include <stddef.h>

/* What a text is: TEXT is plain, HTML is markup, GUESS is plain unless it looks like markup. */
enum markup { MARKUP_GUESS, MARKUP_TEXT, MARKUP_HTML };

struct feed_text {
	struct buf text;
	enum markup markup;
	char *base; /* for its relative links, or NULL */
};

/* All zero is an empty item. */
struct feed_item {
	struct feed_text title, summary, content;
	char *guid;
	bool guid_is_no_link; /* the feed says so */
	char *link;           /* absolute */
	char *original_link;  /* absolute; the one that a redirector stands for */
	char *published, *updated;
	char *image; /* absolute */
	int image_rank;
	struct strlist authors, categories;
	char *base;
};

void feed_item_free(struct feed_item *i); /* the content; i is all zero afterwards */

/* Sets *field to a copy of s on one line, unless it has a value or s is empty. */
void feed_item_set(char **field, const char *s);
/* The same for a text; at most 2 MB of it. */
void feed_item_text(struct feed_text *to, const char *s, enum markup markup);
/* Sets the image if it is better than what is there: a higher rank wins. */
void feed_item_image(struct feed_item *i, const char *url, const char *base, int rank);
void feed_item_category(struct feed_item *i, const char *name);
void feed_item_author(struct feed_item *i, const char *name);

/* Fills the post and returns true, unless there is nothing in the item that a reader could read or
 * follow. */
bool feed_item_finish(struct feed_item *i, struct post *out);

#endif
