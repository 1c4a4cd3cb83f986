/* Feeds of any bytes: every post that comes out is one that the store may take, and what the feed
 * says of itself is what was promised. */
#include "hubmail/base_text.h"
#include "hubmail/source_feed.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *s)
{
	if (s != NULL && !utf8_valid(s, strlen(s)))
		abort();
}

static void check_url(const char *s)
{
	check(s);
	if (s != NULL && !text_starts(s, "http://") && !text_starts(s, "https://"))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source_channel channel;
	struct post_list posts = {0};
	struct error e = {0};
	bool ok = source_feed_parse(
		(const char *)data, size, "https://blog.example/feed/", NULL, &posts, &channel, &e);
	if (ok != (e.code == ERROR_NONE) || (!ok && posts.n > 0))
		abort();
	for (size_t i = 0; i < posts.n; i++) {
		const struct post *p = &posts.items[i];
		if (p->guid == NULL || p->guid[0] == '\0')
			abort();
		check(p->guid);
		check(p->url);
		check(p->title);
		check(p->author);
		check(p->summary);
		check(p->content);
		check(p->image);
	}
	check_url(channel.hub);
	check_url(channel.self);
	if (channel.ttl < 0)
		abort();
	source_channel_free(&channel);
	post_list_free(&posts);
	return 0;
}
