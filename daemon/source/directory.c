/* A watched directory: its life and its steps. A step takes in what inotify tells, takes files that
 * are due and reads on in folders, for a few milliseconds; then it hands over what it found. The
 * callback comes last in it, for it may free the watch. */
#include "hubmail/source_directory.h"

#include "directory_watch.h"
#include "hubmail/base_clock.h"
#include "hubmail/base_mem.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEP_US 5000  /* so that with the callback it is less than 10 ms */
#define RETRY_MS 1000 /* a directory that is not there is looked for so often */

static void on_step(evutil_socket_t fd, short what, void *arg);
static void on_rescan(evutil_socket_t fd, short what, void *arg);

struct directory_watch *directory_watch_new(struct loop *loop, const char *path,
	const char *base_url, const char *permalink, int quiet_ms, int rescan_s, directory_fn *fn,
	void *arg)
{
	struct directory_watch *w = xcalloc(1, sizeof(*w));

	w->base = loop_base(loop);
	w->path = xstrdup(path);
	w->base_url = xstrdup(base_url);
	w->permalink = xstrdup(permalink);
	w->quiet_ms = quiet_ms;
	w->rescan_s = rescan_s > 0 ? rescan_s : 1;
	w->fn = fn;
	w->arg = arg;
	dirtree_init(&w->tree);
	w->step = evtimer_new(w->base, on_step, w);
	w->rescan = evtimer_new(w->base, on_rescan, w);
	if (w->step == NULL || w->rescan == NULL)
		abort();
	directory_watch_rescan(w);
	return w;
}

void directory_watch_rescan(struct directory_watch *w)
{
	w->want_full = true;
	w->root_failure = 0;
	event_active(w->step, EV_TIMEOUT, 0);
}

void directory_watch_free(struct directory_watch *w)
{
	if (w == NULL)
		return;
	directory_scan_stop(w);
	dirtree_clear(&w->tree);
	directory_notify_close(w);
	event_free(w->step);
	event_free(w->rescan);
	post_list_free(&w->posts);
	strlist_free(&w->errors);
	free(w->path);
	free(w->base_url);
	free(w->permalink);
	free(w);
}

void directory_error(struct directory_watch *w, const char *path, const char *reason)
{
	strlist_take(&w->errors, xasprintf("%s: %s", path, reason));
}

/* ---- Steps ---- */

static void add_timer(struct event *timer, int64_t after_ms)
{
	struct timeval after = {(time_t)(after_ms / 1000), (suseconds_t)(after_ms % 1000 * 1000)};

	event_add(timer, &after);
}

/* False if there is nothing to do now. */
static bool do_some(struct directory_watch *w)
{
	return directory_take_due(w, clock_mono_ms()) || directory_scan_step(w);
}

static void wait_for_due(struct directory_watch *w)
{
	const struct dirtree_file *f = directory_first_due(w);
	int64_t due_ms = w->closing_ms != 0 ? w->closing_ms : INT64_MAX;

	if (f != NULL && f->due_ms < due_ms)
		due_ms = f->due_ms;
	if (due_ms == INT64_MAX)
		return;
	int64_t left_ms = due_ms - clock_mono_ms();
	add_timer(w->step, left_ms > 0 ? left_ms : 0);
}

static void list_files(const struct directory_watch *w, struct strlist *out)
{
	const struct dirtree_file *f;

	for (f = w->tree.files; f != NULL; f = f->hh.next)
		strlist_add(out, f->path);
}

static void hand_over(struct directory_watch *w)
{
	struct post_list posts = w->posts;
	struct strlist errors = w->errors, gone = w->tree.gone, there = {0};
	struct directory_look look = {&posts, w->complete, &errors, &gone, &there};

	if (w->complete)
		list_files(w, &there);
	w->posts = (struct post_list){0};
	w->errors = w->tree.gone = (struct strlist){0};
	w->complete = false;
	bool has_news =
		posts.n > 0 || errors.n > 0 || gone.n > 0 || look.complete || w->tree.mended;
	w->tree.mended = false;
	if (has_news)
		w->fn(&look, w->arg); /* w may be gone afterwards */
	post_list_free(&posts);
	strlist_free(&errors);
	strlist_free(&gone);
	strlist_free(&there);
}

static void on_step(evutil_socket_t fd, short what, void *arg)
{
	struct directory_watch *w = arg;
	int64_t deadline_us = clock_mono_us() + STEP_US;
	bool more = true;

	(void)fd;
	(void)what;
	/* What is due is taken only by one who knows the last news of it. */
	if (directory_notify_read(w, deadline_us))
		while (more && !w->complete && clock_mono_us() < deadline_us)
			more = do_some(w);
	if (w->complete || more)
		add_timer(w->step, 0);
	else
		wait_for_due(w);
	if (w->root_failure != 0 || w->cut_short)
		add_timer(w->rescan, RETRY_MS);
	else if (!evtimer_pending(w->rescan, NULL))
		add_timer(w->rescan, (int64_t)w->rescan_s * 1000);
	hand_over(w);
}

static void on_rescan(evutil_socket_t fd, short what, void *arg)
{
	struct directory_watch *w = arg;

	(void)fd;
	(void)what;
	w->want_scan = w->want_scan || !w->scanning;
	event_active(w->step, EV_TIMEOUT, 0);
}
