/* Posts from WordPress's REST API: where it is asked, and how many pages of it. */
#include "schedule_helper.h"

#define SITE "https://blog.example.org"
#define QUERY "_embed=author,wp:featuredmedia,wp:term&per_page=20&orderby=date&order=desc"
#define PRETTY SITE "/wp-json/wp/v2/posts?" QUERY
#define PLAIN SITE "/?rest_route=/wp/v2/posts&" QUERY

static int make_site(void **state)
{
	make_world_of_doubles(state);
	struct world *w = *state;

	w->sources[0][0] = (struct config_source){
		.kind = SOURCE_WORDPRESS, .location = (char *)SITE, .interval = 3600};
	return 0;
}

static void answers(struct world *w, const char *url, int status, const char *lines)
{
	struct fetch_answer a = {.status = status, .url = url, .body = lines, .len = strlen(lines)};
	struct error e = {.code = ERROR_NOT_FOUND, .text = "it answers so"};

	WAIT_FOR(w, asked, url);
	answer(url, &a, status == 200 ? NULL : &e);
}

static bool knows_posts(struct world *w, const void *n)
{
	struct post_list l = {0};

	assert_ok(w->f, store_post_last(w->f->store, w->f->list, 1000, INT64_MAX, &l, &w->e));
	bool yes = l.n == *(const size_t *)n;
	post_list_free(&l);
	return yes;
}

static void expect_posts(struct world *w, size_t n)
{
	WAIT_FOR(w, knows_posts, &n);
}

static void poll_site(struct world *w)
{
	assert_int_equal(schedule_poll(w->schedule, SITE), 1);
}

static void test_the_first_look_asks_for_one_page(void **state)
{
	struct world *w = *state;

	start(w);
	answers(w, PRETTY, 200, "1 One -50\n2 Two -100\n");
	WAIT_FOR(w, is_ok, SITE);
	expect_posts(w, 2);
	assert_int_equal(doubles.n_fetches, 1);
	assert_string_equal(source_text(w, SITE, "kind"), "wordpress");
	assert_string_equal(source_text(w, SITE, "moved_to"), "");
}

static void test_pages_are_asked_for_until_one_reaches_back_to_the_last_look(void **state)
{
	struct world *w = *state;

	add_reader(w->f, "anna@example.org");
	start(w);
	answers(w, PRETTY, 200, "1 One -50\n");
	WAIT_FOR(w, is_ok, SITE);
	poll_site(w);
	answers(w, PRETTY, 200, "4 Four -1\n");
	answers(w, PRETTY "&page=2", 200, "3 Three -2\n");
	answers(w, PRETTY "&page=3", 200, "2 Two -3\n0 Old -90000\n");
	WAIT_FOR(w, is_ok, SITE);
	expect_posts(w, 5);
	assert_int_equal(doubles.n_fetches, 4);
}

static void test_a_blog_with_no_more_pages_is_not_in_trouble(void **state)
{
	struct world *w = *state;

	start(w);
	answers(w, PRETTY, 200, "1 One -50\n");
	WAIT_FOR(w, is_ok, SITE);
	poll_site(w);
	answers(w, PRETTY, 200, "2 Two -1\n1 One -50\n");
	answers(w, PRETTY "&page=2", 400, "");
	WAIT_FOR(w, is_ok, SITE);
	expect_posts(w, 2);
}

static void test_a_page_that_fails_loses_no_post_and_is_asked_for_again(void **state)
{
	struct world *w = *state;

	start(w);
	answers(w, PRETTY, 200, "1 One -50\n");
	WAIT_FOR(w, is_ok, SITE);
	poll_site(w);
	answers(w, PRETTY, 200, "3 Three -1\n");
	answers(w, PRETTY "&page=2", 500, "");
	WAIT_FOR(w, is_failing, SITE);
	expect_posts(w, 2);
	poll_site(w);
	answers(w, PRETTY, 200, "3 Three -1\n");
	answers(w, PRETTY "&page=2", 200, "no feed");
	WAIT_FOR(w, is_failing, SITE);
	poll_site(w);
	answers(w, PRETTY, 200, "3 Three -1\n");
	answers(w, PRETTY "&page=2", 200, "2 Two -2\n1 One -90000\n");
	WAIT_FOR(w, is_ok, SITE);
	expect_posts(w, 3);
}

static void test_pages_have_an_end(void **state)
{
	struct world *w = *state;
	char line[64];

	start(w);
	answers(w, PRETTY, 200, "1 One -50\n");
	WAIT_FOR(w, is_ok, SITE);
	poll_site(w);
	answers(w, PRETTY, 200, "p1 P -1\n");
	for (int page = 2; page <= 10; page++) {
		char *url = xasprintf("%s&page=%d", PRETTY, page);
		snprintf(line, sizeof(line), "p%d P -1\n", page);
		answers(w, url, 200, line);
		free(url);
	}
	WAIT_FOR(w, is_ok, SITE);
	assert_int_equal(doubles.n_fetches, 11);
}

static void test_a_site_without_pretty_links_is_asked_the_other_way_from_then_on(void **state)
{
	struct world *w = *state;

	start(w);
	answers(w, PRETTY, 404, "");
	answers(w, PLAIN, 200, "1 One -50\n");
	WAIT_FOR(w, is_ok, SITE);
	assert_string_equal(source_text(w, SITE, "moved_to"), PLAIN);
	stop(w);
	start(w);
	answers(w, PLAIN, 200, "1 One -90000\n");
	WAIT_FOR(w, is_ok, SITE);
	assert_int_equal(doubles.n_fetches, 3);
}

static void test_what_is_no_wordpress_is_told_to_name_its_feed(void **state)
{
	struct world *w = *state;

	start(w);
	answers(w, PRETTY, 200, "no feed");
	answers(w, PLAIN, 404, "");
	WAIT_FOR(w, is_failing, SITE);
	assert_non_null(strstr(source_text(w, SITE, "error"), "write feed = \"" SITE "/feed/\""));
}

static void test_a_server_in_trouble_is_not_asked_elsewhere(void **state)
{
	struct world *w = *state;
	const int statuses[] = {500, 503, 429};

	start(w);
	for (size_t i = 0; i < 3; i++) {
		answers(w, PRETTY, statuses[i], "");
		WAIT_FOR(w, is_failing, SITE);
		assert_string_equal(source_text(w, SITE, "error"), "it answers so");
		poll_site(w);
	}
	answers(w, PRETTY, 200, "1 One -50\n");
	WAIT_FOR(w, is_ok, SITE);
}

static void test_the_end_may_come_between_two_pages(void **state)
{
	struct world *w = *state;

	start(w);
	answers(w, PRETTY, 200, "1 One -50\n");
	WAIT_FOR(w, is_ok, SITE);
	poll_site(w);
	answers(w, PRETTY, 200, "2 Two -1\n");
	WAIT_FOR(w, asked, PRETTY "&page=2");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_site, end_world_of_doubles)
	const struct CMUnitTest tests[] = {
		TEST(test_the_first_look_asks_for_one_page),
		TEST(test_pages_are_asked_for_until_one_reaches_back_to_the_last_look),
		TEST(test_a_blog_with_no_more_pages_is_not_in_trouble),
		TEST(test_a_page_that_fails_loses_no_post_and_is_asked_for_again),
		TEST(test_pages_have_an_end),
		TEST(test_a_site_without_pretty_links_is_asked_the_other_way_from_then_on),
		TEST(test_what_is_no_wordpress_is_told_to_name_its_feed),
		TEST(test_a_server_in_trouble_is_not_asked_elsewhere),
		TEST(test_the_end_may_come_between_two_pages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
