/* `parse`: the posts in a feed or a file, as hubmail understands them. Nothing is stored; neither
 * the configuration nor the daemon is needed. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include "hubmail/base_file.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "hubmail/source_feed.h"
#include "hubmail/source_fetch.h"
#include "hubmail/source_file.h"
#include "post_report.h"
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FETCH_TIMEOUT_S 60

static const struct option_spec options[] = {
	{.name = "base",
		.value = "URL",
		.help = "where the file is published: makes relative links absolute"},
	{0},
};

static const struct column columns[] = {
	{"guid", "GUID", COLUMN_DETAIL},
	{"published", "PUBLISHED", 0},
	{"title", "TITLE", COLUMN_CUT},
	{"author", "AUTHOR", COLUMN_CUT},
	{"url", "LINK", COLUMN_CUT},
};
static const struct table table = {TABLE_COLUMNS(columns), .empty = "no posts in it"};

static void show(struct report *r, const struct post_list *posts)
{
	if (report_style(r) == REPORT_JSON) {
		json_t *json = json_array();
		post_report_json(json, posts, NULL);
		report_json(r, json);
		return;
	}
	report_table(r, &table);
	for (size_t i = 0; i < posts->n; i++) {
		const struct post *p = &posts->items[i];
		REPORT_ROW(r, cell_text(p->guid), cell_time(p->published_at), cell_text(p->title),
			cell_text(p->author), cell_text(p->url));
	}
}

/* ---- From the network ---- */

struct download {
	struct event_base *base;
	const char *base_url; /* or NULL: where the redirects ended */
	struct post_list *posts;
	struct error *e;
	bool done;
};

static void arrived(const struct fetch_answer *answer, const struct error *failure, void *arg)
{
	struct download *d = arg;

	if (failure != NULL)
		*d->e = *failure;
	else
		d->done = source_feed_parse(answer->body, answer->len,
			d->base_url != NULL ? d->base_url : answer->url, answer->charset, d->posts,
			d->e);
	event_base_loopbreak(d->base);
}

static bool from_url(
	const char *url, const char *base_url, struct post_list *posts, struct error *e)
{
	struct loop *loop = loop_new();
	struct download d = {loop_base(loop), base_url, posts, e, false};
	struct fetcher *f = fetcher_new(loop, "hubmail/" HUBMAIL_VERSION);
	struct fetch_request request = {
		.url = url, .max_bytes = SOURCE_FEED_MAX, .timeout_s = FETCH_TIMEOUT_S};

	if (fetch_start(f, &request, arrived, &d) != NULL)
		event_base_dispatch(d.base);
	fetcher_free(f);
	loop_free(loop);
	if (!d.done && e->code == ERROR_NONE)
		error_set(e, ERROR_IO, "%s: could not be fetched", url);
	return d.done;
}

/* ---- From a file ---- */

static bool from_article(const char *path, const struct buf *data, const char *base_url,
	struct post_list *posts, struct error *e)
{
	const char *slash = strrchr(path, '/');
	struct stat st = {0};
	struct post post = {0};
	bool draft = false;

	stat(path, &st);
	struct source_file file = {.path = slash != NULL ? slash + 1 : path,
		.data = buf_str(data),
		.len = data->len,
		.base_url = base_url,
		.modified_at = st.st_mtime};
	if (!source_file_parse(&file, &post, &draft, e))
		return false;
	if (!draft)
		*post_list_add(posts) = post;
	return true;
}

static bool from_file(
	const char *path, const char *base_url, struct post_list *posts, struct error *e)
{
	const char *slash = strrchr(path, '/');
	bool article = source_file_is_post(slash != NULL ? slash + 1 : path);
	struct buf data = {0};
	bool done = file_read(path, article ? SOURCE_FILE_MAX : SOURCE_FEED_MAX, &data, e);

	if (done && article)
		done = from_article(path, &data, base_url, posts, e);
	else if (done)
		done = source_feed_parse(buf_str(&data), data.len, base_url, NULL, posts, e);
	buf_free(&data);
	if (!done && !text_starts(e->text, path))
		error_prefix(e, "%s", path);
	return done;
}

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	const char *what = a->words[0], *base_url = args_value(a, "base");
	struct post_list posts = {0};
	bool url = text_starts(what, "http://") || text_starts(what, "https://");
	bool done =
		url ? from_url(what, base_url, &posts, e) : from_file(what, base_url, &posts, e);

	if (done)
		show(cli->report, &posts);
	post_list_free(&posts);
	return done;
}

const struct command command_parse = {
	.name = "parse",
	.group = GROUP_POSTS,
	.arguments = "URL|FILE",
	.min_words = 1,
	.max_words = 1,
	.complete = COMPLETE_FILE,
	.summary = "shows the posts in a feed or a file, without storing anything",
	.help = "A FILE that ends in .md, .markdown, .html or .htm is one post, any other a feed.\n"
		"--json shows all that hubmail would take.",
	.options = options,
	.run = run,
};
