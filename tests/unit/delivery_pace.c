/* Rates and windows. */
#include "../../daemon/delivery/pace.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* How many go in `seconds` when somebody tries every `step_us`. */
static int sent_in(struct pace *p, int64_t start_us, int seconds, int64_t step_us)
{
	int sent = 0;

	for (int64_t t = start_us; t < start_us + seconds * 1000000LL; t += step_us) {
		while (pace_wait_us(p, t) == 0) {
			pace_take(p, t);
			sent++;
		}
	}
	return sent;
}

static void test_a_rate_is_kept_to_two_percent_whatever_the_callers_rhythm(void **state)
{
	const int rates[] = {1, 7, 100, 1000, 3333};
	const int64_t steps[] = {100, 1000, 7919, 20000};

	(void)state;
	for (size_t r = 0; r < 5; r++) {
		for (size_t s = 0; s < 4; s++) {
			struct pace p = {0};
			pace_set(&p, rates[r], 1);
			pace_take(&p, 0);
			int sent = sent_in(&p, 1000000, 60, steps[s]), want = rates[r] * 60;
			/* The little that may be caught up comes on top once. */
			assert_in_range(sent, want * 98 / 100, want * 102 / 100 + 2);
		}
	}
}

static void test_a_pause_is_not_made_up_for_by_a_burst(void **state)
{
	struct pace p = {0};

	(void)state;
	pace_set(&p, 100, 1);
	sent_in(&p, 0, 1, 1000);
	/* After an hour of silence: at most what 50 ms are worth at once. */
	int64_t later = 3600LL * 1000000;
	int burst = 0;
	while (pace_wait_us(&p, later) == 0) {
		pace_take(&p, later);
		burst++;
	}
	assert_in_range(burst, 1, 6);
}

static void test_no_limit_never_waits(void **state)
{
	struct pace p = {0};

	(void)state;
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(pace_wait_us(&p, 5), 0);
		pace_take(&p, 5);
	}
}

static void test_a_window_closes_when_it_is_full_and_opens_as_the_past_leaves_it(void **state)
{
	struct window w = {0};
	const int64_t day = 86400, noon = 20000 * day + 43200;

	(void)state;
	window_set(&w, 100, day);
	for (int hour = 0; hour < 10; hour++)
		window_add(&w, noon + hour * 3600L, 10);
	assert_int_equal(window_used(&w, noon + 10 * 3600L), 100);
	int64_t open = window_open_at(&w, noon + 10 * 3600L);
	assert_in_range(open, noon + day, noon + day + window_slot_seconds(&w));
	assert_int_equal(window_used(&w, open), 90);
	assert_int_equal(window_open_at(&w, open), open);
}

static void test_no_window_ever_holds_more_than_its_limit(void **state)
{
	struct window w = {0};
	static int64_t at[5000];
	int n = 0;

	(void)state;
	window_set(&w, 50, 3600);
	for (int64_t now = 1000000; now < 1000000 + 20 * 3600 && n < 5000; now += 7) {
		if (window_open_at(&w, now) > now)
			continue;
		window_add(&w, now, 1);
		at[n++] = now;
	}
	for (int i = 50; i < n; i++)
		assert_true(at[i] - at[i - 50] >= 3600);
	/* … and nearly as many as it may: the loss is one slot in each round. */
	assert_in_range(n, 50 * 20 * 95 / 100, 50 * 21);
}

/* A machine that starts with a wrong clock may have sent a lot in a year to come. */
static void test_a_clock_that_was_set_back_closes_no_window(void **state)
{
	struct window w = {0};
	const int64_t now = 1790000000, year = 365L * 86400;

	(void)state;
	window_set(&w, 10, 86400);
	window_add(&w, now + year, 10);
	assert_true(window_open_at(&w, now + year) > now + year);
	assert_int_equal(window_open_at(&w, now), now);
	for (int64_t at = now; at < now + 86400; at += 600)
		window_add(&w, at, 1);
	assert_int_equal(window_used(&w, now + 86399), 144);
}

static void test_what_was_counted_before_a_restart_counts(void **state)
{
	struct window w = {0};

	(void)state;
	window_set(&w, 10, 86400);
	window_add(&w, 1000000000 - 3600, 4);
	window_add(&w, 1000000000 - 80000, 5);
	window_add(&w, 1000000000 - 200000, 100); /* long gone */
	assert_int_equal(window_used(&w, 1000000000), 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_rate_is_kept_to_two_percent_whatever_the_callers_rhythm),
		cmocka_unit_test(test_a_pause_is_not_made_up_for_by_a_burst),
		cmocka_unit_test(test_no_limit_never_waits),
		cmocka_unit_test(
			test_a_window_closes_when_it_is_full_and_opens_as_the_past_leaves_it),
		cmocka_unit_test(test_no_window_ever_holds_more_than_its_limit),
		cmocka_unit_test(test_a_clock_that_was_set_back_closes_no_window),
		cmocka_unit_test(test_what_was_counted_before_a_restart_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
