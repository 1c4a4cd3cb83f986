/* RSS 2.0 (and 0.9x, 1.0), Atom (RFC 4287 and 0.3), JSON Feed (1.0, 1.1) and the answer of
 * WordPress's REST API
 * (/wp-json/wp/v2/posts?_embed; private and protected posts are left out) into posts. Bytes in,
 * clean posts out: no network, no disk, no database. Any thread. */
#ifndef HUBMAIL_SOURCE_FEED_H
#define HUBMAIL_SOURCE_FEED_H

#include "hubmail/base_error.h"
#include "hubmail/post.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOURCE_FEED_MAX (16u << 20) /* bytes of a feed that is looked at */
#define SOURCE_POSTS_MAX 1000       /* posts taken from one feed; the rest is left */

/* What a feed says of itself, before its posts or behind them. */
struct source_channel {
	int64_t ttl; /* seconds (RSS 2.0's ttl, which is in minutes); 0: not said */
	char *hub;   /* absolute http(s): its WebSub hub; NULL: none */
	char *self;  /* absolute http(s): the feed's own address for that hub; NULL: not said */
};
void source_channel_free(struct source_channel *c); /* the content; all zero afterwards */

/* Appends the feed's posts to out, as they stand in it. base_url (may be NULL) resolves relative
 * links and the feed's xml:base; charset (may be NULL) is that of the Content-Type header and wins
 * over the XML declaration (RFC 7303, 3), though not over a byte order mark, and Latin-1 is not
 * believed of bytes that are UTF-8. Titles are plain text, summary and content sanitised HTML
 * without the tails of WordPress ("[…]", "Continue reading"); without a summary, what stands before
 * <!--more-->. An entry without a guid is known by its link, one without either by a hash of title
 * and date. What is not well-formed XML is read as well as can be; of a document that was cut off
 * the whole items are kept. ERROR_DATA if it is no feed, too big, or damaged so that no item is
 * left; what was wrong names the line, and out is as it was. Entities from outside and DTDs are
 * never loaded, and a document's own are never expanded (no XXE, no billion laughs).
 * channel, if it is not NULL, becomes what the feed says of itself (all zero if it is no feed);
 * source_channel_free() it. Of a feed with more posts than are taken, what stands behind these is
 * not read. */
bool source_feed_parse(const char *data, size_t len, const char *base_url, const char *charset,
	struct post_list *out, struct source_channel *channel, struct error *e);

/* True if what is no feed looks like a page for people, which may have one. */
bool source_feed_is_page(const char *data, size_t len);

/* Appends the addresses at which the page's feeds may be, the likeliest first: what it announces
 * with <link rel=alternate>, links that look like feeds, then the usual paths of blog software. At
 * most 20, each absolute and once; those of the usual paths may not exist. */
void source_feed_discover(const char *html, size_t len, const char *page_url, struct strlist *out);

#endif
