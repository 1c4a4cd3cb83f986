/* What a person does to the queue. */
#include "store_helper.h"

static struct store_ready first_ready(struct fixture *f, int64_t digest)
{
	struct store_ready r;
	size_t n;

	assert_ok(f, store_delivery_fresh(f->store, digest, 0, 1, &r, &n, &f->e));
	assert_int_equal(n, 1);
	return r;
}

static enum store_go ask(struct fixture *f, const struct delivery_key *next)
{
	struct store_turn t = {.next = next, .at = NOW};
	enum store_go go;

	assert_ok(f, store_delivery_turn(f->store, &t, &go, &f->e));
	return go;
}

static void end_with(struct fixture *f, struct delivery_key key, enum delivery_outcome outcome)
{
	struct store_result r = {.key = key,
		.outcome = outcome,
		.hold = true,
		.at = NOW,
		.retry_at = NOW + 300,
		.text = "text"};
	struct store_turn t = {.result = &r, .at = NOW};
	enum store_go go;

	assert_ok(f, store_delivery_turn(f->store, &t, &go, &f->e));
}

static void test_a_paused_digest_gives_nothing_out_until_it_is_resumed(void **state)
{
	struct fixture *f = *state;
	int64_t id = queued_digest(f, 2);
	struct store_ready r = first_ready(f, id);

	assert_ok(f, store_digest_pause(f->store, id, &f->e));
	assert_int_equal(get_digest(f, id).state, DIGEST_PAUSED);
	assert_int_equal(ask(f, &r.key), STORE_NOT_NOW);
	assert_ok(f, store_digest_pause(f->store, id, &f->e));
	assert_ok(f, store_digest_resume(f->store, id, NOW, &f->e));
	assert_int_equal(get_digest(f, id).state, DIGEST_SENDING);
	assert_int_equal(ask(f, &r.key), STORE_GO);
	assert_ok(f, store_digest_resume(f->store, id, NOW, &f->e));
	store_ready_free(&r);
}

static void test_what_has_not_ended_is_listed_with_why_it_is_held_back(void **state)
{
	struct fixture *f = *state;
	int64_t going = queued_digest(f, 2), held = queued_digest(f, 2), gone = queued_digest(f, 2);
	struct store_digest *all;
	bool more = true;
	size_t n;

	assert_ok(f, store_digest_suspend(f->store, held, "554 5.7.1 no", NULL, 0, NOW, &f->e));
	while (more)
		assert_ok(f, store_digest_cancel(f->store, gone, 10, NOW, &more, &f->e));
	assert_ok(f, store_digest_unfinished(f->store, &all, &n, &f->e));
	assert_int_equal(n, 2);
	assert_int_equal(all[0].id, going);
	assert_null(all[0].reason);
	assert_int_equal(all[1].id, held);
	assert_int_equal(all[1].state, DIGEST_PAUSED);
	assert_string_equal(all[1].reason, "554 5.7.1 no");
	for (size_t i = 0; i < n; i++)
		store_digest_free(&all[i]);
	free(all);
	assert_ok(f, store_digest_active(f->store, &all, &n, &f->e));
	assert_int_equal(n, 1);
	store_digest_free(&all[0]);
	free(all);
}

static void test_a_digest_paused_while_it_is_enqueued_goes_on_being_enqueued(void **state)
{
	struct fixture *f = *state;
	struct store_digest_new d = {.list_id = f->list,
		.edition = EDITION_EACH,
		.is_default = true,
		.subject = "S",
		.message = "m",
		.message_len = 1};
	bool more;
	int64_t id;

	for (int i = 0; i < 3; i++) {
		char email[32];
		snprintf(email, sizeof(email), "r%d@example.org", i);
		add_reader(f, email);
	}
	assert_ok(f, store_digest_create(f->store, &d, NOW, &id, &f->e));
	assert_ok(f, store_digest_enqueue(f->store, id, 2, NOW, &more, &f->e));
	assert_true(more);
	assert_ok(f, store_digest_pause(f->store, id, &f->e));
	assert_ok(f, store_digest_resume(f->store, id, NOW, &f->e));
	assert_int_equal(get_digest(f, id).state, DIGEST_ENQUEUING);
	assert_ok(f, store_digest_enqueue(f->store, id, 2, NOW, &more, &f->e));
	assert_false(more);
	assert_int_equal(get_digest(f, id).total, 3);
	assert_int_equal(get_digest(f, id).state, DIGEST_SENDING);
}

static void test_a_digest_whose_last_delivery_ends_while_paused_is_done_when_resumed(void **state)
{
	struct fixture *f = *state;
	int64_t id = queued_digest(f, 1);
	struct store_ready r = first_ready(f, id);

	assert_int_equal(ask(f, &r.key), STORE_GO);
	assert_ok(f, store_digest_pause(f->store, id, &f->e));
	end_with(f, r.key, OUTCOME_ACCEPTED);
	assert_int_equal(get_digest(f, id).state, DIGEST_PAUSED);
	assert_ok(f, store_digest_resume(f->store, id, NOW + 5, &f->e));
	assert_int_equal(get_digest(f, id).state, DIGEST_DONE);
	assert_int_equal(get_digest(f, id).finished_at, NOW + 5);
	store_ready_free(&r);
}

static void test_cancelling_ends_what_is_open_in_steps_and_leaves_what_is_final(void **state)
{
	struct fixture *f = *state;
	int64_t id = queued_digest(f, 5);
	struct delivery_key key = {id, reader_id(f, "r2@example.org")};
	struct delivery_key late = {id, reader_id(f, "r4@example.org")};
	bool more = true;
	int calls = 0;

	end_with(f, key, OUTCOME_ACCEPTED);
	end_with(f, late, OUTCOME_DEFERRED);
	for (; more; calls++)
		assert_ok(f, store_digest_cancel(f->store, id, 2, NOW, &more, &f->e));
	assert_int_equal(calls, 4);
	struct store_digest d = get_digest(f, id);
	assert_int_equal(d.state, DIGEST_CANCELLED);
	assert_int_equal(d.sent, 1);
	assert_int_equal(d.cancelled, 4);
	assert_int_equal(d.queued + d.deferred, 0);
	key.subscriber_id = reader_id(f, "r1@example.org");
	assert_int_equal(ask(f, &key), STORE_NOT_WANTED);
	assert_ok(f, store_digest_cancel(f->store, id, 2, NOW, &more, &f->e));
	assert_false(more);
}

static void test_what_has_ended_cannot_be_paused_resumed_or_cancelled(void **state)
{
	struct fixture *f = *state;
	int64_t id = queued_digest(f, 0);
	bool more;

	assert_false(store_digest_pause(f->store, id, &f->e));
	assert_int_equal(f->e.code, ERROR_REFUSED);
	assert_false(store_digest_resume(f->store, id, NOW, &f->e));
	assert_int_equal(f->e.code, ERROR_REFUSED);
	assert_false(store_digest_cancel(f->store, id, 10, NOW, &more, &f->e));
	assert_int_equal(f->e.code, ERROR_REFUSED);
	assert_false(store_digest_pause(f->store, 4711, &f->e));
	assert_int_equal(f->e.code, ERROR_NOT_FOUND);
	assert_false(store_digest_cancel(f->store, 4711, 10, NOW, &more, &f->e));
	assert_int_equal(f->e.code, ERROR_NOT_FOUND);
}

static void test_retry_makes_deferred_and_held_deliveries_due(void **state)
{
	struct fixture *f = *state;
	int64_t id = queued_digest(f, 4);
	struct store_ready due[8];
	size_t n_due;
	int n;

	end_with(f, (struct delivery_key){id, reader_id(f, "r1@example.org")}, OUTCOME_DEFERRED);
	end_with(f, (struct delivery_key){id, reader_id(f, "r2@example.org")}, OUTCOME_DEFERRED);
	end_with(f, (struct delivery_key){id, reader_id(f, "r3@example.org")}, OUTCOME_UNKNOWN);
	end_with(f, (struct delivery_key){id, reader_id(f, "r4@example.org")}, OUTCOME_FAILED);
	assert_int_equal(get_digest(f, id).held, 1);
	assert_ok(f, store_delivery_retry(f->store, id + 1, 10, NOW, &n, &f->e));
	assert_int_equal(n, 0);
	assert_ok(f, store_delivery_retry(f->store, id, 2, NOW, &n, &f->e));
	assert_int_equal(n, 2);
	assert_ok(f, store_delivery_retry(f->store, 0, 2, NOW, &n, &f->e));
	assert_int_equal(n, 1);
	assert_ok(f, store_delivery_due(f->store, NOW, 8, due, &n_due, &f->e));
	assert_int_equal(n_due, 3);
	for (size_t i = 0; i < n_due; i++)
		store_ready_free(&due[i]);
	struct store_digest d = get_digest(f, id);
	assert_int_equal(d.deferred, 3);
	assert_int_equal(d.held, 0);
	assert_int_equal(d.failed, 1);
}

static void test_retry_opens_a_digest_that_ended_with_something_held(void **state)
{
	struct fixture *f = *state;
	int64_t id = queued_digest(f, 1);
	int n;

	end_with(f, (struct delivery_key){id, reader_id(f, "r1@example.org")}, OUTCOME_UNKNOWN);
	assert_int_equal(get_digest(f, id).state, DIGEST_DONE);
	assert_ok(f, store_delivery_retry(f->store, id, 10, NOW, &n, &f->e));
	assert_int_equal(n, 1);
	assert_int_equal(get_digest(f, id).state, DIGEST_SENDING);
}

static void test_a_suspended_digest_says_why_and_tries_again_those_who_were_refused(void **state)
{
	struct fixture *f = *state;
	int64_t id = queued_digest(f, 4);
	int64_t refused[] = {reader_id(f, "r1@example.org"), reader_id(f, "r2@example.org")};
	struct store_digest d;

	for (int i = 0; i < 2; i++)
		end_with(f, (struct delivery_key){id, refused[i]}, OUTCOME_FAILED);
	assert_ok(f, store_digest_suspend(f->store, id, "554 5.7.1 spam", refused, 2, NOW, &f->e));
	assert_ok(f, store_digest_get(f->store, id, &d, &f->e));
	assert_int_equal(d.state, DIGEST_PAUSED);
	assert_string_equal(d.reason, "554 5.7.1 spam");
	assert_int_equal(d.failed, 0);
	assert_int_equal(d.deferred, 2);
	store_digest_free(&d);
	assert_ok(f, store_digest_resume(f->store, id, NOW, &f->e));
	assert_ok(f, store_digest_get(f->store, id, &d, &f->e));
	assert_null(d.reason);
	assert_int_equal(d.state, DIGEST_SENDING);
	store_digest_free(&d);
}

static void test_what_is_put_off_is_due_later_and_no_try_is_counted(void **state)
{
	struct fixture *f = *state;
	int64_t id = queued_digest(f, 3);
	struct delivery_key keys[] = {{id, reader_id(f, "r1@example.org")},
		{id, reader_id(f, "r2@example.org")}, {id, 4711}};
	struct store_ready due[4];
	size_t n;
	int64_t at;

	end_with(f, keys[1], OUTCOME_ACCEPTED);
	assert_ok(f, store_delivery_put_off(f->store, keys, 3, NOW + 60, NOW, &f->e));
	struct store_digest d = get_digest(f, id);
	assert_int_equal(d.queued, 1);
	assert_int_equal(d.deferred, 1);
	assert_int_equal(d.sent, 1);
	assert_ok(f, store_delivery_next_due(f->store, &at, &f->e));
	assert_int_equal(at, NOW + 60);
	assert_ok(f, store_delivery_due(f->store, NOW + 60, 4, due, &n, &f->e));
	assert_int_equal(n, 1);
	assert_int_equal(due[0].attempts, 0);
	assert_int_equal(due[0].first_attempt_at, 0);
	store_ready_free(&due[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_paused_digest_gives_nothing_out_until_it_is_resumed, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_what_has_not_ended_is_listed_with_why_it_is_held_back, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_digest_paused_while_it_is_enqueued_goes_on_being_enqueued, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_digest_whose_last_delivery_ends_while_paused_is_done_when_resumed,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_cancelling_ends_what_is_open_in_steps_and_leaves_what_is_final, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_what_has_ended_cannot_be_paused_resumed_or_cancelled, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_retry_makes_deferred_and_held_deliveries_due, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_suspended_digest_says_why_and_tries_again_those_who_were_refused,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_what_is_put_off_is_due_later_and_no_try_is_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_retry_opens_a_digest_that_ended_with_something_held, set_up,
			tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
