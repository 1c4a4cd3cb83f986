/* The room's life: its parts are built and taken down here, the tick asks what is due, and `poll`
 * and `status` look at the sources. */
#include "room.h"

#include "hubmail/base_clock.h"
#include "hubmail/base_json.h"
#include "hubmail/base_mem.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The wall clock may be set at any time, and hubmailctl may resume a digest: nobody tells, so that
 * it is looked at this often. */
#define TICK_MAX_MS 10000
#define TICK_MIN_MS 100

static void on_tick(evutil_socket_t fd, short what, void *arg);
static void close_parts(struct schedule *s);

static bool build(struct schedule *s, const struct config *c, struct error *e)
{
	s->store = store_open(c->database, STORE_READ, e);
	if (s->store == NULL)
		return false;
	s->parser = worker_new(s->loop, e);
	s->composer = s->parser != NULL ? worker_new(s->loop, e) : NULL;
	if (s->composer == NULL)
		return false;
	char *user_agent =
		xasprintf("hubmail/" HUBMAIL_VERSION "%s%s%s", c->web_url != NULL ? " (+" : "",
			c->web_url != NULL ? c->web_url : "", c->web_url != NULL ? ")" : "");
	s->fetcher = fetcher_new(s->loop, user_agent);
	free(user_agent);
	s->tick = evtimer_new(loop_base(s->loop), on_tick, s);
	if (s->fetcher == NULL || s->tick == NULL)
		return error_set(e, ERROR_IO,
			"feeds cannot be fetched: too many open files or too little memory");
	return true;
}

struct schedule *schedule_start(struct loop *loop, const struct config *c, struct store_writer *w,
	void (*queued)(void *arg), void *arg, struct error *e)
{
	struct schedule *s = xcalloc(1, sizeof(*s));

	s->refs = 1;
	s->loop = loop;
	s->writer = w;
	s->queued = queued;
	s->queued_arg = arg;
	TAILQ_INIT(&s->lists);
	LIST_INIT(&s->enqueues);
	LIST_INIT(&s->leaves);
	if (!build(s, c, e)) {
		schedule_free(s);
		return NULL;
	}
	enqueue_look_for_unfinished(s);
	schedule_reconfigure(s, c);
	return s;
}

/* Hubs call at the old address otherwise. */
static void take_web_url(struct schedule *s, const char *url)
{
	char *old = s->web_url;
	struct list *l;
	struct watch *w;

	s->web_url = xstrdup(url);
	if (old != NULL && url != NULL && strcmp(old, url) != 0) {
		TAILQ_FOREACH(l, &s->lists, entry)
		TAILQ_FOREACH(w, &l->watches, entry)
		push_again(w, old);
	}
	free(old);
}

void schedule_reconfigure(struct schedule *s, const struct config *c)
{
	take_web_url(s, c->web_url);
	lists_configure(s, c);
	schedule_rearm(s);
}

void schedule_free(struct schedule *s)
{
	if (s == NULL)
		return;
	s->closed = true;
	lists_free(s);
	leave_end(s);
	close_parts(s);
	schedule_unref(s);
}

static void close_parts(struct schedule *s)
{
	if (s->fetcher != NULL)
		fetcher_free(s->fetcher);
	worker_free(s->parser);
	worker_free(s->composer);
	store_close(s->store);
	if (s->tick != NULL)
		event_free(s->tick);
}

void schedule_unref(struct schedule *s)
{
	if (--s->refs > 0)
		return;
	free(s->web_url);
	free(s);
}

/* ---- The tick ---- */

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct schedule *s = arg;
	int64_t now = clock_now();
	struct list *l;

	(void)fd;
	(void)what;
	TAILQ_FOREACH(l, &s->lists, entry)
	editions_check(l, now);
	enqueue_look_for_unfinished(s);
	schedule_rearm(s);
}

static int64_t wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void schedule_rearm(struct schedule *s)
{
	int64_t now_ms = wall_ms(), ms = TICK_MAX_MS;
	struct list *l;

	TAILQ_FOREACH(l, &s->lists, entry)
	{
		int64_t next = editions_next(l, now_ms / 1000);
		if (next != 0 && next * 1000 - now_ms < ms)
			ms = next * 1000 - now_ms;
	}
	ms = ms > TICK_MIN_MS ? ms : TICK_MIN_MS;
	struct timeval in = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};
	evtimer_add(s->tick, &in);
}

/* ---- Sources ---- */

/* The location as written, or with the '/' at its end that a shell adds to a folder's name, and
 * people to a site's. */
static bool is_at(const struct watch *w, const char *which)
{
	size_t len = strlen(w->source->location);

	return strncmp(which, w->source->location, len) == 0 &&
	       (which[len] == '\0' ||
		       (w->source->kind != SOURCE_FEED && strcmp(which + len, "/") == 0));
}

int schedule_poll(struct schedule *s, const char *which)
{
	struct list *l;
	struct watch *w;
	int n = 0;

	TAILQ_FOREACH(l, &s->lists, entry)
	{
		TAILQ_FOREACH(w, &l->watches, entry)
		{
			if (which != NULL && strcmp(which, l->settings->list.name) != 0 &&
				!is_at(w, which))
				continue;
			watch_look_now(w);
			n++;
		}
	}
	return n;
}

static json_t *watch_json(const struct watch *w)
{
	char *hook = push_hook_url(w);
	json_t *json = json_pack("{s:s, s:s, s:o, s:s, s:o, s:o, s:s?, s:I, s:I, s:I, s:I}", "list",
		w->settings->list.name, "kind", source_kind_name(w->source->kind), "location",
		json_text(w->source->location), "state", watch_state(w), "moved_to",
		json_text(w->moved_to), "error", json_text(w->error), "hook", hook, "push_until",
		(json_int_t)w->push.lease_until, "failing_since", (json_int_t)w->failing_since,
		"checked_at", (json_int_t)w->checked_at, "next_at", (json_int_t)w->next_at);

	free(hook);
	return json;
}

json_t *schedule_status(struct schedule *s)
{
	json_t *all = json_array();
	struct list *l;
	struct watch *w;

	TAILQ_FOREACH(l, &s->lists, entry)
	TAILQ_FOREACH(w, &l->watches, entry)
	json_array_append_new(all, watch_json(w));
	return all;
}
