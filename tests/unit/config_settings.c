/* The table of settings, and that the example and the man page say the same. */
#include "config_helper.h"
#include "hubmail/base_file.h"
#include "hubmail/base_zone.h"
#include <unistd.h>

/* The text of a file of the source tree, of which FIXTURES is tests/fixtures. */
static char *read_ours(const char *name)
{
	char *tests = file_folder(FIXTURES);
	char *root = file_folder(tests);
	char *path = xasprintf("%s/%s", root, name);
	struct buf text = {0};
	struct error e = {0};

	if (!file_read(path, 1 << 20, &text, &e))
		fail_msg("%s", e.text);
	free(path);
	free(root);
	free(tests);
	return buf_take(&text);
}

static void test_every_setting_is_explained_and_stands_once(void **state)
{
	(void)state;
	size_t n = 0;
	const struct config_setting *all = config_settings(&n);

	assert_true(n > 30);
	for (size_t i = 0; i < n; i++) {
		assert_true(strlen(all[i].help) > 5);
		assert_true(strlen(all[i].type) > 2);
		assert_null(strchr(all[i].help, '\n'));
		for (size_t j = 0; j < i; j++)
			assert_false(strcmp(all[i].group, all[j].group) == 0 &&
				     strcmp(all[i].name, all[j].name) == 0);
	}
}

static const char *quote_for(const struct config_setting *s)
{
	return text_starts(s->type, "number") || text_starts(s->type, "true") ? "" : "\"";
}

static void add_value(struct buf *b, const struct config_setting *s)
{
	const char *quote = quote_for(s);

	buf_addf(b, "%s = %s%s%s; ", s->name, quote, s->fallback, quote);
}

/* A right configuration in which every default is written out. */
static void test_every_default_is_a_value_that_may_be_written(void **state)
{
	(void)state;
	struct buf b = {0};
	size_t n = 0;
	const struct config_setting *all = config_settings(&n);
	static const char *const groups[][3] = {{"", "", ""}, {"control", "control = { ", "}; "},
		{"web", "web = { " WEB " ", "}; "}, {"retry", "retry = { ", "}; "},
		{"relays", "relays = ( { " RELAY " ", "} ); "},
		{"domains", "domains = ( { name = \"example.org\"; rate = \"1/s\"; ", "} ); "},
		{"lists", "lists = ( { " LIST " ", ""},
		{"lists.sources", "sources = ( { feed = \"https://example.org/\"; ", "} ); } );"}};

	for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
		buf_adds(&b, groups[g][1]);
		for (size_t i = 0; i < n; i++)
			if (strcmp(all[i].group, groups[g][0]) == 0 && all[i].fallback != NULL &&
				all[i].fallback[0] != '\0')
				add_value(&b, &all[i]);
		buf_adds(&b, groups[g][2]);
	}
	struct config *written = accept_text(b.data);
	struct config *silent = accept(.top = NULL);
	assert_int_equal(written->retry_longest, silent->retry_longest);
	assert_int_equal(written->web_listen_port, silent->web_listen_port);
	assert_int_equal(written->relays[0].port, silent->relays[0].port);
	assert_int_equal(written->relays[0].tls, silent->relays[0].tls);
	assert_string_equal(written->lists[0].language, silent->lists[0].language);
	assert_int_equal(
		written->lists[0].sources[0].interval, silent->lists[0].sources[0].interval);
	config_free(silent);
	config_free(written);
	buf_free(&b);
}

/* ---- The example ---- */

/* "#name = value;" without its '#'; remarks have a space after it. */
static char *uncomment(const char *text)
{
	struct buf b = {0};

	for (bool at_start = true; *text != '\0'; text++) {
		if (!at_start || *text != '#' || strchr(" \n", text[1]) != NULL)
			buf_addc(&b, *text);
		at_start = *text == '\n';
	}
	return buf_take(&b);
}

static void test_the_example_is_right_as_it_stands(void **state)
{
	(void)state;
	char *text = read_ours("conf/hubmail.conf");
	struct config *c = accept_text(text);

	assert_string_equal(c->lists[0].name, "news");
	config_free(c);
	free(text);
}

static void test_the_example_is_right_with_all_its_remarks_turned_on(void **state)
{
	(void)state;
	char *text = read_ours("conf/hubmail.conf");
	char *full = uncomment(text);
	struct config *c = accept_text(full);
	struct zone *z = zone_load(c->lists[0].timezone, NULL);

	assert_int_equal(c->lists[0].n_sources, 4);
	assert_non_null(z);
	zone_free(z);
	config_free(c);
	free(full);
	free(text);
}

static void test_the_example_has_every_setting(void **state)
{
	(void)state;
	char *text = read_ours("conf/hubmail.conf");
	size_t n = 0;
	const struct config_setting *all = config_settings(&n);

	for (size_t i = 0; i < n; i++) {
		char *mention = xasprintf("%s = ", all[i].name);
		if (strstr(text, mention) == NULL)
			fail_msg("%s.%s does not stand in the example", all[i].group, all[i].name);
		free(mention);
	}
	free(text);
}

static void test_what_the_example_leaves_out_is_shown_with_its_default(void **state)
{
	(void)state;
	char *text = read_ours("conf/hubmail.conf");
	size_t n = 0;
	const struct config_setting *all = config_settings(&n);

	for (size_t i = 0; i < n; i++) {
		const char *quote = quote_for(&all[i]);
		if (all[i].fallback == NULL || all[i].fallback[0] == '\0' ||
			strcmp(all[i].name, "timezone") == 0)
			continue;
		char *mention =
			xasprintf("%s = %s%s%s;", all[i].name, quote, all[i].fallback, quote);
		if (strstr(text, mention) == NULL)
			fail_msg("the example has not: %s", mention);
		free(mention);
	}
	free(text);
}

/* ---- The man page ---- */

static char *item_line(const struct config_setting *s)
{
	const char *what = s->fallback == NULL      ? "optional"
			   : s->fallback[0] == '\0' ? "required"
						    : "default Ql ";

	return xasprintf(".It Ic %s Pq %s , %s%s\n", s->name, s->type, what,
		s->fallback != NULL ? s->fallback : "");
}

/* The part of the page under the heading of that group; the caller's. */
static char *page_section(const char *page, const char *group)
{
	char *heading = xasprintf("\n.Ss %s\n", group[0] != '\0' ? group : "General");
	const char *start = strstr(page, heading);

	if (start == NULL) {
		fail_msg("the man page has no section%s", heading);
		return NULL;
	}
	start += strlen(heading);
	const char *end = strstr(start, "\n.S");
	free(heading);
	return xstrndup(start, end != NULL ? (size_t)(end - start) : strlen(start));
}

static void test_the_man_page_has_every_setting_with_its_type_and_default(void **state)
{
	(void)state;
	char *page = read_ours("daemon/hubmail.conf.5");
	size_t n = 0;
	const struct config_setting *all = config_settings(&n);

	for (size_t i = 0; i < n; i++) {
		char *section = page_section(page, all[i].group);
		char *line = item_line(&all[i]);
		const char *found = strstr(section, line);
		if (found == NULL)
			fail_msg("%s: the man page has not: %s", all[i].group, line);
		else if (text_starts(found + strlen(line), ".It"))
			fail_msg("the man page does not explain: %s", line);
		free(line);
		free(section);
	}
	free(page);
}

static void test_the_man_page_has_no_setting_that_does_not_exist(void **state)
{
	(void)state;
	char *page = read_ours("daemon/hubmail.conf.5");
	size_t n = 0;
	size_t items = 0;

	config_settings(&n);
	for (const char *s = strstr(page, "\n.It Ic "); s != NULL; s = strstr(s + 1, "\n.It Ic "))
		items++;
	assert_int_equal(items, n);
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_setting_is_explained_and_stands_once),
		cmocka_unit_test(test_every_default_is_a_value_that_may_be_written),
		cmocka_unit_test(test_the_example_is_right_as_it_stands),
		cmocka_unit_test(test_the_example_is_right_with_all_its_remarks_turned_on),
		cmocka_unit_test(test_the_example_has_every_setting),
		cmocka_unit_test(test_what_the_example_leaves_out_is_shown_with_its_default),
		cmocka_unit_test(test_the_man_page_has_every_setting_with_its_type_and_default),
		cmocka_unit_test(test_the_man_page_has_no_setting_that_does_not_exist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
