/* What `import` takes for a CSV file, record by record. */
#include "csv_reader.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Gives its text in small pieces, so that every line is cut somewhere. */
struct stream {
	const char *text;
	size_t len, at, piece;
	int failure; /* errno at the end instead of an end */
};

static ssize_t give(void *arg, void *out, size_t max)
{
	struct stream *s = arg;
	size_t n = s->len - s->at;

	if (n == 0 && s->failure != 0) {
		errno = s->failure;
		return -1;
	}
	n = n < s->piece ? n : s->piece;
	n = n < max ? n : max;
	memcpy(out, s->text + s->at, n);
	s->at += n;
	return (ssize_t)n;
}

#define STREAM(literal)                                                                            \
	{                                                                                          \
		.text = (literal), .len = sizeof(literal) - 1, .piece = 3                          \
	}

static void expect(struct csv_reader *c, size_t line, size_t n, const char *const *cells)
{
	struct csv_record r;

	assert_int_equal(csv_reader_next(c, &r), CSV_NEXT_RECORD);
	assert_null(r.problem);
	assert_int_equal(r.line, line);
	assert_int_equal(r.n, n);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(r.fields[i], cells[i]);
}

#define EXPECT(c, line, ...)                                                                       \
	expect(c, line, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),                    \
		(const char *const[]){__VA_ARGS__})

static void expect_bad(struct csv_reader *c, size_t line, const char *problem)
{
	struct csv_record r;

	assert_int_equal(csv_reader_next(c, &r), CSV_NEXT_RECORD);
	assert_non_null(r.problem);
	assert_non_null(strstr(r.problem, problem));
	assert_int_equal(r.line, line);
}

static void expect_end(struct csv_reader *c)
{
	struct csv_record r;

	assert_int_equal(csv_reader_next(c, &r), CSV_NEXT_END);
	assert_int_equal(csv_reader_next(c, &r), CSV_NEXT_END);
	csv_reader_free(c);
}

static void test_records_of_rfc_4180_with_their_line_numbers(void **state)
{
	(void)state;
	struct stream s = STREAM("email,name\r\nann@example.org,\"Ann, \"\"the\"\"\r\nfirst\"\r\n"
				 "\r\nbob@example.org,Bob");
	struct csv_reader *c = csv_reader_new(give, &s);

	EXPECT(c, 1, "email", "name");
	EXPECT(c, 2, "ann@example.org", "Ann, \"the\"\r\nfirst");
	EXPECT(c, 5, "bob@example.org", "Bob");
	assert_int_equal(csv_reader_delimiter(c), ',');
	assert_int_equal(csv_reader_offset(c), s.len);
	expect_end(c);
}

static void test_semicolons_and_tabs_are_found_out(void **state)
{
	(void)state;
	struct stream semicolons = STREAM("\"a,b,c\";x;y\n1;2,3;4\n");
	struct stream tabs = STREAM("a\tb\n1\t2\n");
	struct stream said = STREAM("sep=;\r\na,a;b\r\n");
	struct csv_reader *c = csv_reader_new(give, &semicolons);

	EXPECT(c, 1, "a,b,c", "x", "y");
	EXPECT(c, 2, "1", "2,3", "4");
	expect_end(c);
	c = csv_reader_new(give, &tabs);
	EXPECT(c, 1, "a", "b");
	EXPECT(c, 2, "1", "2");
	expect_end(c);
	c = csv_reader_new(give, &said);
	EXPECT(c, 2, "a,a", "b");
	expect_end(c);
}

static void test_a_byte_order_mark_is_left_out(void **state)
{
	(void)state;
	struct stream s = STREAM("\xEF\xBB\xBF"
				 "email\nx@example.org\n");
	struct csv_reader *c = csv_reader_new(give, &s);

	EXPECT(c, 1, "email");
	EXPECT(c, 2, "x@example.org");
	expect_end(c);
}

static void test_utf_16_is_told_as_such(void **state)
{
	(void)state;
	struct stream s = STREAM("\xFF\xFE"
				 "e\0m\0\n\0");
	struct csv_reader *c = csv_reader_new(give, &s);

	expect_bad(c, 1, "UTF-16");
	csv_reader_free(c);
}

static void test_lines_that_are_not_utf_8_are_read_as_windows_1252(void **state)
{
	(void)state;
	struct stream s = STREAM("M\xFCller,\x80\nZo\xC3\xAB,\xE2\x82\xAC\n");
	struct csv_reader *c = csv_reader_new(give, &s);
	struct csv_record r;

	assert_int_equal(csv_reader_next(c, &r), CSV_NEXT_RECORD);
	assert_true(r.converted);
	assert_string_equal(r.fields[0], "M\xC3\xBCller");
	assert_string_equal(r.fields[1], "\xE2\x82\xAC");
	assert_int_equal(csv_reader_next(c, &r), CSV_NEXT_RECORD);
	assert_false(r.converted);
	assert_string_equal(r.fields[0], "Zo\xC3\xAB");
	expect_end(c);
}

static void test_line_ends_of_all_kinds(void **state)
{
	(void)state;
	struct stream s = STREAM("a\rb\nc\r\n\r\n\nd");
	struct csv_reader *c = csv_reader_new(give, &s);

	EXPECT(c, 1, "a");
	EXPECT(c, 2, "b");
	EXPECT(c, 3, "c");
	EXPECT(c, 6, "d");
	expect_end(c);
}

static void test_a_quote_that_is_never_closed_costs_one_line(void **state)
{
	(void)state;
	struct stream s = STREAM("a,b\n\"oops,1\nc,d\ne,f\n");
	struct csv_reader *c = csv_reader_new(give, &s);

	EXPECT(c, 1, "a", "b");
	expect_bad(c, 2, "never closed");
	EXPECT(c, 3, "c", "d");
	EXPECT(c, 4, "e", "f");
	expect_end(c);
}

static void test_a_record_can_be_split_when_it_turns_out_to_be_none(void **state)
{
	(void)state;
	struct stream s = STREAM("\"oops,1\nc,\"d\ne\"\nf,g\n");
	struct csv_reader *c = csv_reader_new(give, &s);
	struct csv_record r;

	assert_int_equal(csv_reader_next(c, &r), CSV_NEXT_RECORD);
	assert_int_equal(r.lines, 3);
	csv_reader_split(c, &r);
	assert_int_equal(r.raw_len, strlen("\"oops,1\n"));
	EXPECT(c, 2, "c", "d\ne");
	EXPECT(c, 4, "f", "g");
	expect_end(c);
}

static void test_a_line_that_is_too_long_is_one_bad_line(void **state)
{
	(void)state;
	size_t len = (size_t)5 * CSV_RECORD_MAX;
	char *text = malloc(len + 16);
	assert_non_null(text);
	memset(text, 'x', len);
	text[1] = '\n';
	text[0] = 'a';
	snprintf(text + len, 16, "\nb,c\n");
	struct stream s = {.text = text, .len = len + 5, .piece = 10000};
	struct csv_reader *c = csv_reader_new(give, &s);

	EXPECT(c, 1, "a");
	expect_bad(c, 2, "too long");
	EXPECT(c, 3, "b", "c");
	expect_end(c);
	free(text);
}

static void test_many_open_quotes_do_not_take_quadratic_time(void **state)
{
	(void)state;
	size_t lines = 20000, bad = 0;
	char *text = malloc(2 * lines + 1);
	assert_non_null(text);
	for (size_t i = 0; i < lines; i++)
		memcpy(text + 2 * i, "\"\n", 3);
	/* An odd number of quotes in each record of 100 lines at most: pairs make records. */
	struct stream s = {.text = text, .len = 2 * lines, .piece = 4096};
	struct csv_reader *c = csv_reader_new(give, &s);
	struct csv_record r;

	while (csv_reader_next(c, &r) == CSV_NEXT_RECORD)
		bad++;
	assert_int_equal(bad, lines / 2);
	csv_reader_free(c);
	free(text);
}

static void test_a_nul_byte_is_a_bad_line(void **state)
{
	(void)state;
	struct stream s = STREAM("a,b\nc\0d,e\nf,g\n");
	struct csv_reader *c = csv_reader_new(give, &s);

	EXPECT(c, 1, "a", "b");
	expect_bad(c, 2, "NUL");
	EXPECT(c, 3, "f", "g");
	expect_end(c);
}

static void test_a_failing_stream_is_told(void **state)
{
	(void)state;
	struct stream s = STREAM("a,b\nc,");
	s.failure = EIO;
	struct csv_reader *c = csv_reader_new(give, &s);
	struct csv_record r;

	EXPECT(c, 1, "a", "b");
	assert_int_equal(csv_reader_next(c, &r), CSV_NEXT_FAILED);
	assert_int_equal(errno, EIO);
	csv_reader_free(c);
}

static void test_nothing_at_all(void **state)
{
	(void)state;
	struct stream empty = STREAM(""), blank = STREAM("\n\r\n\n");

	expect_end(csv_reader_new(give, &empty));
	expect_end(csv_reader_new(give, &blank));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records_of_rfc_4180_with_their_line_numbers),
		cmocka_unit_test(test_semicolons_and_tabs_are_found_out),
		cmocka_unit_test(test_a_byte_order_mark_is_left_out),
		cmocka_unit_test(test_utf_16_is_told_as_such),
		cmocka_unit_test(test_lines_that_are_not_utf_8_are_read_as_windows_1252),
		cmocka_unit_test(test_line_ends_of_all_kinds),
		cmocka_unit_test(test_a_quote_that_is_never_closed_costs_one_line),
		cmocka_unit_test(test_a_record_can_be_split_when_it_turns_out_to_be_none),
		cmocka_unit_test(test_a_line_that_is_too_long_is_one_bad_line),
		cmocka_unit_test(test_many_open_quotes_do_not_take_quadratic_time),
		cmocka_unit_test(test_a_nul_byte_is_a_bad_line),
		cmocka_unit_test(test_a_failing_stream_is_told),
		cmocka_unit_test(test_nothing_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
