/* The names in XML feeds, and what they stand for. */
#ifndef SOURCE_FEED_NAME_H
#define SOURCE_FEED_NAME_H

enum feed_space {
	SPACE_CORE = 1 << 0, /* RSS of any version, or no namespace at all */
	SPACE_ATOM = 1 << 1,
	SPACE_DC = 1 << 2,
	SPACE_TERMS = 1 << 3, /* Dublin Core's terms */
	SPACE_CONTENT = 1 << 4,
	SPACE_MEDIA = 1 << 5,
	SPACE_ITUNES = 1 << 6,
	SPACE_FEEDBURNER = 1 << 7,
	SPACE_XHTML = 1 << 8,
	SPACE_RDF = 1 << 9,
	SPACE_OTHER = 1 << 10,
};

/* The namespace by its URI, or, for one that nobody declared, by the usual prefix. */
enum feed_space feed_space_of(const char *uri, const char *prefix);

enum feed_field {
	FIELD_NONE,
	FIELD_TITLE,
	FIELD_SUMMARY,
	FIELD_CONTENT,
	FIELD_GUID,
	FIELD_LINK,
	FIELD_ORIGINAL_LINK,
	FIELD_PUBLISHED,
	FIELD_UPDATED,
	FIELD_AUTHOR,
	FIELD_CATEGORY,
	FIELD_TTL,       /* of the feed */
	FIELD_IMAGE,     /* its text or its <url> */
	FIELD_ENCLOSURE, /* the rest are in attributes */
	FIELD_MEDIA,
	FIELD_THUMBNAIL,
};

/* What an element inside of an item says of it. */
enum feed_field feed_field_of(enum feed_space space, const char *name);

#endif
