/* What a feed says of itself, picked up by the readers of each format as they come by it. */
#include "channel.h"

#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "hubmail/source_html.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TTL_MAX_MINUTES 527040 /* 366 days */

void channel_link(
	struct source_channel *c, const char *relation, const char *href, const char *base_url)
{
	char **to = NULL;

	if (strcasecmp(relation, "hub") == 0)
		to = &c->hub;
	else if (strcasecmp(relation, "self") == 0)
		to = &c->self;
	if (to != NULL && *to == NULL && href != NULL)
		*to = source_url_absolute(href, base_url);
}

void channel_ttl(struct source_channel *c, const char *text)
{
	char *copy = xstrdup(text);
	long long minutes = 0;

	if (c->ttl == 0 && text_to_int(text_trim(copy), 1, TTL_MAX_MINUTES, &minutes))
		c->ttl = (int64_t)minutes * 60;
	free(copy);
}

void source_channel_free(struct source_channel *c)
{
	free(c->hub);
	free(c->self);
	*c = (struct source_channel){0};
}
