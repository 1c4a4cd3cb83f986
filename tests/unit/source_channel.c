/* What a feed says of itself, wherever that stands. */
#include "hubmail/source_feed.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE "https://example.org/blog/"

static struct source_channel read_channel(const char *text)
{
	struct post_list posts = {0};
	struct source_channel c;

	source_feed_parse(text, strlen(text), BASE, NULL, &posts, &c, NULL);
	post_list_free(&posts);
	return c;
}

static void expect(const char *text, int64_t ttl, const char *hub, const char *self)
{
	struct source_channel c = read_channel(text);

	assert_int_equal(c.ttl, ttl);
	assert_string_equal(c.hub != NULL ? c.hub : "", hub);
	assert_string_equal(c.self != NULL ? c.self : "", self);
	source_channel_free(&c);
}

static void test_rss_says_its_ttl_in_minutes(void **state)
{
	(void)state;
	expect("<?xml version='1.0'?><rss><channel><title>a <b> c</title><ttl> 90 </ttl>"
	       "<item><title>1</title><ttl>5</ttl></item></channel></rss>",
		5400, "", "");
}

static void test_a_ttl_that_is_no_number_of_minutes_says_nothing(void **state)
{
	static const char *const bad[] = {"", "-5", "0", "soon", "1e9", "99999999999999999999"};
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "<rss><channel><ttl>%s</ttl></channel></rss>", bad[i]);
		expect(text, 0, "", "");
	}
}

static void test_hub_and_self_of_rss_and_atom(void **state)
{
	(void)state;
	expect("<rss xmlns:atom='http://www.w3.org/2005/Atom'><channel><link>https://example.org</link>"
	       "<atom:link href='https://hub.example/?a=1&amp;b=2' rel='hub'/>"
	       "<atom:link rel='self' href='feed.xml'/></channel></rss>",
		0, "https://hub.example/?a=1&b=2", "https://example.org/blog/feed.xml");
	expect("<feed><link rel=\"self\" href=\"https://example.org/atom\"/>"
	       "<link rel=\"hub\" href=\"https://one.example/\"/>"
	       "<link rel=\"hub\" href=\"https://two.example/\"/></feed>",
		0, "https://one.example/", "https://example.org/atom");
}

static void test_what_stands_behind_the_posts_counts_as_well(void **state)
{
	(void)state;
	expect("<rss xmlns:a='http://www.w3.org/2005/Atom'><channel><title>x</title>"
	       "<item><title>1</title></item><ttl>30</ttl><item><title>2</title></item>"
	       "<a:link rel='hub' href='https://hub.example/'/>"
	       "<a:link rel='self' href='https://example.org/feed'/></channel></rss>",
		1800, "https://hub.example/", "https://example.org/feed");
	expect("<feed xmlns='http://www.w3.org/2005/Atom'><entry><title>1</title></entry>"
	       "<link rel='hub' href='https://hub.example/'/></feed>",
		0, "https://hub.example/", "");
}

static void test_a_damaged_feed_says_it_too(void **state)
{
	(void)state;
	expect("<rss><channel><item><title>a & b</title></item><ttl>30<link>https://example.org/</link>"
	       "<atom:link rel=hub href=https://hub.example/></channel>",
		1800, "https://hub.example/", "");
}

static void test_an_address_is_resolved_where_it_stands(void **state)
{
	(void)state;
	expect("<feed xml:base='https://other.example/a/'><link rel='self' href='atom'/></feed>", 0,
		"", "https://other.example/a/atom");
}

static void test_what_stands_in_a_post_is_not_the_feeds(void **state)
{
	(void)state;
	expect("<feed><entry><link rel='hub' href='https://evil.example/'/><source>"
	       "<link rel='self' href='https://evil.example/'/></source></entry></feed>",
		0, "", "");
	expect("<rss><channel><item><title>1</title><ttl>5</ttl>"
	       "<atom:link rel='hub' href='https://evil.example/'/></item>"
	       "<image><ttl>5</ttl><link>https://evil.example/</link></image></channel></rss>",
		0, "", "");
}

static void test_what_was_said_first_stays(void **state)
{
	(void)state;
	expect("<rss><channel><ttl>60</ttl><item><title>1</title></item><ttl>5</ttl></channel></rss>",
		3600, "", "");
}

static void test_a_hub_that_is_no_http_address_is_none(void **state)
{
	(void)state;
	expect("<feed><link rel='hub' href='javascript:alert(1)'/></feed>", 0, "", "");
}

static void test_json_feed_names_its_hubs(void **state)
{
	(void)state;
	expect(" {\"feed_url\":\"https://example.org/feed.json\",\"hubs\":[{\"type\":\"rssCloud\","
	       "\"url\":\"https://no.example\"},{\"type\":\"WebSub\",\"url\":\"https://hub.example/\"}],"
	       "\"items\":[]}",
		0, "https://hub.example/", "https://example.org/feed.json");
	expect("{\"hubs\":\"none\",\"items\":[]}", 0, "", "");
	expect("{broken", 0, "", "");
	expect("", 0, "", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rss_says_its_ttl_in_minutes),
		cmocka_unit_test(test_a_ttl_that_is_no_number_of_minutes_says_nothing),
		cmocka_unit_test(test_hub_and_self_of_rss_and_atom),
		cmocka_unit_test(test_what_stands_behind_the_posts_counts_as_well),
		cmocka_unit_test(test_a_damaged_feed_says_it_too),
		cmocka_unit_test(test_an_address_is_resolved_where_it_stands),
		cmocka_unit_test(test_what_stands_in_a_post_is_not_the_feeds),
		cmocka_unit_test(test_what_was_said_first_stays),
		cmocka_unit_test(test_a_hub_that_is_no_http_address_is_none),
		cmocka_unit_test(test_json_feed_names_its_hubs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
