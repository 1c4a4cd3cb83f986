/* The two ways to read an XML feed. */
#ifndef SOURCE_FEED_READ_H
#define SOURCE_FEED_READ_H

#include "feed_tree.h"
#include "hubmail/base_error.h"

/* Reads well-formed UTF-8 XML with libxml2. False at the first fault, with what it was and its
 * line; also for a document that declares entities or default attributes of its own. */
bool feed_read_xml(const char *s, size_t len, struct feed_tree *f, struct error *e);

/* Reads whatever looks like tags. */
void feed_read_loose(const char *s, size_t len, struct feed_tree *f);

#endif
