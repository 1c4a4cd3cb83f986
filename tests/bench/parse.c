/* One thing, done once, so that the processor time of the whole process can be taken by who starts
 * it (parse.py): a feed parsed as the daemon does it, or only read, or the HTML in it sanitised
 * alone. Prints how many posts or fragments there were. */
#include "hubmail/base_buf.h"
#include "hubmail/base_error.h"
#include "hubmail/base_file.h"
#include "hubmail/source_feed.h"
#include "hubmail/source_html.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASE_URL "https://blog.example/"
#define FILE_MAX ((size_t)SOURCE_FEED_MAX)

static bool parse(const struct buf *feed, size_t *n, struct error *e)
{
	struct post_list posts = {0};
	bool done = source_feed_parse(feed->data, feed->len, BASE_URL, NULL, &posts, NULL, e);

	*n = posts.n;
	post_list_free(&posts);
	return done;
}

/* The fragments end with a NUL each. */
static size_t sanitise(const struct buf *fragments)
{
	size_t n = 0;

	for (size_t at = 0; at < fragments->len; n++) {
		size_t len = strnlen(fragments->data + at, fragments->len - at);
		free(source_html_sanitise(fragments->data + at, len, BASE_URL));
		at += len + 1;
	}
	return n;
}

int main(int argc, char **argv)
{
	struct buf data = {0};
	struct error e = {0};
	size_t n = 0;

	if (argc != 3) {
		fprintf(stderr, "usage: hubmail-bench-parse parse|sanitise|read FILE\n");
		return 64;
	}
	bool done = file_read(argv[2], FILE_MAX, &data, &e);
	if (done && strcmp(argv[1], "parse") == 0)
		done = parse(&data, &n, &e);
	else if (done && strcmp(argv[1], "sanitise") == 0)
		n = sanitise(&data);
	buf_free(&data);
	if (!done) {
		fprintf(stderr, "hubmail-bench-parse: %s\n", e.text);
		return 1;
	}
	printf("%zu\n", n);
	return 0;
}
