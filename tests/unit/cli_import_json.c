/* Readers in JSON: what comes as a record, and what is broken. */
#include "hubmail/base_mem.h"
#include "import_json.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
	struct import_json *json;
	struct csv_record record;
	struct error e;
};

static int set_up(void **state)
{
	*state = xcalloc(1, sizeof(struct fixture));
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	import_json_free(f->json);
	free(f);
	return 0;
}

static bool try(struct fixture *f, const char *text)
{
	struct buf copy = {0};

	import_json_free(f->json);
	f->e = (struct error){0};
	buf_adds(&copy, text);
	f->json = import_json_new(&copy, &f->e);
	return f->json != NULL;
}

static void begin(struct fixture *f, const char *text)
{
	if (!try(f, text))
		fail_msg("%s", f->e.text);
}

static void broken(struct fixture *f, const char *says, const char *text)
{
	assert_false(try(f, text));
	assert_int_equal(f->e.code, ERROR_DATA);
	if (strstr(f->e.text, says) != f->e.text)
		fail_msg("\"%s\" does not begin with \"%s\"", f->e.text, says);
}

/* The next record has these cells, separated by bars. */
static void assert_next(struct fixture *f, size_t line, const char *expected)
{
	struct buf cells = {0};

	assert_int_equal(import_json_next(f->json, &f->record), CSV_NEXT_RECORD);
	assert_null(f->record.problem);
	for (size_t i = 0; i < f->record.n; i++)
		buf_addf(&cells, "%s%s", i > 0 ? "|" : "", f->record.fields[i]);
	assert_string_equal(buf_str(&cells), expected);
	assert_int_equal(f->record.line, line);
	buf_free(&cells);
}

static void assert_bad(struct fixture *f, size_t line, const char *raw)
{
	assert_int_equal(import_json_next(f->json, &f->record), CSV_NEXT_RECORD);
	assert_non_null(f->record.problem);
	assert_int_equal(f->record.n, 0);
	assert_int_equal(f->record.line, line);
	assert_int_equal(f->record.raw_len, strlen(raw));
	assert_memory_equal(f->record.raw, raw, strlen(raw));
}

static void assert_end(struct fixture *f)
{
	assert_int_equal(import_json_next(f->json, &f->record), CSV_NEXT_END);
	assert_true(import_json_part(f->json) == 1.0);
}

static void test_what_is_json_is_told_by_its_first_bytes(void **state)
{
	(void)state;
	assert_true(import_json_is_meant("[", 1));
	assert_true(import_json_is_meant("\xef\xbb\xbf \r\n\t[{", 9));
	assert_true(import_json_is_meant("{\"a\"", 4));
	assert_false(import_json_is_meant("email,name", 10));
	assert_false(import_json_is_meant("", 0));
	assert_false(import_json_is_meant("\0[", 2));
}

static void test_an_export_comes_line_by_line(void **state)
{
	struct fixture *f = *state;

	begin(f, "[\n  {\"email\": \"ann@example.org\", \"name\": \"Ann \\\"A\\\" \xe6\x9d\x8e\", "
		 "\"edition\": null, \"tags\": [\"a,b\", \"c\"], \"attributes\": {\"k\": 1}},\n"
		 "  {\"email\": \"bob@example.org\", \"tags\": []}\n]\n");
	assert_next(f, 1, "email|name|edition|tags|attributes");
	assert_next(f, 2, "ann@example.org|Ann \"A\" \xe6\x9d\x8e||[\"a,b\",\"c\"]|{\"k\":1}");
	assert_next(f, 3, "bob@example.org|||[]|");
	assert_end(f);
}

static void test_objects_may_have_different_names(void **state)
{
	struct fixture *f = *state;

	begin(f, "\xef\xbb\xbf[{\"a\":1.5},{\"b\":true}\n,\n{\"c\":\"x\",\"a\":-7}]");
	assert_next(f, 1, "a|b|c");
	assert_next(f, 1, "1.5||");
	assert_next(f, 1, "|true|");
	assert_next(f, 3, "-7||x");
	assert_end(f);
}

static void test_nobody_in_it_is_a_list_of_nobody(void **state)
{
	struct fixture *f = *state;

	begin(f, "[\n]\n");
	assert_next(f, 1, "email|list");
	assert_end(f);
	begin(f, " [ { } ] ");
	assert_next(f, 1, "email|list");
	assert_next(f, 1, "|");
	assert_end(f);
}

static void test_what_is_no_object_is_a_bad_line_and_the_rest_is_read(void **state)
{
	struct fixture *f = *state;

	begin(f, "[12, \"x\",\n[1,2],null,\n{\"email\":\"e\"}]");
	assert_next(f, 1, "email");
	assert_bad(f, 1, "12");
	assert_bad(f, 1, "\"x\"");
	assert_bad(f, 2, "[1,2]");
	assert_bad(f, 2, "null");
	assert_next(f, 3, "e");
	assert_end(f);
}

static void test_an_object_that_is_too_long_is_a_bad_line(void **state)
{
	struct fixture *f = *state;
	char *x = xmalloc(CSV_RECORD_MAX + 1);

	memset(x, 'x', CSV_RECORD_MAX);
	x[CSV_RECORD_MAX] = '\0';
	char *text = xasprintf("[{\"email\":\"e\"},{\"long\":\"%s\"},{\"email\":\"f\"}]", x);
	begin(f, text);
	assert_next(f, 1, "email");
	assert_next(f, 1, "e");
	assert_int_equal(import_json_next(f->json, &f->record), CSV_NEXT_RECORD);
	assert_non_null(f->record.problem);
	assert_next(f, 1, "f");
	assert_end(f);
	free(text);
	free(x);
}

static void test_what_is_broken_is_told_with_its_line_before_anything_is_given(void **state)
{
	struct fixture *f = *state;

	broken(f, "1: an array of readers", "{\"email\":\"e\"}");
	broken(f, "3: the JSON is broken", "[{\"email\":\"e\"},\n{\n\"email\"}]");
	broken(f, "2: the JSON is broken: a comma or ]", "[{\"email\":\"e\"}\n{\"email\":\"f\"}]");
	broken(f, "1: the JSON is broken: a comma or ]", "[{\"email\":\"e\"}");
	broken(f, "1: the JSON is broken", "[{\"email\":\"e\"},]");
	broken(f, "1: the JSON is broken", "[,{\"email\":\"e\"}]");
	broken(f, "1: the JSON is broken: something follows", "[]x");
	broken(f, "1: the JSON is broken", "[");
	broken(f, "1: the JSON is broken", "[\"\xff\"]");
}

static void test_depth_and_names_are_bounded(void **state)
{
	struct fixture *f = *state;
	struct buf text = {0};

	for (int i = 0; i < 100000; i++)
		buf_addc(&text, '[');
	broken(f, "1: the JSON is broken", buf_str(&text));
	buf_truncate(&text, 0);
	for (int i = 0; i <= IMPORT_JSON_NAMES_MAX; i++)
		buf_addf(&text, "%s\n{\"n%d\":1}", i == 0 ? "[" : ",", i);
	buf_addc(&text, ']');
	broken(f, "202: the objects have more than 200 different names", buf_str(&text));
	buf_free(&text);
}

static void assert_rejected(struct fixture *f, const char *expected)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	import_json_reject(out, &f->record, "why \"so\"");
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void test_a_bad_line_is_kept_with_its_reason(void **state)
{
	struct fixture *f = *state;

	begin(f, "[\n{\"email\":\"no\",\"line\":9},\n5]");
	assert_next(f, 1, "email|line");
	assert_next(f, 2, "no|9");
	assert_rejected(f, "{\"line\":2,\"reason\":\"why \\\"so\\\"\",\"email\":\"no\"}");
	assert_bad(f, 3, "5");
	assert_rejected(f, "{\"line\":3,\"reason\":\"why \\\"so\\\"\",\"value\":5}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_json_is_told_by_its_first_bytes),
		TEST(test_an_export_comes_line_by_line),
		TEST(test_objects_may_have_different_names),
		TEST(test_nobody_in_it_is_a_list_of_nobody),
		TEST(test_what_is_no_object_is_a_bad_line_and_the_rest_is_read),
		TEST(test_an_object_that_is_too_long_is_a_bad_line),
		TEST(test_what_is_broken_is_told_with_its_line_before_anything_is_given),
		TEST(test_depth_and_names_are_bounded),
		TEST(test_a_bad_line_is_kept_with_its_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
