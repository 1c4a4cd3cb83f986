/* The vocabularies that feeds are written in. A namespace counts by its URI; a prefix that was
 * never declared is taken for what everybody means by it. */
#include "feed_name.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum feed_space feed_space_of(const char *uri, const char *prefix)
{
	/* URIs are compared as far as they are given here: versions and slashes follow. */
	static const struct {
		const char *uri, *prefix;
		enum feed_space space;
	} spaces[] = {{"http://www.w3.org/2005/Atom", "atom", SPACE_ATOM},
		{"https://www.w3.org/2005/Atom", "atom10", SPACE_ATOM},
		{"http://purl.org/atom/ns", "atom03", SPACE_ATOM},
		{"http://purl.org/dc/elements/1", "dc", SPACE_DC},
		{"http://purl.org/dc/terms", "dcterms", SPACE_TERMS},
		{"http://purl.org/rss/1.0/modules/content", "content", SPACE_CONTENT},
		{"http://search.yahoo.com/mrss", "media", SPACE_MEDIA},
		{"https://search.yahoo.com/mrss", "media", SPACE_MEDIA},
		{"http://www.itunes.com/dtds/podcast", "itunes", SPACE_ITUNES},
		{"http://rssnamespace.org/feedburner", "feedburner", SPACE_FEEDBURNER},
		{"http://www.w3.org/1999/xhtml", "xhtml", SPACE_XHTML},
		{"http://www.w3.org/1999/02/22-rdf-syntax-ns", "rdf", SPACE_RDF}};
	for (size_t i = 0; uri != NULL && i < COUNT(spaces); i++) {
		if (strncasecmp(uri, spaces[i].uri, strlen(spaces[i].uri)) == 0)
			return spaces[i].space;
	}
	if (prefix[0] == '\0' ||
		(uri != NULL && strncasecmp(uri, "http://purl.org/rss/1.0", 23) == 0))
		return SPACE_CORE;
	for (size_t i = 0; i < COUNT(spaces); i++) {
		if (strcmp(prefix, spaces[i].prefix) == 0)
			return spaces[i].space;
	}
	return strcmp(prefix, "rss") == 0 ? SPACE_CORE : SPACE_OTHER;
}

enum feed_field feed_field_of(enum feed_space space, const char *name)
{
	static const struct {
		const char *name;
		unsigned spaces;
		enum feed_field field;
	} fields[] = {{"title", SPACE_CORE | SPACE_ATOM | SPACE_DC, FIELD_TITLE},
		{"link", SPACE_CORE | SPACE_ATOM, FIELD_LINK},
		{"description", SPACE_CORE | SPACE_DC | SPACE_MEDIA, FIELD_SUMMARY},
		{"summary", SPACE_CORE | SPACE_ATOM | SPACE_ITUNES, FIELD_SUMMARY},
		{"encoded", SPACE_CONTENT, FIELD_CONTENT},
		{"content", SPACE_CORE | SPACE_ATOM, FIELD_CONTENT},
		{"body", SPACE_XHTML, FIELD_CONTENT}, {"guid", SPACE_CORE, FIELD_GUID},
		{"id", SPACE_CORE | SPACE_ATOM, FIELD_GUID},
		{"pubdate", SPACE_CORE, FIELD_PUBLISHED},
		{"published", SPACE_CORE | SPACE_ATOM, FIELD_PUBLISHED},
		{"issued", SPACE_CORE | SPACE_ATOM | SPACE_TERMS, FIELD_PUBLISHED},
		{"created", SPACE_CORE | SPACE_ATOM | SPACE_TERMS, FIELD_PUBLISHED},
		{"date", SPACE_CORE | SPACE_DC | SPACE_TERMS, FIELD_PUBLISHED},
		{"updated", SPACE_CORE | SPACE_ATOM, FIELD_UPDATED},
		{"modified", SPACE_CORE | SPACE_ATOM | SPACE_TERMS, FIELD_UPDATED},
		{"author", SPACE_CORE | SPACE_ATOM | SPACE_ITUNES, FIELD_AUTHOR},
		{"creator", SPACE_DC, FIELD_AUTHOR},
		{"category", SPACE_CORE | SPACE_ATOM, FIELD_CATEGORY},
		{"subject", SPACE_DC, FIELD_CATEGORY},
		{"origlink", SPACE_FEEDBURNER, FIELD_ORIGINAL_LINK},
		{"enclosure", SPACE_CORE, FIELD_ENCLOSURE}, {"content", SPACE_MEDIA, FIELD_MEDIA},
		{"thumbnail", SPACE_MEDIA, FIELD_THUMBNAIL},
		{"image", SPACE_CORE | SPACE_ITUNES, FIELD_IMAGE}};
	for (size_t i = 0; i < COUNT(fields); i++) {
		if ((fields[i].spaces & space) != 0 && strcmp(name, fields[i].name) == 0)
			return fields[i].field;
	}
	return FIELD_NONE;
}
