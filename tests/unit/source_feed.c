#include "hubmail/source_feed.h"
#include "hubmail/base_buf.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE "https://blog.example/feed/"
#define RSS(items) "<?xml version=\"1.0\"?><rss version=\"2.0\"><channel>" items "</channel></rss>"
#define ATOM(entries) "<feed xmlns=\"http://www.w3.org/2005/Atom\">" entries "</feed>"

struct fixture {
	struct post_list posts;
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
	post_list_free(&f->posts);
	free(f);
	return 0;
}

static bool parse_as(struct fixture *f, const char *data, size_t len, const char *charset)
{
	post_list_free(&f->posts);
	f->e = (struct error){0};
	return source_feed_parse(data, len, BASE, charset, &f->posts, NULL, &f->e);
}

static void parse(struct fixture *f, const char *data)
{
	if (!parse_as(f, data, strlen(data), NULL))
		fail_msg("%s", f->e.text);
}

static const struct post *only(struct fixture *f, const char *data)
{
	parse(f, data);
	assert_int_equal(f->posts.n, 1);
	return &f->posts.items[0];
}

static void test_an_rss_2_item_becomes_a_post(void **state)
{
	const struct post *p = only(*state,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\""
		" xmlns:dc=\"http://purl.org/dc/elements/1.1/\">"
		"<channel><title>Blog</title><link>https://blog.example/</link>"
		"<item><title>北京 &amp; beyond</title><link>https://blog.example/1</link>"
		"<guid isPermaLink=\"false\">https://blog.example/?p=1</guid>"
		"<dc:creator><![CDATA[李娜]]></dc:creator>"
		"<pubDate>Tue, 24 Nov 2026 14:26:24 +0800</pubDate>"
		"<category>Tech</category><category>City</category><category>Tech</category>"
		"<description><![CDATA[<p>Short</p>]]></description>"
		"<content:encoded><![CDATA[<p>Long <a href=\"/x\">x</a></p>]]></content:encoded>"
		"<enclosure url=\"/a.jpg\" type=\"image/jpeg\" length=\"1\"/>"
		"</item></channel></rss>");
	assert_string_equal(p->title, "北京 & beyond");
	assert_string_equal(p->url, "https://blog.example/1");
	assert_string_equal(p->guid, "https://blog.example/?p=1");
	assert_string_equal(p->author, "李娜");
	assert_int_equal(p->published_at, 1795501584);
	assert_int_equal(p->updated_at, 0);
	assert_string_equal(p->summary, "<p>Short</p>");
	assert_string_equal(p->content, "<p>Long <a href=\"https://blog.example/x\">x</a></p>");
	assert_string_equal(p->image, "https://blog.example/a.jpg");
	assert_int_equal(p->categories.n, 2);
	assert_string_equal(p->categories.items[1], "City");
}

static void test_an_atom_entry_becomes_a_post(void **state)
{
	const struct post *p = only(*state,
		ATOM("<title>Blog</title><author><name>The Blog</name></author>"
		     "<entry><title type=\"html\">&lt;b&gt;A&lt;/b&gt; &amp;amp; B</title>"
		     "<link rel=\"self\" href=\"/self\"/><link href=\"/1\"/><id>tag:blog.example,2026:1</id>"
		     "<published>2026-11-24T06:26:24Z</published><updated>2026-11-24T06:26:25Z</updated>"
		     "<author><name>Ann</name><email>ann@example.org</email></author>"
		     "<category term=\"t\" label=\"Tech\"/><category term=\"city\"/>"
		     "<summary>1 &lt; 2</summary>"
		     "<content type=\"xhtml\"><div xmlns=\"http://www.w3.org/1999/xhtml\"><p>a &lt; <b>b</b><br/></p></div></content>"
		     "</entry>"));
	assert_string_equal(p->title, "A & B");
	assert_string_equal(p->url, "https://blog.example/1");
	assert_string_equal(p->guid, "tag:blog.example,2026:1");
	assert_string_equal(p->author, "Ann");
	assert_int_equal(p->published_at, 1795501584);
	assert_int_equal(p->updated_at, 1795501585);
	assert_string_equal(p->summary, "1 &lt; 2");
	assert_string_equal(p->content, "<p>a &lt; <b>b</b><br></p>");
	assert_int_equal(p->categories.n, 2);
	assert_string_equal(p->categories.items[0], "Tech");
}

static void test_an_entry_without_an_author_has_the_feeds(void **state)
{
	const struct post *p = only(*state,
		ATOM("<author><name>Ann</name><uri>x</uri></author><entry><id>1</id><title>t</title></entry>"));
	assert_string_equal(p->author, "Ann");
}

static void test_an_rss_1_item_becomes_a_post(void **state)
{
	const struct post *p = only(*state,
		"<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\""
		" xmlns=\"http://purl.org/rss/1.0/\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\">"
		"<channel rdf:about=\"x\"><title>c</title><items><rdf:Seq><rdf:li resource=\"y\"/></rdf:Seq></items></channel>"
		"<item rdf:about=\"https://blog.example/1\"><title>t</title><link>https://blog.example/1</link>"
		"<dc:date>2026-11-24T14:26:24+08:00</dc:date><dc:subject>s</dc:subject></item></rdf:RDF>");
	assert_string_equal(p->guid, "https://blog.example/1");
	assert_int_equal(p->published_at, 1795501584);
	assert_string_equal(p->categories.items[0], "s");
}

static void test_an_item_is_known_by_its_guid_or_link_or_title_and_date(void **state)
{
	struct fixture *f = *state;
	const struct post *p = only(f, RSS("<item><title>t</title><link>/1</link></item>"));
	assert_string_equal(p->guid, "https://blog.example/1");
	p = only(f, RSS("<item><title>t</title><guid>https://blog.example/2</guid></item>"));
	assert_string_equal(p->url, "https://blog.example/2");
	p = only(f, RSS("<item><title>t</title><guid>/2026/x/</guid></item>"));
	assert_string_equal(p->guid, "/2026/x/");
	assert_string_equal(p->url, "https://blog.example/2026/x/");
	p = only(f,
		RSS("<item><title>t</title><guid isPermaLink='false'>https://blog.example/3</guid></item>"));
	assert_null(p->url);
	p = only(f,
		RSS("<item><title>t</title><pubDate>Tue, 24 Nov 2026 14:26:24 GMT</pubDate></item>"));
	assert_true(text_starts(p->guid, "sha256:"));
	char *first = strdup(p->guid);
	p = only(f,
		RSS("<item><title>t</title><pubDate>Tue, 24 Nov 2026 14:26:24 GMT</pubDate><description>x</description></item>"));
	assert_string_equal(p->guid, first);
	p = only(f,
		RSS("<item><title>u</title><pubDate>Tue, 24 Nov 2026 14:26:24 GMT</pubDate></item>"));
	assert_string_not_equal(p->guid, first);
	free(first);
}

static void test_titles_are_plain_text(void **state)
{
	static const struct {
		const char *in, *out;
	} titles[] = {{"AT&amp;amp;T", "AT&T"}, {"A &lt;i&gt;b&lt;/i&gt;", "A b"},
		{"vector&lt;int&gt;", "vector<int>"}, {"1 &lt; 2", "1 < 2"}, {" a\n\tb ", "a b"},
		{"<![CDATA[Q&A]]>", "Q&A"}, {"a &amp;#8217; b", "a ’ b"}};
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
		char *data = xasprintf(RSS("<item><title>%s</title></item>"), titles[i].in);
		assert_string_equal(only(*state, data)->title, titles[i].out);
		free(data);
	}
}

static void test_summaries_lose_their_tails(void **state)
{
	static const struct {
		const char *in, *out;
	} summaries[] = {{"<p>Text goes [&hellip;]</p>", "<p>Text goes…</p>"},
		{"Text [...]", "Text…"},
		{"<p>Text <a href='/1' class='more-link'>Continue reading <span>Title</span></a></p>",
			"<p>Text</p>"},
		{"<p>Text [&#8230;]</p>\n<p>The post <a href='/1'>T</a> appeared first on <a href='/'>B</a>.</p>",
			"<p>Text…</p>"},
		{"<p>Text</p><p><a href='/1'>Read more »</a></p>", "<p>Text</p>"},
		{"<p>Read <a href='/1'>this paper</a></p>",
			"<p>Read <a href=\"https://blog.example/1\">this paper</a></p>"}};
	for (size_t i = 0; i < sizeof(summaries) / sizeof(summaries[0]); i++) {
		char *data = xasprintf(
			RSS("<item><title>t</title><description><![CDATA[%s]]></description></item>"),
			summaries[i].in);
		assert_string_equal(only(*state, data)->summary, summaries[i].out);
		free(data);
	}
}

static void test_markup_from_feeds_is_sanitised(void **state)
{
	const struct post *p = only(*state,
		RSS("<item><title>t</title><description>&lt;p onclick='x'&gt;a&lt;script&gt;b&lt;/script&gt;&lt;/p&gt;</description></item>"));
	assert_string_equal(p->summary, "<p>a</p>");
}

static void test_the_charset_is_that_of_the_header_then_of_the_declaration(void **state)
{
	struct fixture *f = *state;
	static const char latin[] =
		"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><rss><channel><item><title>\xE9</title></item></channel></rss>";
	static const char cyrillic[] = RSS("<item><title>\xD0\xC9</title></item>");
	static const char gbk[] =
		"<?xml version='1.0' encoding='gb2312'?><rss><channel><item><title>\xB1\xB1\xBE\xA9</title></item></channel></rss>";
	assert_true(parse_as(f, latin, strlen(latin), NULL));
	assert_string_equal(f->posts.items[0].title, "é");
	assert_true(parse_as(f, latin, strlen(latin), "windows-1251"));
	assert_string_equal(f->posts.items[0].title, "й");
	assert_true(parse_as(f, cyrillic, strlen(cyrillic), "koi8-r"));
	assert_string_equal(f->posts.items[0].title, "пи");
	assert_true(parse_as(f, gbk, strlen(gbk), NULL));
	assert_string_equal(f->posts.items[0].title, "北京");
	static const char lie[] = RSS("<item><title>é</title></item>");
	assert_true(parse_as(f, lie, strlen(lie), "iso-8859-1"));
	assert_string_equal(f->posts.items[0].title, "é");
	static const char unknown[] = RSS("<item><title>caf\xE9 é</title></item>");
	assert_true(parse_as(f, unknown, strlen(unknown), "x-nothing"));
	assert_string_equal(f->posts.items[0].title, "café é");
}

static void test_utf_16_is_read(void **state)
{
	struct fixture *f = *state;
	struct buf wide = {0};
	buf_add(&wide, "\xFF\xFE", 2);
	for (const char *s = RSS("<item><title>t</title></item>"); *s != '\0'; s++) {
		buf_addc(&wide, *s);
		buf_addc(&wide, '\0');
	}
	assert_true(parse_as(f, wide.data, wide.len, NULL));
	assert_string_equal(f->posts.items[0].title, "t");
	buf_free(&wide);
}

static void test_small_faults_are_repaired(void **state)
{
	struct fixture *f = *state;
	assert_string_equal(
		only(f, RSS("<item><title>Q & A&nbsp;&eacute;</title></item>"))->title, "Q & A é");
	assert_string_equal(
		only(f, RSS("<item><title>t</title><dc:creator>Ann</dc:creator></item>"))->author,
		"Ann");
	assert_string_equal(only(f, RSS("<item><title>a\x01\x0B"
					"b</title></item>"))
				    ->title,
		"ab");
	assert_string_equal(
		only(f, RSS("<item><title>t</title><description><p>a<br>b</description></item>"))
			->summary,
		"<p>a<br>b</p>");
	assert_string_equal(
		only(f, "Warning: mysql\n" RSS("<item><title>t</title></item>"))->title, "t");
}

static void test_a_feed_that_was_cut_off_keeps_its_whole_items(void **state)
{
	struct fixture *f = *state;
	parse(f,
		"<rss><channel><item><title>a</title></item><item><title>b</title></item><item><title>c</tit");
	assert_int_equal(f->posts.n, 2);
	assert_string_equal(f->posts.items[1].title, "b");
	assert_false(parse_as(f, "<rss><channel><item><title>a", 28, NULL));
	assert_int_equal(f->e.code, ERROR_DATA);
}

static void test_what_is_no_feed_is_an_error(void **state)
{
	struct fixture *f = *state;
	static const char *const data[] = {"", "hello",
		"<!DOCTYPE html><html><body>x</body></html>", "<html><head>",
		"<svg xmlns='http://www.w3.org/2000/svg'/>", "\0\0\0"};
	for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
		assert_false(parse_as(f, data[i], strlen(data[i]), NULL));
		assert_int_equal(f->e.code, ERROR_DATA);
		assert_int_equal(f->posts.n, 0);
	}
	assert_false(parse_as(f, "\n\n<a>\n<b></a>", 14, NULL));
	assert_non_null(strstr(f->e.text, "line "));
}

static void test_an_empty_feed_is_a_feed(void **state)
{
	struct fixture *f = *state;
	parse(f, RSS("<title>t</title>"));
	assert_int_equal(f->posts.n, 0);
}

static void test_entities_are_never_expanded_or_loaded(void **state)
{
	struct fixture *f = *state;
	struct buf bomb = {0};
	buf_adds(&bomb, "<!DOCTYPE rss [<!ENTITY l0 \"lol\">");
	for (int i = 1; i < 12; i++)
		buf_addf(&bomb,
			"<!ENTITY l%d \"&l%d;&l%d;&l%d;&l%d;&l%d;&l%d;&l%d;&l%d;&l%d;&l%d;\">", i,
			i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	buf_adds(&bomb, "]><rss><channel><item><title>&l11;</title></item></channel></rss>");
	assert_string_equal(only(f, bomb.data)->title, "&l11;");
	buf_free(&bomb);
	assert_string_equal(
		only(f, "<!DOCTYPE rss [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><rss><channel><item><title>a&x;</title></item></channel></rss>")
			->title,
		"a&x;");
}

/* libxml2 compares each attribute of a tag with each, and each name with many. */
static void test_what_would_take_the_parser_minutes_is_read_another_way(void **state)
{
	struct fixture *f = *state;
	static const char *const before[] = {" a", " xmlns:a", "/><a"};
	static const char *const after[] = {"=\"\"", "=\"u\"", ""};
	for (size_t i = 0; i < 3; i++) {
		struct buf feed = {0};
		buf_adds(&feed, "<rss><channel><x");
		for (int n = 0; n < 30000; n++)
			buf_addf(&feed, "%s%d%s", before[i], n, after[i]);
		buf_adds(&feed, "/><item><title>t</title></item></channel></rss>");
		assert_true(parse_as(f, feed.data, feed.len, NULL));
		assert_int_equal(f->posts.n, 1);
		buf_free(&feed);
	}
}

static void test_deep_nesting_ends(void **state)
{
	struct fixture *f = *state;
	struct buf deep = {0};
	buf_adds(&deep, "<rss><channel><item><title>t</title><description>");
	for (int i = 0; i < 200000; i++)
		buf_adds(&deep, "<a>");
	buf_adds(&deep, "</description></item></channel></rss>");
	assert_true(parse_as(f, deep.data, deep.len, NULL));
	assert_int_equal(f->posts.n, 1);
	buf_free(&deep);
}

static void test_only_so_many_posts_are_taken(void **state)
{
	struct fixture *f = *state;
	struct buf many = {0};
	buf_adds(&many, "<rss><channel>");
	for (int i = 0; i < SOURCE_POSTS_MAX + 10; i++)
		buf_addf(&many, "<item><title>%d</title></item>", i);
	buf_adds(&many, "</channel></rss>");
	assert_true(parse_as(f, many.data, many.len, NULL));
	assert_int_equal(f->posts.n, SOURCE_POSTS_MAX);
	buf_free(&many);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_an_rss_2_item_becomes_a_post),
		TEST(test_an_atom_entry_becomes_a_post),
		TEST(test_an_entry_without_an_author_has_the_feeds),
		TEST(test_an_rss_1_item_becomes_a_post),
		TEST(test_an_item_is_known_by_its_guid_or_link_or_title_and_date),
		TEST(test_titles_are_plain_text),
		TEST(test_summaries_lose_their_tails),
		TEST(test_markup_from_feeds_is_sanitised),
		TEST(test_the_charset_is_that_of_the_header_then_of_the_declaration),
		TEST(test_utf_16_is_read),
		TEST(test_small_faults_are_repaired),
		TEST(test_a_feed_that_was_cut_off_keeps_its_whole_items),
		TEST(test_what_is_no_feed_is_an_error),
		TEST(test_an_empty_feed_is_a_feed),
		TEST(test_entities_are_never_expanded_or_loaded),
		TEST(test_what_would_take_the_parser_minutes_is_read_another_way),
		TEST(test_deep_nesting_ends),
		TEST(test_only_so_many_posts_are_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
