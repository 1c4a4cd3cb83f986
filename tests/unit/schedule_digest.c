/* From a look at a source to the deliveries: which digests are made, of which posts, when. */
#include "schedule_helper.h"

#include <signal.h>
#include <sys/resource.h>

#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)

/* Two readers of the list's own edition. */
static void add_readers(struct world *w)
{
	add_reader(w->f, "anna@example.org");
	add_reader(w->f, "bo@example.org");
}

static void expect_total(struct world *w, int64_t digest_id, int64_t total)
{
	struct store_digest d = get_digest(w->f, digest_id);

	assert_int_equal(d.total, total);
	assert_int_equal(d.state, total > 0 ? DIGEST_SENDING : DIGEST_DONE);
}

static void set_schedule(struct world *w, enum edition edition)
{
	memset(w->lists[0].offers, 0, sizeof(w->lists[0].offers));
	w->lists[0].offers[edition] = true;
	w->lists[0].schedule = (struct config_schedule){.edition = edition, .monthday = 1};
}

static int64_t handled(struct world *w, enum edition edition)
{
	int64_t at;

	assert_ok(w->f, store_schedule_get(w->f->store, w->f->list, edition, &at, &w->f->e));
	return at;
}

/* As if the last due time that was taken care of lay so many seconds back. */
static void set_handled(struct world *w, enum edition edition, int64_t ago)
{
	assert_ok(w->f,
		store_schedule_set(w->f->store, w->f->list, edition, clock_now() - ago, &w->f->e));
}

/* ---- each ---- */

static void test_the_first_look_mails_nothing_and_a_later_post_is_mailed(void **state)
{
	struct world *w = *state;

	add_readers(w);
	start(w);
	feed_holds(w, FEED, "1 A -\n2 B -\n");
	expect_digests(w, "");
	feed_holds(w, FEED, "1 A -\n2 B -\n3 C -\n");
	expect_digests(w, "each:C");
	expect_total(w, 1, 2);
	assert_true(w->queued > 0);
}

static void test_each_mails_every_post_once_oldest_first(void **state)
{
	struct world *w = *state;

	add_readers(w);
	start(w);
	feed_holds(w, FEED, "0 Old -\n");
	feed_holds(w, FEED, "3 C -10\n1 A -30\n2 B -20\n0 Old -\n");
	expect_digests(w, "each:A each:B each:C");
	feed_holds(w, FEED, "3 C -10\n1 A -30\n2 B -20\n0 Old -\n");
	expect_digests(w, "each:A each:B each:C");
}

static void test_each_waits_for_a_post_of_the_future(void **state)
{
	struct world *w = *state;

	add_readers(w);
	start(w);
	feed_holds(w, FEED, "1 Soon 2\n2 Later 5000\n");
	expect_digests(w, "");
	expect_digests(w, "each:Soon");
}

static void test_posts_that_wait_since_before_the_start_are_mailed(void **state)
{
	struct world *w = *state;

	add_readers(w);
	start(w);
	feed_holds(w, FEED, "1 A -\n");
	stop(w);
	struct store_source source;
	struct post_list posts = {0};
	struct store_look_result found;
	assert_ok(w->f,
		store_source_ensure(w->f->store, w->f->list, "feed", FEED, &source, &w->f->e));
	assert_true(source_feed_parse("2 B -\n", 6, NULL, NULL, &posts, NULL, NULL));
	struct store_look look = {
		.source_id = source.id, .at = clock_now(), .posts = &posts, .complete = true};
	assert_ok(w->f, store_source_look(w->f->store, &look, &found, &w->f->e));
	assert_int_equal(found.added, 1);
	post_list_free(&posts);
	store_source_free(&source);
	start(w);
	expect_digests(w, "each:B");
}

static void test_a_post_that_cannot_be_mailed_is_put_aside(void **state)
{
	struct world *w = *state;

	add_readers(w);
	start(w);
	feed_holds(w, FEED, "0 Old -\n");
	feed_holds(w, FEED, "1 Bad -20\n2 Good -10\n0 Old -\n");
	expect_digests(w, "(each:the message would be larger than 10 MiB) each:Good");
}

static void test_content_that_is_too_big_is_mailed_as_an_excerpt(void **state)
{
	struct world *w = *state;

	w->lists[0].content = CONTENT_FULL;
	add_readers(w);
	start(w);
	feed_holds(w, FEED, "0 Old -\n");
	feed_holds(w, FEED, "1 Huge -\n0 Old -\n");
	expect_digests(w, "each:Huge");
}

/* ---- Scheduled editions ---- */

static void test_the_first_start_takes_up_the_schedule_and_mails_nothing(void **state)
{
	struct world *w = *state;

	set_schedule(w, EDITION_DAILY);
	add_readers(w);
	start(w);
	feed_holds(w, FEED, "0 Old -\n");
	feed_holds(w, FEED, "1 A -\n0 Old -\n");
	expect_digests(w, "");
	assert_in_range(handled(w, EDITION_DAILY), clock_now() - 60, clock_now());
}

/* A daily list that the daemon last served days ago; these posts wait. */
static void start_after_days(struct world *w, const char *posts)
{
	add_readers(w);
	start(w);
	feed_holds(w, FEED, "0 Old -\n");
	feed_holds(w, FEED, posts);
	stop(w);
	set_handled(w, EDITION_DAILY, 5 * DAY);
	start(w);
}

static void test_due_times_missed_while_off_are_made_up_for_once(void **state)
{
	struct world *w = *state;

	set_schedule(w, EDITION_DAILY);
	start_after_days(w, "1 A -20\n2 B -10\n");
	expect_digests(w, "daily:A+B");
	assert_in_range(handled(w, EDITION_DAILY), clock_now() - DAY, clock_now());
	expect_total(w, 1, 2);
	stop(w);
	start(w);
	feed_holds(w, FEED, "3 C -\n");
	expect_digests(w, "daily:A+B");
}

static void test_fewer_posts_than_min_posts_wait_for_the_next_time(void **state)
{
	struct world *w = *state;

	set_schedule(w, EDITION_DAILY);
	w->lists[0].min_posts = 3;
	start_after_days(w, "1 A -20\n2 B -10\n");
	expect_digests(w, "");
	assert_in_range(handled(w, EDITION_DAILY), clock_now() - DAY, clock_now());
	feed_holds(w, FEED, "3 C -\n");
	expect_digests(w, "");
	stop(w);
	set_handled(w, EDITION_DAILY, DAY);
	start(w);
	expect_digests(w, "daily:A+B+C");
}

static void test_of_more_than_max_posts_the_newest_go_and_the_rest_waits(void **state)
{
	struct world *w = *state;

	set_schedule(w, EDITION_DAILY);
	w->lists[0].max_posts = 2;
	start_after_days(w, "1 A -30\n2 B -20\n3 C -10\n");
	expect_digests(w, "daily:B+C");
	stop(w);
	set_handled(w, EDITION_DAILY, DAY);
	start(w);
	expect_digests(w, "daily:B+C daily:A");
}

static void test_each_offered_edition_reaches_those_who_chose_it(void **state)
{
	struct world *w = *state;
	struct store_subscriber_new chose = {.email = "c@example.org",
		.list_id = w->f->list,
		.state = SUBSCRIPTION_CONFIRMED,
		.edition = EDITION_EACH,
		.origin = "test"};
	enum store_add_result result;

	set_schedule(w, EDITION_DAILY);
	w->lists[0].offers[EDITION_EACH] = true;
	assert_ok(w->f, store_subscriber_add(w->f->store, &chose, NOW, &result, &w->f->e));
	add_readers(w);
	start(w);
	feed_holds(w, FEED, "0 Old -\n");
	feed_holds(w, FEED, "1 A -\n");
	expect_digests(w, "each:A");
	expect_total(w, 1, 1);
	stop(w);
	set_handled(w, EDITION_DAILY, DAY);
	start(w);
	expect_digests(w, "each:A daily:A");
	expect_total(w, 2, 2);
}

/* Who begins to offer an edition does not mean all that was ever posted. */
static void test_a_new_edition_begins_with_what_no_other_has_mailed(void **state)
{
	struct world *w = *state;

	set_schedule(w, EDITION_DAILY);
	start_after_days(w, "1 A -20\n2 B -10\n");
	expect_digests(w, "daily:A+B");
	feed_holds(w, FEED, "3 C -\n");
	w->lists[0].offers[EDITION_EACH] = true;
	schedule_reconfigure(w->schedule, &w->config);
	expect_digests(w, "daily:A+B (each:Posts from before this edition was offered) each:C");
}

/* ---- Reload ---- */

static void test_another_hour_is_not_a_missed_one(void **state)
{
	struct world *w = *state;

	set_schedule(w, EDITION_DAILY);
	start_after_days(w, "1 A -20\n2 B -10\n");
	expect_digests(w, "daily:A+B");
	feed_holds(w, FEED, "3 C -\n");
	/* The very minute before now, in UTC. */
	w->lists[0].schedule.at = (int)(clock_now() % DAY / 60 + 1439) % 1440;
	schedule_reconfigure(w->schedule, &w->config);
	expect_digests(w, "daily:A+B");
	stop(w);
	start(w);
	expect_digests(w, "daily:A+B");
}

static void test_sources_come_and_go_with_the_configuration(void **state)
{
	struct world *w = *state;

	add_readers(w);
	start(w);
	feed_holds(w, FEED, "0 Old -\n");
	w->lists[0].n_sources = 2;
	w->config.n_lists = 2;
	schedule_reconfigure(w->schedule, &w->config);
	directory_holds(w, "0 Old -\n", true, NULL);
	WAIT_FOR(w, is_ok, FOLDER);
	directory_holds(w, "1 File -\n", false, NULL);
	feed_holds(w, OTHER_FEED, "0 Old -\n");
	expect_digests(w, "each:File");
	assert_int_equal(schedule_poll(w->schedule, NULL), 3);
	assert_int_equal(schedule_poll(w->schedule, "blog"), 1);
	assert_int_equal(schedule_poll(w->schedule, "none"), 0);
	w->lists[0].n_sources = 1;
	w->config.n_lists = 1;
	schedule_reconfigure(w->schedule, &w->config);
	assert_null(doubles.directory);
	assert_int_equal(schedule_poll(w->schedule, NULL), 1);
}

static void test_a_list_removed_while_its_digest_is_made_ends_cleanly(void **state)
{
	struct world *w = *state;
	struct fetch_answer a = {.status = 200, .url = FEED, .body = "1 A -\n2 B -\n", .len = 12};

	add_readers(w);
	start(w);
	feed_holds(w, FEED, "0 Old -\n");
	assert_int_equal(schedule_poll(w->schedule, FEED), 1);
	WAIT_FOR(w, asked, FEED);
	answer(FEED, &a, NULL);
	w->config.n_lists = 0;
	schedule_reconfigure(w->schedule, &w->config);
	settle(w);
	assert_int_equal(schedule_poll(w->schedule, NULL), 0);
	assert_string_equal(digests(w), "");
}

static void test_another_filter_brings_no_old_posts(void **state)
{
	struct world *w = *state;

	add_readers(w);
	strlist_add(&w->sources[0][0].categories, "science");
	start(w);
	feed_holds(w, FEED, "0 Old - science\n");
	feed_holds(w, FEED, "1 Physics - Science\n2 Cooking - food\n3 Nothing -\n");
	expect_digests(w, "each:Physics");
	strlist_free(&w->sources[0][0].categories);
	schedule_reconfigure(w->schedule, &w->config);
	feed_holds(w, FEED, "1 Physics - Science\n2 Cooking - food\n");
	feed_holds(w, FEED, "4 Baking - food\n2 Cooking - food\n");
	expect_digests(w, "each:Physics each:Baking");
}

/* ---- Sources in trouble ---- */

static void fail_look(struct world *w, const char *url, const char *why, long retry_after)
{
	struct fetch_answer a = {.status = 503, .url = url, .retry_after = retry_after};
	struct error e = {ERROR_AGAIN, ""};

	snprintf(e.text, sizeof(e.text), "%s", why);
	if (open_fetch(url) == NULL)
		assert_int_equal(schedule_poll(w->schedule, url), 1);
	WAIT_FOR(w, asked, url);
	answer(url, &a, &e);
	WAIT_FOR(w, is_failing, url);
	assert_string_equal(source_text(w, url, "error"), why);
}

static void expect_pause(struct world *w, const char *url, int64_t seconds)
{
	int64_t pause = source_number(w, url, "next_at") - clock_now();

	assert_in_range(pause, seconds * 9 / 10 - 5, seconds * 11 / 10 + 5);
}

static void test_a_failing_feed_is_left_alone_for_longer_each_time(void **state)
{
	struct world *w = *state;

	w->config.n_lists = 2;
	start(w);
	fail_look(w, FEED, "no such host", 0);
	expect_pause(w, FEED, HOUR);
	fail_look(w, FEED, "no such host", 0);
	expect_pause(w, FEED, 2 * HOUR);
	for (int i = 0; i < 8; i++)
		fail_look(w, FEED, "no such host", 0);
	expect_pause(w, FEED, DAY);
	feed_holds(w, OTHER_FEED, "0 Old -\n");
	expect_pause(w, OTHER_FEED, HOUR);
	feed_holds(w, FEED, "0 Old -\n");
	expect_pause(w, FEED, HOUR);
	assert_string_equal(source_text(w, FEED, "error"), "");
}

static void test_a_server_that_asks_for_time_gets_it(void **state)
{
	struct world *w = *state;

	start(w);
	fail_look(w, FEED, "503", 2 * DAY);
	int64_t pause = source_number(w, FEED, "next_at") - clock_now();
	assert_in_range(pause, 2 * DAY - 5, 2 * DAY * 11 / 10 + 5);
}

static void test_what_is_no_feed_is_a_failed_look(void **state)
{
	struct world *w = *state;
	struct fetch_answer a = {
		.status = 200, .url = FEED, .body = "no feed", .len = 7, .etag = "\"bad\""};

	start(w);
	WAIT_FOR(w, asked, FEED);
	answer(FEED, &a, NULL);
	WAIT_FOR(w, is_failing, FEED);
	assert_string_equal(source_text(w, FEED, "error"), "line 1: not a feed");
	/* Its validator is not used: the same bad answer must be looked at again. */
	assert_int_equal(schedule_poll(w->schedule, FEED), 1);
	WAIT_FOR(w, asked, FEED);
	assert_null(open_fetch(FEED)->etag);
}

static void test_validators_are_sent_and_kept_over_a_restart(void **state)
{
	struct world *w = *state;
	struct fetch_answer unchanged = {.status = 304, .url = FEED};

	start(w);
	feed_holds(w, FEED, "0 Old -\n");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(schedule_poll(w->schedule, FEED), 1);
		WAIT_FOR(w, asked, FEED);
		assert_string_equal(open_fetch(FEED)->etag, "\"e1\"");
		answer(FEED, &unchanged, NULL);
		WAIT_FOR(w, is_ok, FEED);
	}
	stop(w);
	start(w);
	WAIT_FOR(w, asked, FEED);
	assert_string_equal(open_fetch(FEED)->etag, "\"e1\"");
}

static void test_one_bad_file_does_not_hold_up_the_others(void **state)
{
	struct world *w = *state;

	w->lists[0].n_sources = 2;
	add_readers(w);
	start(w);
	feed_holds(w, FEED, "0 Old -\n");
	directory_holds(w, "0 Old -\n", true, "bad.md:3: no title");
	WAIT_FOR(w, is_failing, FOLDER);
	assert_string_equal(source_text(w, FOLDER, "error"), "bad.md:3: no title");
	directory_holds(w, "1 File -\n", false, NULL);
	expect_digests(w, "each:File");
	/* Whether the bad one is mended only a look at all of them can tell. */
	assert_int_equal(doubles.n_rescans, 1);
}

/* A full look comes in several calls: only with the last is it known what is wrong. */
static void test_a_mended_file_clears_the_error_after_a_full_look(void **state)
{
	struct world *w = *state;

	w->lists[0].n_sources = 2;
	start(w);
	directory_holds(w, "0 Old -\n", false, "bad.md:3: no title");
	directory_holds(w, "1 Old2 -\n", false, NULL);
	directory_holds(w, NULL, true, NULL);
	WAIT_FOR(w, is_failing, FOLDER);
	assert_int_equal(doubles.n_rescans, 0);
	directory_holds(w, "2 File -\n", false, NULL);
	assert_int_equal(doubles.n_rescans, 1);
	directory_holds(w, "3 File -\n", false, NULL);
	assert_int_equal(doubles.n_rescans, 1);
	settle(w);
	assert_string_equal(source_text(w, FOLDER, "error"), "bad.md:3: no title");
	directory_holds(w, NULL, true, NULL);
	WAIT_FOR(w, is_ok, FOLDER);
	assert_string_equal(source_text(w, FOLDER, "error"), "");
}

/* ---- send ---- */

static void test_send_makes_a_digest_of_what_is_pending(void **state)
{
	struct world *w = *state;
	struct schedule_send what = {.list = "news", .edition = -1};

	set_schedule(w, EDITION_WEEKLY);
	add_readers(w);
	start(w);
	feed_holds(w, FEED, "0 Old -\n");
	feed_holds(w, FEED, "1 A -20\n2 B -10\n");
	send_now(w, &what);
	assert_int_equal(w->digest_id, 1);
	expect_digests(w, "weekly:A+B");
	expect_total(w, 1, 2);
	send_now(w, &what);
	assert_int_equal(w->failure.code, ERROR_NOT_FOUND);
	assert_non_null(strstr(w->failure.text, "no post is waiting for its weekly edition"));
}

static void test_posts_that_are_named_go_out_as_often_as_asked(void **state)
{
	struct world *w = *state;
	int64_t ids[] = {2, 1};
	struct schedule_send named = {.list = "news", .edition = -1, .post_ids = ids, .n_posts = 2};
	struct schedule_send last = {.list = "news", .edition = -1, .last = 1};
	struct schedule_send wrong = named;

	add_readers(w);
	start(w);
	feed_holds(w, FEED, "1 A -20\n2 B -10\n");
	send_now(w, &named);
	send_now(w, &named);
	send_now(w, &last);
	expect_digests(w, "each:B+A each:B+A each:B");
	ids[0] = 77;
	send_now(w, &wrong);
	assert_int_equal(w->failure.code, ERROR_NOT_FOUND);
	assert_non_null(strstr(w->failure.text, "77"));
}

static void test_send_to_some_readers_leaves_the_posts_to_the_others(void **state)
{
	struct world *w = *state;
	const char *to[] = {"bo@example.org", "bo@example.org"};
	struct schedule_send some = {.list = "news", .edition = -1, .to = to, .n_to = 2};
	struct schedule_send all = {.list = "news", .edition = -1};

	set_schedule(w, EDITION_WEEKLY);
	add_readers(w);
	start(w);
	feed_holds(w, FEED, "0 Old -\n");
	feed_holds(w, FEED, "1 A -\n");
	send_now(w, &some);
	expect_total(w, w->digest_id, 1);
	assert_true(w->queued > 0);
	send_now(w, &all);
	expect_total(w, w->digest_id, 2);
	expect_digests(w, "weekly:A weekly:A");
}

static void expect_refused(
	struct world *w, const struct schedule_send *what, enum error_code code, const char *part)
{
	send_now(w, what);
	assert_int_equal(w->failure.code, code);
	assert_int_equal(w->digest_id, 0);
	if (strstr(w->failure.text, part) == NULL)
		fail_msg("\"%s\" has no \"%s\"", w->failure.text, part);
}

static void test_what_cannot_be_sent_is_refused_with_the_reason(void **state)
{
	struct world *w = *state;
	const char *to[] = {"anna@example.org", "gone@example.org"};
	struct schedule_send typo = {.list = "nwes", .edition = -1};
	struct schedule_send edition = {.list = "news", .edition = EDITION_MONTHLY};
	struct schedule_send some = {.list = "news", .edition = -1, .last = 1, .to = to, .n_to = 2};
	int ended;

	add_readers(w);
	start(w);
	feed_holds(w, FEED, "1 A -\n");
	expect_refused(w, &typo, ERROR_NOT_FOUND, "did you mean \"news\"?");
	expect_refused(w, &edition, ERROR_REFUSED, "no monthly edition (it has: each)");
	expect_refused(w, &some, ERROR_NOT_FOUND, "gone@example.org: is no reader of list news");
	to[1] = "bo@example.org";
	assert_ok(w->f, store_subscription_end(w->f->store, reader_id(w->f, to[1]), w->f->list,
				SUBSCRIPTION_UNSUBSCRIBED, NOW, &ended, &w->f->e));
	expect_refused(w, &some, ERROR_REFUSED, "bo@example.org: is unsubscribed");
	expect_digests(w, "");
}

static void test_a_digest_for_nobody_is_not_made(void **state)
{
	struct world *w = *state;
	struct schedule_send pending = {.list = "news", .edition = -1};
	struct schedule_send last = {.list = "news", .edition = -1, .last = 1};

	set_schedule(w, EDITION_WEEKLY);
	start(w);
	feed_holds(w, FEED, "0 Old -\n");
	feed_holds(w, FEED, "1 A -\n");
	expect_refused(
		w, &pending, ERROR_REFUSED, "news has no confirmed readers for this edition");
	expect_refused(w, &last, ERROR_REFUSED, "nothing was sent");
	expect_digests(w, "");
	add_readers(w);
	send_now(w, &pending);
	expect_digests(w, "weekly:A");
}

/* The operator is faster than the schedule, or the other way round: never both. */
static void test_a_post_is_mailed_once_when_send_and_schedule_meet(void **state)
{
	struct world *w = *state;
	struct fetch_answer a = {.status = 200, .url = FEED, .body = "1 A -\n", .len = 6};
	struct schedule_send what = {.list = "news", .edition = -1};

	add_readers(w);
	start(w);
	feed_holds(w, FEED, "0 Old -\n");
	assert_int_equal(schedule_poll(w->schedule, FEED), 1);
	WAIT_FOR(w, asked, FEED);
	answer(FEED, &a, NULL);
	for (int i = 0; i < 20; i++)
		send_now(w, &what);
	expect_digests(w, "each:A");
}

/* ---- Crashes and full disks ---- */

static int64_t digest_without_deliveries(struct world *w)
{
	struct store_digest_new d = {.list_id = w->f->list,
		.edition = EDITION_EACH,
		.is_default = true,
		.subject = "Left",
		.message = "x",
		.message_len = 1};
	int64_t id;

	assert_ok(w->f, store_digest_create(w->f->store, &d, NOW, &id, &w->f->e));
	return id;
}

static void test_deliveries_that_a_crash_left_out_are_made_at_start(void **state)
{
	struct world *w = *state;
	bool more;

	assert_ok(w->f, store_begin(w->f->store, &w->f->e));
	for (int i = 0; i < 5000; i++) {
		char email[64];
		snprintf(email, sizeof(email), "r%d@example.org", i);
		add_reader(w->f, email);
	}
	int64_t id = digest_without_deliveries(w);
	assert_ok(w->f, store_digest_enqueue(w->f->store, id, 700, NOW, &more, &w->f->e));
	assert_ok(w->f, store_commit(w->f->store, &w->f->e));
	assert_true(more);
	start(w);
	WAIT_FOR(w, nothing_under_way, NULL);
	expect_total(w, id, 5000);
	assert_true(w->queued > 0);
}

static bool has_trouble(struct world *w, const void *arg)
{
	(void)arg;
	return store_writer_trouble(w->writer, NULL);
}

/* No file of this process may grow: what SQLite writes fails as on a full disk. */
static void set_disk_full(bool full)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = full ? 4096 : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_a_full_disk_is_waited_out_and_nothing_is_lost(void **state)
{
	struct world *w = *state;
	struct fetch_answer a = {.status = 200, .url = FEED, .body = "1 A -\n", .len = 6};

	add_readers(w);
	start(w);
	feed_holds(w, FEED, "0 Old -\n");
	set_disk_full(true);
	assert_int_equal(schedule_poll(w->schedule, FEED), 1);
	WAIT_FOR(w, asked, FEED);
	answer(FEED, &a, NULL);
	WAIT_FOR(w, has_trouble, NULL);
	set_disk_full(false);
	expect_digests(w, "each:A");
	expect_total(w, 1, 2);
}

/* Whatever is under way: the sanitizer watches that nothing is used or kept afterwards. */
static void test_it_can_be_stopped_at_any_moment(void **state)
{
	struct world *w = *state;
	struct fetch_answer a = {.status = 200, .url = FEED, .body = "1 A -\n2 B -\n", .len = 12};
	struct schedule_send what = {.list = "news", .edition = -1, .last = 1};

	add_readers(w);
	for (int rounds = 0; rounds < 12; rounds++) {
		start(w);
		WAIT_FOR(w, asked, FEED);
		answer(FEED, &a, NULL);
		schedule_send(w->schedule, &what, on_sent, w);
		schedule_reconfigure(w->schedule, &w->config);
		for (int i = 0; i < rounds; i++) {
			event_base_loop(loop_base(w->loop), EVLOOP_NONBLOCK);
			assert_ok(w, store_writer_run(w->writer, write_nothing, NULL, 0, &w->e));
		}
		stop(w);
	}
}

int main(void)
{
#define TEST(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, make_world_of_doubles, end_world_of_doubles)
	const struct CMUnitTest tests[] = {
		TEST(test_the_first_look_mails_nothing_and_a_later_post_is_mailed),
		TEST(test_each_mails_every_post_once_oldest_first),
		TEST(test_each_waits_for_a_post_of_the_future),
		TEST(test_posts_that_wait_since_before_the_start_are_mailed),
		TEST(test_a_post_that_cannot_be_mailed_is_put_aside),
		TEST(test_content_that_is_too_big_is_mailed_as_an_excerpt),
		TEST(test_the_first_start_takes_up_the_schedule_and_mails_nothing),
		TEST(test_due_times_missed_while_off_are_made_up_for_once),
		TEST(test_fewer_posts_than_min_posts_wait_for_the_next_time),
		TEST(test_of_more_than_max_posts_the_newest_go_and_the_rest_waits),
		TEST(test_each_offered_edition_reaches_those_who_chose_it),
		TEST(test_a_new_edition_begins_with_what_no_other_has_mailed),
		TEST(test_another_hour_is_not_a_missed_one),
		TEST(test_sources_come_and_go_with_the_configuration),
		TEST(test_a_list_removed_while_its_digest_is_made_ends_cleanly),
		TEST(test_another_filter_brings_no_old_posts),
		TEST(test_a_failing_feed_is_left_alone_for_longer_each_time),
		TEST(test_a_server_that_asks_for_time_gets_it),
		TEST(test_what_is_no_feed_is_a_failed_look),
		TEST(test_validators_are_sent_and_kept_over_a_restart),
		TEST(test_one_bad_file_does_not_hold_up_the_others),
		TEST(test_a_mended_file_clears_the_error_after_a_full_look),
		TEST(test_send_makes_a_digest_of_what_is_pending),
		TEST(test_posts_that_are_named_go_out_as_often_as_asked),
		TEST(test_send_to_some_readers_leaves_the_posts_to_the_others),
		TEST(test_what_cannot_be_sent_is_refused_with_the_reason),
		TEST(test_a_digest_for_nobody_is_not_made),
		TEST(test_a_post_is_mailed_once_when_send_and_schedule_meet),
		TEST(test_deliveries_that_a_crash_left_out_are_made_at_start),
		TEST(test_a_full_disk_is_waited_out_and_nothing_is_lost),
		TEST(test_it_can_be_stopped_at_any_moment),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
