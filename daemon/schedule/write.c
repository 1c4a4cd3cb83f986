/* The bridge to the writer: its jobs run and end on its thread, and what comes of them is needed on
 * the loop's. */
#include "room.h"

struct schedule *schedule_ref(struct schedule *s)
{
	s->refs++;
	return s;
}

static void ended_on_loop(void *arg)
{
	struct write *w = arg;
	struct schedule *s = w->schedule;

	w->ended(w, w->failure.code != ERROR_NONE ? &w->failure : NULL);
	schedule_unref(s);
}

static void ended_on_writer(void *arg, const struct error *failure)
{
	struct write *w = arg;

	w->failure = failure != NULL ? *failure : (struct error){0};
	loop_post(w->schedule->loop, ended_on_loop, w);
}

void write_submit(struct schedule *s, struct write *w, store_job_fn *run,
	void (*ended)(struct write *w, const struct error *failure), unsigned flags)
{
	w->schedule = schedule_ref(s);
	w->ended = ended;
	store_writer_submit(s->writer, run, ended_on_writer, w, flags);
}
