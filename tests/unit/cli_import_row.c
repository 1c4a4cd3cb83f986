/* What `import` makes of headers and lines, its own and those that other programs export. */
#include "hubmail/base_clock.h"
#include "import_row.h"
#include "reader.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CELLS(...)                                                                                 \
	(const char *const[]){__VA_ARGS__},                                                        \
		sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)

struct table {
	struct import_columns columns;
	struct import_row row;
	struct strlist maps;
	struct error e;
};

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct table));
	return *state == NULL;
}

static int tear_down(void **state)
{
	struct table *t = *state;

	import_columns_free(&t->columns);
	import_row_free(&t->row);
	strlist_free(&t->maps);
	free(t);
	return 0;
}

static void header(struct table *t, const char *const *cells, size_t n)
{
	import_columns_free(&t->columns);
	if (!import_columns_find(cells, n, &t->maps, &t->columns, &t->e))
		fail_msg("%s", t->e.text);
}

static void line(struct table *t, const char *const *cells, size_t n)
{
	import_row_free(&t->row);
	if (!import_row_read(&t->columns, cells, n, &t->row, &t->e))
		fail_msg("%s", t->e.text);
}

static void bad(struct table *t, const char *why, const char *const *cells, size_t n)
{
	import_row_free(&t->row);
	assert_false(import_row_read(&t->columns, cells, n, &t->row, &t->e));
	assert_int_equal(t->e.code, ERROR_DATA);
	if (strstr(t->e.text, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", t->e.text, why);
}

static int64_t at(const char *iso)
{
	int64_t t = 0;

	assert_true(clock_parse_iso(iso, &t));
	return t;
}

static void test_hubmail_s_own_export(void **state)
{
	struct table *t = *state;

	header(t, CELLS("email", "name", "list", "state", "edition", "tags", "created", "ended",
			  "origin", "attributes"));
	assert_true(t->columns.header);
	assert_int_equal(t->columns.unused.n, 0);
	line(t, CELLS("ann@example.org", "Ann", "news", "confirmed", "weekly", "a,\"b, c\"",
			"2026-01-02T03:04:05Z", "", "web form",
			"{\"city\":\"Z\\u00fcrich\",\"n\":3}"));
	assert_string_equal(t->row.email, "ann@example.org");
	assert_string_equal(t->row.name, "Ann");
	assert_string_equal(t->row.list, "news");
	assert_int_equal(t->row.state, SUBSCRIPTION_CONFIRMED);
	assert_int_equal(t->row.edition, EDITION_WEEKLY);
	assert_int_equal(t->row.tags.n, 2);
	assert_string_equal(t->row.tags.items[1], "b, c");
	assert_int_equal(t->row.created_at, at("2026-01-02T03:04:05Z"));
	assert_string_equal(t->row.origin, "web form");
	assert_int_equal(t->row.n_attributes, 2);
	assert_string_equal(t->row.attributes[0].key, "city");
	assert_string_equal(t->row.attributes[0].value, "Zürich");
	assert_string_equal(t->row.attributes[1].value, "3");
}

static void test_listmonk(void **state)
{
	struct table *t = *state;

	header(t,
		CELLS("uuid", "email", "name", "attributes", "status", "created_at", "updated_at"));
	line(t, CELLS("0-1", "a@example.org", "A", "{\"x\":\"y\"}", "blocklisted",
			"2020-01-01T00:00:00.5Z", "2021-01-01"));
	assert_int_equal(t->row.state, SUBSCRIPTION_UNSUBSCRIBED);
	assert_int_equal(t->row.n_attributes, 1);
	line(t, CELLS("0-1", "a@example.org", "A", "{}", "enabled", "", ""));
	assert_int_equal(t->row.state, SUBSCRIPTION_CONFIRMED);
}

static void test_mailchimp(void **state)
{
	struct table *t = *state;

	header(t, CELLS("Email Address", "First Name", "Last Name", "Address", "OPTIN_TIME",
			  "UNSUB_TIME", "TAGS"));
	line(t, CELLS("a@example.org", "Carl", "Gauß", "12 Main St", "2020-02-03 04:05:06", "",
			"\"one\",\"two, three\""));
	assert_string_equal(t->row.name, "Carl Gauß");
	assert_int_equal(t->row.created_at, at("2020-02-03T04:05:06Z"));
	assert_false(t->row.has_state);
	assert_int_equal(t->row.tags.n, 2);
	assert_string_equal(t->row.tags.items[1], "two, three");
	line(t, CELLS("a@example.org", "", "", "", "", "2021-02-03 04:05:06", ""));
	assert_int_equal(t->row.state, SUBSCRIPTION_UNSUBSCRIBED);
	assert_int_equal(t->row.ended_at, at("2021-02-03T04:05:06Z"));
	assert_null(t->row.name);
}

static void test_ghost(void **state)
{
	struct table *t = *state;

	header(t, CELLS("id", "email", "name", "note", "subscribed_to_emails", "complimentary_plan",
			  "stripe_customer_id", "created_at", "deleted_at", "labels", "tiers"));
	line(t, CELLS("1", "a@example.org", "A", "", "true", "false", "",
			"2023-01-01T00:00:00.000Z", "", "x,y", ""));
	assert_false(t->row.has_state);
	assert_int_equal(t->row.tags.n, 2);
	line(t, CELLS("1", "a@example.org", "A", "", "false", "false", "", "", "", "", ""));
	assert_int_equal(t->row.state, SUBSCRIPTION_UNSUBSCRIBED);
}

static void test_substack(void **state)
{
	struct table *t = *state;

	header(t, CELLS("email", "active_subscription", "expiry", "plan", "email_disabled",
			  "created_at", "first_payment_at"));
	line(t, CELLS("a@example.org", "false", "", "other", "true", "2023-01-01T00:00:00Z", ""));
	assert_int_equal(t->row.state, SUBSCRIPTION_UNSUBSCRIBED);
	line(t, CELLS("a@example.org", "false", "", "other", "false", "2023-01-01T00:00:00Z", ""));
	assert_false(t->row.has_state);
}

static void test_buttondown(void **state)
{
	struct table *t = *state;

	header(t, CELLS("email_address", "notes", "metadata", "tags", "type", "creation_date"));
	line(t, CELLS("a@example.org", "", "{}", "[\"x\",\"y z\"]", "unactivated",
			"2023-01-01T00:00:00+00:00"));
	assert_int_equal(t->row.state, SUBSCRIPTION_PENDING);
	assert_int_equal(t->row.tags.n, 2);
	assert_string_equal(t->row.tags.items[1], "y z");
	line(t, CELLS("a@example.org", "", "", "", "undeliverable", ""));
	assert_int_equal(t->row.state, SUBSCRIPTION_UNSUBSCRIBED);
}

static void test_a_type_of_something_else_is_no_state(void **state)
{
	struct table *t = *state;

	header(t, CELLS("E-Mail", "Type"));
	line(t, CELLS("a@example.org", "bookshop"));
	assert_false(t->row.has_state);
	assert_int_equal(t->columns.unused.n, 1);
}

static void test_without_a_header_the_column_with_an_at_sign_has_the_addresses(void **state)
{
	struct table *t = *state;

	header(t, CELLS("17", "ann@example.org", "Ann"));
	assert_false(t->columns.header);
	line(t, CELLS("18", "bob@example.org", "Bob"));
	assert_string_equal(t->row.email, "bob@example.org");
	assert_null(t->row.name);
}

static void test_a_file_without_addresses_is_refused_with_its_columns(void **state)
{
	struct table *t = *state;

	assert_false(import_columns_find(CELLS("who", "when"), &t->maps, &t->columns, &t->e));
	assert_int_equal(t->e.code, ERROR_DATA);
	assert_non_null(strstr(t->e.text, "--map"));
	assert_non_null(strstr(t->e.text, "who, when"));
}

static void test_maps_win_over_what_is_recognised(void **state)
{
	struct table *t = *state;

	strlist_add(&t->maps, "who=email");
	strlist_add(&t->maps, "email=-");
	strlist_add(&t->maps, "City=set:city");
	strlist_add(&t->maps, "4=name");
	header(t, CELLS("email", "who", "city", "called"));
	line(t, CELLS("no address", "ann@example.org", "Oslo", "Ann"));
	assert_string_equal(t->row.email, "ann@example.org");
	assert_string_equal(t->row.name, "Ann");
	assert_string_equal(t->row.attributes[0].key, "city");
	assert_string_equal(t->row.attributes[0].value, "Oslo");
	assert_int_equal(t->columns.unused.n, 0);
}

static void test_wrong_maps_are_refused(void **state)
{
	struct table *t = *state;
	static const char *const wrong[] = {
		"nothing", "=email", "nowhere=email", "email=nonsense", "9=email", "email=set:"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		strlist_free(&t->maps);
		strlist_add(&t->maps, wrong[i]);
		import_columns_free(&t->columns);
		assert_false(
			import_columns_find(CELLS("email", "name"), &t->maps, &t->columns, &t->e));
		assert_int_equal(t->e.code, ERROR_USAGE);
	}
}

static void test_bad_lines_say_why(void **state)
{
	struct table *t = *state;

	header(t, CELLS("email", "state", "edition", "attributes"));
	bad(t, "no address", CELLS("", "confirmed"));
	bad(t, "no \"@\"", CELLS("nobody"));
	bad(t, "\"maybe\" is not known", CELLS("a@example.org", "maybe"));
	bad(t, "\"hourly\"", CELLS("a@example.org", "", "hourly"));
	bad(t, "\"manual\"", CELLS("a@example.org", "", "manual"));
	bad(t, "JSON", CELLS("a@example.org", "", "", "[1]"));
	bad(t, "5 cells where the header has 4", CELLS("a@example.org", "", "", "", "more"));
	line(t, CELLS("a@example.org"));
	line(t, CELLS("a@example.org", "", "", "", "", ""));
}

static void test_a_mailbox_with_a_name_is_taken_apart(void **state)
{
	struct table *t = *state;

	header(t, CELLS("email"));
	line(t, CELLS("\"Ann, the first\" <Ann@Example.ORG>"));
	assert_string_equal(t->row.email, "Ann@example.org");
	assert_string_equal(t->row.name, "Ann, the first");
}

static void test_a_date_that_cannot_be_read_is_left_out(void **state)
{
	struct table *t = *state;

	header(t, CELLS("email", "created"));
	line(t, CELLS("a@example.org", "last summer"));
	assert_int_equal(t->row.created_at, 0);
	assert_true(t->row.date_unread);
}

static void test_tags_survive_their_way_through_a_cell(void **state)
{
	struct strlist tags = {0}, again = {0};
	struct buf cell = {0};
	static const char *const all[] = {
		"plain", "two words", "a,b", "say \"hi\"", " spaces ", "[x]", "ünï", ";|"};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		strlist_add(&tags, all[i]);
	reader_tags_text(&tags, &cell);
	reader_tags_parse(buf_str(&cell), &again);
	assert_int_equal(again.n, tags.n);
	for (size_t i = 0; i < tags.n; i++)
		assert_string_equal(again.items[i], tags.items[i]);
	/* Nor does a first tag that looks like JSON confuse it. */
	strlist_free(&tags);
	strlist_free(&again);
	buf_truncate(&cell, 0);
	strlist_add(&tags, "[\"x\"]");
	reader_tags_text(&tags, &cell);
	reader_tags_parse(buf_str(&cell), &again);
	assert_int_equal(again.n, 1);
	assert_string_equal(again.items[0], "[\"x\"]");
	strlist_free(&tags);
	strlist_free(&again);
	buf_free(&cell);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_hubmail_s_own_export),
		TEST(test_listmonk),
		TEST(test_mailchimp),
		TEST(test_ghost),
		TEST(test_substack),
		TEST(test_buttondown),
		TEST(test_a_type_of_something_else_is_no_state),
		TEST(test_without_a_header_the_column_with_an_at_sign_has_the_addresses),
		TEST(test_a_file_without_addresses_is_refused_with_its_columns),
		TEST(test_maps_win_over_what_is_recognised),
		TEST(test_wrong_maps_are_refused),
		TEST(test_bad_lines_say_why),
		TEST(test_a_mailbox_with_a_name_is_taken_apart),
		TEST(test_a_date_that_cannot_be_read_is_left_out),
		cmocka_unit_test(test_tags_survive_their_way_through_a_cell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
