/* Runs through tests/fixtures/feeds: each NAME.expect.json says what its input is ("as"), what
 * fault or feature it is there for ("about") and what must come of it: "posts" (of each only the
 * keys that are given), "channel" (what the feed says of itself), the sanitised "html", the "feeds"
 * that a page leads to, "draft", or an "error" whose text contains this. */
#include "hubmail/base_buf.h"
#include "hubmail/base_error.h"
#include "hubmail/base_file.h"
#include "hubmail/source_feed.h"
#include "hubmail/source_file.h"
#include "hubmail/source_html.h"

#include <dirent.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FOLDER FIXTURES "/feeds/"
#define ENDING ".expect.json"
#define MODIFIED 1000000000

struct check {
	const char *name;
	json_t *expect;
	struct buf input;
	const char *data;
	struct post_list posts;
	struct source_channel channel;
	struct error e;
	bool ok, draft;
	int faults;
};

static const char *string_of(const struct check *c, const char *key)
{
	return json_string_value(json_object_get(c->expect, key));
}

static void fault(struct check *c, const char *what, const char *want, const char *got)
{
	c->faults++;
	printf("%s (%s): %s\n  want %s\n  got  %s\n", c->name, string_of(c, "about"), what, want,
		got);
}

static void compare_value(struct check *c, const char *what, const json_t *want, const json_t *got)
{
	if (json_equal(want, got))
		return;
	char *w = json_dumps(want, JSON_ENCODE_ANY);
	char *g = json_dumps(got, JSON_ENCODE_ANY);
	fault(c, what, w != NULL ? w : "nothing", g != NULL ? g : "nothing");
	free(w);
	free(g);
}

static void compare_posts(struct check *c, const json_t *want)
{
	struct buf text = {0};
	size_t n = 0;
	json_t *post = NULL;
	post_list_json(&c->posts, &text);
	json_t *got = json_loadb(text.data, text.len, 0, NULL);
	assert_non_null(got);
	if (json_array_size(got) != json_array_size(want))
		fault(c, "number of posts", "another number", text.data);
	json_array_foreach(want, n, post)
	{
		const char *key = NULL;
		json_t *value = NULL;
		json_object_foreach(post, key, value)
		{
			compare_value(c, key, value, json_object_get(json_array_get(got, n), key));
		}
	}
	json_decref(got);
	buf_free(&text);
}

static void compare_channel(struct check *c, const json_t *want)
{
	json_t *got = json_object();
	if (c->channel.ttl != 0)
		json_object_set_new(got, "ttl", json_integer(c->channel.ttl));
	if (c->channel.hub != NULL)
		json_object_set_new(got, "hub", json_string(c->channel.hub));
	if (c->channel.self != NULL)
		json_object_set_new(got, "self", json_string(c->channel.self));
	compare_value(c, "channel", want, got);
	json_decref(got);
}

/* What the page leads to begins with these; the guesses that follow are not listed. */
static void compare_feeds(struct check *c, const json_t *want)
{
	struct strlist feeds = {0};
	json_t *got = json_array();
	source_feed_discover(c->data, c->input.len, string_of(c, "base"), &feeds);
	assert_true(feeds.n <= 20);
	for (size_t i = 0; i < feeds.n && i < json_array_size(want); i++)
		json_array_append_new(got, json_string(feeds.items[i]));
	compare_value(c, "feeds", want, got);
	json_decref(got);
	strlist_free(&feeds);
}

static void compare_html(struct check *c, const char *want)
{
	char *got = source_html_sanitise(c->data, c->input.len, string_of(c, "base"));
	char *again = source_html_sanitise(got, strlen(got), string_of(c, "base"));
	if (strcmp(got, want) != 0)
		fault(c, "html", want, got);
	if (strcmp(got, again) != 0)
		fault(c, "html, sanitised again", got, again);
	free(got);
	free(again);
}

static void parse_file(struct check *c)
{
	struct source_file file = {.path = string_of(c, "path"),
		.data = c->data,
		.len = c->input.len,
		.base_url = string_of(c, "base"),
		.permalink = string_of(c, "permalink"),
		.modified_at = MODIFIED};
	struct post post;
	c->ok = source_file_parse(&file, &post, &c->draft, &c->e);
	if (c->ok && !c->draft)
		*post_list_add(&c->posts) = post;
}

static void compare_outcome(struct check *c)
{
	const char *error = string_of(c, "error");
	bool draft = json_is_true(json_object_get(c->expect, "draft"));
	if (error != NULL && (c->ok || strstr(c->e.text, error) == NULL))
		fault(c, "error", error, c->ok ? "no error" : c->e.text);
	if (error == NULL && !c->ok)
		fault(c, "error", "no error", c->e.text);
	if (draft != c->draft)
		fault(c, "draft", draft ? "yes" : "no", c->draft ? "yes" : "no");
	if (!c->ok && c->posts.n > 0)
		fault(c, "posts", "none beside an error", "some");
	const json_t *posts = json_object_get(c->expect, "posts");
	if (c->ok && posts != NULL)
		compare_posts(c, posts);
	const json_t *channel = json_object_get(c->expect, "channel");
	if (channel != NULL)
		compare_channel(c, channel);
}

static int run(const char *name)
{
	struct check c = {.name = name};
	char path[512];
	snprintf(path, sizeof(path), FOLDER "%s", name);
	c.expect = json_load_file(path, 0, NULL);
	if (c.expect == NULL)
		fail_msg("%s is no JSON", path);
	snprintf(path, sizeof(path), FOLDER "%s", string_of(&c, "input"));
	if (!file_read(path, 64u << 20, &c.input, &c.e))
		fail_msg("%s", c.e.text);
	const char *as = string_of(&c, "as");
	/* Not a byte more than there is, so that reading too far shows. */
	char *exact = malloc(c.input.len > 0 ? c.input.len : 1);
	memcpy(exact, buf_str(&c.input), c.input.len);
	c.data = exact;
	if (strcmp(as, "html") == 0) {
		compare_html(&c, string_of(&c, "html"));
	} else if (strcmp(as, "page") == 0) {
		compare_feeds(&c, json_object_get(c.expect, "feeds"));
	} else if (strcmp(as, "file") == 0) {
		parse_file(&c);
		compare_outcome(&c);
	} else {
		c.ok = source_feed_parse(c.data, c.input.len, string_of(&c, "base"),
			string_of(&c, "charset"), &c.posts, &c.channel, &c.e);
		compare_outcome(&c);
	}
	post_list_free(&c.posts);
	source_channel_free(&c.channel);
	buf_free(&c.input);
	free(exact);
	json_decref(c.expect);
	return c.faults;
}

static int is_expectation(const struct dirent *d)
{
	size_t len = strlen(d->d_name);
	return len > strlen(ENDING) && strcmp(d->d_name + len - strlen(ENDING), ENDING) == 0;
}

static void test_every_feed_and_page_of_the_corpus_is_read_as_expected(void **state)
{
	struct dirent **entries = NULL;
	int n = scandir(FOLDER, &entries, is_expectation, alphasort);
	int faults = 0;
	(void)state;
	assert_true(n >= 150);
	for (int i = 0; i < n; i++) {
		faults += run(entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	assert_int_equal(faults, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_feed_and_page_of_the_corpus_is_read_as_expected),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
