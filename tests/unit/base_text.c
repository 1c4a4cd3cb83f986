/* UTF-8 and small text helpers. */
#include "hubmail/base_text.h"
#include "hubmail/base_buf.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_only_well_formed_utf8_is_valid(void **state)
{
	static const char *const good[] = {"", "a", "é", "北京", "😀", "\x7f", "\xf4\x8f\xbf\xbf"};
	static const char *const bad[] = {"\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf",
		"\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "a\xe5\x8c", "\xf8\x88\x80\x80\x80"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(utf8_valid(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(utf8_valid(bad[i], strlen(bad[i])));
	assert_false(utf8_valid("a\0b", 3));
}

static void test_malformed_bytes_are_replaced_and_the_rest_stays(void **state)
{
	char *s = utf8_clean("ab\xff"
			     "北\xe5\x8c",
		8);

	(void)state;
	assert_true(utf8_valid(s, strlen(s)));
	assert_memory_equal(s,
		"ab\xef\xbf\xbd"
		"北",
		8);
	free(s);
}

static void test_every_character_survives_coding(void **state)
{
	(void)state;
	for (uint32_t cp = 1; cp <= 0x10FFFF; cp += cp < 0x1000 ? 1 : 61) {
		char out[4];
		uint32_t back;
		if (cp >= 0xD800 && cp < 0xE000)
			continue;
		size_t n = utf8_encode(cp, out);
		assert_int_equal(utf8_decode(out, n, &back), n);
		assert_int_equal(back, cp);
		assert_true(utf8_valid(out, n));
	}
}

static void test_a_prefix_ends_between_characters(void **state)
{
	(void)state;
	assert_int_equal(utf8_prefix("北京abc", 2), 6);
	assert_int_equal(utf8_prefix("北京abc", 3), 7);
	assert_int_equal(utf8_prefix("ab", 9), 2);
	assert_int_equal(utf8_prefix("", 1), 0);
}

static void test_one_line_has_no_breaks_controls_or_margins(void **state)
{
	char *s = text_one_line("\n  A\ttitle\r\n over \x01 lines  ");

	(void)state;
	assert_string_equal(s, "A title over lines");
	free(s);
	assert_null(text_one_line(NULL));
}

static void test_a_slip_gets_a_suggestion_and_something_else_does_not(void **state)
{
	static const char *const words[] = {"schedule", "timezone", "title", "from"};

	(void)state;
	assert_string_equal(text_suggest("shedule", words, 4), "schedule");
	assert_string_equal(text_suggest("timezoen", words, 4), "timezone");
	assert_string_equal(text_suggest("titel", words, 4), "title");
	assert_null(text_suggest("database", words, 4));
	assert_null(text_suggest("x", words, 4));
}

static void test_numbers_are_whole_decimal_and_in_range(void **state)
{
	static const char *const bad[] = {
		"", "x", "1x", " 1", "1 ", "0x10", "1.5", "101", "-1", "99999999999999999999999"};
	long long n;

	(void)state;
	assert_true(text_to_int("0", 0, 100, &n));
	assert_int_equal(n, 0);
	assert_true(text_to_int("100", 0, 100, &n));
	assert_int_equal(n, 100);
	assert_true(text_to_int("-7", -10, 100, &n));
	assert_int_equal(n, -7);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(text_to_int(bad[i], 0, 100, &n));
}

static void test_a_buffer_grows_and_stays_a_string(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_string_equal(buf_str(&b), "");
	for (int i = 0; i < 1000; i++)
		buf_addf(&b, "%d,", i % 10);
	assert_int_equal(b.len, 2000);
	assert_int_equal(strlen(b.data), 2000);
	buf_truncate(&b, 4);
	buf_addc(&b, '!');
	assert_string_equal(buf_str(&b), "0,1,!");
	char *s = buf_take(&b);
	assert_int_equal(b.len, 0);
	assert_string_equal(s, "0,1,!");
	free(s);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_well_formed_utf8_is_valid),
		cmocka_unit_test(test_malformed_bytes_are_replaced_and_the_rest_stays),
		cmocka_unit_test(test_every_character_survives_coding),
		cmocka_unit_test(test_a_prefix_ends_between_characters),
		cmocka_unit_test(test_one_line_has_no_breaks_controls_or_margins),
		cmocka_unit_test(test_a_slip_gets_a_suggestion_and_something_else_does_not),
		cmocka_unit_test(test_numbers_are_whole_decimal_and_in_range),
		cmocka_unit_test(test_a_buffer_grows_and_stays_a_string),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
