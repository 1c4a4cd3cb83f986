/* The head of a feed: whatever it is, what comes out is nothing or what was promised. */
#include "hubmail/base_text.h"
#include "hubmail/source_channel.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct source_channel c;

	source_channel_read((const char *)data, size, "https://example.org/feed", NULL, &c);
	const char *urls[] = {c.hub, c.self};
	for (size_t i = 0; i < 2; i++)
		if (urls[i] != NULL && !text_starts(urls[i], "http://") &&
			!text_starts(urls[i], "https://"))
			abort();
	if (c.ttl < 0)
		abort();
	source_channel_free(&c);
	return 0;
}
