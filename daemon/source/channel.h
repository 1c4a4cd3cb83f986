/* How the readers of feeds note what a feed says of itself. What was said first stays. */
#ifndef SOURCE_CHANNEL_H
#define SOURCE_CHANNEL_H

#include "hubmail/source_feed.h"

/* A link of this relation ("hub" and "self" matter, in any case; RFC 4287, 4.2.7.2). href may be
 * NULL, as may base_url; what is no http(s) address then is none. */
void channel_link(
	struct source_channel *c, const char *relation, const char *href, const char *base_url);
void channel_ttl(struct source_channel *c, const char *text); /* minutes; nonsense is nothing */

#endif
