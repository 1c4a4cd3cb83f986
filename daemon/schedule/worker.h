/* A thread with a queue, for what would hold the loop up: parsing what a feed sent, composing. */
#ifndef HUBMAIL_SCHEDULE_WORKER_H
#define HUBMAIL_SCHEDULE_WORKER_H

#include "hubmail/base_error.h"
#include "hubmail/base_loop.h"

struct worker;

/* NULL: the thread cannot be started. */
struct worker *worker_new(struct loop *loop, struct error *e);

/* Calls run(arg) on the worker's thread, in the order of submitting, and then ended(arg) on the
 * loop's. The loop's thread only. */
void worker_submit(struct worker *w, loop_fn *run, loop_fn *ended, void *arg);

/* Waits for the job that is being run. Those that wait are not run any more, but ended all the
 * same, by the loop. The loop's thread only. */
void worker_free(struct worker *w);

#endif
