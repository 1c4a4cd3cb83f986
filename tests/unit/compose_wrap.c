#include "../../daemon/compose/wrap.h"
#include "compose_helper.h"

static char *wrap(const char *s, size_t columns, size_t lead)
{
	struct buf out = {0};
	wrap_add(&out, s, strlen(s), columns, lead);
	return buf_take(&out);
}

#define assert_wrapped(s, columns, lead, expected)                                                 \
	do {                                                                                       \
		char *result = wrap(s, columns, lead);                                             \
		assert_string_equal(result, expected);                                             \
		free(result);                                                                      \
	} while (0)

static void test_lines_break_at_spaces(void **state)
{
	(void)state;
	assert_wrapped("one two three", 8, 0, "one two\nthree\n");
	assert_wrapped("one two three", 13, 0, "one two three\n");
	assert_wrapped("one   two  three", 9, 0, "one two\nthree\n");
	assert_wrapped("", 8, 0, "\n");
}

static void test_a_link_is_never_broken(void **state)
{
	(void)state;
	assert_wrapped("see https://example.org/a/long/one now", 10, 0,
		"see\nhttps://example.org/a/long/one\nnow\n");
}

static void test_wide_characters_count_twice_and_break_anywhere(void **state)
{
	(void)state;
	assert_wrapped("中国科学家研制", 8, 0, "中国科学\n家研制\n");
	assert_int_equal(text_width("中国", strlen("中国")), 4);
	assert_int_equal(text_width("e\xcc\x81", 3), 1);
}

static void test_no_line_begins_with_a_closing_mark_or_ends_in_an_opening_one(void **state)
{
	(void)state;
	assert_wrapped("中国科学，家", 8, 0, "中国科\n学，家\n");
	assert_wrapped("中国科「学家」", 8, 0, "中国科\n「学家」\n");
}

static void test_a_line_that_fits_stays_as_it_is(void **state)
{
	(void)state;
	assert_wrapped("  int   x;  ", 12, 0, "  int   x;  \n");
}

static void test_items_hang_and_quotes_go_on(void **state)
{
	(void)state;
	assert_wrapped("> one two three", 9, 2, "> one two\n> three\n");
	assert_wrapped("  - one two three", 11, 4, "  - one two\n    three\n");
	assert_wrapped("- one two three", 9, 2, "- one two\n  three\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_break_at_spaces),
		cmocka_unit_test(test_a_link_is_never_broken),
		cmocka_unit_test(test_wide_characters_count_twice_and_break_anywhere),
		cmocka_unit_test(test_no_line_begins_with_a_closing_mark_or_ends_in_an_opening_one),
		cmocka_unit_test(test_a_line_that_fits_stays_as_it_is),
		cmocka_unit_test(test_items_hang_and_quotes_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
