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
	const char *base_url;  /* where the directory is published, ends in '/'; NULL: posts have no
				  link unless the front matter says so */
	const char *permalink; /* a pattern like "/:year/:month/:slug/" (base_permalink.h), resolved
				  against base_url; NULL: folder and name */
	int64_t modified_at;   /* the file's; the post's date if it says none */
};

bool source_file_is_post(const char *path); /* by its name: *.md, *.markdown, *.html, *.htm; not
					       hidden, not _index.* or a backup */

/* Fills *out from front matter and body.
 *
 * Front matter is a map in YAML between lines of ---, in TOML between lines of +++, or a JSON
 * object at the start of the file: title, date, lastmod, author(s), summary or description, image
 * or cover, categories and tags, draft (or published: false), slug, url or permalink; what else is
 * there is left aside. The body is Markdown by md4c (Hugo's shortcodes and Jekyll's tags replaced
 * or taken out) or HTML. HTML files give <title>, <meta name=author|description|date>, and
 * <article>, <main> or <body>. What is not said: the title is the first heading, the summary what
 * stands before
 * <!--more-->, the date that of the name ("2026-11-24-hello.md") or of the file.
 *
 * guid is the path. The link is base_url + the folder + slug (or the file's name without its
 * ending; the folder's for index.md) + '/', for HTML files base_url + path; a url, a permalink or a
 * pattern of the post's own wins, then f->permalink. *draft is true for a draft: then it is not to
 * be mailed, and out is empty. ERROR_DATA (with the line) if the front matter is broken or the
 * bytes are not UTF-8. */
bool source_file_parse(const struct source_file *f, struct post *out, bool *draft, struct error *e);

#endif
