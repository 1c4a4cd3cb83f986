/* From the store into the ready queue: whatever is given up on the way, nothing stays behind. */
#include "../../daemon/delivery/policy.h"
#include "../../daemon/delivery/sender.h"
#include "../../daemon/delivery/supply.h"
#include "../../daemon/delivery/turn.h"
#include "../../daemon/store/sql.h"
#include "hubmail/compose.h"
#include "store_helper.h"

struct world {
	struct fixture *f;
	struct store_writer *writer;
	struct ready *ready;
	struct supply *supply;
	struct config config;
	struct config_list list;
	struct senders *senders;
};

static void nothing_low(void *arg)
{
	(void)arg;
}

static int world_set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	set_up((void **)&w->f);
	w->list.name = (char *)"news";
	snprintf(w->list.from_address, sizeof(w->list.from_address), "news@example.org");
	w->config = (struct config){.lists = &w->list, .n_lists = 1};
	w->senders = senders_new(&w->config, NULL);
	w->writer = store_writer_start(w->f->path, &w->f->e);
	assert_non_null(w->writer);
	w->ready = ready_new(nothing_low, NULL);
	w->supply = supply_new(w->f->path, w->writer, w->ready, &w->f->e);
	assert_non_null(w->supply);
	*state = w;
	return 0;
}

static int world_tear_down(void **state)
{
	struct world *w = *state;

	supply_free(w->supply);
	ready_free(w->ready);
	store_writer_stop(w->writer);
	senders_unref(w->senders);
	tear_down((void **)&w->f);
	free(w);
	return 0;
}

/* A digest of that list that can really be sent, and n readers. */
static int64_t digest_for(struct world *w, int n)
{
	struct post post = {.guid = (char *)"1",
		.url = (char *)"https://example.org/1",
		.title = (char *)"A post",
		.published_at = NOW};
	struct compose_options o = {.list_name = "news",
		.list_title = "News",
		.from_name = "News",
		.from_address = "news@example.org",
		.web_url = "https://news.example.org",
		.language = "en",
		.at = NOW};
	struct compose_plan *plan = compose_digest(&o, &post, 1, &w->f->e);
	struct buf message = {0};
	struct store_digest_new d = {.list_id = w->f->list,
		.edition = EDITION_EACH,
		.is_default = true,
		.subject = "A post"};
	int64_t id;
	bool more = true;

	assert_non_null(plan);
	compose_plan_encode(plan, &message);
	compose_plan_free(plan);
	for (int i = 1; i <= n; i++) {
		char email[64];
		snprintf(email, sizeof(email), "r%d@example.org", i);
		add_reader(w->f, email);
	}
	d.message = message.data;
	d.message_len = message.len;
	assert_ok(w->f, store_digest_create(w->f->store, &d, NOW, &id, &w->f->e));
	while (more)
		assert_ok(w->f, store_digest_enqueue(w->f->store, id, 100, NOW, &more, &w->f->e));
	buf_free(&message);
	return id;
}

static void look(struct world *w)
{
	int64_t next_due;

	assert_ok(w->f, supply_more(w->supply, w->senders, NOW, &next_due, &w->f->e));
}

static struct ready_item *take(struct world *w)
{
	struct ready_item *item = ready_take(w->ready, 0);

	assert_non_null(item);
	return item;
}

static void test_what_a_session_gives_up_is_fetched_again(void **state)
{
	struct world *w = *state;

	digest_for(w, 3);
	look(w);
	struct ready_item *item = take(w);
	look(w);
	ready_give_up(w->ready, item);
	assert_int_equal(ready_known(w->ready), 2);
	look(w);
	assert_int_equal(ready_waiting(w->ready), 3);
}

/* The session learns that the digest is held back, and is slow to give its message up: meanwhile
 * the digest was resumed, and has been fetched from the first, past what the session has. */
static void test_what_is_given_up_after_its_digest_was_resumed_is_fetched_again(void **state)
{
	struct world *w = *state;
	int64_t id = digest_for(w, 3);

	look(w);
	struct ready_item *item = take(w);
	assert_ok(w->f, store_digest_pause(w->f->store, id, &w->f->e));
	look(w);
	assert_int_equal(ready_known(w->ready), 1);
	assert_ok(w->f, store_digest_resume(w->f->store, id, NOW, &w->f->e));
	look(w);
	assert_int_equal(ready_waiting(w->ready), 2);
	ready_give_up(w->ready, item);
	look(w);
	assert_int_equal(ready_waiting(w->ready), 3);
}

/* Between suspension and resumption the runner may not have looked; or the suspension failed. */
static void test_what_was_dropped_is_fetched_again_though_nobody_saw_the_digest_held_back(
	void **state)
{
	struct world *w = *state;
	int64_t id = digest_for(w, 3);

	look(w);
	ready_drop_digest(w->ready, id);
	assert_int_equal(ready_known(w->ready), 0);
	look(w);
	assert_int_equal(ready_waiting(w->ready), 3);
}

/* Of a list that is not in the configuration any more. */
static void test_retries_that_cannot_be_sent_hold_up_nobody_else_s(void **state)
{
	struct world *w = *state;
	int64_t news = w->f->list;
	struct delivery_key *keys = xcalloc(400, sizeof(*keys)), one;

	w->f->list = store_list_ensure(w->f->store, "gone", &w->f->e);
	int64_t gone = digest_for(w, 400);
	for (int i = 0; i < 400; i++)
		keys[i] = (struct delivery_key){gone, i + 1};
	assert_ok(w->f,
		store_delivery_put_off(w->f->store, keys, 400, NOW - 100, NOW - 200, &w->f->e));
	w->f->list = news;
	int64_t id = digest_for(w, 1);
	one = (struct delivery_key){id, reader_id(w->f, "r1@example.org")};
	assert_ok(
		w->f, store_delivery_put_off(w->f->store, &one, 1, NOW - 50, NOW - 200, &w->f->e));
	look(w);
	assert_int_equal(ready_waiting(w->ready), 1);
	assert_int_equal(get_digest(w->f, gone).deferred, 400);
	free(keys);
}

/* The number of the attempt is taken already: no other try mends that. */
static void test_what_was_sent_and_cannot_be_recorded_is_not_sent_again(void **state)
{
	struct world *w = *state;
	struct turns turns;
	int64_t id = digest_for(w, 2);

	look(w);
	struct ready_item *item = take(w);
	struct delivery_key key = item->delivery.key;
	struct store_result r = {
		.key = key, .outcome = OUTCOME_ACCEPTED, .at = NOW, .relay = "main", .text = "Ok"};

	assert_ok(
		w->f, sql_run(w->f->store, &w->f->e,
			      "INSERT INTO attempt (digest_id, subscriber_id, number, at, outcome)"
			      " VALUES (?1, ?2, 1, 0, 0)",
			      "ii", key.digest_id, key.subscriber_id));
	turns_init(&turns, w->writer, w->ready, 0, "main");
	turns_post(&turns, &r, item, NULL);
	assert_int_equal(turns_wait(&turns), STORE_NOT_NOW);
	turns_destroy(&turns);
	ready_drop_digest(w->ready, id);
	look(w);
	assert_int_equal(ready_waiting(w->ready), 1);
	item = take(w);
	assert_int_not_equal(item->delivery.key.subscriber_id, key.subscriber_id);
	ready_done(w->ready, item);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_what_a_session_gives_up_is_fetched_again),
		TEST(test_what_is_given_up_after_its_digest_was_resumed_is_fetched_again),
		TEST(test_what_was_dropped_is_fetched_again_though_nobody_saw_the_digest_held_back),
		TEST(test_retries_that_cannot_be_sent_hold_up_nobody_else_s),
		TEST(test_what_was_sent_and_cannot_be_recorded_is_not_sent_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
