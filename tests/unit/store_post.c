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
	assert_ok(f, store_post_last(f->store, f->list, 5, &back, &f->e));
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

static void test_a_post_without_a_date_keeps_the_time_it_was_found(void **state)
{
	struct fixture *f = *state;
	int64_t id = watched_source(f);
	struct post_list l = {0}, back = {0};

	add_post(&l, "1", NULL, "One", 0);
	look(f, id, &l, NOW);
	assert_int_equal(look(f, id, &l, NOW + 500).changed, 0);
	assert_ok(f, store_post_last(f->store, f->list, 5, &back, &f->e));
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
	assert_ok(f, store_post_last(f->store, f->list, 5, &back, &f->e));
	post_list_json(&l, &before);
	post_list_json(&back, &after);
	assert_string_equal(buf_str(&before), buf_str(&after));
	buf_free(&before);
	buf_free(&after);
	post_list_free(&back);
	post_list_free(&l);
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
	assert_ok(f, store_post_last(f->store, f->list, 1, &got, &f->e));
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
		TEST(test_a_post_without_a_date_keeps_the_time_it_was_found),
		TEST(test_everything_of_a_post_comes_back),
		TEST(test_a_post_waits_until_each_edition_has_had_it),
		TEST(test_pending_posts_come_oldest_first_and_at_most_as_many_as_asked),
		TEST(test_posts_are_found_by_number_within_their_list),
		TEST(test_failures_are_counted_and_forgotten_with_the_next_good_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
