/* Sources, what a look at them brings, and which posts wait for a digest. */
#include "store_helper.h"

static int64_t source_id(struct fixture *f, const char *location)
{
	struct store_source src = {0};

	assert_ok(f, store_source_ensure(f->store, f->list, "feed", location, &src, &f->e));
	int64_t id = src.id;
	store_source_free(&src);
	return id;
}

static void add_post(
	struct post_list *l, const char *guid, const char *url, const char *title, int64_t at)
{
	struct post *p = post_list_add(l);

	p->guid = xstrdup(guid);
	p->url = xstrdup(url);
	p->title = xstrdup(title);
	p->published_at = at;
}

static struct store_look_result look(
	struct fixture *f, int64_t source, struct post_list *posts, int64_t at)
{
	struct store_look l = {.source_id = source,
		.at = at,
		.posts = posts,
		.complete = true,
		.etag = "\"e\"",
		.last_modified = "then"};
	struct store_look_result r;

	assert_ok(f, store_source_look(f->store, &l, &r, &f->e));
	return r;
}

/* A source whose first look was over before the test begins. */
static int64_t watched_source(struct fixture *f)
{
	struct post_list none = {0};
	int64_t id = source_id(f, "https://example.org/feed");

	look(f, id, &none, NOW - 1000);
	return id;
}

static size_t pending(struct fixture *f, enum edition edition, int64_t now, int64_t *next_at)
{
	struct post_list l = {0};

	assert_ok(f, store_post_pending(f->store, f->list, edition, now, 0, &l, next_at, &f->e));
	size_t n = l.n;
	post_list_free(&l);
	return n;
}

static int64_t digest_of(struct fixture *f, const int64_t *ids, size_t n, enum edition edition)
{
	struct store_digest_new d = {.list_id = f->list,
		.edition = edition,
		.is_default = true,
		.subject = "S",
		.message = "m",
		.message_len = 1,
		.post_ids = ids,
		.n_posts = n,
		.only_pending = true};
	int64_t id;

	return store_digest_create(f->store, &d, NOW, &id, &f->e) ? id : 0;
}

static void test_the_first_look_marks_what_is_there_as_seen(void **state)
{
	struct fixture *f = *state;
	int64_t id = source_id(f, "https://example.org/feed");
	struct post_list l = {0};

	add_post(&l, "1", "https://example.org/1", "One", NOW - 50);
	add_post(&l, "2", "https://example.org/2", "Two", 0);
	struct store_look_result r = look(f, id, &l, NOW);
	assert_int_equal(r.seen, 2);
	assert_int_equal(r.added, 0);
	assert_int_equal(pending(f, EDITION_EACH, NOW + 100, NULL), 0);
	add_post(&l, "3", "https://example.org/3", "Three", NOW + 10);
	r = look(f, id, &l, NOW + 20);
	assert_int_equal(r.added, 1);
	assert_int_equal(pending(f, EDITION_EACH, NOW + 100, NULL), 1);
	post_list_free(&l);
}

static void test_a_failed_first_look_is_no_first_look(void **state)
{
	struct fixture *f = *state;
	int64_t id = source_id(f, "https://example.org/feed");
	struct store_look failed = {.source_id = id, .at = NOW, .error = "no answer"};
	struct store_look_result r;
	struct post_list l = {0};

	assert_ok(f, store_source_look(f->store, &failed, &r, &f->e));
	add_post(&l, "1", NULL, "One", NOW);
	assert_int_equal(look(f, id, &l, NOW + 1).seen, 1);
	post_list_free(&l);
}

static void test_a_post_dated_in_the_future_waits_for_its_time_even_at_the_first_look(void **state)
{
	struct fixture *f = *state;
	int64_t id = source_id(f, "https://example.org/feed"), next_at;
	struct post_list l = {0};

	add_post(&l, "1", NULL, "Tomorrow", NOW + 86400);
	assert_int_equal(look(f, id, &l, NOW).added, 1);
	assert_int_equal(pending(f, EDITION_EACH, NOW, &next_at), 0);
	assert_int_equal(next_at, NOW + 86400);
	assert_int_equal(pending(f, EDITION_EACH, NOW + 86400, &next_at), 1);
	assert_int_equal(next_at, 0);
	post_list_free(&l);
}

static void test_an_edit_changes_the_post_and_makes_no_new_one(void **state)
{
	struct fixture *f = *state;
	int64_t id = watched_source(f);
	struct post_list l = {0}, back = {0};

	add_post(&l, "1", "https://example.org/1", "One", NOW);
	look(f, id, &l, NOW);
	assert_int_equal(look(f, id, &l, NOW).changed, 0);
	free(l.items[0].title);
	l.items[0].title = xstrdup("One, mended");
	struct store_look_result r = look(f, id, &l, NOW + 1);
	assert_int_equal(r.changed, 1);
	assert_int_equal(r.added, 0);
	assert_ok(f, store_post_last(f->store, f->list, 5, INT64_MAX, &back, &f->e));
	assert_int_equal(back.n, 1);
	assert_string_equal(back.items[0].title, "One, mended");
	post_list_free(&back);
	post_list_free(&l);
}

static void test_a_new_guid_for_the_same_link_and_title_is_the_same_post(void **state)
{
	struct fixture *f = *state;
	int64_t id = watched_source(f);
	struct post_list l = {0};

	add_post(&l, "old-guid", "https://example.org/1", "One", NOW);
	look(f, id, &l, NOW);
	free(l.items[0].guid);
	l.items[0].guid = xstrdup("new-guid");
	struct store_look_result r = look(f, id, &l, NOW + 1);
	assert_int_equal(r.added, 0);
	assert_int_equal(r.changed, 1);
	post_list_free(&l);
}

/* ---- One post, however it is called ---- */

/* A look of a feed, as the daemon does it. */
static struct store_look_result feed_look(
	struct fixture *f, int64_t source, struct post_list *posts, int64_t at)
{
	struct store_past past;
	struct store_look l = {.source_id = source,
		.at = at,
		.posts = posts,
		.complete = true,
		.past = &past,
		.newest_only = true};
	struct store_look_result r;

	assert_ok(f, store_source_past(f->store, &l, &past, &f->e));
	assert_ok(f, store_source_look(f->store, &l, &r, &f->e));
	return r;
}

static void rename_post(struct post *p, const char *guid, const char *url, const char *title)
{
	free(p->guid);
	free(p->url);
	free(p->title);
	p->guid = xstrdup(guid);
	p->url = xstrdup(url);
	p->title = xstrdup(title);
}

static void test_the_same_link_in_another_form_is_the_same_post(void **state)
{
	static const char *const forms[] = {"http://example.org/a/1", "https://example.org/a/1/",
		"https://www.example.org/a/1", "https://EXAMPLE.org:443/a/1//",
		"https://example.org/a/1?utm_source=feed&utm_medium=x",
		"http://example.org:80/a/1#"};
	struct fixture *f = *state;
	int64_t id = watched_source(f);
	struct post_list l = {0};
	char guid[8];

	add_post(&l, "0", "https://example.org/a/1", "One", NOW);
	assert_int_equal(feed_look(f, id, &l, NOW).added, 1);
	for (int i = 0; i < (int)(sizeof(forms) / sizeof(forms[0])); i++) {
		snprintf(guid, sizeof(guid), "%d", i + 1);
		rename_post(&l.items[0], guid, forms[i], "One, edited");
		assert_int_equal(feed_look(f, id, &l, NOW + i).added, 0);
	}
	assert_int_equal(pending(f, EDITION_EACH, NOW, NULL), 1);
	post_list_free(&l);
}

static void test_links_that_differ_in_more_are_different_posts(void **state)
{
	static const char *const others[] = {"https://example.org/a/2", "https://example.net/a/1",
		"https://example.org/a/1?p=2", "https://example.org/a/1#part",
		"https://example.org/A/1", "https://blog.example.org/a/1"};
	struct fixture *f = *state;
	int64_t id = watched_source(f);
	struct post_list l = {0};

	add_post(&l, "0", "https://example.org/a/1", "One", NOW);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		add_post(&l, others[i], others[i], "One", NOW);
	assert_int_equal(feed_look(f, id, &l, NOW).added, 7);
	post_list_free(&l);
}

static void test_posts_that_all_link_to_the_blog_are_different_posts(void **state)
{
	struct fixture *f = *state;
	int64_t id = watched_source(f);
	struct post_list l = {0};

	add_post(&l, "1", "https://example.org/", "Monday", NOW);
	assert_int_equal(feed_look(f, id, &l, NOW).added, 1);
	rename_post(&l.items[0], "2", "https://example.org/", "Tuesday");
	l.items[0].published_at = NOW + 10;
	assert_int_equal(feed_look(f, id, &l, NOW + 10).added, 1);
	post_list_free(&l);
}

static void test_several_posts_of_one_page_are_different_posts_and_twins_are_not(void **state)
{
	struct fixture *f = *state;
	int64_t id = watched_source(f);
	struct post_list l = {0};

	add_post(&l, "1", "https://example.org/log", "Version 1", NOW);
	add_post(&l, "2", "https://example.org/log", "Version 2", NOW);
	add_post(&l, "3", "http://example.org/log/", "Version 2", NOW);
	assert_int_equal(feed_look(f, id, &l, NOW).added, 2);
	assert_int_equal(feed_look(f, id, &l, NOW).changed, 0);
	post_list_free(&l);
}

/* Another source of the same list, whose first look is over, too. */
static int64_t second_source(struct fixture *f)
{
	struct post_list none = {0};
	int64_t id = source_id(f, "https://example.org/lab/feed");

	feed_look(f, id, &none, NOW - 1000);
	return id;
}

static size_t count_last(struct fixture *f)
{
	struct post_list l = {0};

	assert_ok(f, store_post_last(f->store, f->list, 100, INT64_MAX, &l, &f->e));
	size_t n = l.n;
	post_list_free(&l);
	return n;
}

static void test_a_post_that_several_sources_of_a_list_have_waits_once(void **state)
{
	struct fixture *f = *state;
	int64_t id = watched_source(f), lab = second_source(f);
	struct post_list l = {0};

	add_post(&l, "1", "https://example.org/1/", "By its link", NOW);
	add_post(&l, "tag:example.org,2026:2", "https://example.org/2", "By its name", NOW);
	assert_int_equal(feed_look(f, id, &l, NOW).added, 2);
	rename_post(&l.items[0], "a", "http://www.example.org/1", "By its link, edited");
	rename_post(&l.items[1], "tag:example.org,2026:2", "https://lab.example.org/two", "Named");
	struct store_look_result r = feed_look(f, lab, &l, NOW);
	assert_int_equal(r.added, 0);
	assert_int_equal(r.seen, 2);
	assert_int_equal(pending(f, EDITION_EACH, NOW, NULL), 2);
	assert_int_equal(count_last(f), 2);
	assert_int_equal(feed_look(f, lab, &l, NOW + 1).seen, 0);
	post_list_free(&l);
}

static void test_posts_that_only_look_alike_in_two_sources_both_wait(void **state)
{
	struct fixture *f = *state;
	int64_t id = watched_source(f), lab = second_source(f);
	struct post_list l = {0};

	add_post(&l, "1", "https://example.org/1", "Same number", NOW);
	add_post(&l, "2", "https://example.org/", "Same blog", NOW);
	add_post(&l, "3", NULL, "No link", NOW);
	assert_int_equal(feed_look(f, id, &l, NOW).added, 3);
	rename_post(&l.items[0], "1", "https://example.org/lab/1", "Same number");
	rename_post(&l.items[1], "b", "https://example.org/", "Same blog");
	assert_int_equal(feed_look(f, lab, &l, NOW).added, 3);
	post_list_free(&l);
}

static void test_the_posts_of_one_page_are_told_apart_in_two_sources(void **state)
{
	struct fixture *f = *state;
	int64_t id = watched_source(f), lab = second_source(f);
	struct post_list l = {0};

	add_post(&l, "1", "https://example.org/log", "Monday", NOW);
	assert_int_equal(feed_look(f, id, &l, NOW).added, 1);
	add_post(&l, "2", "https://example.org/log", "Tuesday", NOW + 1);
	assert_int_equal(feed_look(f, lab, &l, NOW + 1).added, 1);
	assert_int_equal(feed_look(f, id, &l, NOW + 2).added, 0);
	add_post(&l, "3", "https://example.org/log", "Wednesday", NOW + 3);
	assert_int_equal(feed_look(f, id, &l, NOW + 3).added, 1);
	assert_int_equal(feed_look(f, lab, &l, NOW + 3).added, 0);
	assert_int_equal(pending(f, EDITION_EACH, NOW + 9, NULL), 3);
	post_list_free(&l);
}

static void test_the_first_look_of_a_second_source_hides_no_news_of_the_first(void **state)
{
	struct fixture *f = *state;
	int64_t id = watched_source(f), late = source_id(f, "https://example.org/lab/feed");
	struct post_list l = {0};

	add_post(&l, "1", "https://example.org/1", "One", NOW);
	assert_int_equal(feed_look(f, late, &l, NOW).seen, 1);
	assert_int_equal(feed_look(f, id, &l, NOW + 1).added, 1);
	post_list_free(&l);
}

static void test_what_is_the_past_of_one_source_is_no_news_of_a_younger_one(void **state)
{
	struct fixture *f = *state;
	int64_t id = source_id(f, "https://example.org/feed");
	int64_t young = source_id(f, "https://example.org/lab/feed");
	struct post_list l = {0}, none = {0};

	add_post(&l, "1", "https://example.org/1", "One", NOW - 10);
	assert_int_equal(feed_look(f, id, &l, NOW).seen, 1);
	feed_look(f, young, &none, NOW);
	assert_int_equal(feed_look(f, young, &l, NOW + 1).added, 0);
	assert_int_equal(count_last(f), 1);
	post_list_free(&l);
}

static void test_an_edit_of_a_mailed_post_under_a_new_guid_mails_nothing(void **state)
{
	struct fixture *f = *state;
	int64_t id = watched_source(f);
	struct post_list l = {0}, got = {0};

	add_post(&l, "1", "https://example.org/1", "One", NOW);
	feed_look(f, id, &l, NOW);
	assert_ok(f, store_post_last(f->store, f->list, 1, INT64_MAX, &got, &f->e));
	assert_int_not_equal(digest_of(f, &got.items[0].id, 1, EDITION_EACH), 0);
	rename_post(&l.items[0], "new", "http://example.org/1/", "One, mended");
	assert_int_equal(feed_look(f, id, &l, NOW + 5).changed, 1);
	assert_int_equal(pending(f, EDITION_EACH, NOW + 9, NULL), 0);
	post_list_free(&got);
	post_list_free(&l);
}

/* ---- The past ---- */

static void add_dated(struct post_list *l, const char *prefix, int n, int64_t first, int64_t step)
{
	char guid[64], url[96], title[64];

	for (int i = 0; i < n; i++) {
		snprintf(guid, sizeof(guid), "%s-%d", prefix, i);
		snprintf(url, sizeof(url), "https://%s.example/%d", prefix, i);
		snprintf(title, sizeof(title), "%s %d", prefix, i);
		add_post(l, guid, url, title, first == 0 ? 0 : first + i * step);
	}
}

static int64_t held(struct fixture *f)
{
	struct store_source *all;
	size_t n;

	assert_ok(f, store_source_list(f->store, f->list, &all, &n, &f->e));
	assert_int_equal(n, 1);
	int64_t count = all[0].held;
	store_source_free(&all[0]);
	free(all);
	return count;
}

/* A feed that had five posts of the last days when it was first looked at. */
static int64_t source_with_posts(struct fixture *f)
{
	struct post_list l = {0};
	int64_t id = source_id(f, "https://example.org/feed");

	add_dated(&l, "old", 5, NOW - 500000, 86400);
	assert_int_equal(feed_look(f, id, &l, NOW - 1000).seen, 5);
	post_list_free(&l);
	return id;
}

static void test_a_feed_that_renames_everything_does_not_mail_its_past(void **state)
{
	struct fixture *f = *state;
	int64_t id = source_with_posts(f);
	struct post_list l = {0}, got = {0};

	add_dated(&l, "new", 5, NOW - 500000, 86400);
	add_post(&l, "fresh", "https://new.example/fresh", "Fresh", NOW);
	struct store_look_result r = feed_look(f, id, &l, NOW);
	assert_int_equal(r.held, 5);
	assert_int_equal(r.added, 1);
	assert_int_equal(pending(f, EDITION_EACH, NOW, NULL), 1);
	assert_int_equal(held(f), 5);
	assert_ok(f, store_post_held(f->store, f->list, &got, &f->e));
	assert_int_equal(got.n, 5);
	assert_string_equal(got.items[0].guid, "new-0");
	r = feed_look(f, id, &l, NOW + 9);
	assert_int_equal(r.held + r.added + r.changed, 0);
	post_list_free(&got);
	post_list_free(&l);
}

static void test_a_blog_that_moved_shows_the_posts_that_are_known(void **state)
{
	struct fixture *f = *state;
	int64_t id = source_with_posts(f);
	struct post_list l = {0};

	add_dated(&l, "old", 5, NOW - 500000, 86400);
	for (size_t i = 0; i < l.n; i++) {
		char *url = xasprintf("https://moved.example/%zu", i);
		char *title = xstrdup(l.items[i].title);
		rename_post(&l.items[i], url, url, title);
		free(title);
		free(url);
	}
	struct store_look_result r = feed_look(f, id, &l, NOW);
	assert_int_equal(r.changed, 5);
	assert_int_equal(r.held + r.added + r.seen, 0);
	post_list_free(&l);
}

static void test_a_feed_without_dates_that_renames_everything_is_known_by_its_titles(void **state)
{
	struct fixture *f = *state;
	int64_t id = source_id(f, "https://example.org/feed");
	struct post_list old = {0}, renamed = {0}, dated = {0};

	add_dated(&old, "a", 5, 0, 0);
	assert_int_equal(feed_look(f, id, &old, NOW - 1000).seen, 5);
	add_post(&renamed, "b-new", "https://b.example/new", "New", 0);
	add_post(&renamed, "b-twin", "https://b.example/twin", "a 4", 0);
	for (int i = 0; i < 5; i++) {
		char *url = xasprintf("https://b.example/%d", i), *title = xasprintf("a %d", i);
		add_post(&renamed, url, url, title, 0);
		add_post(&dated, title, url + 8, title, NOW - 5000 + i);
		free(title);
		free(url);
	}
	struct store_look_result r = feed_look(f, id, &renamed, NOW);
	assert_int_equal(r.added, 2); /* one that is new, and one title was there twice */
	assert_int_equal(r.changed, 5);
	add_post(&dated, "d-new", "https://d.example/new", "Newer", NOW);
	r = feed_look(f, id, &dated, NOW + 1);
	assert_int_equal(r.added, 1);
	assert_int_equal(r.changed, 5);
	post_list_free(&old);
	post_list_free(&renamed);
	post_list_free(&dated);
}

static void test_a_title_alone_says_nothing_while_anything_else_is_known(void **state)
{
	struct fixture *f = *state;
	int64_t id = source_id(f, "https://example.org/feed");
	struct post_list l = {0}, next = {0};

	add_post(&l, "1", "https://example.org/1", "Links of the day", 0);
	add_post(&l, "2", "https://example.org/2", "Another", 0);
	assert_int_equal(feed_look(f, id, &l, NOW - 1000).seen, 2);
	add_post(&next, "3", "https://example.org/3", "Links of the day", 0);
	add_post(&next, "2", "https://example.org/2", "Another", 0);
	assert_int_equal(feed_look(f, id, &next, NOW).added, 1);
	post_list_free(&l);
	post_list_free(&next);
}

static void test_a_burst_of_older_posts_is_held_and_a_few_are_not(void **state)
{
	struct fixture *f = *state;
	int64_t id = source_with_posts(f);
	struct post_list l = {0};

	add_dated(&l, "old", 5, NOW - 500000, 86400);
	add_dated(&l, "late", 10, NOW - 400000, 60);
	assert_int_equal(feed_look(f, id, &l, NOW).added, 10);
	add_dated(&l, "burst", 11, NOW - 400000, 60);
	struct store_look_result r = feed_look(f, id, &l, NOW);
	assert_int_equal(r.held, 11);
	assert_int_equal(r.added, 0);
	post_list_free(&l);
}

static void test_any_number_of_newer_posts_is_news(void **state)
{
	struct fixture *f = *state;
	int64_t id = source_with_posts(f);
	struct post_list l = {0};

	add_dated(&l, "new", 50, NOW - 100, 1);
	assert_int_equal(feed_look(f, id, &l, NOW).added, 50);
	post_list_free(&l);
}

static void test_what_turns_up_at_the_end_of_a_feed_is_its_past(void **state)
{
	struct fixture *f = *state;
	int64_t id = source_with_posts(f);
	struct post_list l = {0};

	add_dated(&l, "old", 4, NOW - 500000, 86400); /* one was deleted */
	add_post(&l, "older", "https://old.example/older", "Older", NOW - 900000);
	assert_int_equal(feed_look(f, id, &l, NOW).held, 1);
	post_list_free(&l);
}

static void test_a_source_without_posts_yet_has_no_past(void **state)
{
	struct fixture *f = *state;
	int64_t id = watched_source(f);
	struct post_list l = {0};

	add_dated(&l, "first", 20, NOW - 900000, 60);
	assert_int_equal(feed_look(f, id, &l, NOW).added, 20);
	post_list_free(&l);
}

static void test_posts_without_dates_are_held_only_if_all_are_new_and_many(void **state)
{
	struct fixture *f = *state;
	int64_t id = source_id(f, "https://example.org/feed");
	struct post_list l = {0}, few = {0}, many = {0};

	add_dated(&l, "one", 12, 0, 0);
	assert_int_equal(feed_look(f, id, &l, NOW - 1000).seen, 12);
	add_dated(&few, "two", 3, 0, 0);
	assert_int_equal(feed_look(f, id, &few, NOW).added, 3);
	add_dated(&many, "three", 12, 0, 0);
	assert_int_equal(feed_look(f, id, &many, NOW).held, 12);
	post_list_free(&l);
	post_list_free(&few);
	post_list_free(&many);
}

static void test_a_file_that_was_renamed_is_the_same_post(void **state)
{
	struct fixture *f = *state;
	int64_t id = watched_source(f);
	struct post_list l = {0};
	struct store_look files = {.source_id = id, .at = NOW, .posts = &l, .complete = true};
	struct store_look_result r;

	add_post(&l, "hello.md", "https://example.org/hello/", "Hello", NOW - 5);
	l.items[0].content = xstrdup("<p>text</p>");
	assert_ok(f, store_source_look(f->store, &files, &r, &f->e));
	assert_int_equal(r.added, 1);
	free(l.items[0].guid);
	free(l.items[0].url);
	l.items[0].guid = xstrdup("2026/hello/index.md");
	l.items[0].url = xstrdup("https://example.org/2026/hello/");
	assert_ok(f, store_source_look(f->store, &files, &r, &f->e));
	assert_int_equal(r.added, 0);
	assert_int_equal(r.changed, 1);
	/* Another post of the same day and title is another one. */
	free(l.items[0].guid);
	free(l.items[0].content);
	l.items[0].guid = xstrdup("hello-again.md");
	l.items[0].content = xstrdup("<p>other text</p>");
	free(l.items[0].url);
	l.items[0].url = xstrdup("https://example.org/hello-again/");
	assert_ok(f, store_source_look(f->store, &files, &r, &f->e));
	assert_int_equal(r.added, 1);
	post_list_free(&l);
}

static void test_a_post_that_is_gone_waits_again_when_it_is_back(void **state)
{
	struct fixture *f = *state;
	int64_t id = watched_source(f);
	struct post_list l = {0}, got = {0};
	struct strlist gone = {0};
	struct store_look no_more = {.source_id = id, .at = NOW, .gone = &gone};
	struct store_look_result r;

	add_post(&l, "a.md", "https://example.org/a", "A", NOW);
	add_post(&l, "b.md", "https://example.org/b", "B", NOW);
	look(f, id, &l, NOW);
	assert_ok(
		f, store_post_pending(f->store, f->list, EDITION_EACH, NOW, 1, &got, NULL, &f->e));
	assert_true(digest_of(f, &got.items[0].id, 1, EDITION_EACH) != 0);
	strlist_add(&gone, "a.md");
	strlist_add(&gone, "b.md");
	strlist_add(&gone, "never-known.md");
	assert_ok(f, store_source_look(f->store, &no_more, &r, &f->e));
	assert_int_equal(r.withdrawn, 1); /* the other has been mailed */
	assert_int_equal(pending(f, EDITION_EACH, NOW, NULL), 0);
	assert_int_equal(pending(f, EDITION_DAILY, NOW, NULL), 1);
	assert_int_equal(count_last(f), 1);
	assert_ok(f, store_source_look(f->store, &no_more, &r, &f->e));
	assert_int_equal(r.withdrawn, 0);
	assert_int_equal(look(f, id, &l, NOW + 1).changed, 1);
	assert_int_equal(pending(f, EDITION_EACH, NOW, NULL), 1);
	assert_int_equal(count_last(f), 2);
	strlist_free(&gone);
	post_list_free(&got);
	post_list_free(&l);
}

static void test_what_is_not_there_any_more_does_not_wait(void **state)
{
	struct fixture *f = *state;
	int64_t id = watched_source(f);
	struct post_list l = {0};
	struct strlist there = {0};
	struct store_look all = {.source_id = id, .at = NOW, .complete = true, .there = &there};
	struct store_look_result r;

	add_post(&l, "a.md", "https://example.org/a", "A", NOW);
	add_post(&l, "b.md", "https://example.org/b", "B", NOW);
	add_post(&l, "c.md", "https://example.org/c", "C", NOW);
	look(f, id, &l, NOW);
	strlist_add(&there, "c.md");
	strlist_add(&there, "b2.md");
	strlist_add(&there, "a.md");
	strlist_sort(&there);
	assert_ok(f, store_source_look(f->store, &all, &r, &f->e));
	assert_int_equal(r.withdrawn, 1);
	assert_int_equal(pending(f, EDITION_EACH, NOW, NULL), 2);
	strlist_free(&there);
	post_list_free(&l);
}

static void test_a_post_without_a_date_keeps_the_time_it_was_found(void **state)
{
	struct fixture *f = *state;
	int64_t id = watched_source(f);
	struct post_list l = {0}, back = {0};

	add_post(&l, "1", NULL, "One", 0);
	look(f, id, &l, NOW);
	assert_int_equal(look(f, id, &l, NOW + 500).changed, 0);
	assert_ok(f, store_post_last(f->store, f->list, 5, INT64_MAX, &back, &f->e));
	assert_int_equal(back.items[0].published_at, NOW);
	post_list_free(&back);
	post_list_free(&l);
}

static void test_everything_of_a_post_comes_back(void **state)
{
	struct fixture *f = *state;
	int64_t id = watched_source(f);
	struct post_list l = {0}, back = {0};
	struct buf before = {0}, after = {0};

	add_post(&l, "g", "https://example.org/g", "北京 📰", NOW);
	l.items[0].author = xstrdup("王小明");
	l.items[0].summary = xstrdup("<p>s</p>");
	l.items[0].content = xstrdup("<p>c</p>");
	l.items[0].image = xstrdup("https://example.org/i.png");
	l.items[0].updated_at = NOW + 1;
	strlist_add(&l.items[0].categories, "science");
	strlist_add(&l.items[0].categories, "a, b");
	look(f, id, &l, NOW);
	assert_ok(f, store_post_last(f->store, f->list, 5, INT64_MAX, &back, &f->e));
	post_list_json(&l, &before);
	post_list_json(&back, &after);
	assert_string_equal(buf_str(&before), buf_str(&after));
	buf_free(&before);
	buf_free(&after);
	post_list_free(&back);
	post_list_free(&l);
}

static void test_a_post_waits_until_each_edition_has_had_it(void **state)
{
	struct fixture *f = *state;
	int64_t source = watched_source(f);
	struct post_list l = {0}, got = {0};

	add_post(&l, "1", NULL, "One", NOW);
	look(f, source, &l, NOW);
	assert_ok(
		f, store_post_pending(f->store, f->list, EDITION_DAILY, NOW, 0, &got, NULL, &f->e));
	assert_int_equal(got.n, 1);
	int64_t post = got.items[0].id;
	assert_int_not_equal(digest_of(f, &post, 1, EDITION_DAILY), 0);
	assert_int_equal(pending(f, EDITION_DAILY, NOW, NULL), 0);
	assert_int_equal(pending(f, EDITION_WEEKLY, NOW, NULL), 1);
	/* Two who saw it pending at the same time do not both mail it. */
	assert_int_equal(digest_of(f, &post, 1, EDITION_DAILY), 0);
	assert_int_equal(f->e.code, ERROR_REFUSED);
	post_list_free(&got);
	post_list_free(&l);
}

static void test_pending_posts_come_oldest_first_and_at_most_as_many_as_asked(void **state)
{
	struct fixture *f = *state;
	int64_t source = watched_source(f);
	struct post_list l = {0}, got = {0};

	add_post(&l, "late", NULL, "Late", NOW);
	add_post(&l, "early", NULL, "Early", NOW - 10);
	add_post(&l, "middle", NULL, "Middle", NOW - 5);
	look(f, source, &l, NOW);
	assert_ok(
		f, store_post_pending(f->store, f->list, EDITION_EACH, NOW, 2, &got, NULL, &f->e));
	assert_int_equal(got.n, 2);
	assert_string_equal(got.items[0].guid, "early");
	assert_string_equal(got.items[1].guid, "middle");
	post_list_free(&got);
	post_list_free(&l);
}

static void test_posts_are_found_by_number_within_their_list(void **state)
{
	struct fixture *f = *state;
	int64_t source = watched_source(f);
	struct post_list l = {0}, got = {0};

	add_post(&l, "1", NULL, "One", NOW);
	look(f, source, &l, NOW);
	assert_ok(f, store_post_last(f->store, f->list, 1, INT64_MAX, &got, &f->e));
	int64_t id = got.items[0].id, other = store_list_ensure(f->store, "other", &f->e);
	assert_ok(f, store_post_by_ids(f->store, f->list, &id, 1, &got, &f->e));
	assert_int_equal(got.n, 2);
	assert_false(store_post_by_ids(f->store, other, &id, 1, &got, &f->e));
	assert_int_equal(f->e.code, ERROR_NOT_FOUND);
	post_list_free(&got);
	post_list_free(&l);
}

static void test_failures_are_counted_and_forgotten_with_the_next_good_look(void **state)
{
	struct fixture *f = *state;
	int64_t id = watched_source(f);
	struct store_look failed = {.source_id = id, .at = NOW, .error = "503"};
	struct store_look_result r;
	struct store_source *all;
	struct post_list none = {0};
	size_t n;

	for (int i = 1; i <= 2; i++) {
		assert_ok(f, store_source_look(f->store, &failed, &r, &f->e));
		assert_ok(f, store_source_list(f->store, f->list, &all, &n, &f->e));
		assert_int_equal(n, 1);
		assert_int_equal(all[0].failures, i);
		assert_string_equal(all[0].error, "503");
		assert_string_equal(all[0].etag, "\"e\"");
		store_source_free(&all[0]);
		free(all);
	}
	look(f, id, &none, NOW + 5);
	assert_ok(f, store_source_list(f->store, f->list, &all, &n, &f->e));
	assert_int_equal(all[0].failures, 0);
	assert_null(all[0].error);
	store_source_free(&all[0]);
	free(all);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_the_first_look_marks_what_is_there_as_seen),
		TEST(test_a_failed_first_look_is_no_first_look),
		TEST(test_a_post_dated_in_the_future_waits_for_its_time_even_at_the_first_look),
		TEST(test_an_edit_changes_the_post_and_makes_no_new_one),
		TEST(test_a_new_guid_for_the_same_link_and_title_is_the_same_post),
		TEST(test_the_same_link_in_another_form_is_the_same_post),
		TEST(test_links_that_differ_in_more_are_different_posts),
		TEST(test_posts_that_all_link_to_the_blog_are_different_posts),
		TEST(test_several_posts_of_one_page_are_different_posts_and_twins_are_not),
		TEST(test_a_post_that_several_sources_of_a_list_have_waits_once),
		TEST(test_posts_that_only_look_alike_in_two_sources_both_wait),
		TEST(test_the_posts_of_one_page_are_told_apart_in_two_sources),
		TEST(test_the_first_look_of_a_second_source_hides_no_news_of_the_first),
		TEST(test_what_is_the_past_of_one_source_is_no_news_of_a_younger_one),
		TEST(test_an_edit_of_a_mailed_post_under_a_new_guid_mails_nothing),
		TEST(test_a_feed_that_renames_everything_does_not_mail_its_past),
		TEST(test_a_feed_without_dates_that_renames_everything_is_known_by_its_titles),
		TEST(test_a_title_alone_says_nothing_while_anything_else_is_known),
		TEST(test_a_blog_that_moved_shows_the_posts_that_are_known),
		TEST(test_a_burst_of_older_posts_is_held_and_a_few_are_not),
		TEST(test_any_number_of_newer_posts_is_news),
		TEST(test_what_turns_up_at_the_end_of_a_feed_is_its_past),
		TEST(test_a_source_without_posts_yet_has_no_past),
		TEST(test_posts_without_dates_are_held_only_if_all_are_new_and_many),
		TEST(test_a_file_that_was_renamed_is_the_same_post),
		TEST(test_a_post_that_is_gone_waits_again_when_it_is_back),
		TEST(test_what_is_not_there_any_more_does_not_wait),
		TEST(test_a_post_without_a_date_keeps_the_time_it_was_found),
		TEST(test_everything_of_a_post_comes_back),
		TEST(test_a_post_waits_until_each_edition_has_had_it),
		TEST(test_pending_posts_come_oldest_first_and_at_most_as_many_as_asked),
		TEST(test_posts_are_found_by_number_within_their_list),
		TEST(test_failures_are_counted_and_forgotten_with_the_next_good_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
