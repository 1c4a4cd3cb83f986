#include "store_helper.h"

#include "hubmail/store_suppression.h"

static struct store_suppressed suppress(struct fixture *f, const char *email, const char *reason)
{
	struct store_suppressed done;

	assert_ok(f, store_suppression_add(f->store, email, reason, NOW + 1, &done, &f->e));
	return done;
}

/* Since when; 0: it is not. */
static int64_t suppressed(struct fixture *f, const char *email)
{
	struct store_suppression sup;

	assert_ok(f, store_suppression_get(f->store, email, &sup, &f->e));
	int64_t at = sup.at;
	store_suppression_free(&sup);
	return at;
}

static void test_an_address_is_suppressed_whether_it_was_a_subscriber_or_not(void **state)
{
	struct fixture *f = *state;
	struct store_suppression sup;

	assert_int_equal(suppressed(f, "ann@example.org"), 0);
	assert_false(suppress(f, "ann@example.org", "complained").already);
	assert_ok(f, store_suppression_get(f->store, "ann@example.org", &sup, &f->e));
	assert_int_equal(sup.at, NOW + 1);
	assert_string_equal(sup.reason, "complained");
	store_suppression_free(&sup);
	assert_int_equal(suppressed(f, "bob@example.org"), 0);
}

static void test_case_does_not_matter(void **state)
{
	struct fixture *f = *state;

	add_reader(f, "Ann@example.org");
	assert_int_equal(suppress(f, "ANN@example.org", NULL).ended, 1);
	assert_int_equal(suppressed(f, "ann@example.org"), NOW + 1);
	assert_true(suppress(f, "aNN@example.org", NULL).already);
}

static void test_only_who_has_the_secret_can_tell_the_address(void **state)
{
	struct fixture *f = *state;
	const struct secret another = {{9}};
	struct store_suppression sup;

	suppress(f, "ann@example.org", NULL);
	store_set_secret(f->store, &another);
	assert_ok(f, store_suppression_get(f->store, "ann@example.org", &sup, &f->e));
	assert_int_equal(sup.at, 0);
}

static void test_suppressing_twice_says_so_and_keeps_the_first_time(void **state)
{
	struct fixture *f = *state;
	struct store_suppressed done;
	struct store_suppression sup;

	suppress(f, "ann@example.org", "one");
	assert_true(suppress(f, "ann@example.org", NULL).already);
	assert_ok(f,
		store_suppression_add(f->store, "ann@example.org", "two", NOW + 9, &done, &f->e));
	assert_ok(f, store_suppression_get(f->store, "ann@example.org", &sup, &f->e));
	assert_int_equal(sup.at, NOW + 1);
	assert_string_equal(sup.reason, "two");
	store_suppression_free(&sup);
}

static void test_suppressing_ends_all_subscriptions_and_cancels_what_is_queued(void **state)
{
	struct fixture *f = *state;
	int64_t id = queued_digest(f, 3), at, other = store_list_ensure(f->store, "other", &f->e);
	enum store_add_result result;
	struct store_subscriber_new n = {.email = "r2@example.org",
		.list_id = other,
		.state = SUBSCRIPTION_PENDING,
		.edition = -1};
	struct delivery_key key = {id, reader_id(f, "r2@example.org")};

	assert_ok(f, store_subscriber_add(f->store, &n, NOW, &result, &f->e));
	assert_int_equal(suppress(f, "r2@example.org", NULL).ended, 2);
	assert_int_equal(get_digest(f, id).cancelled, 1);
	assert_int_equal(get_digest(f, id).queued, 2);
	assert_int_equal(turn(f, 0, NULL, &key), STORE_NOT_WANTED);
	assert_ok(f, store_audience_count(f->store, f->list, EDITION_EACH, true, &at, &f->e));
	assert_int_equal(at, 2);
}

static void test_nobody_subscribes_a_suppressed_address_not_even_by_force(void **state)
{
	struct fixture *f = *state;
	enum store_add_result result;
	struct store_subscriber_new n = {.email = "Ann@example.org",
		.list_id = f->list,
		.state = SUBSCRIPTION_CONFIRMED,
		.edition = -1};
	struct store_subscriber sub;
	bool was;

	suppress(f, "ann@example.org", NULL);
	for (int i = 0; i < 2; i++) {
		n.force = i == 1;
		assert_false(store_subscriber_add(f->store, &n, NOW, &result, &f->e));
		assert_int_equal(f->e.code, ERROR_REFUSED);
		assert_int_equal(result, STORE_SUPPRESSED);
	}
	assert_false(store_subscriber_get(f->store, "ann@example.org", &sub, &f->e));
	assert_ok(f, store_suppression_lift(f->store, "ANN@example.org", &was, &f->e));
	assert_true(was);
	assert_ok(f, store_subscriber_add(f->store, &n, NOW, &result, &f->e));
	assert_int_equal(result, STORE_ADDED);
}

static void test_of_many_only_the_suppressed_are_left_out(void **state)
{
	struct fixture *f = *state;
	struct store_subscriber_new all[150];
	enum store_add_result results[150];
	char emails[150][40];

	for (int i = 0; i < 150; i++) {
		snprintf(emails[i], sizeof(emails[i]), "r%03d@example.org", i);
		all[i] = (struct store_subscriber_new){.email = emails[i],
			.list_id = f->list,
			.state = SUBSCRIPTION_CONFIRMED,
			.edition = -1};
		if (i % 7 == 0)
			suppress(f, emails[i], NULL);
	}
	assert_ok(f, store_begin(f->store, &f->e));
	assert_ok(f, store_subscribers_add(f->store, all, 150, NOW, results, &f->e));
	assert_ok(f, store_commit(f->store, &f->e));
	for (int i = 0; i < 150; i++) {
		struct store_subscriber sub;
		bool there = store_subscriber_get(f->store, emails[i], &sub, &f->e);
		assert_int_equal(results[i], i % 7 == 0 ? STORE_SUPPRESSED : STORE_ADDED);
		assert_int_equal(there, i % 7 != 0);
		store_subscriber_free(&sub);
	}
}

static void test_lifting_a_suppression_subscribes_nobody(void **state)
{
	struct fixture *f = *state;
	enum subscription_state after;
	bool was;

	add_reader(f, "ann@example.org");
	suppress(f, "ann@example.org", NULL);
	assert_ok(f, store_suppression_lift(f->store, "ann@example.org", &was, &f->e));
	assert_true(was);
	assert_ok(f, store_subscription_state(
			     f->store, reader_id(f, "ann@example.org"), f->list, &after, &f->e));
	assert_int_equal(after, SUBSCRIPTION_REMOVED);
	assert_ok(f, store_suppression_lift(f->store, "ann@example.org", &was, &f->e));
	assert_false(was);
}

/* A digest with something held has ended, and `retry` opens it again. */
static void test_what_was_held_for_a_suppressed_reader_is_not_sent_later(void **state)
{
	struct fixture *f = *state;
	int64_t id = queued_digest(f, 1);
	struct delivery_key key = {id, reader_id(f, "r1@example.org")};
	struct store_result doubtful = {.key = key, .outcome = OUTCOME_UNKNOWN, .hold = true};
	int n;

	turn(f, 0, NULL, &key);
	turn(f, 0, &doubtful, NULL);
	suppress(f, "r1@example.org", NULL);
	assert_ok(f, store_delivery_retry(f->store, id, 10, NOW, &n, &f->e));
	assert_int_equal(turn(f, 0, NULL, &key), STORE_NOT_WANTED);
	assert_int_equal(get_digest(f, id).cancelled, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_an_address_is_suppressed_whether_it_was_a_subscriber_or_not),
		TEST(test_case_does_not_matter),
		TEST(test_only_who_has_the_secret_can_tell_the_address),
		TEST(test_suppressing_twice_says_so_and_keeps_the_first_time),
		TEST(test_suppressing_ends_all_subscriptions_and_cancels_what_is_queued),
		TEST(test_nobody_subscribes_a_suppressed_address_not_even_by_force),
		TEST(test_of_many_only_the_suppressed_are_left_out),
		TEST(test_lifting_a_suppression_subscribes_nobody),
		TEST(test_what_was_held_for_a_suppressed_reader_is_not_sent_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
