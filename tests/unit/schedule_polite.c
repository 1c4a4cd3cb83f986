/* What a feed's server asks for: to be asked elsewhere, later, or never again. */
#include "schedule_helper.h"

#define NEW_FEED "https://new.example.org/feed"

static bool is_gone(struct world *w, const void *location)
{
	return strcmp(source_text(w, location, "state"), "gone") == 0;
}

static void begin(struct world *w)
{
	start(w);
	feed_holds(w, FEED, "1 One\n");
}

static struct fetch *poll_at(struct world *w, const char *url)
{
	assert_int_equal(schedule_poll(w->schedule, NULL), 1);
	WAIT_FOR(w, asked, url);
	return open_fetch(url);
}

/* The look that is under way at `url` finds the feed. */
static void found(struct world *w, const char *url, struct fetch_answer a)
{
	a.status = 200;
	a.url = url;
	a.body = a.body != NULL ? a.body : "1 One\n";
	a.len = strlen(a.body);
	a.etag = "\"new\"";
	answer(url, &a, NULL);
	WAIT_FOR(w, is_ok, FEED);
}

static void failed(const char *url, int status, long retry_after)
{
	struct fetch_answer a = {.status = status, .url = url, .retry_after = retry_after};
	struct error e = {.code = ERROR_IO, .text = "it answers so"};

	answer(url, &a, &e);
}

static int64_t pause_of(struct world *w)
{
	return source_number(w, FEED, "next_at") - source_number(w, FEED, "checked_at");
}

static void move(struct world *w)
{
	poll_at(w, FEED);
	found(w, FEED, (struct fetch_answer){.moved_to = NEW_FEED});
}

static void test_a_source_that_moved_is_asked_there_also_after_a_restart(void **state)
{
	struct world *w = *state;

	begin(w);
	move(w);
	assert_string_equal(source_text(w, FEED, "moved_to"), NEW_FEED);
	assert_string_equal(poll_at(w, NEW_FEED)->etag, "\"new\"");
	found(w, NEW_FEED, (struct fetch_answer){0});
	stop(w);
	start(w);
	WAIT_FOR(w, asked, NEW_FEED);
	assert_null(open_fetch(FEED));
	found(w, NEW_FEED, (struct fetch_answer){0});
	assert_string_equal(source_text(w, FEED, "moved_to"), NEW_FEED);
}

static void test_when_the_new_place_fails_the_old_one_is_asked_again(void **state)
{
	struct world *w = *state;

	begin(w);
	move(w);
	poll_at(w, NEW_FEED);
	failed(NEW_FEED, 410, 0);
	WAIT_FOR(w, is_failing, FEED);
	assert_null(poll_at(w, FEED)->etag);
	found(w, FEED, (struct fetch_answer){0});
	assert_string_equal(source_text(w, FEED, "moved_to"), "");
	poll_at(w, FEED);
	found(w, FEED, (struct fetch_answer){0});
}

static void test_a_redirect_to_what_is_no_feed_is_not_remembered(void **state)
{
	struct world *w = *state;
	struct fetch_answer a = {
		.status = 200, .url = NEW_FEED, .moved_to = NEW_FEED, .body = "no feed", .len = 7};

	begin(w);
	poll_at(w, FEED);
	answer(FEED, &a, NULL);
	WAIT_FOR(w, is_failing, FEED);
	poll_at(w, FEED);
	found(w, FEED, (struct fetch_answer){0});
}

static void test_a_source_that_is_gone_is_looked_at_only_when_somebody_wants_it(void **state)
{
	struct world *w = *state;

	begin(w);
	poll_at(w, FEED);
	failed(FEED, 410, 0);
	WAIT_FOR(w, is_gone, FEED);
	assert_int_equal(source_number(w, FEED, "next_at"), 0);
	poll_at(w, FEED);
	failed(FEED, 410, 0);
	WAIT_FOR(w, is_gone, FEED);
	schedule_reconfigure(w->schedule, &w->config);
	WAIT_FOR(w, asked, FEED);
	failed(FEED, 410, 0);
	WAIT_FOR(w, is_gone, FEED);
	stop(w);
	start(w);
	WAIT_FOR(w, asked, FEED);
	found(w, FEED, (struct fetch_answer){0});
	assert_true(source_number(w, FEED, "next_at") > 0);
}

static void test_retry_after_is_obeyed_also_over_a_restart(void **state)
{
	struct world *w = *state;

	begin(w);
	poll_at(w, FEED);
	failed(FEED, 429, 20000);
	WAIT_FOR(w, is_failing, FEED);
	assert_true(pause_of(w) >= 20000);
	stop(w);
	start(w);
	WAIT_FOR(w, is_failing, FEED);
	assert_true(source_number(w, FEED, "next_at") - clock_now() > 19000);
	assert_null(open_fetch(FEED));
}

static void test_no_server_silences_a_source_for_more_than_a_week(void **state)
{
	struct world *w = *state;

	begin(w);
	poll_at(w, FEED);
	failed(FEED, 503, 365L * 86400);
	WAIT_FOR(w, is_failing, FEED);
	assert_in_range(pause_of(w), 7 * 86400 - 5, 7 * 86400 + 5);
}

static void test_what_is_fresh_for_longer_than_the_interval_is_left_alone_up_to_a_day(void **state)
{
	struct world *w = *state;

	begin(w);
	poll_at(w, FEED);
	found(w, FEED, (struct fetch_answer){.fresh_for = 7200});
	assert_in_range(pause_of(w), 7200, 7205);
	poll_at(w, FEED);
	found(w, FEED, (struct fetch_answer){.fresh_for = 60});
	assert_in_range(pause_of(w), 3200, 4000);
	poll_at(w, FEED);
	found(w, FEED, (struct fetch_answer){.fresh_for = 30L * 86400});
	assert_in_range(pause_of(w), 86400, 86405);
}

static void test_the_feeds_ttl_holds_also_while_it_is_unchanged(void **state)
{
	struct world *w = *state;
	struct fetch_answer unchanged = {.status = 304, .url = FEED};

	begin(w);
	poll_at(w, FEED);
	found(w, FEED, (struct fetch_answer){.body = "ttl:10800 One\n"});
	assert_in_range(pause_of(w), 10800, 10805);
	poll_at(w, FEED);
	answer(FEED, &unchanged, NULL);
	WAIT_FOR(w, is_ok, FEED);
	assert_in_range(pause_of(w), 10800, 10805);
}

/* ---- A page in place of a feed ---- */

#define PAGE                                                                                       \
	"no feed<html><link rel=alternate type=application/rss+xml href=/one.xml>"                 \
	"<link rel=alternate type=application/atom+xml href=/two.xml>"
#define ONE "https://example.org/one.xml"
#define TWO "https://example.org/two.xml"

static void shows(struct world *w, const char *url, const char *body)
{
	struct fetch_answer a = {.status = 200, .url = url, .body = body, .len = strlen(body)};

	WAIT_FOR(w, asked, url);
	answer(url, &a, NULL);
}

static void test_the_first_feed_of_a_page_that_is_one_is_taken_and_remembered(void **state)
{
	struct world *w = *state;

	start(w);
	shows(w, FEED, PAGE);
	WAIT_FOR(w, asked, ONE);
	failed(ONE, 404, 0);
	shows(w, TWO, "1 One\n");
	WAIT_FOR(w, is_ok, FEED);
	assert_string_equal(source_text(w, FEED, "moved_to"), TWO);
	stop(w);
	start(w);
	shows(w, TWO, "1 One\n");
	WAIT_FOR(w, is_ok, FEED);
}

static bool asked_anything(struct world *w, const void *arg)
{
	(void)w;
	(void)arg;
	return doubles.open[0] != NULL;
}

static void test_a_page_without_a_feed_is_an_error_that_names_where_it_was_looked_for(void **state)
{
	struct world *w = *state;

	start(w);
	shows(w, FEED, PAGE);
	shows(w, ONE, "no feed either");
	shows(w, TWO, PAGE);
	for (int i = 0; i < 4; i++) {
		WAIT_FOR(w, asked_anything, NULL);
		failed(doubles.open[0]->url, 404, 0);
	}
	WAIT_FOR(w, is_failing, FEED);
	assert_non_null(strstr(
		source_text(w, FEED, "error"), "not a feed; nor is there one at " ONE ", " TWO));
	assert_int_equal(doubles.n_fetches, 7);
}

static void test_a_feed_that_was_good_and_shows_a_page_is_in_trouble(void **state)
{
	struct world *w = *state;

	begin(w);
	poll_at(w, FEED);
	shows(w, FEED, PAGE);
	WAIT_FOR(w, is_failing, FEED);
	assert_int_equal(doubles.n_fetches, 2);
}

static void test_private_addresses_are_for_sources_that_allow_them(void **state)
{
	struct world *w = *state;
	struct error refused = {.code = ERROR_REFUSED, .text = "not connected"};

	start(w);
	WAIT_FOR(w, asked, FEED);
	assert_int_equal(open_fetch(FEED)->private_addresses, FETCH_PRIVATE_NEVER);
	answer(FEED, NULL, &refused);
	WAIT_FOR(w, is_failing, FEED);
	assert_non_null(strstr(source_text(w, FEED, "error"), "allow_private = true"));
	w->sources[0][0].allow_private = true;
	schedule_reconfigure(w->schedule, &w->config);
	WAIT_FOR(w, asked, FEED);
	assert_int_equal(open_fetch(FEED)->private_addresses, FETCH_PRIVATE_ALWAYS);
	found(w, FEED, (struct fetch_answer){0});
}

static void test_it_is_known_since_when_a_source_fails(void **state)
{
	struct world *w = *state;

	begin(w);
	assert_int_equal(source_number(w, FEED, "failing_since"), 0);
	poll_at(w, FEED);
	failed(FEED, 500, 0);
	WAIT_FOR(w, is_failing, FEED);
	int64_t since = source_number(w, FEED, "failing_since");
	assert_int_equal(since, source_number(w, FEED, "checked_at"));
	poll_at(w, FEED);
	failed(FEED, 500, 0);
	WAIT_FOR(w, is_failing, FEED);
	assert_int_equal(source_number(w, FEED, "failing_since"), since);
	poll_at(w, FEED);
	found(w, FEED, (struct fetch_answer){0});
	assert_int_equal(source_number(w, FEED, "failing_since"), 0);
}

int main(void)
{
#define TEST(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, make_world_of_doubles, end_world_of_doubles)
	const struct CMUnitTest tests[] = {
		TEST(test_a_source_that_moved_is_asked_there_also_after_a_restart),
		TEST(test_when_the_new_place_fails_the_old_one_is_asked_again),
		TEST(test_a_redirect_to_what_is_no_feed_is_not_remembered),
		TEST(test_a_source_that_is_gone_is_looked_at_only_when_somebody_wants_it),
		TEST(test_retry_after_is_obeyed_also_over_a_restart),
		TEST(test_no_server_silences_a_source_for_more_than_a_week),
		TEST(test_what_is_fresh_for_longer_than_the_interval_is_left_alone_up_to_a_day),
		TEST(test_the_feeds_ttl_holds_also_while_it_is_unchanged),
		TEST(test_the_first_feed_of_a_page_that_is_one_is_taken_and_remembered),
		TEST(test_a_page_without_a_feed_is_an_error_that_names_where_it_was_looked_for),
		TEST(test_a_feed_that_was_good_and_shows_a_page_is_in_trouble),
		TEST(test_private_addresses_are_for_sources_that_allow_them),
		TEST(test_it_is_known_since_when_a_source_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
