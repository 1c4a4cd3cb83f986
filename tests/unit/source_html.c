#include "hubmail/source_html.h"
#include "hubmail/base_buf.h"
#include "hubmail/base_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE "https://blog.example/2026/post/"

struct pair {
	const char *in, *out;
};

static void sanitises(const char *in, const char *out)
{
	char *got = source_html_sanitise(in, strlen(in), BASE);
	assert_string_equal(got, out);
	free(got);
}

static void sanitises_all(const struct pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sanitises(pairs[i].in, pairs[i].out);
}

#define SANITISES(...)                                                                             \
	do {                                                                                       \
		static const struct pair pairs[] = {__VA_ARGS__};                                  \
		sanitises_all(pairs, sizeof(pairs) / sizeof(pairs[0]));                            \
	} while (0)

static void test_harmless_markup_stays(void **state)
{
	(void)state;
	SANITISES({"<p>Hello <b>world</b></p>", "<p>Hello <b>world</b></p>"},
		{"<h2>T</h2><ul><li>a</li><li>b</li></ul>",
			"<h2>T</h2><ul><li>a</li><li>b</li></ul>"},
		{"<pre><code>x &lt; y</code></pre>", "<pre><code>x &lt; y</code></pre>"},
		{"<blockquote><p>q</p></blockquote>", "<blockquote><p>q</p></blockquote>"},
		{"<table><thead><tr><th colspan=2>h</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>",
			"<table><thead><tr><th colspan=\"2\">h</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>"},
		{"<figure><img src=/a.png alt=A><figcaption>c</figcaption></figure>",
			"<figure><img src=\"https://blog.example/a.png\" alt=\"A\"><figcaption>c</figcaption></figure>"},
		{"<p dir=rtl lang=ar>x</p>", "<p dir=\"rtl\" lang=\"ar\">x</p>"},
		{"a<br>b<hr>c", "a<br>b<hr>c"});
}

static void test_what_could_hurt_goes_with_its_content(void **state)
{
	(void)state;
	SANITISES({"a<script>alert(1)</script>b", "ab"},
		{"a<SCRIPT src=x>if (a<b) {}</ScRiPt >b", "ab"}, {"a<style>p{}</style>b", "ab"},
		{"a<iframe src=//evil.example></iframe>b", "ab"},
		{"a<form action=x>text<input name=y><form>more</form>b", "ab"},
		{"a<svg><script>x</script><a xlink:href='javascript:1'>t</a></svg>b", "ab"},
		{"a<math><mi>x</mi></math>b", "ab"},
		{"a<object data=x><object>y</object>z</object>b", "ab"},
		{"a<svg/>b<script/>c", "abc"},
		{"<meta http-equiv=refresh content='0;url=x'>a", "a"},
		{"a<noscript><img src=https://x.example/p.gif></noscript>b", "ab"},
		{"a<script>never closed", "a"}, {"a<template><p>x</p></template>b", "ab"},
		{"a<!-- <p>comment</p> -->b<!doctype html><?php echo 1 ?>c", "abc"});
}

static void test_event_handlers_and_styles_go(void **state)
{
	(void)state;
	SANITISES({"<p onclick=alert(1) style='x:expression(1)' class=c id=i>a</p>", "<p>a</p>"},
		{"<img src=x.png onerror=alert(1)>", "<img src=\"" BASE "x.png\" alt=\"\">"},
		{"<a href=x onmouseover=\"a>b\">t</a>", "<a href=\"" BASE "x\">t</a>"});
}

static void test_links_are_absolute_and_of_the_web(void **state)
{
	(void)state;
	SANITISES({"<a href=/x?a=1&amp;b=2>t</a>",
			  "<a href=\"https://blog.example/x?a=1&amp;b=2\">t</a>"},
		{"<a href='//cdn.example/x'>t</a>", "<a href=\"https://cdn.example/x\">t</a>"},
		{"<a href='mailto:ann@example.org'>t</a>",
			"<a href=\"mailto:ann@example.org\">t</a>"},
		{"<a href='javascript:alert(1)'>t</a>", "t"},
		{"<a href=' java\nscript:alert(1)'>t</a>", "t"},
		{"<a href='&#106;avascript&colon;alert(1)'>t</a>", "t"},
		{"<a href='vbscript:x'>t</a><a href='data:text/html,x'>u</a>", "tu"},
		{"<a href='ftp://x.example/'>t</a>", "t"}, {"<a name=x>t</a>", "t"},
		{"<a href='https://user:word@x.example/'>t</a>",
			"<a href=\"https://x.example/\">t</a>"},
		{"<a href='x\" onclick=\"y'>t</a>",
			"<a href=\"" BASE "x%22%20onclick=%22y\">t</a>"});
}

static void test_without_a_base_relative_links_are_dropped(void **state)
{
	(void)state;
	char *got = source_html_sanitise("<a href=/x>t</a><img src=y.png>", 31, NULL);
	assert_string_equal(got, "t");
	free(got);
}

static void test_what_is_open_is_closed_and_what_is_not_is_ignored(void **state)
{
	(void)state;
	SANITISES({"<p>a<p>b", "<p>a</p><p>b</p>"}, {"<b><i>a</b>b</i>", "<b><i>a</i></b>b"},
		{"</div></td></table>a", "a"},
		{"<ul><li>a<li>b</ul>c", "<ul><li>a</li><li>b</li></ul>c"},
		{"<li>a</li>", "<ul><li>a</li></ul>"}, {"<td>a</td>", "a"},
		{"<table><td>a<td>b<tr><td>c</table>",
			"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>"},
		{"<div><table><tr><td></div>a</table>b",
			"<div><table><tr><td>a</td></tr></table>b</div>"},
		{"<a href=x>a<a href=y>b</a>",
			"<a href=\"" BASE "x\">a</a><a href=\"" BASE "y\">b</a>"},
		{"<h1>a<h2>b</h1>c", "<h1>a</h1><h2>b</h2>c"},
		{"<p>a<div>b</div>", "<p>a</p><div>b</div>"},
		{"<dl><dt>a<dd>b</dl>", "<dl><dt>a</dt><dd>b</dd></dl>"},
		{"<section><center>a</center></section>", "<div><div>a</div></div>"},
		{"<i class=icon />a<p/>b", "a<p></p>b"});
}

static void test_broken_tags_do_not_swallow_the_post(void **state)
{
	(void)state;
	SANITISES({"a < b & c > d", "a &lt; b &amp; c &gt; d"},
		{"<a href=\"x>link</a> text", "<a href=\"" BASE "x\">link</a> text"},
		{"text <img src=\"x", "text "}, {"text <", "text &lt;"},
		{"a</>b</ >c", "ab&lt;/ &gt;c"}, {"a<![CDATA[<b>]]>c", "a&lt;b&gt;c"});
}

static void test_references_become_characters(void **state)
{
	(void)state;
	SANITISES({"&eacute;&#233;&#xe9;&hellip;&#150;&nbsp;", "ééé…–\xC2\xA0"},
		{"&lt;script&gt;", "&lt;script&gt;"},
		{"&unknown; &amp;lt; AT&T &#; &#x;",
			"&amp;unknown; &amp;lt; AT&amp;T &amp;#; &amp;#x;"},
		{"&#0;&#xD800;&#x110000;", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"});
}

static void test_malformed_bytes_and_hidden_characters_do_not_pass(void **state)
{
	(void)state;
	SANITISES({"a\xFF\xC3(b", "a\xEF\xBF\xBD\xEF\xBF\xBD(b"},
		{"a\xE2\x80\xAE"
		 "b&#8238;c\xE2\x81\xA6"
		 "d\x01"
		 "e\x7F"
		 "f\xEF\xBB\xBF",
			"abcdef"},
		{"\xE2\x80\x8F"
		 "a\xE2\x80\x8D"
		 "b",
			"\xE2\x80\x8F"
			"a\xE2\x80\x8D"
			"b"});
}

static void test_images_that_count_readers_go(void **state)
{
	(void)state;
	SANITISES({"a<img src=https://x.example/p.gif width=1 height=1>b", "ab"},
		{"a<img src=https://x.example/p.gif style='width: 1px; height:1px'>b", "ab"},
		{"a<img src=https://x.example/p.gif style=\"display:none\">b", "ab"},
		{"a<img src=https://pixel.wp.com/b.gif?v=1>b", "ab"});
}

static void test_the_real_address_of_a_late_image_is_taken(void **state)
{
	(void)state;
	SANITISES(
		{"<img src='data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7' data-src=/real.jpg alt=a>",
			"<img src=\"https://blog.example/real.jpg\" alt=\"a\">"},
		{"<img srcset='/s.jpg 300w, /l.jpg 900w'>",
			"<img src=\"https://blog.example/s.jpg\" alt=\"\">"},
		{"<picture><source srcset=/a.webp><img src=/a.jpg width=600px height=400></picture>",
			"<img src=\"https://blog.example/a.jpg\" alt=\"\" width=\"600\" height=\"400\">"},
		{"<img class=wp-smiley src=https://s.w.org/images/core/emoji/72x72/1f642.png alt=\"🙂\">",
			"🙂"},
		{"<img src='data:image/svg+xml;base64,PHN2Zz48L3N2Zz4='>", ""});
}

static char *repeat(const char *s, size_t n)
{
	struct buf b = {0};
	for (size_t i = 0; i < n; i++)
		buf_adds(&b, s);
	return buf_take(&b);
}

static void test_deep_nesting_is_flattened(void **state)
{
	(void)state;
	static const char *const openers[] = {"<div>", "<table><tr><td>", "<ul><li>", "<b>",
		"<blockquote>", "<svg>", "<a href=x>"};
	for (size_t i = 0; i < sizeof(openers) / sizeof(openers[0]); i++) {
		char *html = repeat(openers[i], 100000);
		char *got = source_html_sanitise(html, strlen(html), NULL);
		assert_true(strlen(got) < strlen(html) * 2 + 2000);
		free(got);
		got = source_html_text(html, strlen(html), true);
		free(got);
		free(html);
	}
}

static void test_a_post_made_to_grow_is_cut(void **state)
{
	(void)state;
	char *path = repeat("x/", 400);
	struct buf base = {0};
	buf_addf(&base, "https://blog.example/%s", path);
	char *html = repeat("<a href=y>z</a>", 100000);
	char *got = source_html_sanitise(html, strlen(html), base.data);
	assert_true(strlen(got) < (9u << 20));
	assert_true(text_ends(got, "</a>"));
	free(got);
	free(html);
	free(path);
	buf_free(&base);
}

static void reads_as(const char *html, bool links, const char *text)
{
	char *got = source_html_text(html, strlen(html), links);
	assert_string_equal(got, text);
	free(got);
}

static void test_text_has_a_line_for_each_block(void **state)
{
	(void)state;
	reads_as("<h1>Title</h1><p>One\n two<br>three</p><p>four</p>", false,
		"Title\n\nOne two\nthree\n\nfour");
	reads_as("<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul><p>d</p>", false,
		"- a\n- b\n  - c\n\nd");
	reads_as("<blockquote><p>a</p><p>b</p></blockquote>c", false, "> a\n\n> b\n\nc");
	reads_as("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", false,
		"a | b\nc");
	reads_as("<pre>a\n  b\n\n\tc</pre>", false, "a\n  b\n\n\tc");
	reads_as("a&amp;b &lt;c&gt;&nbsp; d<script>x</script><style>y</style>", false, "a&b <c> d");
	reads_as("<img src=x alt='A picture'> b", false, "[A picture] b");
}

static void test_text_shows_where_links_lead(void **state)
{
	(void)state;
	reads_as("see <a href='https://x.example/y'>this</a>.", true,
		"see this <https://x.example/y>.");
	reads_as("see <a href='https://x.example/y'>this</a>.", false, "see this.");
	reads_as("<a href='https://x.example/y'>https://x.example/y</a>", true,
		"https://x.example/y");
	reads_as("<a href='https://x.example/y'>x.example/y</a>", true, "x.example/y");
	reads_as("<a href='javascript:x'>no</a> <a href='https://x.example/'></a>", true, "no");
}

static void cut_to(const char *html, size_t chars, const char *text)
{
	char *got = source_html_excerpt(html, strlen(html), chars);
	assert_string_equal(got, text);
	assert_true(utf8_prefix(got, chars) == strlen(got));
	free(got);
}

static void test_an_excerpt_is_one_line_cut_between_words(void **state)
{
	(void)state;
	cut_to("<p>Hello</p><p>world</p>", 40, "Hello world");
	cut_to("<p>Hello wonderful world</p>", 17, "Hello wonderful…");
	cut_to("<p>Hello wonderful world</p>", 16, "Hello wonderful…");
	cut_to("<p>Hello wonderful world</p>", 15, "Hello…");
	cut_to("<p>Hello, wonderful world</p>", 12, "Hello…");
	cut_to("Hello world", 11, "Hello world");
	cut_to("Donaudampfschifffahrt", 6, "Donau…");
	cut_to("<ul><li>a</li><li>b</li></ul><pre>c\nd</pre>", 40, "a b c d");
	cut_to("<img src=x alt=y>text", 40, "text");
	cut_to("", 10, "");
	cut_to("abc", 0, "");
}

static void test_an_excerpt_is_cut_in_scripts_without_spaces(void **state)
{
	(void)state;
	cut_to("北京的科技新闻每周一早上送到", 8, "北京的科技新闻…");
	cut_to("他说：「你好，世界」。", 5, "他说…");
	cut_to("今天，我们去北京", 4, "今天…");
	cut_to("ภาษาไทยสวยงาม", 8, "ภาษาไทย…");
}

static void test_an_excerpt_keeps_characters_whole(void **state)
{
	(void)state;
	cut_to("e\xCC\x81"
	       "e\xCC\x81"
	       "e\xCC\x81",
		4,
		"e\xCC\x81"
		"…");
	cut_to("👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 9,
		"👩‍👩‍👧‍👦…");
}

static void test_the_first_usable_image_is_found(void **state)
{
	(void)state;
	char *got = source_html_first_image(
		"<p><img src=\"https://x.example/i.png\" alt=\"\" width=\"16\">"
		"<img src=\"https://x.example/big.png\" alt=\"\"></p>");
	assert_string_equal(got, "https://x.example/big.png");
	free(got);
	assert_null(source_html_first_image("<p>none</p>"));
}

static void resolves(const char *url, const char *base, const char *expected)
{
	char *got = source_url_absolute(url, base);
	if (expected == NULL)
		assert_null(got);
	else
		assert_string_equal(got, expected);
	free(got);
}

static void test_relative_references_resolve_as_rfc_3986_says(void **state)
{
	(void)state;
	static const struct pair pairs[] = {{"g", "http://a/b/c/g"}, {"./g", "http://a/b/c/g"},
		{"g/", "http://a/b/c/g/"}, {"/g", "http://a/g"}, {"//g", "http://g"},
		{"?y", "http://a/b/c/d;p?y"}, {"g?y", "http://a/b/c/g?y"},
		{"#s", "http://a/b/c/d;p?q#s"}, {"g#s", "http://a/b/c/g#s"},
		{";x", "http://a/b/c/;x"}, {".", "http://a/b/c/"}, {"./", "http://a/b/c/"},
		{"..", "http://a/b/"}, {"../g", "http://a/b/g"}, {"../..", "http://a/"},
		{"../../g", "http://a/g"}, {"../../../../g", "http://a/g"}, {"/./g", "http://a/g"},
		{"/../g", "http://a/g"}, {"g.", "http://a/b/c/g."}, {"..g", "http://a/b/c/..g"},
		{"./g/.", "http://a/b/c/g/"}, {"g/../h", "http://a/b/c/h"},
		{"g?y/../x", "http://a/b/c/g?y/../x"}};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		resolves(pairs[i].in, "http://a/b/c/d;p?q", pairs[i].out);
}

static void test_addresses_are_mended_or_refused(void **state)
{
	(void)state;
	resolves(" https://Example.ORG/a b\n", NULL, "https://example.org/a%20b");
	resolves("https://b\xC3\xBC"
		 "cher.example/\xC3\xA4",
		NULL, "https://xn--bcher-kva.example/%C3%A4");
	resolves("https://a\xEF\xBC\x8F"
		 "b.example/",
		NULL, NULL);
	resolves("https:\\\\example.org\\a", NULL, "https://example.org/a");
	resolves("https://example.org:8080/x", NULL, "https://example.org:8080/x");
	resolves("https://[::1]:80/x", NULL, "https://[::1]:80/x");
	resolves("/x", "https://ann:secret@example.org/feed", "https://example.org/x");
	resolves("/x", NULL, NULL);
	resolves("", "https://example.org/", NULL);
	resolves("https://", NULL, NULL);
	resolves("https:///x", NULL, NULL);
	resolves("https://exa mple.org/", NULL, NULL);
	resolves("https://example.org:99x/", NULL, NULL);
	resolves("https:example.org", NULL, NULL);
	resolves("javascript:alert(1)", "https://example.org/", NULL);
	resolves("file:///etc/passwd", "https://example.org/", NULL);
	char *long_one = repeat("x", 5000);
	resolves(long_one, "https://example.org/", NULL);
	free(long_one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_harmless_markup_stays),
		cmocka_unit_test(test_what_could_hurt_goes_with_its_content),
		cmocka_unit_test(test_event_handlers_and_styles_go),
		cmocka_unit_test(test_links_are_absolute_and_of_the_web),
		cmocka_unit_test(test_without_a_base_relative_links_are_dropped),
		cmocka_unit_test(test_what_is_open_is_closed_and_what_is_not_is_ignored),
		cmocka_unit_test(test_broken_tags_do_not_swallow_the_post),
		cmocka_unit_test(test_references_become_characters),
		cmocka_unit_test(test_malformed_bytes_and_hidden_characters_do_not_pass),
		cmocka_unit_test(test_images_that_count_readers_go),
		cmocka_unit_test(test_the_real_address_of_a_late_image_is_taken),
		cmocka_unit_test(test_deep_nesting_is_flattened),
		cmocka_unit_test(test_a_post_made_to_grow_is_cut),
		cmocka_unit_test(test_text_has_a_line_for_each_block),
		cmocka_unit_test(test_text_shows_where_links_lead),
		cmocka_unit_test(test_an_excerpt_is_one_line_cut_between_words),
		cmocka_unit_test(test_an_excerpt_is_cut_in_scripts_without_spaces),
		cmocka_unit_test(test_an_excerpt_keeps_characters_whole),
		cmocka_unit_test(test_the_first_usable_image_is_found),
		cmocka_unit_test(test_relative_references_resolve_as_rfc_3986_says),
		cmocka_unit_test(test_addresses_are_mended_or_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
