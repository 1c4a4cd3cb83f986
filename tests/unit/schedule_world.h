/* A schedule at work on a real database, writer and loop. */
#ifndef TESTS_UNIT_SCHEDULE_WORLD_H
#define TESTS_UNIT_SCHEDULE_WORLD_H

#include "hubmail/base_clock.h"
#include "hubmail/schedule.h"
#include "store_helper.h"

#define DEADLINE_MS 20000
#define FEED "https://example.org/feed"
#define OTHER_FEED "https://example.net/feed"
#define FOLDER "/srv/posts"

/* ---- The world around the schedule ---- */

struct world {
	struct fixture *f;
	struct config config;
	struct config_list lists[2];
	struct config_source sources[2][2];
	struct loop *loop;
	struct store_writer *writer;
	struct schedule *schedule;
	struct error e;
	int queued; /* calls of the callback */
	/* of schedule_send(): */
	bool answered;
	int64_t digest_id;
	struct error failure;
};

static inline void on_queued(void *arg)
{
	struct world *w = arg;

	w->queued++;
}

static inline struct config_list a_list(char *name, struct config_source *sources)
{
	return (struct config_list){.name = name,
		.title = (char *)"The News",
		.from = (char *)"news@example.org",
		.from_address = "news@example.org",
		.sources = sources,
		.n_sources = 1,
		.schedule = {.edition = EDITION_EACH},
		.timezone = (char *)"UTC",
		.offers = {[EDITION_EACH] = true},
		.min_posts = 1,
		.max_posts = 20,
		.language = (char *)"en"};
}

/* One list, "news", with one feed; a second list "blog" for those who raise config.n_lists. */
static inline int make_world(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	set_up((void **)&w->f);
	w->config = (struct config){.database = w->f->path,
		.web_url = (char *)"https://news.example.org",
		.lists = w->lists,
		.n_lists = 1};
	w->lists[0] = a_list((char *)"news", w->sources[0]);
	w->lists[1] = a_list((char *)"blog", w->sources[1]);
	w->sources[0][0] = (struct config_source){
		.kind = SOURCE_FEED, .location = (char *)FEED, .interval = 3600};
	w->sources[0][1] = (struct config_source){
		.kind = SOURCE_DIRECTORY, .location = (char *)FOLDER, .interval = 3600};
	w->sources[1][0] = (struct config_source){
		.kind = SOURCE_FEED, .location = (char *)OTHER_FEED, .interval = 3600};
	*state = w;
	return 0;
}

static inline void start_on(struct world *w, struct loop *loop)
{
	w->loop = loop;
	assert_non_null(w->loop);
	w->writer = store_writer_start(w->f->path, &w->e);
	assert_non_null(w->writer);
	w->schedule = schedule_start(w->loop, &w->config, w->writer, on_queued, w, &w->e);
	if (w->schedule == NULL)
		fail_msg("%s", w->e.text);
}

static inline void start(struct world *w)
{
	start_on(w, loop_new());
}

static inline void stop(struct world *w)
{
	if (w->loop == NULL)
		return;
	schedule_free(w->schedule);
	store_writer_stop(w->writer);
	loop_free(w->loop);
	w->loop = NULL;
}

static inline int end_world(void **state)
{
	struct world *w = *state;

	stop(w);
	tear_down((void **)&w->f);
	free(w);
	return 0;
}

/* ---- Waiting ---- */

typedef bool condition(struct world *w, const void *arg);

static inline void do_nothing(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

/* Runs the loop until the condition holds. */
static inline void wait_for(struct world *w, condition *holds, const void *arg, const char *what)
{
	int64_t deadline = clock_mono_ms() + DEADLINE_MS;
	struct timeval often = {0, 2000};
	struct event *tick = event_new(loop_base(w->loop), -1, EV_PERSIST, do_nothing, NULL);

	event_add(tick, &often);
	while (!holds(w, arg)) {
		if (clock_mono_ms() > deadline)
			fail_msg("waited in vain: %s", what);
		event_base_loop(loop_base(w->loop), EVLOOP_ONCE);
	}
	event_free(tick);
}

#define WAIT_FOR(w, holds, arg) wait_for(w, holds, arg, #holds " " #arg)

static inline const char *source_text(struct world *w, const char *location, const char *key)
{
	static char text[512];
	json_t *all = schedule_status(w->schedule), *one;
	size_t i;

	text[0] = '\0';
	json_array_foreach(all, i, one)
	{
		const char *value = json_string_value(json_object_get(one, key));
		if (strcmp(json_string_value(json_object_get(one, "location")), location) == 0 &&
			value != NULL)
			snprintf(text, sizeof(text), "%s", value);
	}
	json_decref(all);
	return text;
}

static inline int64_t source_number(struct world *w, const char *location, const char *key)
{
	int64_t number = -1;
	json_t *all = schedule_status(w->schedule), *one;
	size_t i;

	json_array_foreach(all, i, one)
	{
		if (strcmp(json_string_value(json_object_get(one, "location")), location) == 0)
			number = json_integer_value(json_object_get(one, key));
	}
	json_decref(all);
	return number;
}

/* The look is over and kept. */
static inline bool is_ok(struct world *w, const void *location)
{
	return strcmp(source_text(w, location, "state"), "ok") == 0;
}

static inline bool is_looking(struct world *w, const void *location)
{
	return strcmp(source_text(w, location, "state"), "looking") == 0;
}

static inline bool is_failing(struct world *w, const void *location)
{
	return strcmp(source_text(w, location, "state"), "failing") == 0;
}

/* ---- What became of it ---- */

/* The digests that were made, oldest first: "each:A each:B+C", and how many deliveries each has if
 * it is not one for each of the `readers`. Cancelled ones are in brackets. */
static inline const char *digests(struct world *w)
{
	static char text[1024];
	struct store_digest *all;
	struct buf b = {0};
	size_t n;

	assert_ok(w->f, store_digest_list(w->f->store, 0, 0, &all, &n, &w->f->e));
	for (size_t i = n; i-- > 0;) {
		bool cancelled = all[i].state == DIGEST_CANCELLED;
		buf_addf(&b, "%s%s%s:%s%s", b.len > 0 ? " " : "", cancelled ? "(" : "",
			edition_name(all[i].edition), all[i].subject, cancelled ? ")" : "");
	}
	for (size_t i = 0; i < n; i++)
		store_digest_free(&all[i]);
	free(all);
	snprintf(text, sizeof(text), "%s", buf_str(&b));
	buf_free(&b);
	return text;
}

static inline bool nothing_under_way(struct world *w, const void *arg)
{
	struct store_digest *all;
	size_t n;
	bool enqueuing = false;

	(void)arg;
	assert_ok(w->f, store_digest_active(w->f->store, &all, &n, &w->f->e));
	for (size_t i = 0; i < n; i++) {
		enqueuing = enqueuing || all[i].state == DIGEST_ENQUEUING;
		store_digest_free(&all[i]);
	}
	free(all);
	return !enqueuing;
}

static inline void on_sent(int64_t digest_id, const struct error *failure, void *arg)
{
	struct world *w = arg;

	w->answered = true;
	w->digest_id = digest_id;
	w->failure = failure != NULL ? *failure : (struct error){0};
}

static inline bool is_answered(struct world *w, const void *arg)
{
	(void)arg;
	return w->answered;
}

/* `hubmailctl send`, and what came back in digest_id or failure. */
static inline void send_now(struct world *w, const struct schedule_send *what)
{
	w->answered = false;
	schedule_send(w->schedule, what, on_sent, w);
	assert_false(w->answered);
	WAIT_FOR(w, is_answered, NULL);
}

static inline bool write_nothing(struct store *s, void *arg, struct error *e)
{
	(void)s;
	(void)arg;
	(void)e;
	return true;
}

/* What is under way comes to its end: a few rounds through all the threads, each of which takes its
 * work in order. */
static inline void settle(struct world *w)
{
	struct schedule_send nowhere = {.list = "nowhere", .edition = -1};

	for (int i = 0; i < 5; i++) {
		send_now(w, &nowhere);
		assert_int_equal(w->failure.code, ERROR_NOT_FOUND);
		assert_ok(w, store_writer_run(w->writer, write_nothing, NULL, 0, &w->e));
		event_base_loop(loop_base(w->loop), EVLOOP_NONBLOCK);
	}
}

/* Waits for the digests, and makes sure that no other follows. */
static inline void expect_digests(struct world *w, const char *expected)
{
	int64_t deadline = clock_mono_ms() + DEADLINE_MS;

	while (strcmp(digests(w), expected) != 0) {
		if (clock_mono_ms() > deadline)
			fail_msg("\"%s\" instead of \"%s\"", digests(w), expected);
		event_base_loop(loop_base(w->loop), EVLOOP_NONBLOCK);
	}
	WAIT_FOR(w, nothing_under_way, NULL);
	settle(w);
	assert_string_equal(digests(w), expected);
}

#endif
