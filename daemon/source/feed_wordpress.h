/* The posts of WordPress's REST API: what /wp-json/wp/v2/posts?_embed answers. */
#ifndef SOURCE_FEED_WORDPRESS_H
#define SOURCE_FEED_WORDPRESS_H

#include "hubmail/post.h"
#include <jansson.h>
#include <stdbool.h>

/* Appends the posts of the array that are public. False if there is something else in it. */
bool feed_wordpress_read(const json_t *array, const char *base_url, struct post_list *out);

#endif
