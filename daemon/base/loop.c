/* The bridge from other threads to the libevent loop: a queue under a mutex and an eventfd that
 * wakes the loop. libevent itself is only ever touched by the loop's own thread, so that it needs
 * no locks. */
#include "hubmail/base_loop.h"
#include "hubmail/base_mem.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct job {
	loop_fn *fn;
	void *arg;
	struct job *next;
};

struct loop {
	struct event_base *base;
	struct event *wake;
	int wake_fd;
	pthread_mutex_t lock;
	struct job *first; /* under lock */
	struct job **end;  /* under lock */
};

static void on_wake(evutil_socket_t fd, short what, void *arg);
static struct job *take_jobs(struct loop *l);
static void run_jobs(struct job *job);

struct loop *loop_new(void)
{
	struct loop *l = xcalloc(1, sizeof(*l));
	l->end = &l->first;
	pthread_mutex_init(&l->lock, NULL);
	l->base = event_base_new();
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->base != NULL && l->wake_fd >= 0)
		l->wake = event_new(l->base, l->wake_fd, EV_READ | EV_PERSIST, on_wake, l);
	if (l->wake == NULL || event_add(l->wake, NULL) != 0) {
		loop_free(l);
		return NULL;
	}
	return l;
}

struct event_base *loop_base(struct loop *l)
{
	return l->base;
}

void loop_post(struct loop *l, loop_fn *fn, void *arg)
{
	struct job *job = xcalloc(1, sizeof(*job));
	job->fn = fn;
	job->arg = arg;
	pthread_mutex_lock(&l->lock);
	bool was_empty = l->first == NULL;
	*l->end = job;
	l->end = &job->next;
	pthread_mutex_unlock(&l->lock);
	if (was_empty)
		eventfd_write(l->wake_fd, 1);
}

/* What the jobs themselves post waits for the next round, so that timers and sockets get their
 * turn. */
static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	eventfd_t ignored;
	(void)what;
	eventfd_read(fd, &ignored);
	run_jobs(take_jobs(arg));
}

static struct job *take_jobs(struct loop *l)
{
	pthread_mutex_lock(&l->lock);
	struct job *jobs = l->first;
	l->first = NULL;
	l->end = &l->first;
	pthread_mutex_unlock(&l->lock);
	return jobs;
}

static void run_jobs(struct job *job)
{
	while (job != NULL) {
		struct job *next = job->next;
		job->fn(job->arg);
		free(job);
		job = next;
	}
}

void loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	for (struct job *jobs = take_jobs(l); jobs != NULL; jobs = take_jobs(l))
		run_jobs(jobs);
	if (l->wake != NULL)
		event_free(l->wake);
	if (l->wake_fd >= 0)
		close(l->wake_fd);
	if (l->base != NULL)
		event_base_free(l->base);
	pthread_mutex_destroy(&l->lock);
	free(l);
}
