/* The table of HTML elements: which may stay, which go with their content, and how they nest. What
 * is not in it is a tag that is ignored. */
#include "element.h"

#include <stdlib.h>
#include <string.h>

#define KEEP ELEMENT_KEEP
#define BLOCK (ELEMENT_KEEP | ELEMENT_BLOCK)
#define APART (ELEMENT_KEEP | ELEMENT_BLOCK | ELEMENT_APART)
#define DROP ELEMENT_DROP
#define NOTHING (ELEMENT_DROP | ELEMENT_VOID)

/* Sorted by name. */
static const struct element elements[] = {
	{"a", "a", KEEP | ELEMENT_A},
	{"abbr", "abbr", KEEP},
	{"acronym", "abbr", KEEP},
	{"address", "div", BLOCK},
	{"applet", NULL, DROP},
	{"area", NULL, NOTHING},
	{"article", "div", BLOCK},
	{"aside", "div", BLOCK},
	{"audio", NULL, DROP},
	{"b", "b", KEEP},
	{"base", NULL, NOTHING},
	{"big", "big", KEEP},
	{"blockquote", "blockquote", APART | ELEMENT_QUOTE},
	{"br", "br", KEEP | ELEMENT_VOID | ELEMENT_BR},
	{"button", NULL, DROP},
	{"canvas", NULL, DROP},
	{"caption", "caption", BLOCK | ELEMENT_CAPTION},
	{"center", "div", BLOCK},
	{"cite", "cite", KEEP},
	{"code", "code", KEEP},
	{"col", NULL, NOTHING},
	{"dd", "dd", BLOCK | ELEMENT_TERM},
	{"del", "del", KEEP},
	{"details", "div", BLOCK},
	{"dfn", "dfn", KEEP},
	{"dialog", NULL, DROP},
	{"dir", "ul", APART | ELEMENT_LIST},
	{"div", "div", BLOCK},
	{"dl", "dl", APART | ELEMENT_DL},
	{"dt", "dt", BLOCK | ELEMENT_TERM},
	{"em", "em", KEEP},
	{"embed", NULL, NOTHING},
	{"figcaption", "figcaption", BLOCK},
	{"figure", "figure", APART},
	{"footer", "div", BLOCK},
	{"form", NULL, DROP},
	{"frame", NULL, NOTHING},
	{"frameset", NULL, DROP},
	{"h1", "h1", APART | ELEMENT_HEADING},
	{"h2", "h2", APART | ELEMENT_HEADING},
	{"h3", "h3", APART | ELEMENT_HEADING},
	{"h4", "h4", APART | ELEMENT_HEADING},
	{"h5", "h5", APART | ELEMENT_HEADING},
	{"h6", "h6", APART | ELEMENT_HEADING},
	{"header", "div", BLOCK},
	{"hgroup", "div", BLOCK},
	{"hr", "hr", APART | ELEMENT_VOID | ELEMENT_HR},
	{"i", "i", KEEP},
	{"iframe", NULL, DROP},
	{"img", "img", KEEP | ELEMENT_VOID | ELEMENT_IMG},
	{"input", NULL, NOTHING},
	{"ins", "ins", KEEP},
	{"kbd", "kbd", KEEP},
	{"li", "li", BLOCK | ELEMENT_ITEM},
	{"link", NULL, NOTHING},
	{"main", "div", BLOCK},
	{"mark", "mark", KEEP},
	{"math", NULL, DROP},
	{"menu", "ul", APART | ELEMENT_LIST},
	{"meta", NULL, NOTHING},
	{"nav", "div", BLOCK},
	{"noembed", NULL, DROP},
	{"noframes", NULL, DROP},
	{"noscript", NULL, DROP},
	{"object", NULL, DROP},
	{"ol", "ol", APART | ELEMENT_LIST},
	{"p", "p", APART | ELEMENT_P},
	{"param", NULL, NOTHING},
	{"pre", "pre", APART | ELEMENT_PRE},
	{"q", "q", KEEP},
	{"rp", "rp", KEEP},
	{"rt", "rt", KEEP},
	{"ruby", "ruby", KEEP},
	{"s", "s", KEEP},
	{"samp", "samp", KEEP},
	{"script", NULL, DROP},
	{"section", "div", BLOCK},
	{"select", NULL, DROP},
	{"small", "small", KEEP},
	{"source", NULL, NOTHING},
	{"strike", "s", KEEP},
	{"strong", "strong", KEEP},
	{"style", NULL, DROP},
	{"sub", "sub", KEEP},
	{"summary", "p", APART | ELEMENT_P},
	{"sup", "sup", KEEP},
	{"svg", NULL, DROP},
	{"table", "table", APART | ELEMENT_TABLE},
	{"tbody", "tbody", BLOCK | ELEMENT_SECTION},
	{"td", "td", KEEP | ELEMENT_CELL},
	{"template", NULL, DROP},
	{"textarea", NULL, DROP},
	{"tfoot", "tfoot", BLOCK | ELEMENT_SECTION},
	{"th", "th", KEEP | ELEMENT_CELL},
	{"thead", "thead", BLOCK | ELEMENT_SECTION},
	{"title", NULL, DROP},
	{"tr", "tr", BLOCK | ELEMENT_ROW},
	{"track", NULL, NOTHING},
	{"tt", "code", KEEP},
	{"u", "u", KEEP},
	{"ul", "ul", APART | ELEMENT_LIST},
	{"var", "var", KEEP},
	{"video", NULL, DROP},
	{"xmp", NULL, DROP},
};

static int compare(const void *name, const void *element)
{
	return strcmp(name, ((const struct element *)element)->name);
}

const struct element *element_find(const char *name)
{
	return bsearch(name, elements, sizeof(elements) / sizeof(elements[0]), sizeof(elements[0]),
		compare);
}

static bool begins(struct dropping *d, const struct token *t)
{
	const struct element *el = t->kind == TOKEN_OPEN ? element_find(t->name) : NULL;
	if (el == NULL || (el->flags & ELEMENT_DROP) == 0)
		return false;
	if (!t->empty && (el->flags & ELEMENT_VOID) == 0) {
		memcpy(d->name, t->name, sizeof(d->name));
		d->nested = 1;
	}
	return true;
}

/* Forms do not nest: a second start tag in one means nothing (HTML, 13.2.6.4.7). */
bool dropping_takes(struct dropping *d, const struct token *t)
{
	if (d->nested == 0)
		return begins(d, t);
	if (strcmp(t->name, d->name) != 0)
		return true;
	if (t->kind == TOKEN_CLOSE)
		d->nested--;
	else if (t->kind == TOKEN_OPEN && !t->empty && strcmp(t->name, "form") != 0)
		d->nested++;
	return true;
}
