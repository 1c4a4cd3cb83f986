#include "../../daemon/compose/rfc2045.h"
#include "compose_helper.h"

static char *encode(const char *s)
{
	struct buf out = {0};
	size_t column = 0;
	qp_encode(&out, &column, s, strlen(s));
	return buf_take(&out);
}

static char *decode(const char *s)
{
	struct buf out = {0};
	qp_decode(&out, s, strlen(s));
	return buf_take(&out);
}

#define assert_result(call, expected)                                                              \
	do {                                                                                       \
		char *result = (call);                                                             \
		assert_string_equal(result, expected);                                             \
		free(result);                                                                      \
	} while (0)

static void test_plain_text_stays_readable(void **state)
{
	(void)state;
	assert_result(encode("Hello, world!\n"), "Hello, world!\r\n");
	assert_result(encode("a\r\nb\rc"), "a\r\nb=0Dc");
	assert_result(encode("1+1=2"), "1+1=3D2");
	assert_result(encode("中\n"), "=E4=B8=AD\r\n");
}

static void test_no_blank_is_left_that_the_way_could_change(void **state)
{
	(void)state;
	assert_result(encode("-- \nx"), "--=20\r\nx");
	assert_result(encode("a  b"), "a =20b");
	assert_result(encode("a\tb"), "a=09b");
	assert_result(encode("end "), "end=20");
}

static void test_no_line_begins_like_a_dot_or_an_mbox(void **state)
{
	(void)state;
	assert_result(encode(".\nFrom here\nFromage\n"), "=2E\r\n=46rom here\r\nFromage\r\n");
}

static void test_lines_are_short_characters_whole_and_the_text_comes_back(void **state)
{
	(void)state;
	for (size_t shift = 0; shift < 80; shift++) {
		struct buf text = {0};
		for (size_t i = 0; i < shift; i++)
			buf_addc(&text, 'x');
		for (int i = 0; i < 40; i++)
			buf_adds(&text, i % 3 == 0 ? "é" : i % 3 == 1 ? "量" : "🎉 =.");
		char *qp = encode(text.data);
		for (const char *line = qp; line != NULL;) {
			const char *end = strstr(line, "\r\n");
			size_t len = end != NULL ? (size_t)(end - line) : strlen(line);
			assert_true(len <= QP_LINE_MAX);
			char *copy = xstrndup(line, len - (end != NULL));
			char *part = decode(copy);
			assert_true(utf8_valid(part, strlen(part)));
			free(part);
			free(copy);
			line = end != NULL ? end + 2 : NULL;
		}
		assert_result(decode(qp), text.data);
		free(qp);
		buf_free(&text);
	}
}

static void test_a_boundary_cannot_occur(void **state)
{
	(void)state;
	assert_result(encode("--=_abc"), "--=3D_abc");
}

static void test_damaged_text_is_decoded_as_far_as_it_goes(void **state)
{
	(void)state;
	assert_result(decode("a=\r\nb=4=ZZ=4f="), "ab=4=ZZO=");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_text_stays_readable),
		cmocka_unit_test(test_no_blank_is_left_that_the_way_could_change),
		cmocka_unit_test(test_no_line_begins_like_a_dot_or_an_mbox),
		cmocka_unit_test(test_lines_are_short_characters_whole_and_the_text_comes_back),
		cmocka_unit_test(test_a_boundary_cannot_occur),
		cmocka_unit_test(test_damaged_text_is_decoded_as_far_as_it_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
