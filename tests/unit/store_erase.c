#include "store_helper.h"

#include "../../daemon/store/sql.h"
#include "hubmail/store_suppression.h"
#include <sys/stat.h>

static int64_t count(struct fixture *f, const char *sql)
{
	int64_t n = -1;

	assert_ok(f, sql_number(f->store, &f->e, &n, sql, ""));
	return n;
}

/* Returns how many steps it took. */
static int erase(struct fixture *f, int64_t subscriber_id, int64_t *deliveries)
{
	struct store_erasure last = {0};
	int steps = 0;

	*deliveries = 0;
	while (!last.done) {
		assert_ok(f, store_begin(f->store, &f->e));
		assert_ok(f, store_subscriber_erase(
				     f->store, subscriber_id, last.upto, NOW + 5, &last, &f->e));
		assert_ok(f, store_commit(f->store, &f->e));
		*deliveries += last.deliveries;
		steps++;
	}
	return steps;
}

/* Everything there may be of a person: with "ann@example.org" in all that takes a text. */
static int64_t full_life(struct fixture *f)
{
	struct strlist tags = {0};
	struct store_key_value pair = {(char *)"mail", (char *)"ann@example.org"};
	struct store_subscriber_new n = {.email = "ann@example.org",
		.name = "Ann, ann@example.org",
		.list_id = f->list,
		.state = SUBSCRIPTION_CONFIRMED,
		.edition = -1,
		.tags = &tags,
		.attributes = &pair,
		.n_attributes = 1,
		.origin = "ann@example.org asked"};
	enum store_add_result result;

	strlist_add(&tags, "ann@example.org");
	assert_ok(f, store_subscriber_add(f->store, &n, NOW, &result, &f->e));
	strlist_free(&tags);
	return reader_id(f, "ann@example.org");
}

static struct store_result said(struct delivery_key key, enum delivery_outcome outcome)
{
	return (struct store_result){.key = key,
		.outcome = outcome,
		.at = NOW,
		.retry_at = NOW + 60,
		.relay = "main",
		.code = 550,
		.enhanced = "5.1.1",
		.text = "<ann@example.org>: hello"};
}

static bool file_has(const char *path, const char *text)
{
	FILE *file = fopen(path, "rb");
	struct stat st;

	if (file == NULL)
		return false;
	assert_int_equal(fstat(fileno(file), &st), 0);
	char *all = xcalloc(1, (size_t)st.st_size + 1);
	size_t n = fread(all, 1, (size_t)st.st_size, file);
	bool has = memmem(all, n, text, strlen(text)) != NULL;
	free(all);
	fclose(file);
	return has;
}

static void test_nothing_names_a_person_who_was_erased(void **state)
{
	struct fixture *f = *state;
	int64_t ann = full_life(f), digest = queued_digest(f, 60), n;
	struct delivery_key key = {digest, ann};
	struct store_result deferred = said(key, OUTCOME_DEFERRED);
	char log[128];

	turn(f, 0, NULL, &key);
	turn(f, 0, &deferred, NULL);
	assert_ok(f, store_digest_suspend(f->store, digest,
			     "550 5.7.1 ann@example.org: <Ann@Example.org>?", NULL, 0, NOW, &f->e));
	assert_int_equal(erase(f, ann, &n), 1);
	assert_int_equal(n, 1);
	snprintf(log, sizeof(log), "%s-wal", f->path);
	assert_true(file_has(log, "ann@example.org"));
	assert_true(store_empty_log(f->store));
	assert_false(file_has(log, "ann@example.org"));
	assert_false(file_has(f->path, "ann@example.org"));
	assert_true(file_has(f->path, "r60@example.org"));
	assert_int_equal(get_digest(f, digest).queued, 60);
	assert_int_equal(
		count(f, "SELECT count(*) FROM digest WHERE reason = '550 5.7.1 …: <…>?'"), 1);
	assert_int_equal(count(f, "SELECT count(*) FROM delivery"), 60);
	assert_int_equal(count(f, "SELECT count(*) FROM attempt"), 0);
	assert_int_equal(count(f, "SELECT count(*) FROM subscription"), 60);
	assert_int_equal(count(f, "SELECT count(*) FROM subscriber_tag"), 0);
	assert_int_equal(count(f, "SELECT count(*) FROM subscriber_attribute"), 0);
}

static void test_counters_stay_and_what_was_open_counts_as_cancelled(void **state)
{
	struct fixture *f = *state;
	int64_t digest = queued_digest(f, 4), n;
	struct delivery_key key[4];
	struct store_result r;

	for (int i = 0; i < 4; i++)
		key[i] = (struct delivery_key){digest, i + 1};
	turn(f, 0, NULL, &key[0]);
	r = said(key[0], OUTCOME_ACCEPTED);
	turn(f, 0, &r, &key[1]);
	r = said(key[1], OUTCOME_DEFERRED);
	turn(f, 0, &r, &key[2]);
	r = said(key[2], OUTCOME_UNKNOWN);
	r.hold = true;
	turn(f, 0, &r, NULL);
	for (int i = 0; i < 4; i++)
		erase(f, key[i].subscriber_id, &n);
	struct store_digest d = get_digest(f, digest);
	assert_int_equal(d.sent, 1);
	assert_int_equal(d.cancelled, 3);
	assert_int_equal(d.total, 4);
	assert_int_equal(d.state, DIGEST_DONE);
	assert_int_equal(count(f, "SELECT count(*) FROM delivery"), 0);
}

/* A digest that has ended may still have something held. */
static void test_what_was_held_in_an_ended_digest_counts_as_cancelled(void **state)
{
	struct fixture *f = *state;
	int64_t digest = queued_digest(f, 1), n;
	struct delivery_key key = {digest, 1};
	struct store_result r = said(key, OUTCOME_UNKNOWN);

	r.hold = true;
	turn(f, 0, NULL, &key);
	turn(f, 0, &r, NULL);
	assert_int_equal(get_digest(f, digest).state, DIGEST_DONE);
	erase(f, 1, &n);
	assert_int_equal(get_digest(f, digest).held, 0);
	assert_int_equal(get_digest(f, digest).cancelled, 1);
	assert_int_equal(get_digest(f, digest).state, DIGEST_DONE);
}

static void test_the_result_of_a_message_whose_reader_was_erased_is_noted_nowhere(void **state)
{
	struct fixture *f = *state;
	int64_t digest = queued_digest(f, 2), n;
	struct delivery_key one = {digest, 1}, two = {digest, 2};
	struct store_result r = said(one, OUTCOME_ACCEPTED);

	r.use_slot = NOW;
	assert_int_equal(turn(f, 0, NULL, &one), STORE_GO);
	erase(f, 1, &n);
	assert_int_equal(count(f, "SELECT count(*) FROM session WHERE subscriber_id = 1"), 0);
	assert_int_equal(turn(f, 0, &r, &two), STORE_GO);
	assert_int_equal(count(f, "SELECT count(*) FROM attempt"), 0);
	assert_int_equal(count(f, "SELECT count(*) FROM delivery"), 1);
	assert_int_equal(get_digest(f, digest).cancelled, 1);
	assert_int_equal(get_digest(f, digest).sent, 0);
	assert_int_equal(count(f, "SELECT sent FROM relay_use"), 1); /* the relay has it */
}

static void test_after_a_crash_nothing_is_due_again_for_somebody_who_was_erased(void **state)
{
	struct fixture *f = *state;
	struct delivery_key key = {queued_digest(f, 1), 1};
	int64_t deliveries;
	int n;

	turn(f, 0, NULL, &key);
	erase(f, 1, &deliveries);
	assert_ok(f, store_delivery_recover(f->store, false, NOW, NULL, NULL, &n, &f->e));
	assert_int_equal(n, 0);
	assert_int_equal(count(f, "SELECT count(*) FROM delivery"), 0);
}

static void test_somebody_erased_who_was_named_for_a_digest_is_left_out(void **state)
{
	struct fixture *f = *state;
	int64_t to[] = {1, 77}, id;
	struct store_digest_new d = {.list_id = f->list,
		.subject = "s",
		.message = "m",
		.message_len = 1,
		.to = to,
		.n_to = 2};

	add_reader(f, "ann@example.org");
	assert_ok(f, store_digest_create(f->store, &d, NOW, &id, &f->e));
	assert_int_equal(get_digest(f, id).queued, 1);
	d.to = &to[1];
	d.n_to = 1;
	assert_ok(f, store_digest_create(f->store, &d, NOW, &id, &f->e));
	assert_int_equal(get_digest(f, id).queued, 0);
	assert_int_equal(get_digest(f, id).state, DIGEST_DONE);
}

static void test_a_suppression_outlives_the_person(void **state)
{
	struct fixture *f = *state;
	struct store_suppressed done;
	struct store_suppression sup;
	int64_t n;

	add_reader(f, "ann@example.org");
	assert_ok(f, store_suppression_add(
			     f->store, "ann@example.org", "Ann is angry", NOW, &done, &f->e));
	erase(f, 1, &n);
	assert_int_equal(count(f, "SELECT count(*) FROM subscriber"), 0);
	assert_ok(f, store_suppression_get(f->store, "ann@example.org", &sup, &f->e));
	assert_int_equal(sup.at, NOW);
	assert_null(sup.reason); /* it may name the person */
}

static void test_erasing_nobody_is_not_found(void **state)
{
	struct fixture *f = *state;
	struct store_erasure out;

	assert_false(store_subscriber_erase(f->store, 5, 0, NOW, &out, &f->e));
	assert_int_equal(f->e.code, ERROR_NOT_FOUND);
}

/* n digests that reader 1 got. */
static void long_history(struct fixture *f, int n)
{
	char sql[700];

	add_reader(f, "ann@example.org");
	snprintf(sql, sizeof(sql),
		"WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < %d)"
		" INSERT INTO digest (id, list_id, edition, is_default, only_to, state, subject, created_at, audience, sent)"
		" SELECT i, 1, 0, 1, 0, 3, 's', 1, 1, 1 FROM c;"
		"INSERT INTO delivery SELECT id, 1, 2, 1, NULL FROM digest;"
		"INSERT INTO attempt SELECT id, 1, 1, 1, 0, 'main', 250, NULL, 'ok' FROM digest;",
		n);
	assert_int_equal(sqlite3_exec(f->store->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void test_a_long_history_is_erased_in_short_steps(void **state)
{
	struct fixture *f = *state;
	struct store_erasure last = {0};
	int64_t all = 0, steps = 0;

	long_history(f, 30000);
	while (!last.done) {
		int64_t before = last.upto;
		assert_ok(f, store_begin(f->store, &f->e));
		assert_ok(f, store_subscriber_erase(f->store, 1, before, NOW, &last, &f->e));
		assert_ok(f, store_commit(f->store, &f->e));
		assert_true(last.done || last.upto > before);
		all += last.deliveries;
		steps++;
	}
	assert_true(steps > 1);
	assert_int_equal(all, 30000);
	assert_int_equal(count(f, "SELECT count(*) FROM delivery"), 0);
	assert_int_equal(count(f, "SELECT count(*) FROM attempt"), 0);
	assert_int_equal(count(f, "SELECT sum(sent) FROM digest"), 30000);
}

static void test_somebody_who_is_added_again_while_being_erased_is_erased_all_the_same(void **state)
{
	struct fixture *f = *state;
	int64_t digest = queued_digest(f, 2), deliveries;
	struct store_erasure last;

	/* Half-way: the step before has come behind that digest, which then got a delivery. */
	assert_ok(f, store_subscriber_erase(f->store, 1, digest, NOW, &last, &f->e));
	assert_true(last.done);
	assert_int_equal(last.deliveries, 1);
	erase(f, 2, &deliveries);
	assert_int_equal(count(f, "SELECT count(*) FROM delivery"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_names_a_person_who_was_erased),
		TEST(test_counters_stay_and_what_was_open_counts_as_cancelled),
		TEST(test_what_was_held_in_an_ended_digest_counts_as_cancelled),
		TEST(test_the_result_of_a_message_whose_reader_was_erased_is_noted_nowhere),
		TEST(test_after_a_crash_nothing_is_due_again_for_somebody_who_was_erased),
		TEST(test_somebody_erased_who_was_named_for_a_digest_is_left_out),
		TEST(test_a_suppression_outlives_the_person),
		TEST(test_erasing_nobody_is_not_found),
		TEST(test_a_long_history_is_erased_in_short_steps),
		TEST(test_somebody_who_is_added_again_while_being_erased_is_erased_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
