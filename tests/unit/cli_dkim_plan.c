/* Which key `dkim keygen` makes. */
#include "dkim_plan.h"
#include "hubmail/base_mem.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define LIST(name, from)                                                                           \
	"{ name = \"" name "\"; from = \"" from "\"; schedule = \"each\";"                         \
	" sources = ( { feed = \"https://example.org/feed\"; } ); }"
#define ONE_LIST LIST("news", "News <news@example.org>")

/* A folder like /etc/hubmail. */
struct fixture {
	char folder[64];
	char *file;
	struct config *config;
	struct dkim_plan plans[2];
	struct error e;
};

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	snprintf(f->folder, sizeof(f->folder), "/tmp/hubmail-unit-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	f->file = xasprintf("%s/hubmail.conf", f->folder);
	*state = f;
	return 0;
}

static void forget(struct fixture *f)
{
	dkim_plan_free(&f->plans[0]);
	dkim_plan_free(&f->plans[1]);
	f->e = (struct error){0};
}

static void touch(const struct fixture *f, const char *name)
{
	char *path = xasprintf("%s/%s", f->folder, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fclose(file);
	free(path);
}

static int tear_down(void **state)
{
	static const char *const touched[] = {"there.pem", "dkim.pem", "two-ed25519.pem"};
	struct fixture *f = *state;

	forget(f);
	config_free(f->config);
	for (size_t i = 0; i < sizeof(touched) / sizeof(touched[0]); i++) {
		char *path = xasprintf("%s/%s", f->folder, touched[i]);
		unlink(path);
		free(path);
	}
	assert_int_equal(rmdir(f->folder), 0);
	free(f->file);
	free(f);
	return 0;
}

static void configure(struct fixture *f, const char *lists, const char *dkim)
{
	struct strlist errors = {0};
	char *text = xasprintf("web = { url = \"https://example.org\"; };\n"
			       "relays = ( { host = \"h\"; } );\nlists = ( %s );\n%s",
		lists, dkim);

	config_free(f->config);
	f->config = config_parse(f->file, text, strlen(text), &errors);
	if (f->config == NULL)
		fail_msg("%s", errors.items[0]);
	free(text);
}

static bool plan(struct fixture *f, struct dkim_wish wish, size_t n)
{
	const enum dkim_kind kinds[] = {DKIM_RSA, DKIM_ED25519};

	forget(f);
	wish.config_file = f->file;
	return dkim_plan_make(f->config, &wish, kinds, n, f->plans, &f->e);
}

#define assert_plan(f, ...)                                                                        \
	do {                                                                                       \
		if (!plan((f), __VA_ARGS__))                                                       \
			fail_msg("%s", (f)->e.text);                                               \
	} while (0)
#define WISH(...) ((struct dkim_wish){__VA_ARGS__})

static void assert_key(const struct fixture *f, size_t i, const char *domain, const char *selector,
	const char *name)
{
	char *path = name[0] == '/' ? xstrdup(name) : xasprintf("%s/%s", f->folder, name);

	assert_string_equal(f->plans[i].domain, domain);
	assert_string_equal(f->plans[i].selector, selector);
	assert_string_equal(f->plans[i].file, path);
	free(path);
}

static void assert_refused(const struct fixture *f, enum error_code code, const char *says)
{
	assert_int_equal(f->e.code, code);
	if (strstr(f->e.text, says) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", f->e.text, says);
}

static void test_without_a_word_it_is_the_key_of_the_lists_sender(void **state)
{
	struct fixture *f = *state;

	configure(f, ONE_LIST ", " LIST("more", "more@example.org"), "");
	assert_plan(f, WISH(0), 1);
	assert_key(f, 0, "example.org", "hubmail", "dkim.pem");
	assert_false(f->plans[0].declared);
	assert_int_equal(f->plans[0].kind, DKIM_RSA);
}

static void test_lists_of_several_domains_need_a_word(void **state)
{
	struct fixture *f = *state;

	configure(f, ONE_LIST ", " LIST("more", "more@example.net"), "");
	assert_false(plan(f, WISH(0), 1));
	assert_refused(f, ERROR_USAGE, "Say --domain with one of: example.org example.net");
	assert_plan(f, WISH(.domain = "Example.NET"), 1);
	assert_key(f, 0, "example.net", "hubmail", "dkim.pem");
	assert_false(plan(f, WISH(.domain = "no domain"), 1));
	assert_refused(f, ERROR_USAGE, "\"no domain\" is no domain");
}

static void test_without_a_configuration_a_domain_is_enough(void **state)
{
	struct fixture *f = *state;

	assert_plan(f, WISH(.domain = "example.org", .selector = "a", .file = "/k/key"), 1);
	assert_key(f, 0, "example.org", "a", "/k/key");
	assert_false(plan(f, WISH(.selector = "a"), 1));
	assert_refused(f, ERROR_USAGE, "Say --domain");
}

static void test_the_key_that_the_configuration_misses_comes_first(void **state)
{
	struct fixture *f = *state;

	touch(f, "there.pem");
	configure(f, ONE_LIST,
		"dkim = ( { domain = \"example.org\"; selector = \"old\"; key_file = \"there.pem\"; },\n"
		"{ domain = \"example.org\"; selector = \"new\"; key_file = \"new.pem\"; },\n"
		"{ domain = \"example.net\"; selector = \"net\"; key_file = \"/k/net.pem\"; } );");
	assert_plan(f, WISH(0), 1);
	assert_key(f, 0, "example.org", "new", "new.pem");
	assert_true(f->plans[0].declared);
	assert_plan(f, WISH(.domain = "example.net"), 1);
	assert_key(f, 0, "example.net", "net", "/k/net.pem");
	assert_plan(f, WISH(.selector = "net"), 1);
	assert_key(f, 0, "example.net", "net", "/k/net.pem");
	assert_plan(f, WISH(.file = "/k/net.pem"), 1);
	assert_key(f, 0, "example.net", "net", "/k/net.pem");
}

static void test_a_second_key_stands_beside_the_first(void **state)
{
	struct fixture *f = *state;

	configure(f, ONE_LIST, "");
	assert_plan(f, WISH(0), 2);
	assert_key(f, 0, "example.org", "hubmail", "dkim.pem");
	assert_key(f, 1, "example.org", "hubmail-ed25519", "dkim-ed25519.pem");
	assert_int_equal(f->plans[1].kind, DKIM_ED25519);
	assert_plan(f, WISH(.selector = "a", .file = "/k.d/key"), 2);
	assert_key(f, 1, "example.org", "a-ed25519", "/k.d/key-ed25519");
	assert_plan(f, WISH(.file = "/k/.key"), 2);
	assert_key(f, 1, "example.org", "hubmail-ed25519", "/k/.key-ed25519");
}

static void test_a_second_key_that_the_configuration_misses_is_taken_too(void **state)
{
	struct fixture *f = *state;

	configure(f, ONE_LIST,
		"dkim = ( { domain = \"example.org\"; selector = \"one\"; key_file = \"one.pem\"; },\n"
		"{ domain = \"example.net\"; selector = \"net\"; key_file = \"net.pem\"; },\n"
		"{ domain = \"example.org\"; selector = \"two\"; key_file = \"two.pem\"; } );");
	assert_plan(f, WISH(0), 2);
	assert_key(f, 0, "example.org", "one", "one.pem");
	assert_key(f, 1, "example.org", "two", "two.pem");
	assert_true(f->plans[1].declared);
}

static void test_nothing_that_is_there_is_touched(void **state)
{
	struct fixture *f = *state;

	touch(f, "dkim.pem");
	configure(f, ONE_LIST,
		"dkim = { domain = \"example.org\"; selector = \"hubmail\"; key_file = \"dkim.pem\"; };");
	assert_false(plan(f, WISH(0), 1));
	assert_refused(f, ERROR_REFUSED, "dkim.pem: is there already");
	assert_false(plan(f, WISH(.file = "/k/new.pem"), 1));
	assert_refused(f, ERROR_REFUSED,
		"the selector hubmail of example.org belongs to the key dkim.pem already");
	assert_plan(f, WISH(.file = "/k/new.pem", .selector = "next"), 1);
	assert_key(f, 0, "example.org", "next", "/k/new.pem");
	touch(f, "two-ed25519.pem");
	char *two = xasprintf("%s/two.pem", f->folder);
	assert_false(plan(f, WISH(.file = two, .selector = "two"), 2));
	assert_refused(f, ERROR_REFUSED, "two-ed25519.pem: is there already");
	free(two);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_without_a_word_it_is_the_key_of_the_lists_sender),
		TEST(test_lists_of_several_domains_need_a_word),
		TEST(test_without_a_configuration_a_domain_is_enough),
		TEST(test_the_key_that_the_configuration_misses_comes_first),
		TEST(test_a_second_key_stands_beside_the_first),
		TEST(test_a_second_key_that_the_configuration_misses_is_taken_too),
		TEST(test_nothing_that_is_there_is_touched),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
