#include "store_helper.h"

static struct store_ready first_ready(struct fixture *f, int64_t digest)
{
	struct store_ready r;
	size_t n;

	assert_ok(f, store_delivery_fresh(f->store, digest, 0, 1, &r, &n, &f->e));
	assert_int_equal(n, 1);
	return r;
}

static struct store_result result_of(struct delivery_key key, enum delivery_outcome outcome)
{
	return (struct store_result){.key = key,
		.outcome = outcome,
		.at = NOW,
		.retry_at = NOW + 300,
		.relay = "main",
		.code = 250,
		.enhanced = "2.0.0",
		.text = "Ok: queued"};
}

static void test_a_digest_reaches_all_confirmed_readers_of_its_edition(void **state)
{
	struct fixture *f = *state;
	enum store_add_result result;
	struct store_subscriber_new weekly = {.email = "w@example.org",
		.list_id = f->list,
		.state = SUBSCRIPTION_CONFIRMED,
		.edition = EDITION_WEEKLY};
	struct store_subscriber_new pending = {.email = "p@example.org",
		.list_id = f->list,
		.state = SUBSCRIPTION_PENDING,
		.edition = -1};

	assert_ok(f, store_subscriber_add(f->store, &weekly, NOW, &result, &f->e));
	assert_ok(f, store_subscriber_add(f->store, &pending, NOW, &result, &f->e));
	struct store_digest d = get_digest(f, queued_digest(f, 250));
	assert_int_equal(d.audience, 250);
	assert_int_equal(d.total, 250);
	assert_int_equal(d.queued, 250);
	assert_int_equal(d.state, DIGEST_SENDING);
}

static void test_a_digest_without_readers_is_done_at_once(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(get_digest(f, queued_digest(f, 0)).state, DIGEST_DONE);
}

static void test_an_accepted_delivery_is_sent_and_the_last_ends_the_digest(void **state)
{
	struct fixture *f = *state;
	int64_t id = queued_digest(f, 2);

	for (int i = 0; i < 2; i++) {
		struct store_ready r = first_ready(f, id);
		struct store_result result = result_of(r.key, OUTCOME_ACCEPTED);
		assert_int_equal(turn(f, 0, NULL, &r.key), STORE_GO);
		turn(f, 0, &result, NULL);
		store_ready_free(&r);
	}
	struct store_digest d = get_digest(f, id);
	assert_int_equal(d.sent, 2);
	assert_int_equal(d.queued, 0);
	assert_int_equal(d.state, DIGEST_DONE);
}

/* One reader of the digest gets its mail. */
static void send_one(struct fixture *f, int64_t id)
{
	struct store_ready r = first_ready(f, id);
	struct store_result result = result_of(r.key, OUTCOME_ACCEPTED);

	turn(f, 0, &result, NULL);
	store_ready_free(&r);
}

static void test_a_transaction_of_many_results_counts_each(void **state)
{
	struct fixture *f = *state;
	int64_t ids[12]; /* more than are kept in mind */
	const size_t n = sizeof(ids) / sizeof(ids[0]);

	for (size_t i = 0; i < n; i++)
		ids[i] = queued_digest(f, 3);
	assert_ok(f, store_begin(f->store, &f->e));
	for (size_t i = 0; i < n; i++)
		for (size_t done = 0; done <= i % 3; done++)
			send_one(f, ids[i]);
	assert_ok(f, store_commit(f->store, &f->e));
	for (size_t i = 0; i < n; i++) {
		struct store_digest d = get_digest(f, ids[i]);
		assert_int_equal(d.sent, 1 + i % 3);
		assert_int_equal(d.queued, 2 - i % 3);
		assert_int_equal(d.state, i % 3 == 2 ? DIGEST_DONE : DIGEST_SENDING);
		assert_int_equal(d.finished_at, i % 3 == 2 ? NOW : 0);
	}
}

static void test_a_transaction_that_is_taken_back_counts_nothing(void **state)
{
	struct fixture *f = *state;
	int64_t id = queued_digest(f, 2);

	assert_ok(f, store_begin(f->store, &f->e));
	send_one(f, id);
	store_rollback(f->store);
	assert_ok(f, store_begin(f->store, &f->e));
	assert_ok(f, store_commit(f->store, &f->e));
	assert_int_equal(get_digest(f, id).sent, 0);
	assert_int_equal(get_digest(f, id).queued, 2);
}

static void test_a_deferred_delivery_is_due_at_its_time_and_not_before(void **state)
{
	struct fixture *f = *state;
	int64_t id = queued_digest(f, 1), next;
	struct store_ready r = first_ready(f, id), due;
	struct store_result result = result_of(r.key, OUTCOME_DEFERRED);
	size_t n;

	turn(f, 0, &result, NULL);
	assert_ok(f, store_delivery_next_due(f->store, &next, &f->e));
	assert_int_equal(next, NOW + 300);
	assert_ok(f, store_delivery_due(f->store, NOW + 299, 1, &due, &n, &f->e));
	assert_int_equal(n, 0);
	assert_ok(f, store_delivery_due(f->store, NOW + 300, 1, &due, &n, &f->e));
	assert_int_equal(n, 1);
	assert_int_equal(due.attempts, 1);
	assert_int_equal(due.first_attempt_at, NOW);
	assert_int_equal(get_digest(f, id).state, DIGEST_SENDING);
	store_ready_free(&due);
	store_ready_free(&r);
}

struct seen {
	int n;
	char outcome[16], text[64], enhanced[16];
	int code;
};

static bool see(const struct store_attempt *a, void *arg)
{
	struct seen *s = arg;

	s->n++;
	s->code = a->code;
	snprintf(s->outcome, sizeof(s->outcome), "%s", a->outcome);
	snprintf(s->text, sizeof(s->text), "%s", a->text);
	snprintf(s->enhanced, sizeof(s->enhanced), "%s", a->enhanced);
	return true;
}

static void test_every_attempt_is_kept_with_the_relays_words(void **state)
{
	struct fixture *f = *state;
	int64_t id = queued_digest(f, 1);
	struct store_ready r = first_ready(f, id);
	struct store_result result = result_of(r.key, OUTCOME_DEFERRED);
	struct seen seen = {0};

	turn(f, 0, &result, NULL);
	result = result_of(r.key, OUTCOME_FAILED);
	result.code = 550;
	result.enhanced = "5.1.1";
	result.text = "no such user";
	turn(f, 0, &result, NULL);
	assert_ok(f, store_attempt_each(f->store, &r.key, see, &seen, &f->e));
	assert_int_equal(seen.n, 2);
	assert_string_equal(seen.outcome, "failed");
	assert_string_equal(seen.text, "no such user");
	assert_string_equal(seen.enhanced, "5.1.1");
	assert_int_equal(seen.code, 550);
	assert_int_equal(get_digest(f, id).failed, 1);
	store_ready_free(&r);
}

static void test_what_was_unsubscribed_is_not_taken_any_more(void **state)
{
	struct fixture *f = *state;
	struct store_ready r = first_ready(f, queued_digest(f, 1));
	int ended;

	assert_ok(f, store_subscription_end(f->store, r.key.subscriber_id, f->list,
			     SUBSCRIPTION_UNSUBSCRIBED, NOW, &ended, &f->e));
	assert_int_equal(turn(f, 0, NULL, &r.key), STORE_NOT_WANTED);
	store_ready_free(&r);
}

static void recover(struct fixture *f, bool hold, int expected);

/* Leaving cancels nothing in a digest that has ended, but for that it may be opened again. */
static void test_what_was_held_is_not_sent_to_somebody_who_has_left_since(void **state)
{
	struct fixture *f = *state;
	int64_t id = queued_digest(f, 1);
	struct store_ready r = first_ready(f, id);
	struct store_result doubtful = result_of(r.key, OUTCOME_UNKNOWN);
	int ended, n;

	doubtful.hold = true;
	turn(f, 0, NULL, &r.key);
	turn(f, 0, &doubtful, NULL);
	assert_int_equal(get_digest(f, id).state, DIGEST_DONE);
	assert_ok(f, store_subscription_end(f->store, r.key.subscriber_id, f->list,
			     SUBSCRIPTION_UNSUBSCRIBED, NOW, &ended, &f->e));
	assert_ok(f, store_delivery_retry(f->store, id, 10, NOW, &n, &f->e));
	assert_int_equal(turn(f, 0, NULL, &r.key), STORE_NOT_WANTED);
	assert_int_equal(get_digest(f, id).cancelled, 1);
	assert_int_equal(get_digest(f, id).held + get_digest(f, id).deferred, 0);
	assert_int_equal(get_digest(f, id).state, DIGEST_DONE);
	recover(f, false, 0);
	store_ready_free(&r);
}

static void test_a_refused_reader_who_leaves_before_the_digest_is_suspended_gets_no_mail(
	void **state)
{
	struct fixture *f = *state;
	int64_t id = queued_digest(f, 2);
	struct store_ready r = first_ready(f, id);
	struct store_result refused = result_of(r.key, OUTCOME_FAILED);
	int ended;

	turn(f, 0, NULL, &r.key);
	turn(f, 0, &refused, NULL);
	assert_ok(f, store_subscription_end(f->store, r.key.subscriber_id, f->list,
			     SUBSCRIPTION_UNSUBSCRIBED, NOW, &ended, &f->e));
	assert_ok(f, store_digest_suspend(
			     f->store, id, "550 5.7.1", &r.key.subscriber_id, 1, NOW, &f->e));
	assert_ok(f, store_digest_resume(f->store, id, NOW, &f->e));
	assert_int_equal(turn(f, 0, NULL, &r.key), STORE_NOT_WANTED);
	assert_int_equal(get_digest(f, id).cancelled, 1);
	assert_int_equal(get_digest(f, id).queued, 1);
	store_ready_free(&r);
}

static void test_what_was_just_put_off_is_not_taken_before_its_time(void **state)
{
	struct fixture *f = *state;
	struct store_ready r = first_ready(f, queued_digest(f, 1));
	struct store_result later = result_of(r.key, OUTCOME_DEFERRED);

	turn(f, 0, NULL, &r.key);
	turn(f, 0, &later, NULL);
	assert_int_equal(turn(f, 0, NULL, &r.key), STORE_NOT_WANTED);
	store_ready_free(&r);
}

static void test_a_message_on_the_wire_while_its_reader_unsubscribes_was_sent(void **state)
{
	struct fixture *f = *state;
	int64_t id = queued_digest(f, 1);
	struct store_ready r = first_ready(f, id);
	struct store_result result = result_of(r.key, OUTCOME_ACCEPTED);
	int ended;

	turn(f, 0, NULL, &r.key);
	assert_ok(f, store_subscription_end(f->store, r.key.subscriber_id, f->list,
			     SUBSCRIPTION_UNSUBSCRIBED, NOW, &ended, &f->e));
	turn(f, 0, &result, NULL);
	assert_int_equal(get_digest(f, id).sent, 1);
	assert_int_equal(get_digest(f, id).cancelled, 0);
	store_ready_free(&r);
}

static void count_unknown(const struct delivery_key *key, const char *email, void *arg)
{
	(void)key;
	assert_non_null(email);
	++*(int *)arg;
}

static void recover(struct fixture *f, bool hold, int expected)
{
	int n, told = 0;

	assert_ok(f,
		store_delivery_recover(f->store, hold, NOW + 10, count_unknown, &told, &n, &f->e));
	assert_int_equal(n, expected);
	assert_int_equal(told, expected);
}

static bool note_key(const struct store_delivery *d, void *arg)
{
	*(struct delivery_key *)arg = d->key;
	return true;
}

static void test_after_a_crash_what_was_on_the_wire_is_unknown_and_due_again(void **state)
{
	struct fixture *f = *state;
	int64_t id = queued_digest(f, 2);
	struct store_ready r = first_ready(f, id), due;
	struct store_delivery_filter unknown = {.state = -3};
	struct delivery_key listed = {0};
	size_t n;

	turn(f, 3, NULL, &r.key);
	recover(f, false, 1);
	assert_ok(f, store_delivery_due(f->store, NOW + 10, 1, &due, &n, &f->e));
	assert_int_equal(n, 1);
	assert_int_equal(due.key.subscriber_id, r.key.subscriber_id);
	assert_ok(f, store_delivery_each(f->store, &unknown, note_key, &listed, &f->e));
	assert_int_equal(listed.subscriber_id, r.key.subscriber_id);
	recover(f, false, 0);
	store_ready_free(&due);
	store_ready_free(&r);
}

static bool count_one(const struct store_delivery *d, void *arg)
{
	(void)d;
	++*(int *)arg;
	return true;
}

static void test_the_queue_of_one_list_has_nothing_of_another(void **state)
{
	struct fixture *f = *state;
	int64_t other = store_list_ensure(f->store, "other", &f->e);
	struct store_delivery_filter filter = {.list_id = f->list, .state = -1};
	int n = 0;

	queued_digest(f, 2);
	assert_ok(f, store_delivery_each(f->store, &filter, count_one, &n, &f->e));
	assert_int_equal(n, 2);
	filter.list_id = other;
	assert_ok(f, store_delivery_each(f->store, &filter, count_one, &n, &f->e));
	assert_int_equal(n, 2);
}

static void test_unknown_deliveries_are_held_if_asked_for(void **state)
{
	struct fixture *f = *state;
	int64_t id = queued_digest(f, 1);
	struct store_ready r = first_ready(f, id);

	turn(f, 0, NULL, &r.key);
	recover(f, true, 1);
	assert_int_equal(get_digest(f, id).held, 1);
	assert_int_equal(get_digest(f, id).queued, 0);
	store_ready_free(&r);
}

static void test_what_a_session_gave_back_leaves_no_trace(void **state)
{
	struct fixture *f = *state;
	struct store_ready r = first_ready(f, queued_digest(f, 1));

	turn(f, 0, NULL, &r.key);
	turn(f, 0, NULL, NULL);
	recover(f, false, 0);
	store_ready_free(&r);
}

static void test_a_digest_for_some_readers_leaves_its_posts_pending(void **state)
{
	struct fixture *f = *state;
	struct store_source source;
	struct store_look_result looked;
	struct post_list posts = {0};
	int64_t id, to;

	assert_ok(f, store_source_ensure(f->store, f->list, "feed", "http://x/", &source, &f->e));
	assert_ok(f,
		store_source_look(f->store,
			&(struct store_look){.source_id = source.id, .at = NOW, .complete = true},
			&looked, &f->e));
	struct post *p = post_list_add(&posts);
	p->guid = xstrdup("1");
	assert_ok(f, store_source_look(f->store,
			     &(struct store_look){.source_id = source.id,
				     .at = NOW,
				     .posts = &posts,
				     .complete = true},
			     &looked, &f->e));
	post_list_free(&posts);
	assert_ok(f,
		store_post_pending(f->store, f->list, EDITION_EACH, NOW, 0, &posts, NULL, &f->e));
	assert_int_equal(posts.n, 1);
	add_reader(f, "ann@example.org");
	to = reader_id(f, "ann@example.org");
	struct store_digest_new d = {.list_id = f->list,
		.edition = EDITION_EACH,
		.is_default = true,
		.subject = "S",
		.message = "m",
		.message_len = 1,
		.post_ids = &posts.items[0].id,
		.n_posts = 1,
		.to = &to,
		.n_to = 1};
	assert_ok(f, store_digest_create(f->store, &d, NOW, &id, &f->e));
	assert_int_equal(get_digest(f, id).queued, 1);
	struct post_list again = {0};
	assert_ok(f,
		store_post_pending(f->store, f->list, EDITION_EACH, NOW, 0, &again, NULL, &f->e));
	assert_int_equal(again.n, 1);
	post_list_free(&again);
	/* The one for everybody takes it, once. */
	d.to = NULL;
	d.only_pending = true;
	assert_ok(f, store_digest_create(f->store, &d, NOW, &id, &f->e));
	assert_false(store_digest_create(f->store, &d, NOW, &id, &f->e));
	assert_int_equal(f->e.code, ERROR_REFUSED);
	post_list_free(&posts);
	store_source_free(&source);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_a_digest_reaches_all_confirmed_readers_of_its_edition),
		TEST(test_a_digest_without_readers_is_done_at_once),
		TEST(test_an_accepted_delivery_is_sent_and_the_last_ends_the_digest),
		TEST(test_a_transaction_of_many_results_counts_each),
		TEST(test_a_transaction_that_is_taken_back_counts_nothing),
		TEST(test_a_deferred_delivery_is_due_at_its_time_and_not_before),
		TEST(test_every_attempt_is_kept_with_the_relays_words),
		TEST(test_what_was_unsubscribed_is_not_taken_any_more),
		TEST(test_what_was_held_is_not_sent_to_somebody_who_has_left_since),
		TEST(test_a_refused_reader_who_leaves_before_the_digest_is_suspended_gets_no_mail),
		TEST(test_what_was_just_put_off_is_not_taken_before_its_time),
		TEST(test_a_message_on_the_wire_while_its_reader_unsubscribes_was_sent),
		TEST(test_after_a_crash_what_was_on_the_wire_is_unknown_and_due_again),
		TEST(test_the_queue_of_one_list_has_nothing_of_another),
		TEST(test_unknown_deliveries_are_held_if_asked_for),
		TEST(test_what_a_session_gave_back_leaves_no_trace),
		TEST(test_a_digest_for_some_readers_leaves_its_posts_pending),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
