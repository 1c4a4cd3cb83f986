/* JSON Feed, versions 1.0 and 1.1; and the posts of WordPress's REST API. */
#ifndef SOURCE_FEED_JSON_H
#define SOURCE_FEED_JSON_H

#include "hubmail/base_error.h"
#include "hubmail/source_feed.h"
#include <stdbool.h>
#include <stddef.h>

/* s is UTF-8. ERROR_DATA if it is no JSON, or none that is a feed. */
bool feed_read_json(const char *s, size_t len, const char *base_url, struct post_list *out,
	struct source_channel *channel, struct error *e);

#endif
