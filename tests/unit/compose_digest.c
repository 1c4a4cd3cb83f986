#include "compose_helper.h"

#define BODY_LINE_MAX 76

/* The value of the first field of that name, folds undone; the caller's. */
static char *field(const char *message, const char *name)
{
	char *start = xasprintf("\r\n%s:", name);
	char *whole = xasprintf("\r\n%s", message);
	char *end = strstr(whole, "\r\n\r\n");
	assert_non_null(end);
	end[2] = '\0';
	char *at = strstr(whole, start);
	assert_non_null(at);
	at += strlen(start);
	struct buf value = {0};
	for (; at[0] != '\r' || at[2] == ' '; at++) {
		if (at[0] != '\r' && at[0] != '\n')
			buf_addc(&value, at[0]);
	}
	free(start);
	free(whole);
	char *trimmed = xstrdup(text_trim(value.data));
	buf_free(&value);
	return trimmed;
}

#define assert_field(message, name, expected)                                                      \
	do {                                                                                       \
		char *found = field(message, name);                                                \
		assert_string_equal(found, expected);                                              \
		free(found);                                                                       \
	} while (0)

static void test_the_header_is_what_a_newsletter_should_have(void **state)
{
	(void)state;
	struct compose_options o = an_english_list();
	struct post post = an_english_post();
	struct compose_reader r = a_reader();
	char *m = message_for(&o, &post, 1, &r);
	assert_field(m, "From", "Beijing Tech <news@example.org>");
	assert_field(m, "To", "=?utf-8?B?546L5bCP5piO?= <reader@example.net>");
	assert_field(m, "Subject", "A new quantum computer hums in a basement");
	assert_field(m, "Date", "Wed, 25 Nov 2026 14:26:24 +0000");
	assert_field(m, "Message-ID", "<7.abcdefghijklmnop@example.org>");
	assert_field(m, "Reply-To", "editor@example.org");
	assert_field(m, "MIME-Version", "1.0");
	assert_field(m, "List-Id", "Beijing Tech Weekly <beijing-tech.example.org>");
	assert_field(m, "List-Unsubscribe",
		"<https://news.example.org/unsubscribe/AQGkAeTz0pM8rX-VYbq_S1uWc4k2>");
	assert_field(m, "List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
	assert_field(m, "Auto-Submitted", "auto-generated");
	assert_field(m, "Precedence", "bulk");
	assert_field(m, "Content-Language", "en");
	free(m);
}

static void test_without_a_name_the_reader_is_an_address(void **state)
{
	(void)state;
	struct compose_options o = an_english_list();
	struct post post = an_english_post();
	struct compose_reader r = a_reader();
	r.name = NULL;
	o.reply_to = NULL;
	o.from_name = NULL;
	char *m = message_for(&o, &post, 1, &r);
	assert_field(m, "To", "reader@example.net");
	assert_field(m, "From", "Beijing Tech Weekly <news@example.org>");
	assert_lacks(m, "Reply-To");
	free(m);
}

static void test_every_line_is_short_and_ends_in_crlf(void **state)
{
	(void)state;
	struct compose_options o = an_english_list();
	struct post posts[] = {an_english_post(), a_chinese_post()};
	struct compose_reader r = a_reader();
	char token[65];
	memset(token, 'T', 64);
	token[64] = '\0';
	r.token = token;
	o.full = true;
	char *m = message_for(&o, posts, 2, &r);
	bool body = false;
	for (const char *line = m; *line != '\0';) {
		const char *end = strchr(line, '\n');
		assert_non_null(end);
		assert_int_equal(end[-1], '\r');
		size_t len = (size_t)(end - line) - 1;
		assert_true(len <= (body ? BODY_LINE_MAX : 998));
		for (const char *p = line; p < end - 1; p++)
			assert_true(*p >= ' ' && *p <= '~');
		body = body || len == 0;
		line = end + 1;
	}
	free(m);
}

static void test_the_subject_counts_the_other_posts_in_the_lists_language(void **state)
{
	static const struct {
		const char *language;
		size_t n;
		const char *subject;
	} cases[] = {
		{"en", 1, "A new quantum computer hums in a basement"},
		{"en", 2, "A new quantum computer hums in a basement (+1 more)"},
		{"en", 3, "A new quantum computer hums in a basement (+2 more)"},
		{"de-CH", 3, "A new quantum computer hums in a basement (+2 weitere)"},
		{"fr", 2, "A new quantum computer hums in a basement (+1 autre)"},
		{"es", 3, "A new quantum computer hums in a basement (+2 más)"},
		{"zh-CN", 3, "A new quantum computer hums in a basement（另有 2 篇）"},
		{"tlh", 3, "A new quantum computer hums in a basement (+2 more)"},
	};
	(void)state;
	struct post posts[] = {an_english_post(), an_english_post(), an_english_post()};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct compose_options o = an_english_list();
		o.language = cases[i].language;
		struct compose_plan *p = compose(&o, posts, cases[i].n);
		assert_string_equal(compose_plan_subject(p), cases[i].subject);
		compose_plan_free(p);
	}
}

static void test_a_long_subject_is_cut_between_words(void **state)
{
	(void)state;
	struct compose_options o = an_english_list();
	struct post post = an_english_post();
	char title[2000] = "";
	for (int i = 0; i < 150; i++)
		snprintf(title + strlen(title), sizeof(title) - strlen(title), "wordy%d ", i);
	post.title = title;
	struct compose_plan *p = compose(&o, &post, 1);
	const char *subject = compose_plan_subject(p);
	assert_true(strlen(subject) <= 150);
	assert_true(text_ends(subject, "…"));
	compose_plan_free(p);
	o.subject = "My own";
	p = compose(&o, &post, 1);
	assert_string_equal(compose_plan_subject(p), "My own");
	compose_plan_free(p);
}

static void test_no_title_can_add_a_header(void **state)
{
	(void)state;
	struct compose_options o = an_english_list();
	struct post post = an_english_post();
	struct compose_reader r = a_reader();
	post.title = S("Title\r\nX-Evil: 1\r\n\r\nbody");
	o.list_title = "List\r\nX-Evil: 2";
	o.from_name = "From\nX-Evil: 3";
	o.language = "en\r\nX-Evil: 4";
	o.web_url = "https://news.example.org/\r\nX-Evil: 5";
	r.name = "Reader\r\nX-Evil: 6";
	r.token = "abc\r\nX-Evil: 7";
	r.message_id = "1@example.org>\r\nX-Evil: 8";
	char *m = message_for(&o, &post, 1, &r);
	*strstr(m, "\r\n\r\n") = '\0';
	assert_lacks(m, "\nX-Evil");
	free(m);
}

static void test_both_parts_show_the_posts_in_their_order(void **state)
{
	(void)state;
	struct compose_options o = an_english_list();
	struct post posts[] = {a_chinese_post(), an_english_post()};
	struct compose_reader r = a_reader();
	for (int html = 0; html < 2; html++) {
		char *part = part_for(&o, posts, 2, &r, html != 0);
		assert_contains(part, "Beijing Tech Weekly");
		assert_contains(part, "王小明");
		assert_contains(part, "24 November 2026");
		assert_contains(part, "量子计算机");
		assert_contains(part, "Read more");
		assert_contains(part, "https://example.org/2026/11/liangzi");
		assert_contains(part, "because you subscribed to Beijing Tech Weekly");
		assert_contains(part, "news@example.org");
		const char *body = strstr(part, "<body");
		body = body != NULL ? strstr(body, "<h2") : part;
		assert_true(strstr(body, "中国科学家") < strstr(body, "A new quantum"));
		free(part);
	}
}

static void test_the_readers_link_is_whole_in_both_parts_whatever_its_length(void **state)
{
	(void)state;
	struct compose_options o = an_english_list();
	struct post post = an_english_post();
	struct compose_reader r = a_reader();
	char token[65] = "";
	for (size_t len = 1; len <= 64; len += 7) {
		memset(token, 'x', len);
		token[len] = '\0';
		r.token = token;
		for (int html = 0; html < 2; html++) {
			char *part = part_for(&o, &post, 1, &r, html != 0);
			char *link = xasprintf("https://news.example.org/unsubscribe/%s%s", token,
				html ? "\"" : "\n");
			assert_contains(part, link);
			free(link);
			free(part);
		}
	}
}

static void test_what_is_in_a_title_is_escaped_in_html(void **state)
{
	(void)state;
	struct compose_options o = an_english_list();
	struct post post = an_english_post();
	struct compose_reader r = a_reader();
	post.title = S("<script>alert(\"1\")</script> & co");
	post.author = S("<b>Ann</b>");
	post.url = S("https://example.org/?a=1&b=2");
	char *part = part_for(&o, &post, 1, &r, true);
	assert_lacks(part, "<script");
	assert_lacks(part, "<b>");
	assert_contains(part, "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; co");
	assert_contains(part, "https://example.org/?a=1&amp;b=2");
	free(part);
}

static void test_an_image_is_linked_and_has_a_text(void **state)
{
	(void)state;
	struct compose_options o = an_english_list();
	struct post post = an_english_post();
	struct compose_reader r = a_reader();
	char *part = part_for(&o, &post, 1, &r, true);
	assert_contains(part, "<img src=\"https://example.org/images/quantum.jpg\" "
			      "alt=\"A new quantum computer hums in a basement\"");
	free(part);
	post.image = NULL;
	part = part_for(&o, &post, 1, &r, true);
	assert_lacks(part, "<img");
	free(part);
	post.image = S("javascript:alert(1)");
	part = part_for(&o, &post, 1, &r, true);
	assert_lacks(part, "javascript");
	free(part);
}

static void test_a_post_with_nothing_but_a_guid_is_shown(void **state)
{
	(void)state;
	struct compose_options o = an_english_list();
	struct post post = {.guid = S("1")};
	struct compose_reader r = a_reader();
	for (int html = 0; html < 2; html++) {
		char *part = part_for(&o, &post, 1, &r, html != 0);
		assert_lacks(part, "Read more");
		assert_lacks(part, "(null)");
		free(part);
	}
}

static void test_the_full_content_gets_inline_styles(void **state)
{
	(void)state;
	struct compose_options o = an_english_list();
	struct post post = an_english_post();
	struct compose_reader r = a_reader();
	o.full = true;
	post.content = S("<p>A <a href=\"https://example.org/x\">link</a></p><blockquote><p>q</p>"
			 "</blockquote><pre><code>a &lt; b</code></pre>"
			 "<img src=\"https://example.org/images/quantum.jpg\" alt=\"a > b\">");
	char *part = part_for(&o, &post, 1, &r, true);
	assert_contains(part, "<p style=\"margin:0 0 16px\">A <a style=");
	assert_contains(part, "<blockquote style=");
	assert_contains(part, "<pre style=");
	assert_contains(part, "a &lt; b</code></pre>");
	const char *image = strstr(part, "quantum.jpg");
	assert_non_null(image);
	assert_null(strstr(image + 1, "quantum.jpg")); /* not above the text as well */
	free(part);
	part = part_for(&o, &post, 1, &r, false);
	assert_contains(part, "a < b");
	free(part);
}

static void test_language_and_direction_are_said(void **state)
{
	(void)state;
	struct compose_options o = an_english_list();
	struct post post = an_english_post();
	struct compose_reader r = a_reader();
	o.language = "zh-TW";
	char *part = part_for(&o, &post, 1, &r, true);
	assert_contains(part, "<html lang=\"zh-TW\" dir=\"ltr\">");
	assert_contains(part, "閱讀全文");
	assert_contains(part, "2026年11月24日");
	free(part);
	o.language = "ar";
	part = part_for(&o, &post, 1, &r, true);
	assert_contains(part, "<html lang=\"ar\" dir=\"rtl\">");
	free(part);
	o.language = "tlh";
	part = part_for(&o, &post, 1, &r, true);
	assert_contains(part, "<html lang=\"tlh\" dir=\"ltr\">");
	assert_contains(part, "lang=\"en\" dir=\"auto\"");
	free(part);
}

static void test_dates_are_those_of_the_lists_zone(void **state)
{
	(void)state;
	struct compose_options o = an_english_list();
	struct post post = an_english_post();
	struct compose_reader r = a_reader();
	struct error e = {0};
	struct zone *zone = zone_load("Asia/Shanghai", &e);
	if (zone == NULL)
		fail_msg("%s", e.text);
	post.published_at = 1795561200; /* 2026-11-24 23:00 UTC: the 25th in Shanghai */
	char *part = part_for(&o, &post, 1, &r, false);
	assert_contains(part, "Ann Lee · 24 November 2026");
	free(part);
	o.zone = zone;
	part = part_for(&o, &post, 1, &r, false);
	assert_contains(part, "Ann Lee · 25 November 2026");
	free(part);
	zone_free(zone);
}

static void test_the_text_of_full_content_keeps_its_shape(void **state)
{
	(void)state;
	struct compose_options o = an_english_list();
	struct post post = an_english_post();
	struct compose_reader r = a_reader();
	o.full = true;
	post.content =
		S("<p>One <a href=\"https://example.org/x\">link</a></p><ul><li>an item that is "
		  "so long that it goes on, and on, and on, into the next line</li></ul>"
		  "<blockquote><p>said</p></blockquote><pre>if (x)\n    y  = 1;</pre>");
	char *part = part_for(&o, &post, 1, &r, false);
	assert_contains(part, "One link <https://example.org/x>\n\n"
			      "- an item that is so long that it goes on, and on, and on, into the "
			      "next\n  line\n\n> said\n\nif (x)\n    y  = 1;\n");
	free(part);
}

static void test_the_same_digest_is_the_same_bytes(void **state)
{
	(void)state;
	struct compose_options o = an_english_list();
	struct post post = an_english_post();
	struct compose_reader r = a_reader();
	char *one = message_for(&o, &post, 1, &r);
	char *two = message_for(&o, &post, 1, &r);
	assert_string_equal(one, two);
	free(one);
	free(two);
}

static void test_without_posts_there_is_no_digest(void **state)
{
	(void)state;
	struct compose_options o = an_english_list();
	struct error e = {0};
	assert_null(compose_digest(&o, NULL, 0, &e));
	assert_int_equal(e.code, ERROR_DATA);
}

static void test_a_digest_that_is_too_large_is_refused(void **state)
{
	(void)state;
	struct compose_options o = an_english_list();
	struct post post = an_english_post();
	struct error e = {0};
	size_t len = (size_t)6 << 20;
	char *content = xmalloc(len + 1);
	memset(content, 'x', len);
	content[len] = '\0';
	post.content = content;
	o.full = true;
	assert_null(compose_digest(&o, &post, 1, &e));
	assert_int_equal(e.code, ERROR_DATA);
	assert_contains(e.text, "choose fewer posts");
	free(content);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_header_is_what_a_newsletter_should_have),
		cmocka_unit_test(test_without_a_name_the_reader_is_an_address),
		cmocka_unit_test(test_every_line_is_short_and_ends_in_crlf),
		cmocka_unit_test(test_the_subject_counts_the_other_posts_in_the_lists_language),
		cmocka_unit_test(test_a_long_subject_is_cut_between_words),
		cmocka_unit_test(test_no_title_can_add_a_header),
		cmocka_unit_test(test_both_parts_show_the_posts_in_their_order),
		cmocka_unit_test(test_the_readers_link_is_whole_in_both_parts_whatever_its_length),
		cmocka_unit_test(test_what_is_in_a_title_is_escaped_in_html),
		cmocka_unit_test(test_an_image_is_linked_and_has_a_text),
		cmocka_unit_test(test_a_post_with_nothing_but_a_guid_is_shown),
		cmocka_unit_test(test_the_full_content_gets_inline_styles),
		cmocka_unit_test(test_language_and_direction_are_said),
		cmocka_unit_test(test_dates_are_those_of_the_lists_zone),
		cmocka_unit_test(test_the_text_of_full_content_keeps_its_shape),
		cmocka_unit_test(test_the_same_digest_is_the_same_bytes),
		cmocka_unit_test(test_without_posts_there_is_no_digest),
		cmocka_unit_test(test_a_digest_that_is_too_large_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
