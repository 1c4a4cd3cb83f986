#include "../../daemon/compose/rfc2047.h"
#include "../../daemon/compose/rfc5322.h"
#include "compose_helper.h"
#include "hubmail/base_crypto.h"

static char *text(const char *s)
{
	struct buf out = {0};
	header_text(&out, "Subject", s);
	return buf_take(&out);
}

static char *mailbox(const char *name, const char *address)
{
	struct buf out = {0};
	header_mailbox(&out, "To", name, address);
	return buf_take(&out);
}

#define assert_result(call, expected)                                                              \
	do {                                                                                       \
		char *result = (call);                                                             \
		assert_string_equal(result, expected);                                             \
		free(result);                                                                      \
	} while (0)

static void test_plain_text_stays_as_it_is(void **state)
{
	(void)state;
	assert_result(text("A plain title"), "Subject: A plain title\r\n");
	assert_result(text(""), "Subject:\r\n");
}

static void test_only_the_words_that_need_it_are_encoded(void **state)
{
	(void)state;
	assert_result(text("News from Zürich today"),
		"Subject: News from =?utf-8?Q?Z=C3=BCrich?= today\r\n");
	assert_result(text("Ä b Ö c"), "Subject: =?utf-8?Q?=C3=84_b_=C3=96?= c\r\n");
	assert_result(text("量子"), "Subject: =?utf-8?B?6YeP5a2Q?=\r\n");
}

static void test_what_looks_like_an_encoded_word_is_encoded(void **state)
{
	(void)state;
	assert_result(text("=?utf-8?Q?x?="), "Subject: =?utf-8?Q?=3D=3Futf-8=3FQ=3Fx=3F=3D?=\r\n");
}

static void test_a_line_end_in_a_title_injects_nothing(void **state)
{
	(void)state;
	assert_result(text("Title\r\nBcc: victim@example.org"),
		"Subject: Title Bcc: victim@example.org\r\n");
	assert_result(text("a\tb\x7f\x01\xe2\x80\xa8 c "), "Subject: a b c\r\n");
	assert_result(mailbox("Eve\r\nBcc: x", "e\r\nve<>@example.org"),
		"To: \"Eve Bcc: x\" <eve@example.org>\r\n");
}

static void test_a_malformed_byte_becomes_the_replacement_character(void **state)
{
	(void)state;
	assert_result(text("caf\xe9!"), "Subject: =?utf-8?Q?caf=EF=BF=BD!?=\r\n");
}

static void test_names_are_atoms_a_quoted_string_or_encoded(void **state)
{
	(void)state;
	assert_result(mailbox("Ann Lee", "a@example.org"), "To: Ann Lee <a@example.org>\r\n");
	assert_result(mailbox("Lee, \"Ann\" J.", "a@example.org"),
		"To: \"Lee, \\\"Ann\\\" J.\" <a@example.org>\r\n");
	assert_result(mailbox("Jörg Müller, Dr.", "a@example.org"),
		"To: =?utf-8?Q?J=C3=B6rg_M=C3=BCller=2C_Dr=2E?= <a@example.org>\r\n");
	assert_result(mailbox("=?utf-8?Q?x?=", "a@example.org"),
		"To: =?utf-8?Q?=3D=3Futf-8=3FQ=3Fx=3F=3D?= <a@example.org>\r\n");
	assert_result(mailbox(NULL, "a@example.org"), "To: a@example.org\r\n");
	assert_result(mailbox(" \r\n", "a@example.org"), "To: a@example.org\r\n");
}

/* Every line at most 76, every encoded word at most 75 and whole characters in each. */
static void check_folding(const char *field)
{
	for (const char *line = field; *line != '\0';) {
		const char *end = strstr(line, "\r\n");
		assert_non_null(end);
		assert_true(end - line <= HEADER_LINE_MAX);
		assert_true(line == field || *line == ' ');
		line = end + 2;
	}
}

static void test_long_titles_are_folded_and_no_character_is_split(void **state)
{
	(void)state;
	/* The prefix moves the place where the line ends through all places in a character. */
	for (size_t shift = 0; shift < 20; shift++) {
		struct buf title = {0};
		for (size_t i = 0; i < shift; i++)
			buf_addc(&title, 'x');
		for (int i = 0; i < 60; i++)
			buf_adds(&title, i % 7 == 3 ? "🎉" : "量");
		char *field = text(title.data);
		check_folding(field);
		struct buf joined = {0};
		for (const char *w = strstr(field, "=?"); w != NULL;
			w = strstr(w + 2, "=?utf-8?")) {
			const char *data = w + strlen("=?utf-8?B?");
			size_t len = strcspn(data, "?");
			unsigned char raw[64];
			char url[80] = "";
			assert_true(len <= 63);
			memcpy(url, data, len);
			for (char *p = url; *p != '\0'; p++)
				*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
			long n = base64url_decode(url, strcspn(url, "="), raw, sizeof(raw));
			assert_true(n > 0);
			assert_true(utf8_valid((char *)raw, (size_t)n));
			buf_add(&joined, raw, (size_t)n);
		}
		assert_string_equal(joined.data, title.data);
		buf_free(&joined);
		buf_free(&title);
		free(field);
	}
}

static void test_long_plain_titles_are_folded_at_spaces(void **state)
{
	(void)state;
	char *field = text("one two three four five six seven eight nine ten eleven twelve "
			   "thirteen fourteen fifteen sixteen");
	check_folding(field);
	assert_non_null(strstr(field, "\r\n "));
	free(field);
}

static void test_a_word_of_a_thousand_letters_is_folded_too(void **state)
{
	(void)state;
	char word[1001];
	memset(word, 'w', 1000);
	word[1000] = '\0';
	char *field = text(word);
	check_folding(field);
	free(field);
	field = mailbox(word, "a@example.org");
	check_folding(field);
	free(field);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_text_stays_as_it_is),
		cmocka_unit_test(test_only_the_words_that_need_it_are_encoded),
		cmocka_unit_test(test_what_looks_like_an_encoded_word_is_encoded),
		cmocka_unit_test(test_a_line_end_in_a_title_injects_nothing),
		cmocka_unit_test(test_a_malformed_byte_becomes_the_replacement_character),
		cmocka_unit_test(test_names_are_atoms_a_quoted_string_or_encoded),
		cmocka_unit_test(test_long_titles_are_folded_and_no_character_is_split),
		cmocka_unit_test(test_long_plain_titles_are_folded_at_spaces),
		cmocka_unit_test(test_a_word_of_a_thousand_letters_is_folded_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
