#include "hubmail/source_file.h"
#include "hubmail/base_permalink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE "https://blog.example/posts/"
#define MODIFIED 1795500000

struct fixture {
	struct post post;
	bool draft;
	struct error e;
};

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	post_free(&f->post);
	free(f);
	return 0;
}

static bool try_parse(
	struct fixture *f, const char *path, const char *data, size_t len, const char *base)
{
	struct source_file file = {
		.path = path, .data = data, .len = len, .base_url = base, .modified_at = MODIFIED};
	post_free(&f->post);
	f->e = (struct error){0};
	return source_file_parse(&file, &f->post, &f->draft, &f->e);
}

static const struct post *parse(struct fixture *f, const char *path, const char *data)
{
	if (!try_parse(f, path, data, strlen(data), BASE))
		fail_msg("%s", f->e.text);
	return &f->post;
}

static void fails(struct fixture *f, const char *data, const char *text)
{
	assert_false(try_parse(f, "a.md", data, strlen(data), BASE));
	assert_int_equal(f->e.code, ERROR_DATA);
	assert_string_equal(f->e.text, text);
	assert_null(f->post.guid);
}

static void test_a_pattern_is_checked_before_it_is_used(void **state)
{
	(void)state;
	static const char *const good[] = {"/:year/:month/:slug/", ":categories/:title.html",
		"/:sections/:slugorfilename/", "/blog/:filename", "pretty", "date", "none"};
	static const struct {
		const char *pattern, *why;
	} bad[] = {
		{"/:year/:month/", "gives all posts the same address"},
		{"/{{ page.fileSlug }}/", "gives all posts the same address"},
		{"plain", "gives all posts the same address"},
		{"/:slug/:nothing/", "has a \":nothing\", which is not known"},
		{"/:slugslugslugslugslugslugslugslugslugslug/", "which is not known"},
		{"https://example.org/:slug/", "names a host"},
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct error e = {0};
		if (!permalink_check(good[i], &e))
			fail_msg("%s %s", good[i], e.text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct error e = {0};
		assert_false(permalink_check(bad[i].pattern, &e));
		assert_int_equal(e.code, ERROR_DATA);
		if (strstr(e.text, bad[i].why) == NULL)
			fail_msg("%s %s", bad[i].pattern, e.text);
	}
}

static void test_names_tell_what_is_a_post(void **state)
{
	(void)state;
	assert_true(source_file_is_post("hello.md"));
	assert_true(source_file_is_post("2026/hello.markdown"));
	assert_true(source_file_is_post("a.b/x.HTML"));
	assert_true(source_file_is_post("index.htm"));
	static const char *const others[] = {".hello.md", "hello.md~", "#hello.md#", "hello.txt",
		"_index.md", "2026/_index.html", "md", ".md", "hello.md.swp", "hello.md.bak",
		"hello"};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(source_file_is_post(others[i]));
}

static void test_front_matter_and_markdown_become_a_post(void **state)
{
	const struct post *p = parse(*state, "2026/hello.md",
		"---\ntitle: \"北京 & beyond\"\ndate: 2026-11-24T14:26:24+08:00\nauthor: 李娜\n"
		"summary: One < two\nimage: cover.jpg\ncategories: [Tech, City]\ntags:\n  - Tech\n  - 2026\n"
		"draft: false\nunknown: {a: [1, 2]}\n---\n# Head\n\nText with *stress* and [link](../x/).\n");
	assert_string_equal(p->guid, "2026/hello.md");
	assert_string_equal(p->url, BASE "2026/hello/");
	assert_string_equal(p->title, "北京 & beyond");
	assert_string_equal(p->author, "李娜");
	assert_string_equal(p->summary, "One &lt; two");
	assert_string_equal(p->image, BASE "2026/hello/cover.jpg");
	assert_int_equal(p->published_at, 1795501584);
	assert_int_equal(p->categories.n, 3);
	assert_string_equal(p->categories.items[2], "2026");
	assert_string_equal(p->content,
		"<h1>Head</h1>\n<p>Text with <em>stress</em> and <a href=\"" BASE
		"2026/x/\">link</a>.</p>\n");
}

static void test_what_is_not_said_is_made_from_the_file(void **state)
{
	struct fixture *f = *state;
	const struct post *p = parse(f, "hello.md", "# The *title*\n\nText\n");
	assert_string_equal(p->title, "The title");
	assert_string_equal(p->content, "<p>Text</p>\n");
	assert_int_equal(p->published_at, MODIFIED);
	assert_null(p->author);
	assert_null(p->summary);
	p = parse(f, "hello.md", "Just text");
	assert_null(p->title);
	p = parse(f, "hello.md", "");
	assert_string_equal(p->guid, "hello.md");
	assert_null(p->content);
}

static void test_the_link_follows_folder_and_slug(void **state)
{
	struct fixture *f = *state;
	assert_string_equal(parse(f, "a/b.md", "x")->url, BASE "a/b/");
	assert_string_equal(parse(f, "a/index.md", "x")->url, BASE "a/");
	assert_string_equal(parse(f, "a/b.md", "---\nslug: c\n---\nx")->url, BASE "a/c/");
	assert_string_equal(parse(f, "a/b/index.md", "---\nslug: c\n---\nx")->url, BASE "a/c/");
	assert_string_equal(parse(f, "index.md", "---\nslug: c\n---\nx")->url, BASE "c/");
	assert_string_equal(
		parse(f, "a/b.md", "---\nurl: /c/\n---\nx")->url, "https://blog.example/c/");
	assert_string_equal(parse(f, "a/b.html", "x")->url, BASE "a/b.html");
	assert_string_equal(parse(f, "你 50%?.md", "x")->url, BASE "%E4%BD%A0%2050%25%3F/");
	assert_string_equal(parse(f, "a:b.md", "x")->url, BASE "a:b/");
	assert_true(try_parse(f, "a.md", "x", 1, NULL));
	assert_null(f->post.url);
}

static void test_a_draft_is_said_and_empty(void **state)
{
	struct fixture *f = *state;
	parse(f, "a.md", "---\ntitle: t\ndraft: true\n---\nx");
	assert_true(f->draft);
	assert_null(f->post.guid);
	parse(f, "a.md", "---\ntitle: t\npublished: false\n---\nx");
	assert_true(f->draft);
	parse(f, "a.md", "---\ntitle: t\n---\nx");
	assert_false(f->draft);
}

static void test_broken_front_matter_names_the_line(void **state)
{
	struct fixture *f = *state;
	fails(f, "---\ntitle: a\n",
		"line 1: the front matter has no end; close it with a line of ---");
	fails(f, "---\ntitle: a\ndraft: perhaps\n---\n",
		"line 3: draft: \"perhaps\" is neither true nor false");
	fails(f, "---\ndate: soon\n---\n",
		"line 2: date: \"soon\" is no date; write 2026-11-24 or 2026-11-24T08:00:00+01:00");
	fails(f, "---\n- a\n- b\n---\n", "line 2: front matter is a list of \"key: value\"");
	fails(f, "---\na: &x y\nb: *x\n---\n",
		"line 3: \"*\" refers to an anchor, which is not supported; put the text in quotes");
	assert_false(try_parse(f, "a.md", "---\na: [b\n---\n", 14, BASE));
	assert_memory_equal(f->e.text, "line ", 5);
}

static void test_bytes_that_are_not_utf_8_are_an_error(void **state)
{
	fails(*state, "a\nb\nc\xFF\n", "line 3: not UTF-8; save the file in that encoding");
}

static void test_markup_in_markdown_is_sanitised(void **state)
{
	assert_string_equal(parse(*state, "a.md",
				    "<script>x</script>\n\n[a](javascript:x) <b onclick=x>b</b>\n")
				    ->content,
		"\n<p>a <b>b</b></p>\n");
}

static void test_an_html_page_becomes_a_post(void **state)
{
	const struct post *p = parse(*state, "a/page.html",
		"<!doctype html><html><head><title>The &amp; title</title>"
		"<meta name=\"author\" content=\"Ann\"><meta name=description content='About &quot;it&quot;'>"
		"<meta name=\"date\" content=\"2026-11-24T14:26:24+08:00\"></head>"
		"<body><nav>menu</nav><article><p>Text <img src=\"i.png\"></p></article><footer>f</footer></body></html>");
	assert_string_equal(p->title, "The & title");
	assert_string_equal(p->author, "Ann");
	assert_string_equal(p->summary, "About &quot;it&quot;");
	assert_int_equal(p->published_at, 1795501584);
	assert_string_equal(p->content, "<p>Text <img src=\"" BASE "a/i.png\" alt=\"\"></p>");
}

static void test_the_text_of_a_page_is_its_article_or_main_or_body(void **state)
{
	struct fixture *f = *state;
	assert_string_equal(parse(f, "a.html", "<body>a<main>b</main>c</body>")->content, "b");
	assert_string_equal(parse(f, "a.html", "<title>t</title><body>a</body>")->content, "a");
	assert_string_equal(parse(f, "a.html", "<p>a</p>")->content, "<p>a</p>");
	assert_string_equal(parse(f, "a.html", "---\ntitle: t\n---\n<p>a</p>")->title, "t");
}

static void test_a_byte_order_mark_is_no_text(void **state)
{
	assert_string_equal(parse(*state, "a.md", "\xEF\xBB\xBF---\ntitle: t\n---\nx")->title, "t");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_pattern_is_checked_before_it_is_used),
		cmocka_unit_test(test_names_tell_what_is_a_post),
		TEST(test_front_matter_and_markdown_become_a_post),
		TEST(test_what_is_not_said_is_made_from_the_file),
		TEST(test_the_link_follows_folder_and_slug),
		TEST(test_a_draft_is_said_and_empty),
		TEST(test_broken_front_matter_names_the_line),
		TEST(test_bytes_that_are_not_utf_8_are_an_error),
		TEST(test_markup_in_markdown_is_sanitised),
		TEST(test_an_html_page_becomes_a_post),
		TEST(test_the_text_of_a_page_is_its_article_or_main_or_body),
		TEST(test_a_byte_order_mark_is_no_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
