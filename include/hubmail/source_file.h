/* A Markdown or HTML file of a blog into a post. No disk: the bytes are given. Any thread. */
#ifndef HUBMAIL_SOURCE_FILE_H
#define HUBMAIL_SOURCE_FILE_H

#include "hubmail/base_error.h"
#include "hubmail/post.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOURCE_FILE_MAX (4u << 20) /* bytes of a file that is looked at */

struct source_file {
	const char *path; /* relative to the directory, '/'-separated: "2026/hello.md" */
	const char *data;
	size_t len;
	const char *base_url; /* where the directory is published, ends in '/'; NULL: posts have no
				 link unless the front matter says so */
	int64_t modified_at;  /* the file's; the post's date if it says none */
};

bool source_file_is_post(const char *path); /* by its name: *.md, *.markdown, *.html, *.htm; not
					       hidden, not _index.* or a backup */

/* Fills *out: front matter (YAML between ---; a flat map: title, date, author, summary or
 * description, image, categories and tags, draft, slug, url), body by md4c or as it is. HTML files
 * give <title>, <meta name=author|description|date>, and <article>, <main> or <body>. guid is the
 * path. The link is base_url + the folder + slug (or the file's name without its ending; the
 * folder's for index.md) + '/', for HTML files base_url + path. *draft is true for a draft: then it
 * is not to be mailed, and out is empty. ERROR_DATA (with the line) if the front matter is broken
 * or the bytes are not UTF-8. */
bool source_file_parse(const struct source_file *f, struct post *out, bool *draft, struct error *e);

#endif
