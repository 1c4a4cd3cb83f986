#include "../../daemon/store/sql.h"
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

static struct store_subscriber get(struct fixture *f, const char *email)
{
	struct store_subscriber sub;

	assert_ok(f, store_subscriber_get(f->store, email, &sub, &f->e));
	return sub;
}

#define MANY 200

/* r0@example.org … in the order in which they are given. */
static void make_many(struct fixture *f, char emails[MANY][32], struct store_subscriber_new *out)
{
	for (int i = 0; i < MANY; i++) {
		snprintf(emails[i], sizeof(emails[i]), "r%d@example.org", i);
		out[i] = (struct store_subscriber_new){.email = emails[i],
			.name = emails[i],
			.list_id = f->list,
			.state = SUBSCRIPTION_CONFIRMED,
			.edition = -1,
			.origin = "many"};
	}
}

static void add_many(struct fixture *f, const struct store_subscriber_new *all,
	enum store_add_result results[MANY])
{
	assert_ok(f, store_begin(f->store, &f->e));
	assert_ok(f, store_subscribers_add(f->store, all, MANY, NOW, results, &f->e));
	assert_ok(f, store_commit(f->store, &f->e));
}

static void test_many_are_added_each_with_its_own(void **state)
{
	struct fixture *f = *state;
	char emails[MANY][32];
	struct store_subscriber_new all[MANY];
	enum store_add_result results[MANY];
	struct strlist tags[MANY] = {0};

	make_many(f, emails, all);
	for (int i = 0; i < MANY; i++) {
		strlist_add(&tags[i], emails[i]);
		all[i].tags = &tags[i];
		all[i].at = i % 2 == 0 ? 1000 + i : 0;
		all[i].state = i % 3 == 0 ? SUBSCRIPTION_PENDING : SUBSCRIPTION_CONFIRMED;
		all[i].edition = i % 5 == 0 ? EDITION_DAILY : -1;
	}
	add_many(f, all, results);
	for (int i = 0; i < MANY; i++) {
		int64_t at = i % 2 == 0 ? 1000 + i : NOW;
		struct store_subscriber sub = get(f, emails[i]);
		assert_int_equal(results[i], STORE_ADDED);
		assert_string_equal(sub.name, emails[i]);
		assert_string_equal(sub.tags.items[0], emails[i]);
		assert_int_equal(sub.created_at, at);
		assert_int_equal(sub.n_subscriptions, 1);
		assert_int_equal(sub.subscriptions[0].state, all[i].state);
		assert_int_equal(sub.subscriptions[0].edition, all[i].edition);
		assert_int_equal(sub.subscriptions[0].created_at, at);
		assert_int_equal(sub.subscriptions[0].confirmed_at, i % 3 == 0 ? 0 : at);
		assert_string_equal(sub.subscriptions[0].origin, "many");
		store_subscriber_free(&sub);
		strlist_free(&tags[i]);
	}
}

static void test_many_find_those_who_are_there_and_those_who_have_left(void **state)
{
	struct fixture *f = *state;
	char emails[MANY][32];
	struct store_subscriber_new all[MANY];
	enum store_add_result results[MANY];
	int64_t other = store_list_ensure(f->store, "other", &f->e);

	add_reader(f, "r7@example.org");
	add_reader(f, "r70@example.org");
	add_reader(f, "r71@example.org");
	add_reader(f, "r72@example.org");
	end(f, "r70@example.org", SUBSCRIPTION_UNSUBSCRIBED);
	end(f, "r71@example.org", SUBSCRIPTION_REMOVED);
	make_many(f, emails, all);
	all[72].list_id = other;
	add_many(f, all, results);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(results[i], i == 7    ? STORE_ALREADY
					     : i == 70 ? STORE_REFUSED
					     : i == 71 ? STORE_RESUBSCRIBED
						       : STORE_ADDED);
	struct store_subscriber left = get(f, "r70@example.org"), both = get(f, "r72@example.org");
	assert_null(left.name);
	assert_string_equal(both.name, "r72@example.org");
	assert_int_equal(both.n_subscriptions, 2);
	store_subscriber_free(&left);
	store_subscriber_free(&both);
}

static void test_the_same_address_many_times_is_one_reader(void **state)
{
	struct fixture *f = *state;
	char emails[MANY][32];
	struct store_subscriber_new all[MANY];
	enum store_add_result results[MANY];

	make_many(f, emails, all);
	for (int i = 0; i < MANY; i++)
		all[i].email =
			i < 150 ? (i % 2 == 0 ? "ann@example.org" : "ANN@example.org") : emails[i];
	add_many(f, all, results);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(results[i], i > 0 && i < 150 ? STORE_ALREADY : STORE_ADDED);
	struct store_subscriber ann = get(f, "ann@example.org");
	assert_string_equal(ann.name, "r149@example.org");
	assert_string_equal(ann.email, "ann@example.org");
	assert_int_equal(ann.n_subscriptions, 1);
	store_subscriber_free(&ann);
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

struct listing {
	struct store *store;
	char last[64];
	int n, stop_at;
};

/* Each once, in order, and somebody who looks at one for hours is in nobody's way. */
static bool list_one(const struct store_subscriber *sub, void *arg)
{
	struct listing *l = arg;

	assert_int_equal(sqlite3_txn_state(l->store->db, "main"), SQLITE_TXN_NONE);
	assert_true(strcmp(l->last, sub->email) < 0);
	snprintf(l->last, sizeof(l->last), "%s", sub->email);
	return ++l->n != l->stop_at;
}

static void test_many_readers_are_listed_without_a_transaction_in_between(void **state)
{
	struct fixture *f = *state;
	const struct store_subscriber_filter all = {.state = -1};

	for (int i = 0; i < 600; i++) {
		char email[64];
		snprintf(email, sizeof(email), "r%03d@example.org", i);
		add_reader(f, email);
	}
	struct listing whole = {.store = f->store}, part = {.store = f->store, .stop_at = 300};
	assert_ok(f, store_subscriber_each(f->store, &all, list_one, &whole, &f->e));
	assert_int_equal(whole.n, 600);
	assert_ok(f, store_subscriber_each(f->store, &all, list_one, &part, &f->e));
	assert_int_equal(part.n, 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_many_readers_are_listed_without_a_transaction_in_between, set_up,
			tear_down),
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
			test_many_are_added_each_with_its_own, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_many_find_those_who_are_there_and_those_who_have_left, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_the_same_address_many_times_is_one_reader, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_filters_find_by_state_tag_attribute_and_text, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
