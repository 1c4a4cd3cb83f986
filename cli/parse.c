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
#define PLACES_MAX 6 /* where a page's feed is looked for */

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
	struct fetcher *fetcher;
	const char *base_url; /* or NULL: where the redirects ended */
	struct post_list *posts;
	struct strlist places; /* of the feeds that the page at the URL may have */
	size_t next;           /* of them */
	struct error *e;       /* why there is none at the URL */
	bool done;
};

static void ask(struct download *d, const char *url);

static void arrived(const struct fetch_answer *answer, const struct error *failure, void *arg)
{
	struct download *d = arg;
	struct error e = {0};

	if (failure != NULL)
		e = *failure;
	else
		d->done = source_feed_parse(answer->body, answer->len,
			d->base_url != NULL ? d->base_url : answer->url, answer->charset, d->posts,
			NULL, &e);
	if (!d->done && d->next == 0) {
		*d->e = e;
		if (failure == NULL && source_feed_is_page(answer->body, answer->len))
			source_feed_discover(answer->body, answer->len, answer->url, &d->places);
	}
	if (!d->done && d->next < d->places.n && d->next < PLACES_MAX)
		ask(d, d->places.items[d->next++]);
	else
		event_base_loopbreak(d->base);
}

static void ask(struct download *d, const char *url)
{
	struct fetch_request request = {
		.url = url, .max_bytes = SOURCE_FEED_MAX, .timeout_s = FETCH_TIMEOUT_S};

	fetch_start(d->fetcher, &request, arrived, d);
}

/* Which of the page's feeds it was. */
static void tell_place(const struct download *d, struct report *r, struct error *e)
{
	struct error why = *e;

	if (d->done && d->next > 0)
		report_note(r, "this is a page, whose feed is %s", d->places.items[d->next - 1]);
	else if (!d->done && d->next > 0)
		error_set(e, why.code, "%s, and none of the feeds that it may have can be read",
			why.text);
}

static bool from_url(struct report *r, const char *url, const char *base_url,
	struct post_list *posts, struct error *e)
{
	struct loop *loop = loop_new();
	struct download d = {.base = loop_base(loop),
		.fetcher = fetcher_new(loop, "hubmail/" HUBMAIL_VERSION),
		.base_url = base_url,
		.posts = posts,
		.e = e};

	ask(&d, url);
	event_base_dispatch(d.base);
	tell_place(&d, r, e);
	strlist_free(&d.places);
	fetcher_free(d.fetcher);
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
		done = source_feed_parse(buf_str(&data), data.len, base_url, NULL, posts, NULL, e);
	buf_free(&data);
	if (!done && !text_starts(e->text, path))
		error_prefix(e, "%s", path);
	return done;
}

/* People leave the beginning of an address away, as their browser does. */
static bool no_such_file(const char *what, struct error *e)
{
	return error_set(e, ERROR_NOT_FOUND,
		"%s: there is no such file; an address begins with https:// or http://", what);
}

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	const char *what = a->words[0], *base_url = args_value(a, "base");
	struct post_list posts = {0};
	bool url = text_starts(what, "http://") || text_starts(what, "https://");
	bool done = url ? from_url(cli->report, what, base_url, &posts, e)
			: from_file(what, base_url, &posts, e);

	if (done)
		show(cli->report, &posts);
	else if (!url && e->code == ERROR_NOT_FOUND)
		no_such_file(what, e);
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
	.help = "At a URL with a page, the page's feed is shown.\n"
		"A FILE that ends in .md, .markdown, .html or .htm is one post, any other a feed.\n"
		"--json shows all that hubmail would take.",
	.options = options,
	.run = run,
};
