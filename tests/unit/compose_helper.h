/* Options, posts and a reader for the tests of compose. */
#ifndef TESTS_UNIT_COMPOSE_HELPER_H
#define TESTS_UNIT_COMPOSE_HELPER_H

#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "hubmail/compose.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW 1795616784 /* Wed, 25 Nov 2026 14:26:24 +0000 */

/* What the header of post.h owns is borrowed here: these are never freed. */
#define S(text) ((char *)(text))

static inline struct compose_options an_english_list(void)
{
	return (struct compose_options){.list_name = "beijing-tech",
		.list_title = "Beijing Tech Weekly",
		.from_name = "Beijing Tech",
		.from_address = "news@example.org",
		.reply_to = "editor@example.org",
		.web_url = "https://news.example.org",
		.language = "en",
		.at = NOW};
}

static inline struct post an_english_post(void)
{
	return (struct post){.guid = S("1"),
		.url = S("https://example.org/2026/11/quantum?a=1&b=2"),
		.title = S("A new quantum computer hums in a basement"),
		.author = S("Ann Lee"),
		.summary = S("<p>It is small, cold and quiet, and it may be the first one that "
			     "anybody can <em>rent</em> by the hour.</p>"),
		.content = S("<p>It is small, cold and quiet.</p><h2>What it does</h2>"
			     "<ul><li>adds</li><li>subtracts</li></ul>"
			     "<pre><code>let x = 1 &lt; 2;</code></pre>"
			     "<blockquote><p>Nobody expected that.</p></blockquote>"),
		.image = S("https://example.org/images/quantum.jpg"),
		.published_at = NOW - 86400};
}

static inline struct post a_chinese_post(void)
{
	return (struct post){.guid = S("2"),
		.url = S("https://example.org/2026/11/liangzi"),
		.title = S("中国科学家研制出新型量子计算机：速度比传统超级计算机快一亿倍"),
		.author = S("王小明"),
		.summary = S("<p>研究团队表示，这台新型计算机采用了全新的架构，能够在几分钟内完成"
			     "传统超级计算机需要数千年才能完成的计算任务。</p>"),
		.published_at = NOW - 90000};
}

static inline struct compose_reader a_reader(void)
{
	return (struct compose_reader){.email = "reader@example.net",
		.name = "王小明",
		.token = "AQGkAeTz0pM8rX-VYbq_S1uWc4k2",
		.message_id = "7.abcdefghijklmnop@example.org"};
}

static inline struct compose_plan *compose(
	const struct compose_options *o, const struct post *posts, size_t n)
{
	struct error e = {0};
	struct compose_plan *p = compose_digest(o, posts, n, &e);
	if (p == NULL)
		fail_msg("%s", e.text);
	return p;
}

/* The whole message for that reader; the caller's. */
static inline char *message_for(const struct compose_options *o, const struct post *posts, size_t n,
	const struct compose_reader *r)
{
	struct buf out = {0};
	struct compose_plan *p = compose(o, posts, n);
	compose_render_flat(p, r, &out);
	compose_plan_free(p);
	return buf_take(&out);
}

/* The decoded part for that reader; the caller's. */
static inline char *part_for(const struct compose_options *o, const struct post *posts, size_t n,
	const struct compose_reader *r, bool html)
{
	struct compose_plan *p = compose(o, posts, n);
	char *part = compose_render_part(p, r, html);
	compose_plan_free(p);
	return part;
}

#define assert_contains(text, what)                                                                \
	do {                                                                                       \
		if (strstr((text), (what)) == NULL)                                                \
			fail_msg("\"%s\" is not in:\n%s", (what), (text));                         \
	} while (0)

#define assert_lacks(text, what)                                                                   \
	do {                                                                                       \
		if (strstr((text), (what)) != NULL)                                                \
			fail_msg("\"%s\" is in:\n%s", (what), (text));                             \
	} while (0)

#endif
