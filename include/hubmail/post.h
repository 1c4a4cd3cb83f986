/* A post: one published article, as the sources give it, the store keeps it and the composer takes
 * it. A plain struct; whoever fills it owns the strings until it hands the whole over. */
#ifndef HUBMAIL_POST_H
#define HUBMAIL_POST_H

#include "hubmail/base_buf.h"
#include <stdbool.h>
#include <stdint.h>

struct post {
	int64_t id;    /* the store's; 0 before it was stored */
	char *guid;    /* never NULL: known by (source, guid) */
	char *url;     /* absolute http(s), or NULL */
	char *title;   /* plain text on one line, or NULL */
	char *author;  /* plain text on one line, or NULL */
	char *summary; /* sanitised HTML with absolute links, or NULL */
	char *content; /* sanitised HTML with absolute links, or NULL */
	char *image;   /* absolute http(s), or NULL */
	struct strlist categories;
	int64_t published_at; /* Unix seconds; 0 = not said */
	int64_t updated_at;   /* Unix seconds; 0 = not said */
};

struct post_list {
	struct post *items;
	size_t n;
};

void post_free(struct post *p); /* the content; p is all zero afterwards */
struct post *post_list_add(
	struct post_list *l); /* a new all-zero post at the end; valid until the next add */
void post_list_free(struct post_list *l);

/* Appends the posts as the JSON array that `parse` and `posts` print: guid, url, title, author,
 * published, updated, summary, content, image, categories; times RFC 3339 in UTC; what is missing
 * is null. */
void post_list_json(const struct post_list *l, struct buf *out);

#endif
