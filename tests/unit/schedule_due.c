#include "hubmail/schedule.h"

#include "../../daemon/schedule/due.h"
#include "hubmail/base_clock.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "oracle.h"

#define DAY INT64_C(86400)

static int64_t moment(const char *iso)
{
	int64_t at = 0;

	if (!clock_parse_iso(iso, &at))
		fail_msg("%s is no time", iso);
	return at;
}

static void expect_next(
	const struct config_schedule *when, const char *zone, const char *after, const char *next)
{
	char got[32];

	clock_rfc3339(schedule_next_due(when, zone, moment(after)), got);
	assert_string_equal(got, next);
}

static void test_each_and_manual_never_fall_due(void **state)
{
	struct config_schedule each = {.edition = EDITION_EACH},
			       manual = {.edition = EDITION_MANUAL};

	(void)state;
	assert_int_equal(schedule_next_due(&each, "UTC", 1790000000), 0);
	assert_int_equal(schedule_next_due(&manual, "UTC", 1790000000), 0);
}

static void test_daily_at_an_hour_of_the_zone(void **state)
{
	struct config_schedule when = {.edition = EDITION_DAILY, .at = 8 * 60};

	(void)state;
	expect_next(&when, "Asia/Shanghai", "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z");
	expect_next(&when, "Asia/Shanghai", "2026-11-23T23:59:59Z", "2026-11-24T00:00:00Z");
}

static void test_daily_keeps_its_hour_when_clocks_change(void **state)
{
	struct config_schedule when = {.edition = EDITION_DAILY, .at = 8 * 60};

	(void)state;
	expect_next(&when, "Europe/Berlin", "2019-03-30T07:00:00Z", "2019-03-31T06:00:00Z");
	expect_next(&when, "Europe/Berlin", "2019-10-26T06:00:00Z", "2019-10-27T07:00:00Z");
}

static void test_a_skipped_hour_is_due_right_after_the_gap_and_once(void **state)
{
	struct config_schedule when = {.edition = EDITION_DAILY, .at = 2 * 60 + 30};

	(void)state;
	expect_next(&when, "Europe/Berlin", "2019-03-30T01:30:00Z", "2019-03-31T01:00:00Z");
	expect_next(&when, "Europe/Berlin", "2019-03-31T01:00:00Z", "2019-04-01T00:30:00Z");
}

static void test_an_hour_that_comes_twice_is_due_once(void **state)
{
	struct config_schedule when = {.edition = EDITION_DAILY, .at = 2 * 60 + 30};

	(void)state;
	expect_next(&when, "Europe/Berlin", "2019-10-26T00:30:00Z", "2019-10-27T00:30:00Z");
	expect_next(&when, "Europe/Berlin", "2019-10-27T00:30:00Z", "2019-10-28T01:30:00Z");
}

static void test_weekly_is_on_its_day_of_the_zones_calendar(void **state)
{
	struct config_schedule when = {
		.edition = EDITION_WEEKLY, .at = 60, .weekday = 1 /* Monday */};

	(void)state;
	/* Monday 01:00 in Shanghai is Sunday 17:00 in UTC. */
	expect_next(&when, "Asia/Shanghai", "2026-11-20T00:00:00Z", "2026-11-22T17:00:00Z");
	expect_next(&when, "Asia/Shanghai", "2026-11-22T17:00:00Z", "2026-11-29T17:00:00Z");
}

static void test_monthly_on_a_day_that_the_month_lacks_is_on_its_last(void **state)
{
	struct config_schedule when = {.edition = EDITION_MONTHLY, .at = 0, .monthday = 31};

	(void)state;
	expect_next(&when, "UTC", "2027-01-31T00:00:00Z", "2027-02-28T00:00:00Z");
	expect_next(&when, "UTC", "2028-02-01T00:00:00Z", "2028-02-29T00:00:00Z");
	expect_next(&when, "UTC", "2028-02-29T00:00:00Z", "2028-03-31T00:00:00Z");
	expect_next(&when, "UTC", "2026-12-31T00:00:00Z", "2027-01-31T00:00:00Z");
}

static void test_a_zone_that_does_not_exist_has_no_due_time(void **state)
{
	struct config_schedule when = {.edition = EDITION_DAILY};

	(void)state;
	assert_int_equal(schedule_next_due(&when, "Mars/Olympus", 1790000000), 0);
}

/* ---- Compared with Python's zoneinfo ---- */

/* "ZONE EDITION AT WEEKDAY MONTHDAY AFTER NEXT" */
static void check_case(const struct oracle *o)
{
	struct config_schedule when = {.at = (int)oracle_number(o, 2),
		.weekday = (int)oracle_number(o, 3),
		.monthday = (int)oracle_number(o, 4)};

	assert_true(edition_from_name(o->words[1], &when.edition));
	long long got = schedule_next_due(&when, o->words[0], oracle_number(o, 5));
	if (got != oracle_number(o, 6))
		fail_msg("%lld instead of %s", got, o->line);
}

static void test_due_times_agree_with_pythons_zoneinfo(void **state)
{
	struct oracle o;

	(void)state;
	oracle_ask(&o, "schedule/oracle.py");
	while (oracle_next(&o))
		check_case(&o);
	assert_true(o.n_lines > 5000);
}

/* ---- What was handled ---- */

static struct zone *utc(void)
{
	struct zone *z = zone_load("UTC", NULL);

	assert_non_null(z);
	return z;
}

static const struct config_schedule daily_at_8 = {.edition = EDITION_DAILY, .at = 8 * 60};

static void test_a_due_time_is_due_until_it_is_handled(void **state)
{
	struct zone *z = utc();
	int64_t due = moment("2026-11-24T08:00:00Z");

	(void)state;
	assert_int_equal(due_now(&daily_at_8, z, due - DAY, due - 1), 0);
	assert_int_equal(due_following(&daily_at_8, z, due - DAY, due - 1), due);
	assert_int_equal(due_now(&daily_at_8, z, due - DAY, due), due);
	assert_int_equal(due_now(&daily_at_8, z, due - DAY, due + 3600), due);
	assert_int_equal(due_now(&daily_at_8, z, due, due + 3600), 0);
	assert_int_equal(due_following(&daily_at_8, z, due, due + 3600), due + DAY);
	zone_free(z);
}

static void test_many_missed_due_times_are_made_up_for_once(void **state)
{
	struct zone *z = utc();
	int64_t due = moment("2026-11-24T08:00:00Z");

	(void)state;
	assert_int_equal(due_now(&daily_at_8, z, due - 10 * DAY, due + 60), due);
	assert_int_equal(due_now(&daily_at_8, z, due - 4000 * DAY, due + 60), due);
	zone_free(z);
}

static void test_a_clock_that_goes_back_a_little_repeats_nothing(void **state)
{
	struct zone *z = utc();
	int64_t due = moment("2026-11-24T08:00:00Z");

	(void)state;
	assert_int_equal(due_now(&daily_at_8, z, due, due - 7200), 0);
	assert_int_equal(due_following(&daily_at_8, z, due, due - 7200), due + DAY);
	assert_int_equal(due_now(&daily_at_8, z, due, due), 0);
	zone_free(z);
}

static void test_a_clock_that_was_far_ahead_loses_nothing(void **state)
{
	struct zone *z = utc();
	int64_t due = moment("2026-11-24T08:00:00Z");
	int64_t handled = due + 400 * DAY;

	(void)state;
	assert_int_equal(due_now(&daily_at_8, z, handled, due - 60), 0);
	assert_int_equal(due_following(&daily_at_8, z, handled, due - 60), due);
	zone_free(z);
}

/* ---- The editions that a list offers beside its own ---- */

static void test_offered_editions_come_at_the_lists_hour_or_at_eight(void **state)
{
	struct config_list weekly = {
		.schedule = {.edition = EDITION_WEEKLY, .at = 18 * 60 + 30, .weekday = 5}};
	struct config_list each = {.schedule = {.edition = EDITION_EACH}};

	(void)state;
	struct config_schedule when = schedule_of_edition(&weekly, EDITION_WEEKLY);
	assert_int_equal(when.weekday, 5);
	when = schedule_of_edition(&weekly, EDITION_DAILY);
	assert_int_equal(when.edition, EDITION_DAILY);
	assert_int_equal(when.at, 18 * 60 + 30);
	when = schedule_of_edition(&weekly, EDITION_MONTHLY);
	assert_int_equal(when.monthday, 1);
	assert_int_equal(when.at, 18 * 60 + 30);
	when = schedule_of_edition(&each, EDITION_WEEKLY);
	assert_int_equal(when.at, 8 * 60);
	assert_int_equal(when.weekday, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_and_manual_never_fall_due),
		cmocka_unit_test(test_daily_at_an_hour_of_the_zone),
		cmocka_unit_test(test_daily_keeps_its_hour_when_clocks_change),
		cmocka_unit_test(test_a_skipped_hour_is_due_right_after_the_gap_and_once),
		cmocka_unit_test(test_an_hour_that_comes_twice_is_due_once),
		cmocka_unit_test(test_weekly_is_on_its_day_of_the_zones_calendar),
		cmocka_unit_test(test_monthly_on_a_day_that_the_month_lacks_is_on_its_last),
		cmocka_unit_test(test_a_zone_that_does_not_exist_has_no_due_time),
		cmocka_unit_test(test_due_times_agree_with_pythons_zoneinfo),
		cmocka_unit_test(test_a_due_time_is_due_until_it_is_handled),
		cmocka_unit_test(test_many_missed_due_times_are_made_up_for_once),
		cmocka_unit_test(test_a_clock_that_goes_back_a_little_repeats_nothing),
		cmocka_unit_test(test_a_clock_that_was_far_ahead_loses_nothing),
		cmocka_unit_test(test_offered_editions_come_at_the_lists_hour_or_at_eight),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
