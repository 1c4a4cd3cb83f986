/* XML feeds as they are read: elements open, text comes, elements close, posts fall out. */
#ifndef SOURCE_FEED_TREE_H
#define SOURCE_FEED_TREE_H

#include "hubmail/post.h"
#include "hubmail/source_feed.h"
#include "token.h"
#include <stdbool.h>
#include <stddef.h>

#define FEED_ATTRIBUTES_MAX 24 /* of one tag; more are ignored */

struct feed_attribute {
	const char *name; /* with its prefix: "xml:base" */
	size_t name_len;
	const char *value; /* character references in it are not decoded yet */
	size_t len;
};

struct feed_tag {
	const char *uri; /* of the namespace, or NULL if that is not known */
	char prefix[TOKEN_NAME_MAX], name[TOKEN_NAME_MAX]; /* in lower case */
	struct feed_attribute attributes[FEED_ATTRIBUTES_MAX];
	size_t n;
};

struct feed_tree;

/* Posts are appended to out. base_url may be NULL. */
struct feed_tree *feed_tree_new(const char *base_url, struct post_list *out);
void feed_tree_free(struct feed_tree *f);

void feed_tree_open(struct feed_tree *f, const struct feed_tag *tag);
void feed_tree_text(struct feed_tree *f, const char *s, size_t len);
void feed_tree_close(struct feed_tree *f); /* the innermost */
/* The innermost element of that name, and with it all that is open inside; nothing if there is
 * none. */
void feed_tree_close_named(struct feed_tree *f, const char *prefix, const char *name);

/* Before a tag of a document that is not well-formed: closes what cannot have been meant to contain
 * it, like a description without an end tag. */
void feed_tree_recover(struct feed_tree *f, const struct feed_tag *tag);

bool feed_tree_is_feed(const struct feed_tree *f); /* the root of a feed has come by */
bool feed_tree_is_full(const struct feed_tree *f); /* there is no use in going on */
/* What the feed said of itself; the caller's, and no longer in the tree. */
struct source_channel feed_tree_take_channel(struct feed_tree *f);

/* Fills prefix and name from "prefix:name". */
void feed_tag_name(struct feed_tag *tag, const char *s, size_t len);

#endif
