/* The writing thread: groups, neighbours, trouble. */
#include "hubmail/store_writer.h"
#include "../../daemon/store/sql.h"
#include "store_helper.h"
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define DEADLINE_S 20

struct writer_fixture {
	struct fixture *f;
	struct store_writer *w;
};

static int writer_set_up(void **state)
{
	struct writer_fixture *wf = xcalloc(1, sizeof(*wf));

	set_up((void **)&wf->f);
	wf->w = store_writer_start(wf->f->path, &wf->f->e);
	if (wf->w == NULL)
		fail_msg("%s", wf->f->e.text);
	*state = wf;
	return 0;
}

static int writer_tear_down(void **state)
{
	struct writer_fixture *wf = *state;

	store_writer_stop(wf->w);
	tear_down((void **)&wf->f);
	free(wf);
	return 0;
}

/* One job and what was told of it. */
struct order {
	const char *name;
	atomic_int runs, told;
	enum error_code refuse; /* fail like this … */
	atomic_bool mended;     /* … until this is set */
	bool ok;
};

static bool add_list(struct store *s, void *arg, struct error *e)
{
	struct order *o = arg;

	atomic_fetch_add(&o->runs, 1);
	if (o->refuse != ERROR_NONE && !atomic_load(&o->mended)) {
		/* What it did before it failed must go too. */
		store_list_ensure(s, "half", e);
		return error_set(e, o->refuse, "refused on purpose");
	}
	return store_list_ensure(s, o->name, e) != 0;
}

static void told(void *arg, const struct error *failure)
{
	struct order *o = arg;

	o->ok = failure == NULL;
	atomic_fetch_add(&o->told, 1);
}

static void wait_until_told(struct order *o)
{
	time_t deadline = time(NULL) + DEADLINE_S;

	while (atomic_load(&o->told) == 0) {
		if (time(NULL) > deadline)
			fail_msg("%s: nothing was told in %d s", o->name, DEADLINE_S);
		usleep(1000);
	}
}

static bool exists(struct fixture *f, const char *name)
{
	struct error e = {0};

	return store_list_id(f->store, name, &e) != 0;
}

static void test_a_job_is_told_after_its_commit(void **state)
{
	struct writer_fixture *wf = *state;
	struct order o = {.name = "one"};

	store_writer_submit(wf->w, add_list, told, &o, 0);
	wait_until_told(&o);
	assert_true(o.ok);
	assert_true(exists(wf->f, "one"));
}

static void test_jobs_run_in_their_order(void **state)
{
	struct writer_fixture *wf = *state;
	struct order orders[50] = {0};
	char names[50][8];

	for (int i = 0; i < 50; i++) {
		snprintf(names[i], sizeof(names[i]), "n%d", i);
		orders[i].name = names[i];
		store_writer_submit(wf->w, add_list, told, &orders[i], 0);
	}
	wait_until_told(&orders[49]);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(orders[i].told, 1);
		assert_true(orders[i].ok);
		if (i > 0)
			assert_true(store_list_id(wf->f->store, names[i], NULL) >
				    store_list_id(wf->f->store, names[i - 1], NULL));
	}
}

struct look {
	int64_t digest_id;
	struct delivery_key key;
	atomic_bool open;
	int64_t sent;
	struct order end;
};

static bool wait_for_door(struct store *s, void *arg, struct error *e)
{
	struct look *l = arg;

	(void)s;
	(void)e;
	while (!atomic_load(&l->open))
		nanosleep(&(struct timespec){0, 1000000}, NULL);
	return true;
}

static bool send_it(struct store *s, void *arg, struct error *e)
{
	struct look *l = arg;
	struct store_result result = {.key = l->key, .outcome = OUTCOME_ACCEPTED, .at = NOW};
	struct store_turn turn = {.result = &result, .at = NOW};
	enum store_go go;

	return store_delivery_turn(s, &turn, &go, e);
}

static bool look_at_counter(struct store *s, void *arg, struct error *e)
{
	struct look *l = arg;
	struct store_digest d;

	if (!store_digest_get(s, l->digest_id, &d, e))
		return false;
	l->sent = d.sent;
	store_digest_free(&d);
	return true;
}

static void told_of_look(void *arg, const struct error *failure)
{
	told(&((struct look *)arg)->end, failure);
}

/* All in one transaction, for the door is closed until all are there. */
static void test_a_job_sees_what_the_turns_before_it_have_counted(void **state)
{
	struct writer_fixture *wf = *state;
	struct look l = {.digest_id = queued_digest(wf->f, 1)};
	struct store_ready r;
	size_t n;

	assert_ok(wf->f, store_delivery_fresh(wf->f->store, l.digest_id, 0, 1, &r, &n, &wf->f->e));
	l.key = r.key;
	store_ready_free(&r);
	store_writer_submit(wf->w, wait_for_door, NULL, &l, 0);
	store_writer_submit(wf->w, send_it, NULL, &l, STORE_JOB_TURN);
	store_writer_submit(wf->w, look_at_counter, told_of_look, &l, 0);
	atomic_store(&l.open, true);
	wait_until_told(&l.end);
	assert_true(l.end.ok);
	assert_int_equal(l.sent, 1);
}

static void test_a_job_that_fails_takes_no_neighbour_down_and_leaves_nothing(void **state)
{
	struct writer_fixture *wf = *state;
	struct order good[3] = {{.name = "g0"}, {.name = "g1"}, {.name = "g2"}};
	struct order bad = {.name = "bad", .refuse = ERROR_REFUSED};

	store_writer_submit(wf->w, add_list, told, &good[0], 0);
	store_writer_submit(wf->w, add_list, told, &bad, 0);
	store_writer_submit(wf->w, add_list, told, &good[1], 0);
	store_writer_submit(wf->w, add_list, told, &good[2], STORE_JOB_DURABLE);
	wait_until_told(&good[2]);
	wait_until_told(&bad);
	assert_false(bad.ok);
	for (int i = 0; i < 3; i++)
		assert_true(good[i].ok && exists(wf->f, good[i].name));
	assert_false(exists(wf->f, "bad"));
	assert_false(exists(wf->f, "half"));
}

static void test_a_job_to_be_retried_waits_until_the_trouble_is_over(void **state)
{
	struct writer_fixture *wf = *state;
	struct order o = {.name = "later", .refuse = ERROR_AGAIN};
	time_t deadline = time(NULL) + DEADLINE_S;
	struct error e = {0};

	store_writer_submit(wf->w, add_list, told, &o, STORE_JOB_RETRY);
	while (!store_writer_trouble(wf->w, &e) && time(NULL) < deadline)
		usleep(1000);
	assert_true(store_writer_trouble(wf->w, &e));
	assert_string_equal(e.text, "refused on purpose");
	assert_int_equal(o.told, 0);
	atomic_store(&o.mended, true);
	wait_until_told(&o);
	assert_true(o.ok);
	assert_false(store_writer_trouble(wf->w, &e));
	assert_true(exists(wf->f, "later"));
}

static void test_who_does_not_wait_out_trouble_is_told_of_it(void **state)
{
	struct writer_fixture *wf = *state;
	struct order stuck = {.name = "stuck", .refuse = ERROR_IO};
	struct order asks = {.name = "asks", .refuse = ERROR_IO};

	store_writer_submit(wf->w, add_list, told, &stuck, STORE_JOB_RETRY);
	store_writer_submit(wf->w, add_list, told, &asks, 0);
	wait_until_told(&asks);
	assert_false(asks.ok);
	assert_int_equal(stuck.told, 0);
	atomic_store(&stuck.mended, true);
	wait_until_told(&stuck);
	assert_true(stuck.ok);
}

static void test_stopping_does_what_is_queued_and_gives_up_what_cannot_be_done(void **state)
{
	struct writer_fixture *wf = *state;
	struct order good = {.name = "good"}, stuck = {.name = "stuck", .refuse = ERROR_AGAIN};

	store_writer_submit(wf->w, add_list, told, &stuck, STORE_JOB_RETRY);
	store_writer_submit(wf->w, add_list, told, &good, STORE_JOB_RETRY);
	store_writer_stop(wf->w);
	assert_int_equal(good.told, 1);
	assert_true(good.ok);
	assert_int_equal(stuck.told, 1);
	assert_false(stuck.ok);
	wf->w = NULL;
	assert_true(exists(wf->f, "good"));
}

static void test_in_a_hurry_nothing_is_waited_out(void **state)
{
	struct writer_fixture *wf = *state;
	struct order stuck = {.name = "stuck", .refuse = ERROR_AGAIN};
	struct order next = {.name = "next", .refuse = ERROR_IO};
	struct order good = {.name = "good"};

	store_writer_submit(wf->w, add_list, told, &stuck, STORE_JOB_RETRY);
	while (atomic_load(&stuck.runs) < 2)
		usleep(1000);
	store_writer_hurry(wf->w);
	wait_until_told(&stuck);
	assert_false(stuck.ok);
	store_writer_submit(wf->w, add_list, told, &next, STORE_JOB_RETRY);
	store_writer_submit(wf->w, add_list, told, &good, STORE_JOB_RETRY);
	wait_until_told(&next);
	wait_until_told(&good);
	assert_false(next.ok);
	assert_true(good.ok);
}

/* A list without a name. */
static bool break_a_rule(struct store *s, void *arg, struct error *e)
{
	struct order *o = arg;

	atomic_fetch_add(&o->runs, 1);
	return sql_run(s, e, "INSERT INTO list (name) VALUES (NULL)", "");
}

static void test_what_no_other_try_mends_is_not_waited_out(void **state)
{
	struct writer_fixture *wf = *state;
	struct order bad = {.name = "bad"}, good = {.name = "good"};

	store_writer_submit(wf->w, break_a_rule, told, &bad, STORE_JOB_RETRY);
	store_writer_submit(wf->w, add_list, told, &good, STORE_JOB_RETRY);
	wait_until_told(&bad);
	wait_until_told(&good);
	assert_false(bad.ok);
	assert_true(good.ok);
	assert_false(store_writer_trouble(wf->w, NULL));
}

/* SQLite's level of waiting for the disk, as it is inside a job. */
static bool ask_level(struct store *s, void *arg, struct error *e)
{
	return sql_number(s, e, arg, "PRAGMA synchronous", "");
}

static void test_a_durable_job_waits_for_the_disk_and_others_do_not(void **state)
{
	struct writer_fixture *wf = *state;
	int64_t level = -1;

	for (int i = 0; i < 3; i++) {
		assert_ok(wf->f,
			store_writer_run(wf->w, ask_level, &level, STORE_JOB_DURABLE, &wf->f->e));
		assert_int_equal(level, 2); /* FULL */
		assert_ok(wf->f, store_writer_run(wf->w, ask_level, &level, 0, &wf->f->e));
		assert_int_equal(level, 1); /* NORMAL */
	}
	assert_ok(wf->f, ask_level(wf->f->store, &level, &wf->f->e));
	assert_int_equal(level, 2); /* a tool's */
}

static void *hammer(void *arg)
{
	struct writer_fixture *wf = arg;

	for (int i = 0; i < 100; i++) {
		struct order o = {.name = "same"};
		struct error e = {0};
		if (!store_writer_run(wf->w, add_list, &o, i % 10 == 0 ? STORE_JOB_DURABLE : 0, &e))
			return arg;
	}
	return NULL;
}

static void test_many_threads_and_a_tool_may_write_at_once(void **state)
{
	struct writer_fixture *wf = *state;
	pthread_t threads[4];
	void *complaint;

	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hammer, wf), 0);
	for (int i = 0; i < 20; i++) {
		char email[32];
		snprintf(email, sizeof(email), "r%d@example.org", i);
		add_reader(wf->f, email);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &complaint);
		assert_null(complaint);
	}
	assert_true(exists(wf->f, "same"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, writer_set_up, writer_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_a_job_is_told_after_its_commit),
		TEST(test_jobs_run_in_their_order),
		TEST(test_a_job_sees_what_the_turns_before_it_have_counted),
		TEST(test_a_job_that_fails_takes_no_neighbour_down_and_leaves_nothing),
		TEST(test_a_job_to_be_retried_waits_until_the_trouble_is_over),
		TEST(test_who_does_not_wait_out_trouble_is_told_of_it),
		TEST(test_stopping_does_what_is_queued_and_gives_up_what_cannot_be_done),
		TEST(test_in_a_hurry_nothing_is_waited_out),
		TEST(test_what_no_other_try_mends_is_not_waited_out),
		TEST(test_a_durable_job_waits_for_the_disk_and_others_do_not),
		TEST(test_many_threads_and_a_tool_may_write_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
