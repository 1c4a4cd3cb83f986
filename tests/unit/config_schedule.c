/* The schedule grammar. */
#include "config_helper.h"

static struct config_schedule parse(const char *text)
{
	struct config_schedule s;
	struct error e = {0};

	if (!config_parse_schedule(text, &s, &e))
		fail_msg("%s", e.text);
	return s;
}

static void test_each_and_manual_stand_alone(void **state)
{
	(void)state;
	assert_int_equal(parse("each").edition, EDITION_EACH);
	assert_int_equal(parse("manual").edition, EDITION_MANUAL);
}

static void test_daily_has_a_time(void **state)
{
	(void)state;
	assert_int_equal(parse("daily 08:05").edition, EDITION_DAILY);
	assert_int_equal(parse("daily 08:05").at, 8 * 60 + 5);
	assert_int_equal(parse("daily 8:05").at, 8 * 60 + 5);
	assert_int_equal(parse("daily 00:00").at, 0);
	assert_int_equal(parse("daily 23:59").at, 23 * 60 + 59);
}

static void test_weekly_has_a_day_and_a_time(void **state)
{
	(void)state;
	static const char days[] = "sun mon tue wed thu fri sat";

	for (int i = 0; i < 7; i++) {
		char *text = xasprintf("weekly %.3s 18:30", days + (ptrdiff_t)i * 4);
		struct config_schedule s = parse(text);
		assert_int_equal(s.edition, EDITION_WEEKLY);
		assert_int_equal(s.weekday, i);
		assert_int_equal(s.at, 18 * 60 + 30);
		free(text);
	}
}

static void test_a_day_may_be_written_out_and_in_capitals(void **state)
{
	(void)state;
	assert_int_equal(parse("Weekly Wednesday 08:00").weekday, 3);
	assert_int_equal(parse("weekly SAT 08:00").weekday, 6);
}

static void test_monthly_has_a_day_of_the_month_and_a_time(void **state)
{
	(void)state;
	assert_int_equal(parse("monthly 31 07:00").edition, EDITION_MONTHLY);
	assert_int_equal(parse("monthly 31 07:00").monthday, 31);
	assert_int_equal(parse("monthly 01 07:00").monthday, 1);
	assert_int_equal(parse("monthly 31 07:00").at, 7 * 60);
}

static void test_further_spaces_do_not_matter(void **state)
{
	(void)state;
	assert_int_equal(parse("  weekly  mon\t08:00 ").at, 8 * 60);
}

static void test_what_is_wrong_is_named(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{"weekly moon 08:00",
			"\"weekly moon 08:00\" has no day \"moon\" (mon tue wed thu fri sat sun)"},
		{"weekly mo 08:00",
			"\"weekly mo 08:00\" has no day \"mo\" (mon tue wed thu fri sat sun)"},
		{"monthly 32 08:00", "\"monthly 32 08:00\" has no day \"32\" (1 to 31)"},
		{"monthly 0 08:00", "\"monthly 0 08:00\" has no day \"0\" (1 to 31)"},
		{"daily 24:00", "\"daily 24:00\" has no time \"24:00\" (00:00 to 23:59)"},
		{"daily 08:60", "\"daily 08:60\" has no time \"08:60\" (00:00 to 23:59)"},
		{"daily 8am", "\"daily 8am\" has no time \"8am\" (00:00 to 23:59)"},
		{"daily 08:000", "\"daily 08:000\" has no time \"08:000\" (00:00 to 23:59)"},
		{"daily", "\"daily\" has too few words: write it like \"daily 08:00\""},
		{"each 08:00", "\"each 08:00\" has too many words: write it like \"each\""},
		{"weekly mon 08:00 sharp",
			"\"weekly mon 08:00 sharp\" has too many words: write it like \"weekly mon "
			"08:00\""},
		{"weekyl mon 08:00",
			"\"weekyl mon 08:00\" is no schedule: did you mean \"weekly\"?"},
		{"hourly", "\"hourly\" is no schedule: write \"each\", \"daily HH:MM\", \"weekly "
			   "DAY HH:MM\", \"monthly D HH:MM\" or \"manual\""},
		{"", "\"\" is no schedule: write \"each\", \"daily HH:MM\", \"weekly DAY HH:MM\", "
		     "\"monthly D HH:MM\" or \"manual\""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config_schedule s;
		struct error e = {0};
		assert_false(config_parse_schedule(cases[i][0], &s, &e));
		assert_int_equal(e.code, ERROR_CONFIG);
		assert_string_equal(e.text, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_and_manual_stand_alone),
		cmocka_unit_test(test_daily_has_a_time),
		cmocka_unit_test(test_weekly_has_a_day_and_a_time),
		cmocka_unit_test(test_a_day_may_be_written_out_and_in_capitals),
		cmocka_unit_test(test_monthly_has_a_day_of_the_month_and_a_time),
		cmocka_unit_test(test_further_spaces_do_not_matter),
		cmocka_unit_test(test_what_is_wrong_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
