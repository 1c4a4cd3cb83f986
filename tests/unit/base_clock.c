/* Dates in and out. */
#include "hubmail/base_clock.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

struct reading {
	const char *text;
	int64_t at; /* -1: refused */
};

static void test_iso_dates_are_read(void **state)
{
	static const struct reading r[] = {
		{"1970-01-01", 0},
		{"2026-11-24T14:26:24Z", 1795530384},
		{"2026-11-24T22:26:24+08:00", 1795530384},
		{"2026-11-24 14:26:24.123 +0000", 1795530384},
		{"2026-11-24T14:26", 1795530360},
		{"2024-02-29", 1709164800},
		{"2023-02-29", -1},
		{"2026-13-01", -1},
		{"2026-00-10", -1},
		{"2026-11-24T25:00", -1},
		{"2026-11-24Tnoon", -1},
		{"24.11.2026", -1},
		{"", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(r) / sizeof(r[0]); i++) {
		int64_t at = -2;
		assert_int_equal(clock_parse_iso(r[i].text, &at), r[i].at >= 0);
		if (r[i].at >= 0)
			assert_int_equal(at, r[i].at);
	}
}

static void test_mail_dates_are_read(void **state)
{
	static const struct reading r[] = {
		{"Tue, 24 Nov 2026 14:26:24 +0000", 1795530384},
		{"24 Nov 2026 14:26:24 GMT", 1795530384},
		{"Tue, 24 Nov 2026 22:26:24 +0800", 1795530384},
		{"Tue, 24 Nov 26 09:26:24 EST", 1795530384},
		{"Tue, 24 Nov 2026 14:26 UT", 1795530360},
		{"Tue, 31 Feb 2026 14:26:24 +0000", -1},
		{"yesterday", -1},
		{"", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(r) / sizeof(r[0]); i++) {
		int64_t at = -2;
		assert_int_equal(clock_parse_rfc5322(r[i].text, &at), r[i].at >= 0);
		if (r[i].at >= 0)
			assert_int_equal(at, r[i].at);
	}
}

static void test_what_is_written_is_read_back(void **state)
{
	(void)state;
	for (int64_t at = 0; at < 4102444800; at += 86400 * 37 + 3601) {
		char text[40], iso[32];
		int64_t back;
		clock_rfc5322(at, text);
		assert_true(clock_parse_rfc5322(text, &back));
		assert_int_equal(back, at);
		clock_rfc3339(at, iso);
		assert_true(clock_parse_iso(iso, &back));
		assert_int_equal(back, at);
	}
}

static void test_the_calendar_agrees_with_the_c_library(void **state)
{
	(void)state;
	for (int64_t at = -2000000000; at < 4000000000; at += 12345678) {
		int year, month, day, hour, minute, second, weekday;
		time_t t = (time_t)at;
		struct tm tm;
		gmtime_r(&t, &tm);
		clock_civil(at, &year, &month, &day, &hour, &minute, &second, &weekday);
		assert_int_equal(year, tm.tm_year + 1900);
		assert_int_equal(month, tm.tm_mon + 1);
		assert_int_equal(day, tm.tm_mday);
		assert_int_equal(hour * 3600 + minute * 60 + second,
			tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec);
		assert_int_equal(weekday, tm.tm_wday);
		assert_int_equal(
			clock_days(year, month, day) * 86400 + hour * 3600L + minute * 60L + second,
			at);
	}
}

static void test_durations_have_units(void **state)
{
	static const struct reading r[] = {{"90", 90}, {"90s", 90}, {"5m", 300}, {"2h", 7200},
		{"1d", 86400}, {"1w", 604800}, {"0", 0}, {"-1", -1}, {"5x", -1}, {"m", -1},
		{"", -1}, {"99999999999999999999d", -1}, {"5 m m", -1}};

	(void)state;
	for (size_t i = 0; i < sizeof(r) / sizeof(r[0]); i++) {
		int64_t s = -2;
		assert_int_equal(clock_parse_duration(r[i].text, &s), r[i].at >= 0);
		if (r[i].at >= 0)
			assert_int_equal(s, r[i].at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_iso_dates_are_read),
		cmocka_unit_test(test_mail_dates_are_read),
		cmocka_unit_test(test_what_is_written_is_read_back),
		cmocka_unit_test(test_the_calendar_agrees_with_the_c_library),
		cmocka_unit_test(test_durations_have_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
