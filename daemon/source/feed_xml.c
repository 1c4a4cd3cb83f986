/* Well-formed feeds, read by libxml2's SAX parser in small steps: no tree, no network, no DTD. The
 * parser stops at the first declaration of an entity or an attribute, since only attacks and very
 * old feeds have them; the loose reader, which expands nothing, then takes the document. */
#include "feed_read.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>

#define TAG_ATTRIBUTES_MAX 256 /* libxml2 compares each with each */
#define NAMESPACES_MAX 300     /* open at once; it looks through them for each element */
#define NAMES_MAX 20000        /* different ones; its table of them gets slow */
#define DEPTH_MAX 260          /* it stops at 256 */

struct reading {
	const char *s;
	size_t len;
	struct feed_tree *tree;
	xmlParserCtxtPtr parser;
	struct error *e;
	bool failed;
	int depth, namespaces;
	int declared[DEPTH_MAX]; /* by each open element */
};

static void fail(struct reading *r, int line, const char *what)
{
	if (!r->failed)
		error_set(r->e, ERROR_DATA, "line %d: %.*s", line, (int)strcspn(what, "\n"), what);
	r->failed = true;
	xmlStopParser(r->parser);
}

static void on_error(void *arg, xmlErrorPtr error)
{
	struct reading *r = arg;
	if (error->level >= XML_ERR_ERROR)
		fail(r, error->line, error->message != NULL ? error->message : "not well-formed");
}

static void on_entity(void *arg, const xmlChar *name, int type, const xmlChar *public_id,
	const xmlChar *system_id, xmlChar *content)
{
	struct reading *r = arg;
	(void)name, (void)type, (void)public_id, (void)system_id, (void)content;
	fail(r, xmlSAX2GetLineNumber(r->parser), "declares entities of its own");
}

static void on_attribute(void *arg, const xmlChar *element, const xmlChar *name, int type, int def,
	const xmlChar *value, xmlEnumerationPtr tree)
{
	struct reading *r = arg;
	(void)element, (void)name, (void)type, (void)def, (void)value;
	xmlFreeEnumeration(tree);
	fail(r, xmlSAX2GetLineNumber(r->parser), "declares attributes of its own");
}

/* libxml2 hands each attribute as five pointers: local name, prefix, URI, value, value's end. Names
 * come back with the prefix only where it decides something. */
static void take_attributes(struct feed_tag *tag, int n, const xmlChar **attributes)
{
	for (int i = 0; i < n && tag->n < FEED_ATTRIBUTES_MAX; i++) {
		const char **a = (const char **)attributes + (ptrdiff_t)i * 5;
		const char *name = a[0];
		if (a[1] != NULL && strcmp(a[1], "xml") == 0 && strcmp(name, "base") == 0)
			name = "xml:base";
		else if (a[1] != NULL && strcmp(name, "about") == 0)
			name = "rdf:about";
		else if (a[1] != NULL)
			continue;
		tag->attributes[tag->n++] = (struct feed_attribute){.name = name,
			.name_len = strlen(name),
			.value = a[3],
			.len = (size_t)(a[4] - a[3])};
	}
}

static void on_open(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
	int n_namespaces, const xmlChar **namespaces, int n_attributes, int n_defaulted,
	const xmlChar **attributes)
{
	struct reading *r = arg;
	struct feed_tag tag = {.uri = (const char *)uri};
	(void)namespaces, (void)n_defaulted;
	feed_tag_name(&tag, (const char *)name, strlen((const char *)name));
	if (prefix != NULL) {
		struct feed_tag prefix_only = {0};
		feed_tag_name(&prefix_only, (const char *)prefix, strlen((const char *)prefix));
		memcpy(tag.prefix, prefix_only.name, sizeof(tag.prefix));
	}
	take_attributes(&tag, n_attributes, attributes);
	feed_tree_open(r->tree, &tag);
	if (feed_tree_is_full(r->tree))
		xmlStopParser(r->parser);
	r->namespaces += n_namespaces;
	if (r->depth == DEPTH_MAX || r->namespaces > NAMESPACES_MAX ||
		xmlDictSize(r->parser->dict) > NAMES_MAX)
		fail(r, xmlSAX2GetLineNumber(r->parser), "has too many names");
	else
		r->declared[r->depth++] = n_namespaces;
}

static void on_close(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct reading *r = arg;
	(void)name, (void)prefix, (void)uri;
	if (r->depth > 0)
		r->namespaces -= r->declared[--r->depth];
	feed_tree_close(r->tree);
}

static void on_text(void *arg, const xmlChar *s, int len)
{
	struct reading *r = arg;
	feed_tree_text(r->tree, (const char *)s, (size_t)len);
}

static int read_some(void *arg, char *to, int room)
{
	struct reading *r = arg;
	size_t n = r->len < (size_t)room ? r->len : (size_t)room;
	memcpy(to, r->s, n);
	r->s += n;
	r->len -= n;
	return (int)n;
}

static int read_end(void *arg)
{
	(void)arg;
	return 0;
}

/* Is there a tag with so many attributes that libxml2 would take minutes for it? Quotes and
 * sections are not minded, so this may be wrong about strange but harmless documents, which the
 * loose reader then reads as well. */
static bool has_monstrous_tag(const char *s, size_t len)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '<' || s[i] == '>')
			n = 0;
		else if (s[i] == '=' && (s[i + 1] == '"' || s[i + 1] == '\'') &&
			 ++n > TAG_ATTRIBUTES_MAX)
			return true;
	}
	return false;
}

bool feed_read_xml(const char *s, size_t len, struct feed_tree *f, struct error *e)
{
	struct reading r = {.s = s, .len = len, .tree = f, .e = e};
	xmlSAXHandler sax = {.initialized = XML_SAX2_MAGIC,
		.startElementNs = on_open,
		.endElementNs = on_close,
		.characters = on_text,
		.ignorableWhitespace = on_text,
		.cdataBlock = on_text,
		.entityDecl = on_entity,
		.attributeDecl = on_attribute,
		.serror = on_error};
	if (has_monstrous_tag(s, len))
		return error_set(e, ERROR_DATA, "a tag has too many attributes");
	r.parser = xmlNewParserCtxt();
	if (r.parser == NULL)
		return error_set(e, ERROR_AGAIN, "no memory for the XML parser");
	xmlSAXHandler *own = r.parser->sax;
	r.parser->sax = &sax;
	r.parser->userData = &r;
	xmlDocPtr doc = xmlCtxtReadIO(r.parser, read_some, read_end, &r, NULL, "UTF-8",
		XML_PARSE_NONET | XML_PARSE_IGNORE_ENC);
	xmlFreeDoc(doc);
	r.parser->sax = own;
	xmlFreeParserCtxt(r.parser);
	return !r.failed;
}
