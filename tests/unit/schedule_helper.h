/* Doubles of the schedule's neighbours: feeds and directories say what the test wants, and
 * composing is only a joining of titles. */
#ifndef TESTS_UNIT_SCHEDULE_HELPER_H
#define TESTS_UNIT_SCHEDULE_HELPER_H

#include "hubmail/base_clock.h"
#include "hubmail/base_text.h"
#include "hubmail/compose.h"
#include "hubmail/schedule.h"
#include "hubmail/source_directory.h"
#include "hubmail/source_feed.h"
#include "hubmail/source_fetch.h"
#include "schedule_world.h"

#define FETCHES 8

/* ---- Doubles ---- */

struct fetch {
	char *url, *etag, *body;
	enum fetch_private private_addresses;
	fetch_fn *fn;
	void *arg;
};

struct directory_watch {
	directory_fn *fn;
	void *arg;
};

/* What the doubles saw; the loop's thread only. */
struct doubles {
	struct fetch *open[FETCHES];
	int n_fetches;                     /* ever started */
	struct directory_watch *directory; /* the last one made, or NULL */
	int n_rescans;
};
static struct doubles doubles;

struct fetcher *fetcher_new(struct loop *loop, const char *user_agent)
{
	(void)loop;
	assert_true(strncmp(user_agent, "hubmail/", 8) == 0);
	return xcalloc(1, 1);
}

void fetcher_free(struct fetcher *f)
{
	free(f);
}

struct fetch *fetch_start(
	struct fetcher *f, const struct fetch_request *request, fetch_fn *fn, void *arg)
{
	struct fetch *r = xcalloc(1, sizeof(*r));

	(void)f;
	*r = (struct fetch){xstrdup(request->url), xstrdup(request->etag), xstrdup(request->body),
		request->private_addresses, fn, arg};
	for (int i = 0; i < FETCHES; i++) {
		if (doubles.open[i] == NULL) {
			doubles.open[i] = r;
			doubles.n_fetches++;
			return r;
		}
	}
	fail_msg("too many requests at once");
	return NULL;
}

void fetch_cancel(struct fetch *r)
{
	for (int i = 0; i < FETCHES; i++)
		if (doubles.open[i] == r)
			doubles.open[i] = NULL;
	free(r->url);
	free(r->etag);
	free(r->body);
	free(r);
}

struct directory_watch *directory_watch_new(struct loop *loop, const char *path,
	const char *base_url, const char *permalink, int quiet_ms, int rescan_s, directory_fn *fn,
	void *arg)
{
	struct directory_watch *w = xcalloc(1, sizeof(*w));

	(void)loop;
	(void)base_url;
	(void)permalink;
	assert_string_equal(path, FOLDER);
	assert_true(quiet_ms > 0 && rescan_s > 0);
	*w = (struct directory_watch){fn, arg};
	doubles.directory = w;
	return w;
}

void directory_watch_rescan(struct directory_watch *w)
{
	(void)w;
	doubles.n_rescans++;
}

void directory_watch_free(struct directory_watch *w)
{
	if (w != NULL && doubles.directory == w)
		doubles.directory = NULL;
	free(w);
}

/* A line of a feed: "guid title seconds-from-now category". A guid "ttl:3600" says how long the
 * feed may be kept. */
bool source_feed_parse(const char *data, size_t len, const char *base_url, const char *charset,
	struct post_list *out, struct source_channel *channel, struct error *e)
{
	char *copy = xstrndup(data, len), *rest = copy, *line;
	bool ok = len < 7 || memcmp(data, "no feed", 7) != 0;

	(void)base_url;
	(void)charset;
	if (channel != NULL)
		*channel = (struct source_channel){0};
	while (ok && (line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		struct post *p = post_list_add(out);
		p->guid = xstrdup(strsep(&line, " "));
		if (channel != NULL && text_starts(p->guid, "ttl:"))
			channel->ttl = strtoll(p->guid + 4, NULL, 10);
		p->title = xstrdup(strsep(&line, " "));
		const char *seconds = strsep(&line, " ");
		if (seconds != NULL && strcmp(seconds, "-") != 0)
			p->published_at = clock_now() + strtoll(seconds, NULL, 10);
		if (line != NULL)
			strlist_add(&p->categories, line);
	}
	free(copy);
	return ok || error_set(e, ERROR_DATA, "line 1: not a feed");
}

struct compose_plan {
	struct buf subject;
};

/* A post "Bad" cannot be mailed, a post "Huge" only as an excerpt. */
struct compose_plan *compose_digest(
	const struct compose_options *o, const struct post *posts, size_t n, struct error *e)
{
	struct compose_plan *p = xcalloc(1, sizeof(*p));

	assert_string_equal(o->web_url, "https://news.example.org");
	for (size_t i = 0; i < n; i++) {
		buf_addf(&p->subject, i > 0 ? "+%s" : "%s", posts[i].title);
		if (strcmp(posts[i].title, "Bad") != 0 &&
			(strcmp(posts[i].title, "Huge") != 0 || !o->full))
			continue;
		compose_plan_free(p);
		error_set(e, ERROR_DATA, "the message would be larger than 10 MiB");
		return NULL;
	}
	return p;
}

const char *compose_plan_subject(const struct compose_plan *p)
{
	return buf_str(&p->subject);
}

void compose_plan_encode(const struct compose_plan *p, struct buf *out)
{
	buf_adds(out, buf_str(&p->subject));
}

void compose_plan_free(struct compose_plan *p)
{
	buf_free(&p->subject);
	free(p);
}

static inline struct fetch *open_fetch(const char *url)
{
	for (int i = 0; i < FETCHES; i++)
		if (doubles.open[i] != NULL && strcmp(doubles.open[i]->url, url) == 0)
			return doubles.open[i];
	return NULL;
}

static inline bool asked(struct world *w, const void *url)
{
	(void)w;
	return open_fetch(url) != NULL;
}

static inline bool has_directory(struct world *w, const void *arg)
{
	(void)w;
	(void)arg;
	return doubles.directory != NULL;
}

static inline void answer(
	const char *url, const struct fetch_answer *a, const struct error *failure)
{
	struct fetch *r = open_fetch(url);

	assert_non_null(r);
	fetch_fn *fn = r->fn;
	void *arg = r->arg;
	fetch_cancel(r);
	fn(a, failure, arg);
}

/* The feed is looked at and holds these lines. */
static inline void feed_holds(struct world *w, const char *url, const char *lines)
{
	struct fetch_answer a = {
		.status = 200, .url = url, .body = lines, .len = strlen(lines), .etag = "\"e1\""};

	if (open_fetch(url) == NULL)
		assert_true(schedule_poll(w->schedule, url) > 0);
	WAIT_FOR(w, asked, url);
	answer(url, &a, NULL);
	WAIT_FOR(w, is_ok, url);
}

/* The directory was looked at: these files were found, which may be NULL, and this error. */
static inline void directory_holds(
	struct world *w, const char *lines, bool complete, const char *error)
{
	struct post_list posts = {0};
	struct strlist errors = {0}, none = {0};
	struct directory_look look = {&posts, complete, &errors, &none, &none};

	if (lines != NULL)
		assert_true(
			source_feed_parse(lines, strlen(lines), NULL, NULL, &posts, NULL, NULL));
	if (error != NULL)
		strlist_add(&errors, error);
	WAIT_FOR(w, has_directory, NULL);
	doubles.directory->fn(&look, doubles.directory->arg);
	post_list_free(&posts);
	strlist_free(&errors);
}

static inline int make_world_of_doubles(void **state)
{
	doubles = (struct doubles){0};
	return make_world(state);
}

/* Nothing was left behind. */
static inline int end_world_of_doubles(void **state)
{
	int rc = end_world(state);

	for (int i = 0; i < FETCHES; i++)
		assert_null(doubles.open[i]);
	assert_null(doubles.directory);
	return rc;
}

#endif
