/* Files of a blog: the first byte says whether the rest is Markdown or HTML. */
#include "hubmail/base_text.h"
#include "hubmail/source_file.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct post post;
	struct error e = {0};
	bool draft = false;
	if (size == 0)
		return 0;
	struct source_file file = {.path = data[0] == 'h' ? "a/b.html" : "a/b.md",
		.data = (const char *)data + 1,
		.len = size - 1,
		.base_url = "https://blog.example/",
		.modified_at = 1};
	bool ok = source_file_parse(&file, &post, &draft, &e);
	if (ok != (e.code == ERROR_NONE) || (ok && !draft) != (post.guid != NULL))
		abort();
	if (post.content != NULL && !utf8_valid(post.content, strlen(post.content)))
		abort();
	post_free(&post);
	return 0;
}
