/* The sanitiser, the text functions and the search for feeds on any bytes: what comes out of the
 * sanitiser must come out of it a second time unchanged, or somebody's parser could read it
 * differently. */
#include "hubmail/base_text.h"
#include "hubmail/source_feed.h"
#include "hubmail/source_html.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *html = (const char *)data;
	char *once = source_html_sanitise(html, size, "https://blog.example/a/");
	char *twice = source_html_sanitise(once, strlen(once), "https://blog.example/a/");
	char *text = source_html_text(html, size, true);
	char *excerpt = source_html_excerpt(html, size, 40);
	char *image = source_html_first_image(once);
	size_t len = strlen(excerpt);
	struct strlist feeds = {0};
	source_feed_discover(html, size, "https://blog.example/a/", &feeds);
	if (strcmp(once, twice) != 0 || !utf8_valid(once, strlen(once)) ||
		!utf8_valid(text, strlen(text)) || !utf8_valid(excerpt, len) ||
		utf8_prefix(excerpt, 40) != len || feeds.n > 20 || strstr(once, "<script") != NULL)
		abort();
	strlist_free(&feeds);
	free(once);
	free(twice);
	free(text);
	free(excerpt);
	free(image);
	return 0;
}
