/* A thread that takes jobs from a queue, so that the loop never waits for them. Each job's end
 * comes back to the loop: whoever submits works with its own data on one thread at a time and needs
 * no locks. */
#include "worker.h"

#include "hubmail/base_mem.h"
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/queue.h>

struct job {
	loop_fn *run, *ended;
	void *arg;
	STAILQ_ENTRY(job) entry;
};

STAILQ_HEAD(job_list, job);

struct worker {
	struct loop *loop;
	pthread_t thread;
	pthread_mutex_t lock; /* protects what follows */
	pthread_cond_t arrived;
	struct job_list waiting;
	bool stopping;
};

static struct job *take(struct worker *w)
{
	struct job *j = NULL;

	pthread_mutex_lock(&w->lock);
	while (!w->stopping && STAILQ_EMPTY(&w->waiting))
		pthread_cond_wait(&w->arrived, &w->lock);
	if (!w->stopping) {
		j = STAILQ_FIRST(&w->waiting);
		STAILQ_REMOVE_HEAD(&w->waiting, entry);
	}
	pthread_mutex_unlock(&w->lock);
	return j;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct job *j;

	pthread_setname_np(pthread_self(), "composer");
	while ((j = take(w)) != NULL) {
		j->run(j->arg);
		loop_post(w->loop, j->ended, j->arg);
		free(j);
	}
	return NULL;
}

/* Signals are for the main thread. */
static bool start_thread(struct worker *w)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bool ok = pthread_create(&w->thread, NULL, work, w) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ok;
}

static void destroy(struct worker *w)
{
	pthread_cond_destroy(&w->arrived);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

struct worker *worker_new(struct loop *loop, struct error *e)
{
	struct worker *w = xcalloc(1, sizeof(*w));

	w->loop = loop;
	STAILQ_INIT(&w->waiting);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->arrived, NULL);
	if (start_thread(w))
		return w;
	error_set(e, ERROR_IO,
		"a working thread cannot be started: too many processes or too little memory");
	destroy(w);
	return NULL;
}

void worker_submit(struct worker *w, loop_fn *run, loop_fn *ended, void *arg)
{
	struct job *j = xcalloc(1, sizeof(*j));

	*j = (struct job){.run = run, .ended = ended, .arg = arg};
	pthread_mutex_lock(&w->lock);
	STAILQ_INSERT_TAIL(&w->waiting, j, entry);
	pthread_cond_signal(&w->arrived);
	pthread_mutex_unlock(&w->lock);
}

void worker_free(struct worker *w)
{
	struct job *j;

	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_signal(&w->arrived);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	while ((j = STAILQ_FIRST(&w->waiting)) != NULL) {
		STAILQ_REMOVE_HEAD(&w->waiting, entry);
		loop_post(w->loop, j->ended, j->arg);
		free(j);
	}
	destroy(w);
}
