/* RSS 2.0 (and 0.9x, 1.0) and Atom (RFC 4287) into posts. Bytes in, clean posts out: no network, no
 * disk, no database. Any thread. */
#ifndef HUBMAIL_SOURCE_FEED_H
#define HUBMAIL_SOURCE_FEED_H

#include "hubmail/base_error.h"
#include "hubmail/post.h"
#include <stdbool.h>
#include <stddef.h>

#define SOURCE_FEED_MAX (16u << 20) /* bytes of a feed that is looked at */
#define SOURCE_POSTS_MAX 1000       /* posts taken from one feed; the rest is left */

/* Appends the feed's posts to out, as they stand in it. base_url (may be NULL) resolves relative
 * links and the feed's xml:base; charset (may be NULL) is that of the Content-Type header and wins
 * over the XML declaration (RFC 7303, 3). Titles are plain text, summary and content sanitised
 * HTML. An entry without a guid is known by its link, one without either by a hash of title and
 * date. ERROR_DATA if it is no feed, too big, or not XML beyond repair (a small fault is repaired);
 * what was wrong names the line. Entities from outside and DTDs are never loaded (no XXE, no
 * billion laughs). */
bool source_feed_parse(const char *data, size_t len, const char *base_url, const char *charset,
	struct post_list *out, struct error *e);

#endif
