/* One source: when it is looked at, how long to leave it alone after a failure, and what `status`
 * says of it. What a look finds goes through look.c. A source in trouble has its own timer and
 * disturbs no other. */
#include "room.h"

#include "hubmail/base_clock.h"
#include "hubmail/base_crypto.h"
#include "hubmail/base_log.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include <stdlib.h>
#include <string.h>

#define SPREAD_MS 50 /* the first looks at n feeds are spread over n times this */
#define SPREAD_MAX_MS 10000
#define PAUSE_MAX_S INT64_C(86400)
#define WAIT_MAX_S INT64_C(604800) /* the most that a server may have asked for */
#define PUSHED_SLOWER 6
#define QUIET_MS 100 /* a file is whole when nobody wrote to it for so long */

static void on_timer(evutil_socket_t fd, short what, void *arg);
static void on_directory(const struct directory_look *look, void *arg);

const char *source_kind_name(enum config_source_kind kind)
{
	static const char *const names[] = {
		[SOURCE_FEED] = "feed",
		[SOURCE_WORDPRESS] = "wordpress",
		[SOURCE_DIRECTORY] = "directory",
	};

	return names[kind];
}

/* ---- Life ---- */

struct watch *watch_new(struct list *l, const struct config_source *source)
{
	struct watch *w = xcalloc(1, sizeof(*w));

	w->schedule = l->schedule;
	w->schedule->n_watches++;
	w->list = list_ref(l);
	w->settings = settings_ref(l->settings);
	w->source = source;
	w->refs = 1;
	TAILQ_INIT(&w->looks);
	leave_cancel(w, NULL);
	return w;
}

struct watch *watch_ref(struct watch *w)
{
	w->refs++;
	return w;
}

void watch_unref(struct watch *w)
{
	if (--w->refs > 0)
		return;
	settings_unref(w->settings);
	list_unref(w->list);
	free(w->etag);
	free(w->last_modified);
	free(w->moved_to);
	free(w->error);
	strlist_free(&w->full_errors);
	free(w);
}

static void stop_looking(struct watch *w)
{
	ask_cancel(w);
	push_end(w);
	if (w->timer != NULL)
		event_free(w->timer);
	directory_watch_free(w->folder);
	w->timer = NULL;
	w->folder = NULL;
}

void watch_close(struct watch *w)
{
	w->gone = true;
	w->schedule->n_watches--;
	stop_looking(w);
	watch_unref(w);
}

/* ---- Time ---- */

static void look_in_ms(struct watch *w, int64_t ms)
{
	struct timeval in = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};

	w->next_at = clock_now() + (ms + 500) / 1000;
	event_add(w->timer, &in);
}

/* A tenth more or less, so that many sources do not march in step. */
static int64_t jittered_ms(int64_t seconds)
{
	int64_t ms = seconds * 1000;

	return ms - ms / 10 + random_below((uint32_t)(ms / 5) + 1);
}

/* A source that tells of its news is looked at as well, for what it does not tell. */
static int64_t calm_interval(const struct watch *w)
{
	int64_t interval = w->source->interval, slow = interval * PUSHED_SLOWER;

	if (!push_is_on(w) || w->failures > 0 || interval > PAUSE_MAX_S)
		return interval;
	return slow < PAUSE_MAX_S ? slow : PAUSE_MAX_S;
}

/* After failures: the interval, then twice as long each time, up to a day. */
static int64_t pause_s(const struct watch *w)
{
	int64_t pause = calm_interval(w);
	int64_t longest = pause > PAUSE_MAX_S ? pause : PAUSE_MAX_S;

	for (int i = 1; i < w->failures && pause < longest; i++)
		pause *= 2;
	return pause < longest ? pause : longest;
}

/* What the server asked for is the least. A clock that was set back must not make it more than it
 * can have asked for. */
static int64_t asked_wait_ms(const struct watch *w)
{
	int64_t left = w->wait_until - clock_now();

	if (left <= 0 || left > WAIT_MAX_S)
		return 0;
	return left * 1000 + random_below(1000);
}

static void wait_for_next(struct watch *w)
{
	int64_t ms = jittered_ms(pause_s(w)), least = asked_wait_ms(w);

	if (w->stopped && !w->again && w->soon_ms == 0) {
		w->next_at = 0;
		return;
	}
	ms = ms > least ? ms : least;
	if (w->soon_ms != 0)
		ms = w->soon_ms > clock_mono_ms() ? w->soon_ms - clock_mono_ms() : 0;
	look_in_ms(w, w->again ? 0 : ms);
	w->again = false;
}

/* ---- Looking ---- */

static void open_folder(struct watch *w)
{
	w->folder = directory_watch_new(w->schedule->loop, w->source->location, w->source->url,
		w->source->permalink, QUIET_MS, w->source->interval, on_directory, w);
	w->full_look = true;
}

/* One at a time, so that it is known which call ends it. */
void watch_rescan(struct watch *w)
{
	if (w->full_look) {
		w->again = true;
		return;
	}
	w->full_look = true;
	directory_watch_rescan(w->folder);
}

void watch_begin(struct watch *w, const struct store_source *row)
{
	uint32_t spread = w->schedule->n_watches * SPREAD_MS;
	int64_t ms = random_below(spread < SPREAD_MAX_MS ? spread : SPREAD_MAX_MS);

	w->source_id = row->id;
	w->etag = xstrdup(row->etag);
	w->last_modified = xstrdup(row->last_modified);
	w->moved_to = xstrdup(row->moved_to);
	w->error = xstrdup(row->error);
	w->failures = row->failures;
	w->failing_since = row->failing_since;
	w->wait_until = row->wait_until;
	w->ttl = row->ttl;
	w->stopped = row->stopped;
	w->has_looked = row->first_look_at != 0;
	w->checked_at = row->checked_at;
	if (w->source->kind == SOURCE_DIRECTORY) {
		open_folder(w);
		return;
	}
	w->timer = evtimer_new(loop_base(w->schedule->loop), on_timer, w);
	push_begin(w, row);
	look_in_ms(w, asked_wait_ms(w) > ms ? asked_wait_ms(w) : ms);
}

static bool same_strings(const struct strlist *a, const struct strlist *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return true;
}

static void reopen_folder(struct watch *w)
{
	directory_watch_free(w->folder);
	strlist_free(&w->full_errors);
	w->again = false;
	open_folder(w);
}

/* Another filter brings forward what is old: the whole source is looked at once more, and what
 * that finds is not news. A look that began with the old filter does not count. */
static void refilter(struct watch *w)
{
	w->mark_seen = true;
	if (w->source->kind == SOURCE_DIRECTORY) {
		reopen_folder(w);
		return;
	}
	free(w->etag);
	free(w->last_modified);
	w->etag = NULL;
	w->last_modified = NULL;
	ask_cancel(w);
	watch_look_now(w);
}

void watch_configure(struct watch *w, struct settings *settings, const struct config_source *source)
{
	struct settings *old_settings = w->settings;
	const struct config_source *old = w->source;

	w->settings = settings_ref(settings);
	w->source = source;
	if (w->source_id != 0) {
		bool moved = old->interval != source->interval;
		bool readdressed = !text_same(old->url, source->url) ||
				   !text_same(old->permalink, source->permalink);
		if (w->folder != NULL && (moved || readdressed)) {
			reopen_folder(w);
		} else if (w->timer != NULL && moved && evtimer_pending(w->timer, NULL)) {
			wait_for_next(w);
		}
		if (w->stopped || old->allow_private != source->allow_private)
			watch_look_now(w);
		if (!same_strings(&old->categories, &source->categories))
			refilter(w);
	}
	settings_unref(old_settings);
}

bool watch_is_looking(const struct watch *w)
{
	return w->ask.fetch != NULL || w->parsing || !TAILQ_EMPTY(&w->looks);
}

void watch_look_now(struct watch *w)
{
	if (w->source_id == 0)
		return; /* its first look is near */
	if (w->folder != NULL)
		watch_rescan(w);
	else if (watch_is_looking(w))
		w->again = true;
	else
		look_in_ms(w, 0);
}

void watch_look_within(struct watch *w, int64_t ms)
{
	w->soon_ms = clock_mono_ms() + ms;
	if (!watch_is_looking(w))
		wait_for_next(w);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;

	(void)fd;
	(void)what;
	w->next_at = 0;
	w->soon_ms = 0;
	ask_start(w);
}

static void on_directory(const struct directory_look *look, void *arg)
{
	look_at_directory(arg, look);
}

/* ---- After a look ---- */

static void set_text(char **to, const char *text)
{
	char *copy = xstrdup(text);

	free(*to);
	*to = copy;
}

static void note_error(struct watch *w, const char *error)
{
	const char *list = w->settings->list.name;

	if (error != NULL && !text_same(w->error, error))
		log_warn("source failed", "list=%s source=%s failures=%d reason=%s", list,
			log_quote(w->source->location), w->failures + 1, log_quote(error));
	if (error == NULL && w->error != NULL)
		log_info("source recovered", "list=%s source=%s", list,
			log_quote(w->source->location));
	w->failures = error != NULL ? w->failures + 1 : 0;
	if (error == NULL)
		w->failing_since = 0;
	else if (w->failing_since == 0)
		w->failing_since = w->checked_at;
	set_text(&w->error, error);
}

static void note_stopped(struct watch *w, bool stopped)
{
	if (stopped && !w->stopped)
		log_warn("source is gone for good, it is looked at again after a reload or a poll",
			"list=%s source=%s", w->settings->list.name,
			log_quote(w->source->location));
	w->stopped = stopped;
}

/* Where the last good look was made. */
static void note_place(struct watch *w, const char *moved_to)
{
	if (moved_to != NULL && !text_same(moved_to, w->moved_to))
		log_warn("source is elsewhere and is asked there from now on",
			"list=%s source=%s to=%s", w->settings->list.name,
			log_quote(w->source->location), log_quote(moved_to));
	set_text(&w->moved_to, moved_to);
}

static void log_found(const struct watch *w, const struct store_look_result *found)
{
	if (found->held > 0)
		log_warn("posts that seem to be a source's past are not mailed, hubmailctl posts "
			 "--held shows them",
			"list=%s source=%s posts=%d", w->settings->list.name,
			log_quote(w->source->location), found->held);
	if (found->withdrawn > 0)
		log_info("posts withdrawn, their files are gone or drafts",
			"list=%s source=%s posts=%d", w->settings->list.name,
			log_quote(w->source->location), found->withdrawn);
	if (found->added + found->seen + found->changed > 0)
		log_info("posts found", "list=%s source=%s new=%d seen=%d changed=%d",
			w->settings->list.name, log_quote(w->source->location), found->added,
			found->seen, found->changed);
}

void watch_looked(struct watch *w, const struct look_result *r, const struct error *failure)
{
	w->checked_at = r->at;
	if (failure != NULL) {
		note_error(w, failure->text);
	} else {
		note_error(w, r->error);
		if (r->error == NULL && w->mark_seen == r->mark_seen) {
			set_text(&w->etag, r->etag);
			set_text(&w->last_modified, r->last_modified);
		}
		if (r->error == NULL) {
			note_place(w, r->moved_to);
			push_note(w, r->hub, r->topic);
			w->has_looked = w->has_looked || r->complete;
			w->ttl = r->ttl;
		}
		note_stopped(w, r->stopped);
		w->wait_until = r->wait_until;
		log_found(w, &r->found);
		w->mark_seen = w->mark_seen && !(r->complete && r->mark_seen);
		if (r->found.added > 0 || r->found.changed > 0)
			editions_posts_changed(w->list);
	}
	if (w->timer != NULL)
		wait_for_next(w);
}

const char *watch_state(const struct watch *w)
{
	if (watch_is_looking(w))
		return "looking";
	if (w->error != NULL)
		return w->stopped ? "gone" : "failing";
	return w->checked_at != 0 ? "ok" : "waiting";
}
