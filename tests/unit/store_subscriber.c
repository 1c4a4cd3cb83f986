#include "store_helper.h"

static void test_a_new_reader_is_added_with_all_that_was_said(void **state)
{
	struct fixture *f = *state;
	struct strlist tags = {0};
	struct store_key_value attributes[] = {{(char *)"city", (char *)"Zürich"}};
	enum store_add_result result;
	struct store_subscriber sub;

	strlist_add(&tags, "vip");
	struct store_subscriber_new n = {.email = "ann@example.org",
		.name = "Ann",
		.list_id = f->list,
		.state = SUBSCRIPTION_CONFIRMED,
		.edition = EDITION_WEEKLY,
		.tags = &tags,
		.attributes = attributes,
		.n_attributes = 1,
		.origin = "test"};
	assert_ok(f, store_subscriber_add(f->store, &n, NOW, &result, &f->e));
	assert_int_equal(result, STORE_ADDED);
	assert_ok(f, store_subscriber_get(f->store, "ann@example.org", &sub, &f->e));
	assert_string_equal(sub.name, "Ann");
	assert_int_equal(sub.tags.n, 1);
	assert_string_equal(sub.tags.items[0], "vip");
	assert_string_equal(sub.attributes[0].value, "Zürich");
	assert_int_equal(sub.n_subscriptions, 1);
	assert_string_equal(sub.subscriptions[0].list, "news");
	assert_int_equal(sub.subscriptions[0].state, SUBSCRIPTION_CONFIRMED);
	assert_int_equal(sub.subscriptions[0].edition, EDITION_WEEKLY);
	assert_int_equal(sub.subscriptions[0].confirmed_at, NOW);
	assert_string_equal(sub.subscriptions[0].origin, "test");
	store_subscriber_free(&sub);
	strlist_free(&tags);
}

static void test_adding_twice_changes_nothing_and_says_so(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(add_reader(f, "ann@example.org"), STORE_ADDED);
	assert_int_equal(add_reader(f, "ann@example.org"), STORE_ALREADY);
	assert_int_equal(add_reader(f, "ANN@example.org"), STORE_ALREADY);
}

static void end(struct fixture *f, const char *email, enum subscription_state how)
{
	int ended;

	assert_ok(f, store_subscription_end(
			     f->store, reader_id(f, email), f->list, how, NOW + 1, &ended, &f->e));
}

static void test_a_reader_who_unsubscribed_is_not_added_again_without_force(void **state)
{
	struct fixture *f = *state;
	enum store_add_result result;
	struct store_subscriber_new n = {.email = "ann@example.org",
		.name = "Changed",
		.list_id = f->list,
		.state = SUBSCRIPTION_CONFIRMED,
		.edition = -1};
	struct store_subscriber sub;

	add_reader(f, "ann@example.org");
	end(f, "ann@example.org", SUBSCRIPTION_UNSUBSCRIBED);
	assert_false(store_subscriber_add(f->store, &n, NOW, &result, &f->e));
	assert_int_equal(f->e.code, ERROR_REFUSED);
	assert_ok(f, store_subscriber_get(f->store, "ann@example.org", &sub, &f->e));
	assert_null(sub.name);
	assert_int_equal(sub.subscriptions[0].state, SUBSCRIPTION_UNSUBSCRIBED);
	store_subscriber_free(&sub);
	n.force = true;
	assert_ok(f, store_subscriber_add(f->store, &n, NOW, &result, &f->e));
	assert_int_equal(result, STORE_RESUBSCRIBED);
}

static void test_a_reader_removed_by_the_operator_can_be_added_again(void **state)
{
	struct fixture *f = *state;

	add_reader(f, "ann@example.org");
	end(f, "ann@example.org", SUBSCRIPTION_REMOVED);
	assert_int_equal(add_reader(f, "ann@example.org"), STORE_RESUBSCRIBED);
}

static void test_a_reader_who_unsubscribes_after_being_removed_stays_away(void **state)
{
	struct fixture *f = *state;
	enum store_add_result result;
	struct store_subscriber_new n = {.email = "ann@example.org",
		.list_id = f->list,
		.state = SUBSCRIPTION_CONFIRMED,
		.edition = -1};

	add_reader(f, "ann@example.org");
	end(f, "ann@example.org", SUBSCRIPTION_REMOVED);
	end(f, "ann@example.org", SUBSCRIPTION_UNSUBSCRIBED);
	assert_false(store_subscriber_add(f->store, &n, NOW, &result, &f->e));
}

static void test_unsubscribing_cancels_what_is_queued(void **state)
{
	struct fixture *f = *state;
	int64_t id = queued_digest(f, 3);
	struct store_ready ready[4];
	size_t n;

	end(f, "r2@example.org", SUBSCRIPTION_UNSUBSCRIBED);
	struct store_digest d = get_digest(f, id);
	assert_int_equal(d.cancelled, 1);
	assert_int_equal(d.queued, 2);
	assert_ok(f, store_delivery_fresh(f->store, id, 0, 4, ready, &n, &f->e));
	assert_int_equal(n, 2);
	assert_string_equal(ready[0].email, "r1@example.org");
	assert_string_equal(ready[1].email, "r3@example.org");
	for (size_t i = 0; i < n; i++)
		store_ready_free(&ready[i]);
}

static void test_the_last_one_to_unsubscribe_ends_the_digest(void **state)
{
	struct fixture *f = *state;
	int64_t id = queued_digest(f, 1);

	end(f, "r1@example.org", SUBSCRIPTION_UNSUBSCRIBED);
	assert_int_equal(get_digest(f, id).state, DIGEST_DONE);
	assert_int_equal(get_digest(f, id).finished_at, NOW + 1);
}

static void test_ending_what_does_not_exist_is_not_found(void **state)
{
	struct fixture *f = *state;
	int ended;

	assert_false(store_subscription_end(
		f->store, 99, f->list, SUBSCRIPTION_REMOVED, NOW, &ended, &f->e));
	assert_int_equal(f->e.code, ERROR_NOT_FOUND);
}

static bool count(const struct store_subscriber *sub, void *arg)
{
	(void)sub;
	++*(int *)arg;
	return true;
}

static void test_filters_find_by_state_tag_attribute_and_text(void **state)
{
	struct fixture *f = *state;
	struct strlist tags = {0};
	struct store_key_value attributes[] = {{(char *)"plan", (char *)"paid"}};
	enum store_add_result result;
	int n = 0;

	strlist_add(&tags, "vip");
	struct store_subscriber_new ann = {.email = "ann@example.org",
		.name = "Ann Müller",
		.list_id = f->list,
		.state = SUBSCRIPTION_PENDING,
		.edition = -1,
		.tags = &tags,
		.attributes = attributes,
		.n_attributes = 1};
	assert_ok(f, store_subscriber_add(f->store, &ann, NOW, &result, &f->e));
	add_reader(f, "bob@example.org");
	const struct store_subscriber_filter only_ann[] = {
		{.list_id = f->list, .state = SUBSCRIPTION_PENDING},
		{.state = -1, .tag = "vip"},
		{.state = -1, .key = "plan", .value = "paid"},
		{.state = -1, .search = "müller"},
		{.state = -1, .search = "ANN@"},
	};
	for (size_t i = 0; i < sizeof(only_ann) / sizeof(only_ann[0]); i++) {
		n = 0;
		assert_ok(f, store_subscriber_each(f->store, &only_ann[i], count, &n, &f->e));
		assert_int_equal(n, 1);
	}
	n = 0;
	assert_ok(f, store_subscriber_each(f->store, &(struct store_subscriber_filter){.state = -1},
			     count, &n, &f->e));
	assert_int_equal(n, 2);
	strlist_free(&tags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_new_reader_is_added_with_all_that_was_said, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_adding_twice_changes_nothing_and_says_so, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_reader_who_unsubscribed_is_not_added_again_without_force, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_reader_removed_by_the_operator_can_be_added_again, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_reader_who_unsubscribes_after_being_removed_stays_away, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_unsubscribing_cancels_what_is_queued, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_the_last_one_to_unsubscribe_ends_the_digest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_ending_what_does_not_exist_is_not_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_filters_find_by_state_tag_attribute_and_text, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
