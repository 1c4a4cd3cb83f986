/* What is known of a reader, as the commands take it in and give it out: tags, attributes,
 * editions. */
#ifndef CLI_READER_H
#define CLI_READER_H

#include "args.h"
#include "hubmail/base_buf.h"
#include "hubmail/base_error.h"
#include "hubmail/config.h"
#include "hubmail/store_subscriber.h"
#include <jansson.h>

#define READER_EDITIONS "each daily weekly monthly"
#define READER_STATES "pending confirmed unsubscribed removed"

/* ERROR_USAGE if a tag is empty, too long or has control characters. */
bool reader_tag_check(const char *tag, struct error *e);

/* The KEY=VALUE pairs of an option. *out and its strings are the caller's. */
bool reader_attributes(const struct args *a, const char *option, struct store_key_value **out,
	size_t *n, struct error *e);
void reader_attributes_free(struct store_key_value *attributes, size_t n);

/* ERROR_REFUSED, with what the list offers, if readers of it may not choose that edition. */
bool reader_edition_offered(const struct config_list *list, enum edition edition, struct error *e);

/* The name of an edition, or NULL for -1. */
const char *reader_edition_name(int edition);

/* Tags in one cell of a CSV file: separated by commas, in double quotes where one has a comma, a
 * quote or a space at an end. */
void reader_tags_text(const struct strlist *tags, struct buf *out);
/* Reads that form, Mailchimp's and a JSON array; appends to out. */
void reader_tags_parse(const char *text, struct strlist *out);

/* Attributes as a JSON object, which is also what other programs export. The caller's. */
json_t *reader_attributes_json(const struct store_key_value *attributes, size_t n);
/* Reads a JSON object whose values are texts, numbers and truth values (null is left out); anything
 * else is kept as its JSON. ERROR_DATA. */
bool reader_attributes_parse(
	const char *text, struct store_key_value **out, size_t *n, struct error *e);

#endif
