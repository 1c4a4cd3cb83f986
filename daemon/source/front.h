/* What a blog's file says of itself before its text. */
#ifndef SOURCE_FRONT_H
#define SOURCE_FRONT_H

#include "hubmail/base_buf.h"
#include "hubmail/base_error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRONT_MAX (64u << 10) /* bytes of front matter */

/* All zero is: nothing said. */
struct front {
	char *title, *summary, *image, *slug, *url;
	char *date; /* as it was written: a permalink shows the day in the author's zone */
	struct strlist authors, categories;
	struct strlist sections; /* of the categories those that are no tags */
	int64_t published_at, updated_at;
	bool draft;
};

void front_free(struct front *f);

/* Reads the front matter at the start of the file, if there is one; *body is where the text begins.
 * ERROR_DATA with the line ("line 3: …") if it is broken. */
bool front_read(const char *s, size_t len, struct front *out, size_t *body, struct error *e);

/* What the formats share: a value (or one of several) for a key. Unknown keys are left aside;
 * `inner` is the key in a map under `key`, or NULL. False if the value cannot be. */
bool front_set(
	struct front *f, const char *key, const char *inner, const char *value, struct error *e);

/* s without its delimiters; first_line is its line in the file. */
bool front_yaml(const char *s, size_t len, int first_line, struct front *out, struct error *e);
bool front_toml(const char *s, size_t len, int first_line, struct front *out, struct error *e);
/* The object at the start of s, which may go on behind it: *used is where it ends. */
bool front_json(const char *s, size_t len, int first_line, struct front *out, size_t *used,
	struct error *e);

#endif
