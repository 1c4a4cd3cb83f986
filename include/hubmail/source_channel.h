/* What a feed says of itself, before its first post: how long it may be kept, and where its news
 * can be subscribed to. Bytes in, a plain struct out. Any thread. */
#ifndef HUBMAIL_SOURCE_CHANNEL_H
#define HUBMAIL_SOURCE_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

struct source_channel {
	int64_t ttl; /* seconds (RSS 2.0's ttl, which is in minutes); 0: not said */
	char *hub;   /* absolute http(s): its WebSub hub; NULL: none */
	char *self;  /* absolute http(s): the feed's own address for that hub; NULL: not said */
};

/* Never fails: what is no feed says nothing. base_url (may be NULL) resolves relative addresses,
 * charset (may be NULL) is that of the Content-Type header. Only the first 256 kB are looked at. */
void source_channel_read(const char *data, size_t len, const char *base_url, const char *charset,
	struct source_channel *out);
void source_channel_free(struct source_channel *c); /* the content; all zero afterwards */

#endif
