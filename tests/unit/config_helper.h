/* A configuration that is right, of which a test replaces one part, and what it makes of that. */
#ifndef TESTS_UNIT_CONFIG_HELPER_H
#define TESTS_UNIT_CONFIG_HELPER_H

#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "hubmail/config.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Each part is one line of the file, in this order. NULL: a right one. */
struct parts {
	const char *web, *relay, *list, *sources, *top;
};

#define WEB "url = \"https://news.example.org\";"
#define RELAY "host = \"smtp.example.org\";"
#define LIST "name = \"news\"; from = \"News <news@example.org>\"; schedule = \"each\";"
#define SOURCE "{ feed = \"https://example.org/feed/\"; }"

static inline char *write_parts(const struct parts *p)
{
	return xasprintf("web = { %s };\n"
			 "relays = ( { %s } );\n"
			 "lists = ( { %s\n"
			 "sources = ( %s ); } );\n"
			 "%s\n",
		p->web != NULL ? p->web : WEB, p->relay != NULL ? p->relay : RELAY,
		p->list != NULL ? p->list : LIST, p->sources != NULL ? p->sources : SOURCE,
		p->top != NULL ? p->top : "");
}

/* The configuration, or a failure of the test with what was said. */
static inline struct config *accept_text(const char *text)
{
	struct strlist errors = {0};
	struct config *c = config_parse("hubmail.conf", text, strlen(text), &errors);

	for (size_t i = 0; i < errors.n; i++)
		print_error("%s\n", errors.items[i]);
	assert_int_equal(errors.n, 0);
	assert_non_null(c);
	return c;
}

static inline struct config *accept_parts(struct parts p)
{
	char *text = write_parts(&p);
	struct config *c = accept_text(text);

	free(text);
	return c;
}

/* All errors of a text that must have some, a line for each. */
static inline void expect_errors(const char *text, const char *expected)
{
	struct strlist errors = {0};
	struct buf got = {0};
	struct config *c = config_parse("hubmail.conf", text, strlen(text), &errors);

	for (size_t i = 0; i < errors.n; i++)
		buf_addf(&got, "%s%s", i > 0 ? "\n" : "", errors.items[i]);
	assert_string_equal(buf_str(&got), expected);
	assert_null(c);
	buf_free(&got);
	strlist_free(&errors);
}

static inline void refuse_parts(struct parts p, const char *expected)
{
	char *text = write_parts(&p);

	expect_errors(text, expected);
	free(text);
}

#define accept(...) accept_parts((struct parts){__VA_ARGS__})
/* refuse("expected error", .relay = "…") */
#define refuse(expected, ...) refuse_parts((struct parts){__VA_ARGS__}, "hubmail.conf:" expected)

#endif
