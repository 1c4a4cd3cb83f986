/* Sources that tell of their news: subscribing to a hub, whom to believe, hooks. */
#include "schedule_helper.h"

#include "hubmail/base_text.h"

#define HUB "https://hub.example/"
#define SELF "https://example.org/self.xml"

static const struct secret secret = {.key = {1, 2, 3}};

static void start_with_push(struct world *w)
{
	start(w);
	schedule_push(w->schedule, &secret);
}

static void feed_names_hub(struct world *w, const char *lines)
{
	struct fetch_answer a = {.status = 200,
		.url = FEED,
		.body = lines,
		.len = strlen(lines),
		.hub = HUB,
		.self = SELF};

	if (open_fetch(FEED) == NULL)
		assert_true(schedule_poll(w->schedule, FEED) > 0);
	WAIT_FOR(w, asked, FEED);
	answer(FEED, &a, NULL);
	WAIT_FOR(w, is_ok, FEED);
}

/* The decoded value of a field of the form that the hub got; the caller's. */
static char *field(const char *body, const char *name)
{
	char *key = xasprintf("%s=", name);
	const char *at = strstr(body, key);
	struct buf b = {0};

	assert_non_null(at);
	for (at += strlen(key); *at != '\0' && *at != '&'; at++) {
		char hex[3] = "", *end = hex;
		long c = (unsigned char)*at;
		if (*at == '%') {
			memcpy(hex, at + 1, 2);
			c = strtol(hex, &end, 16);
			assert_ptr_equal(end, hex + 2);
			at += 2;
		}
		buf_addc(&b, (char)c);
	}
	free(key);
	return buf_take(&b);
}

struct subscription {
	char *token, *key;
};

static struct fetch *request_to_hub(const char *mode)
{
	for (int i = 0; i < FETCHES; i++) {
		struct fetch *r = doubles.open[i];
		char *is = r != NULL && r->body != NULL ? field(r->body, "hub.mode") : NULL;
		bool found = is != NULL && strcmp(is, mode) == 0;
		free(is);
		if (found)
			return r;
	}
	return NULL;
}

static bool hub_is_asked(struct world *w, const void *mode)
{
	(void)w;
	return request_to_hub(mode) != NULL;
}

/* The request of this mode that the hub gets, and what it says to it. */
static struct subscription asked_of_hub(struct world *w, const char *mode, const char *base)
{
	struct fetch_answer accepted = {.status = 202, .url = HUB};

	WAIT_FOR(w, hub_is_asked, mode);
	struct fetch *r = request_to_hub(mode);
	char *callback = field(r->body, "hub.callback"), *topic = field(r->body, "hub.topic");
	assert_string_equal(r->url, HUB);
	assert_string_equal(topic, SELF);
	assert_true(text_starts(callback, base));
	bool wanted = strcmp(mode, "subscribe") == 0;
	assert_true(wanted == (strstr(r->body, "hub.secret=") != NULL));
	struct subscription s = {
		xstrdup(callback + strlen(base)), wanted ? field(r->body, "hub.secret") : NULL};
	fetch_fn *fn = r->fn;
	void *arg = r->arg;
	fetch_cancel(r);
	fn(&accepted, NULL, arg);
	free(callback);
	free(topic);
	return s;
}

static struct subscription subscribed(struct world *w)
{
	return asked_of_hub(w, "subscribe", "https://news.example.org/websub/");
}

static struct subscription left(struct world *w)
{
	return asked_of_hub(w, "unsubscribe", "https://news.example.org/websub/");
}

static void subscription_free(struct subscription *s)
{
	free(s->token);
	free(s->key);
}

static bool verify(struct world *w, const struct subscription *s, const char *mode)
{
	return schedule_websub_verify(w->schedule, s->token, mode, SELF, "7200");
}

static enum schedule_heard deliver(struct world *w, const struct subscription *s,
	const char *digest, const char *key, const char *body)
{
	unsigned char mac[64];
	struct buf signature = {0};
	size_t n = hmac_by_name(digest, key, strlen(key), body, strlen(body), mac);

	buf_addf(&signature, "%s=", digest);
	for (size_t i = 0; i < n; i++)
		buf_addf(&signature, "%02x", mac[i]);
	struct schedule_call call = {
		.signature = buf_str(&signature), .body = body, .len = strlen(body)};
	enum schedule_heard heard = schedule_websub_deliver(w->schedule, s->token, &call);
	buf_free(&signature);
	return heard;
}

static int64_t lease(struct world *w)
{
	return source_number(w, FEED, "push_until") - clock_now();
}

static void test_a_feeds_hub_is_subscribed_to_and_the_lease_is_kept_over_a_restart(void **state)
{
	struct world *w = *state;

	start_with_push(w);
	feed_names_hub(w, "1 One\n");
	struct subscription s = subscribed(w);
	assert_true(lease(w) < 0);
	assert_true(verify(w, &s, "subscribe"));
	assert_in_range(lease(w), 7190, 7200);
	settle(w);
	stop(w);
	start_with_push(w);
	feed_names_hub(w, "1 One\n");
	assert_in_range(lease(w), 7100, 7200);
	settle(w);
	assert_null(open_fetch(HUB));
	subscription_free(&s);
}

static void test_a_lease_is_renewed_before_it_ends(void **state)
{
	struct world *w = *state;

	start_with_push(w);
	feed_names_hub(w, "1 One\n");
	struct subscription s = subscribed(w), again;
	assert_true(verify(w, &s, "subscribe"));
	settle(w);
	stop(w);
	assert_ok(w->f, store_source_lease(w->f->store, 1, SELF, clock_now() + 3, &w->f->e));
	start_with_push(w);
	feed_names_hub(w, "1 One\n");
	again = subscribed(w);
	assert_string_equal(again.token, s.token);
	assert_string_equal(again.key, s.key);
	assert_true(verify(w, &again, "subscribe"));
	assert_true(lease(w) > 7000);
	subscription_free(&s);
	subscription_free(&again);
}

static void test_another_public_address_is_told_to_the_hub(void **state)
{
	struct world *w = *state;

	start_with_push(w);
	feed_names_hub(w, "1 One\n");
	struct subscription s = subscribed(w);
	assert_true(verify(w, &s, "subscribe"));
	w->config.web_url = (char *)"https://other.example.org";
	schedule_reconfigure(w->schedule, &w->config);
	struct subscription again =
		asked_of_hub(w, "subscribe", "https://other.example.org/websub/");
	struct subscription old =
		asked_of_hub(w, "unsubscribe", "https://news.example.org/websub/");
	assert_true(verify(w, &old, "unsubscribe"));
	assert_true(verify(w, &again, "subscribe"));
	assert_false(verify(w, &again, "unsubscribe"));
	assert_in_range(lease(w), 7190, 7200);
	subscription_free(&s);
	subscription_free(&old);
	subscription_free(&again);
}

static void test_only_what_was_asked_for_is_confirmed(void **state)
{
	struct world *w = *state;

	start_with_push(w);
	feed_names_hub(w, "1 One\n");
	struct subscription s = subscribed(w);
	assert_false(schedule_websub_verify(w->schedule, s.token, "subscribe", FEED, NULL));
	assert_false(schedule_websub_verify(w->schedule, s.token, NULL, SELF, NULL));
	assert_false(schedule_websub_verify(w->schedule, "1.AAAA", "subscribe", SELF, NULL));
	assert_false(schedule_websub_verify(w->schedule, "", "subscribe", SELF, NULL));
	assert_true(verify(w, &s, "subscribe"));
	assert_false(verify(w, &s, "unsubscribe"));
	assert_false(verify(w, &s, "subscribe"));
	assert_true(lease(w) > 0);
	assert_true(verify(w, &s, "denied"));
	assert_true(lease(w) < 0);
	subscription_free(&s);
}

static void test_what_the_hub_delivers_is_mailed_if_it_is_signed(void **state)
{
	struct world *w = *state;

	add_reader(w->f, "anna@example.org");
	start_with_push(w);
	feed_names_hub(w, "1 One\n");
	struct subscription s = subscribed(w);
	assert_true(verify(w, &s, "subscribe"));
	assert_int_equal(deliver(w, &s, "sha256", "wrong", "2 Forged\n"), HEARD_REFUSED);
	assert_int_equal(deliver(w, &s, "md5", s.key, "2 Forged\n"), HEARD_REFUSED);
	struct schedule_call bare = {.body = "2 Forged\n", .len = 9};
	assert_int_equal(schedule_websub_deliver(w->schedule, s.token, &bare), HEARD_REFUSED);
	assert_int_equal(schedule_websub_deliver(w->schedule, "7.AAAA", &bare), HEARD_UNKNOWN);
	assert_int_equal(deliver(w, &s, "sha1", s.key, "2 Told\n"), HEARD);
	expect_digests(w, "each:Told");
	assert_null(open_fetch(FEED));
	subscription_free(&s);
}

static void test_a_second_delivery_at_once_only_makes_the_daemon_look_soon(void **state)
{
	struct world *w = *state;

	start_with_push(w);
	feed_names_hub(w, "1 One\n");
	struct subscription s = subscribed(w);
	assert_true(verify(w, &s, "subscribe"));
	assert_int_equal(deliver(w, &s, "sha512", s.key, "2 Two\n"), HEARD);
	WAIT_FOR(w, is_ok, FEED);
	assert_int_equal(deliver(w, &s, "sha512", s.key, "3 Three\n"), HEARD);
	assert_null(open_fetch(FEED));
	feed_names_hub(w, "3 Three\n2 Two\n1 One\n");
	subscription_free(&s);
}

static void test_a_source_that_tells_is_looked_at_less_often(void **state)
{
	struct world *w = *state;

	start_with_push(w);
	feed_names_hub(w, "1 One\n");
	struct subscription s = subscribed(w);
	assert_true(verify(w, &s, "subscribe"));
	feed_names_hub(w, "1 One\n");
	assert_true(source_number(w, FEED, "next_at") - clock_now() > 6 * 3600 * 8 / 10);
	subscription_free(&s);
}

static void test_a_feed_that_names_no_hub_any_more_has_no_lease(void **state)
{
	struct world *w = *state;

	start_with_push(w);
	feed_names_hub(w, "1 One\n");
	struct subscription s = subscribed(w);
	assert_true(verify(w, &s, "subscribe"));
	feed_holds(w, FEED, "1 One\n");
	assert_true(lease(w) < 0);
	assert_int_equal(deliver(w, &s, "sha256", s.key, "2 Two\n"), HEARD_UNKNOWN);
	struct subscription old = left(w);
	assert_true(verify(w, &old, "unsubscribe"));
	subscription_free(&s);
	subscription_free(&old);
}

/* ---- Leaving ---- */

/* A subscription that the hub has confirmed. */
static struct subscription confirmed(struct world *w)
{
	feed_names_hub(w, "1 One\n");
	struct subscription s = subscribed(w);
	assert_true(verify(w, &s, "subscribe"));
	settle(w);
	return s;
}

static void take_feed_out(struct world *w)
{
	w->lists[0].sources = &w->sources[0][1];
	w->lists[0].n_sources = 1;
}

static size_t leases(struct world *w)
{
	struct store_source *rows;
	size_t n;

	settle(w);
	assert_ok(w->f, store_source_leased(w->f->store, clock_now(), &rows, &n, &w->f->e));
	for (size_t i = 0; i < n; i++)
		store_source_free(&rows[i]);
	free(rows);
	return n;
}

static void test_the_hub_of_a_source_that_is_taken_out_is_left(void **state)
{
	struct world *w = *state;

	start_with_push(w);
	struct subscription s = confirmed(w);
	assert_int_equal(leases(w), 1);
	take_feed_out(w);
	schedule_reconfigure(w->schedule, &w->config);
	assert_false(verify(w, &s, "unsubscribe")); /* nobody asked yet */
	struct subscription gone = left(w);
	assert_string_equal(gone.token, s.token);
	assert_int_equal(deliver(w, &s, "sha256", s.key, "2 Two\n"), HEARD_UNKNOWN);
	assert_false(schedule_websub_verify(w->schedule, s.token, "unsubscribe", FEED, NULL));
	assert_false(schedule_websub_verify(w->schedule, "1.AAAA", "unsubscribe", SELF, NULL));
	assert_false(verify(w, &gone, "subscribe"));
	assert_true(verify(w, &gone, "unsubscribe"));
	assert_false(verify(w, &gone, "unsubscribe"));
	assert_int_equal(leases(w), 0);
	subscription_free(&s);
	subscription_free(&gone);
}

static void test_the_hubs_of_a_list_that_is_taken_out_are_left(void **state)
{
	struct world *w = *state;

	start_with_push(w);
	struct subscription s = confirmed(w);
	w->lists[0].name = (char *)"other";
	take_feed_out(w);
	schedule_reconfigure(w->schedule, &w->config);
	struct subscription gone = left(w);
	assert_true(verify(w, &gone, "unsubscribe"));
	subscription_free(&s);
	subscription_free(&gone);
}

static void test_what_was_taken_out_while_nobody_ran_is_left_at_the_next_start(void **state)
{
	struct world *w = *state;

	start_with_push(w);
	struct subscription s = confirmed(w);
	stop(w);
	take_feed_out(w);
	start_with_push(w);
	struct subscription gone = left(w);
	assert_string_equal(gone.token, s.token);
	stop(w); /* the hub has not asked back */
	start_with_push(w);
	subscription_free(&gone);
	gone = left(w);
	assert_true(verify(w, &gone, "unsubscribe"));
	assert_int_equal(leases(w), 0);
	subscription_free(&s);
	subscription_free(&gone);
}

static void test_no_hub_is_left_because_the_daemon_ends(void **state)
{
	struct world *w = *state;

	start_with_push(w);
	struct subscription s = confirmed(w);
	int before = doubles.n_fetches;
	stop(w);
	start_with_push(w);
	feed_names_hub(w, "1 One\n");
	settle(w);
	assert_int_equal(doubles.n_fetches, before + 1);
	assert_int_equal(leases(w), 1);
	subscription_free(&s);
}

static void test_a_source_that_is_back_stays_with_its_hub(void **state)
{
	struct world *w = *state;

	start_with_push(w);
	struct subscription s = confirmed(w);
	take_feed_out(w);
	schedule_reconfigure(w->schedule, &w->config);
	struct subscription gone = left(w);
	w->lists[0].sources = w->sources[0];
	schedule_reconfigure(w->schedule, &w->config);
	assert_false(verify(w, &gone, "unsubscribe"));
	feed_names_hub(w, "1 One\n");
	assert_in_range(lease(w), 7100, 7200);
	assert_int_equal(deliver(w, &s, "sha256", s.key, "2 Two\n"), HEARD);
	WAIT_FOR(w, is_ok, FEED);
	subscription_free(&s);
	subscription_free(&gone);
}

/* ---- Hooks ---- */

static void split_hook(struct world *w, char id[32], char given[64])
{
	assert_int_equal(sscanf(source_text(w, FEED, "hook"),
				 "https://news.example.org/hooks/%31[0-9]?secret=%63s", id, given),
		2);
}

static void test_a_hook_makes_the_daemon_look_and_needs_the_secret(void **state)
{
	struct world *w = *state;
	char id[32], given[64];

	start_with_push(w);
	feed_holds(w, FEED, "1 One\n");
	split_hook(w, id, given);
	struct schedule_call call = {.body = "", .secret = "wrong"};
	assert_int_equal(schedule_hook(w->schedule, id, &call), HEARD_REFUSED);
	call.secret = NULL;
	assert_int_equal(schedule_hook(w->schedule, id, &call), HEARD_REFUSED);
	call.secret = given;
	assert_int_equal(schedule_hook(w->schedule, "999", &call), HEARD_UNKNOWN);
	assert_int_equal(schedule_hook(w->schedule, "x", &call), HEARD_UNKNOWN);
	assert_int_equal(schedule_hook(w->schedule, id, &call), HEARD);
	WAIT_FOR(w, asked, FEED);
	feed_holds(w, FEED, "1 One\n");
}

static void test_many_hooks_are_few_looks(void **state)
{
	struct world *w = *state;
	char id[32], given[64];

	start_with_push(w);
	feed_holds(w, FEED, "1 One\n");
	split_hook(w, id, given);
	struct schedule_call call = {.body = "", .secret = given};
	for (int i = 0; i < 50; i++)
		assert_int_equal(schedule_hook(w->schedule, id, &call), HEARD);
	WAIT_FOR(w, asked, FEED);
	feed_holds(w, FEED, "1 One\n");
	for (int i = 0; i < 50; i++)
		assert_int_equal(schedule_hook(w->schedule, id, &call), HEARD);
	assert_null(open_fetch(FEED));
	WAIT_FOR(w, asked, FEED);
	feed_holds(w, FEED, "1 One\n");
	assert_int_equal(doubles.n_fetches, 3);
}

static void test_without_the_secret_nobody_can_tell_anything(void **state)
{
	struct world *w = *state;
	struct schedule_call call = {.body = "", .secret = ""};

	start(w);
	feed_names_hub(w, "1 One\n");
	settle(w);
	assert_null(open_fetch(HUB));
	assert_string_equal(source_text(w, FEED, "hook"), "");
	assert_int_equal(schedule_hook(w->schedule, "1", &call), HEARD_UNKNOWN);
	assert_int_equal(schedule_websub_deliver(w->schedule, "1.x", &call), HEARD_UNKNOWN);
}

int main(void)
{
#define TEST(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, make_world_of_doubles, end_world_of_doubles)
	const struct CMUnitTest tests[] = {
		TEST(test_a_feeds_hub_is_subscribed_to_and_the_lease_is_kept_over_a_restart),
		TEST(test_a_lease_is_renewed_before_it_ends),
		TEST(test_another_public_address_is_told_to_the_hub),
		TEST(test_only_what_was_asked_for_is_confirmed),
		TEST(test_what_the_hub_delivers_is_mailed_if_it_is_signed),
		TEST(test_a_second_delivery_at_once_only_makes_the_daemon_look_soon),
		TEST(test_a_source_that_tells_is_looked_at_less_often),
		TEST(test_a_feed_that_names_no_hub_any_more_has_no_lease),
		TEST(test_the_hub_of_a_source_that_is_taken_out_is_left),
		TEST(test_the_hubs_of_a_list_that_is_taken_out_are_left),
		TEST(test_what_was_taken_out_while_nobody_ran_is_left_at_the_next_start),
		TEST(test_no_hub_is_left_because_the_daemon_ends),
		TEST(test_a_source_that_is_back_stays_with_its_hub),
		TEST(test_a_hook_makes_the_daemon_look_and_needs_the_secret),
		TEST(test_many_hooks_are_few_looks),
		TEST(test_without_the_secret_nobody_can_tell_anything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
