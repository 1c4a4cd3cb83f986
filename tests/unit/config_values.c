/* What the settings become. */
#include "config_helper.h"

static void test_a_short_configuration_is_filled_up_with_defaults(void **state)
{
	(void)state;
	struct config *c = accept(.top = NULL);
	const struct config_relay *r = &c->relays[0];
	const struct config_list *l = &c->lists[0];

	assert_string_equal(c->file, "hubmail.conf");
	assert_string_equal(c->database, "/var/lib/hubmail/hubmail.db");
	assert_string_equal(c->secret_file, "/var/lib/hubmail/secret");
	assert_string_equal(c->control_socket, "/run/hubmail/control.sock");
	assert_null(c->control_group);
	assert_string_equal(c->web_listen_host, "127.0.0.1");
	assert_int_equal(c->web_listen_port, 8025);
	assert_string_equal(c->web_url, "https://news.example.org");
	assert_int_equal(c->on_unknown, UNKNOWN_RESEND);
	assert_int_equal(c->retry_first, 300);
	assert_int_equal(c->retry_longest, 4 * 3600);
	assert_int_equal(c->retry_give_up, 5 * 86400);
	assert_int_equal(c->n_relays, 1);
	assert_string_equal(r->name, "smtp.example.org");
	assert_int_equal(r->port, 587);
	assert_int_equal(r->tls, TLS_STARTTLS);
	assert_int_equal(r->connections, 4);
	assert_int_equal(r->answer_timeout, 600);
	assert_null(r->username);
	assert_null(r->hello);
	assert_int_equal(c->n_lists, 1);
	assert_string_equal(l->title, "news");
	assert_null(l->description);
	assert_string_equal(l->timezone, "UTC");
	assert_string_equal(l->language, "en");
	assert_int_equal(l->min_posts, 1);
	assert_int_equal(l->max_posts, 20);
	assert_int_equal(l->content, CONTENT_EXCERPT);
	assert_int_equal(l->sources[0].interval, 600);
	config_free(c);
}

static void test_a_sender_is_taken_apart(void **state)
{
	(void)state;
	struct config *c = accept(.list = "name = \"news\"; schedule = \"each\"; "
					  "from = \"Beijing Tech 北京 <News@Example.ORG>\"; "
					  "reply_to = \"editor@EXAMPLE.org\";");
	const struct config_list *l = &c->lists[0];

	assert_string_equal(l->from, "Beijing Tech 北京 <News@Example.ORG>");
	assert_string_equal(l->from_name, "Beijing Tech 北京");
	assert_string_equal(l->from_address, "News@example.org");
	assert_string_equal(l->reply_to, "editor@example.org");
	config_free(c);
}

static void test_a_reader_may_choose_the_editions_offered_and_the_lists_own(void **state)
{
	(void)state;
	struct config *c = accept(.list = "name = \"news\"; from = \"news@example.org\"; "
					  "schedule = \"weekly mon 08:00\"; "
					  "editions = ( \"each\", \"daily\" );");
	const bool *offers = c->lists[0].offers;

	assert_true(offers[EDITION_EACH]);
	assert_true(offers[EDITION_DAILY]);
	assert_true(offers[EDITION_WEEKLY]);
	assert_false(offers[EDITION_MONTHLY]);
	assert_false(offers[EDITION_MANUAL]);
	config_free(c);
}

static void test_a_source_is_a_feed_or_a_directory(void **state)
{
	(void)state;
	struct config *c =
		accept(.sources = "{ feed = \"https://例子.example/feed/?a=b\"; interval = 30; "
				  "categories = [ \"science\", \"travel\" ]; }, "
				  "{ directory = \"/srv/blog/posts//\"; "
				  "url = \"https://example.org/posts\"; interval = \"2h\"; "
				  "permalink = \"/:year/:month/:slug/\"; }");
	const struct config_source *s = c->lists[0].sources;

	assert_int_equal(c->lists[0].n_sources, 2);
	assert_int_equal(s[0].kind, SOURCE_FEED);
	assert_string_equal(s[0].location, "https://例子.example/feed/?a=b");
	assert_null(s[0].url);
	assert_null(s[0].permalink);
	assert_int_equal(s[0].interval, 30);
	assert_int_equal(s[0].categories.n, 2);
	assert_string_equal(s[0].categories.items[1], "travel");
	assert_int_equal(s[1].kind, SOURCE_DIRECTORY);
	assert_string_equal(s[1].location, "/srv/blog/posts");
	assert_string_equal(s[1].url, "https://example.org/posts/");
	assert_string_equal(s[1].permalink, "/:year/:month/:slug/");
	assert_int_equal(s[1].interval, 7200);
	config_free(c);
}

static void test_the_public_address_loses_its_last_slash(void **state)
{
	(void)state;
	struct config *c = accept(.web = "url = \"http://example.org:8080/news//\";");

	assert_string_equal(c->web_url, "http://example.org:8080/news");
	config_free(c);
}

static void test_pages_may_be_served_on_any_address_of_the_machine(void **state)
{
	(void)state;
	static const char *const cases[][2] = {{"127.0.0.1", "127.0.0.1"}, {"[::1]", "::1"},
		{"0.0.0.0", "0.0.0.0"}, {"localhost", "127.0.0.1"}};

	for (size_t i = 0; i < 4; i++) {
		char *web = xasprintf(WEB " listen = \"%s:80\";", cases[i][0]);
		struct config *c = accept(.web = web);
		assert_string_equal(c->web_listen_host, cases[i][1]);
		assert_int_equal(c->web_listen_port, 80);
		config_free(c);
		free(web);
	}
}

static void test_relays_are_sorted_by_priority_and_else_as_written(void **state)
{
	(void)state;
	struct config *c =
		accept_text("web = { " WEB " }; lists = ( { " LIST " sources = ( " SOURCE " ); } );"
			    "relays = ( { host = \"a\"; priority = 20; }, { host = \"b\"; }, "
			    "{ host = \"c\"; priority = 0; }, { host = \"d\"; } );");

	assert_int_equal(c->n_relays, 4);
	assert_string_equal(c->relays[0].host, "c");
	assert_string_equal(c->relays[1].host, "b");
	assert_string_equal(c->relays[2].host, "d");
	assert_string_equal(c->relays[3].host, "a");
	config_free(c);
}

static void test_durations_have_units_or_are_seconds(void **state)
{
	(void)state;
	struct config *c =
		accept(.top = "retry = { first = 90; longest = \"2h\"; give_up = \"1w\"; };");

	assert_int_equal(c->retry_first, 90);
	assert_int_equal(c->retry_longest, 7200);
	assert_int_equal(c->retry_give_up, 7 * 86400);
	config_free(c);
}

static void test_numbers_and_durations_may_be_at_their_limits(void **state)
{
	(void)state;
	struct config *c = accept(.relay = RELAY " port = 65535; priority = 0; connections = 256; "
						 "connect_timeout = \"1h\"; answer_timeout = 1;");

	assert_int_equal(c->relays[0].port, 65535);
	assert_int_equal(c->relays[0].priority, 0);
	assert_int_equal(c->relays[0].connections, 256);
	assert_int_equal(c->relays[0].connect_timeout, 3600);
	assert_int_equal(c->relays[0].answer_timeout, 1);
	config_free(c);
}

static void test_languages_are_accepted_as_bcp_47_writes_them(void **state)
{
	(void)state;
	static const char *const tags[] = {"en", "zh-Hans-CN", "pt-BR", "es-419", "de-CH-1996",
		"x-klingon", "en-x-a", "de-a-bc"};

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		char *list = xasprintf(LIST " language = \"%s\";", tags[i]);
		struct config *c = accept(.list = list);
		assert_string_equal(c->lists[0].language, tags[i]);
		config_free(c);
		free(list);
	}
}

static void test_a_list_is_found_by_its_name(void **state)
{
	(void)state;
	struct config *c = accept(.top = NULL);

	assert_ptr_equal(config_find_list(c, "news"), &c->lists[0]);
	assert_null(config_find_list(c, "New"));
	config_free(c);
}

static void test_a_byte_order_mark_and_windows_line_ends_are_fine(void **state)
{
	(void)state;
	struct config *c =
		accept_text("\xEF\xBB\xBFweb = { " WEB " };\r\nrelays = ( { " RELAY
			    " } );\r\nlists = ( { " LIST " sources = ( " SOURCE " ); } );\r\n");

	assert_int_equal(c->n_lists, 1);
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_short_configuration_is_filled_up_with_defaults),
		cmocka_unit_test(test_a_sender_is_taken_apart),
		cmocka_unit_test(test_a_reader_may_choose_the_editions_offered_and_the_lists_own),
		cmocka_unit_test(test_a_source_is_a_feed_or_a_directory),
		cmocka_unit_test(test_the_public_address_loses_its_last_slash),
		cmocka_unit_test(test_pages_may_be_served_on_any_address_of_the_machine),
		cmocka_unit_test(test_relays_are_sorted_by_priority_and_else_as_written),
		cmocka_unit_test(test_durations_have_units_or_are_seconds),
		cmocka_unit_test(test_numbers_and_durations_may_be_at_their_limits),
		cmocka_unit_test(test_languages_are_accepted_as_bcp_47_writes_them),
		cmocka_unit_test(test_a_list_is_found_by_its_name),
		cmocka_unit_test(test_a_byte_order_mark_and_windows_line_ends_are_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
