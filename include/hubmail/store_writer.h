/* The one thread of the daemon that writes. Jobs wait in a queue; what waits is grouped into one
 * transaction; after the commit each job's owner is told. */
#ifndef HUBMAIL_STORE_WRITER_H
#define HUBMAIL_STORE_WRITER_H

#include "hubmail/base_error.h"
#include "hubmail/store.h"
#include <stdbool.h>

struct store_writer;

/* Does the work on the writer's connection, inside its transaction. It may be run more than once
 * (when the group's commit fails, or a neighbour's job does, each is tried again alone): only the
 * last run counts, so it must not keep what an earlier one found. False with *e filled rolls back
 * this job alone. At most 50 ms. */
typedef bool store_job_fn(struct store *s, void *arg, struct error *e);

/* Told on the writer's thread after the commit (failure == NULL) or when the job was given up.
 * Short; it may submit the next job. */
typedef void store_done_fn(void *arg, const struct error *failure);

enum store_job_flags {
	STORE_JOB_DURABLE = 1, /* on disk (fsync) before done is called */
	STORE_JOB_RETRY = 2,   /* a full disk or another I/O error is waited out: tried again every
				  second until it works or the writer is hurried or stopped */
	STORE_JOB_TURN = 4,    /* it makes store_delivery_turn() and nothing else */
};

/* Opens its own STORE_DAEMON connection and starts the thread. NULL on error. */
struct store_writer *store_writer_start(const char *path, struct error *e);

/* Queues a job. done may be NULL. Any thread. */
void store_writer_submit(
	struct store_writer *w, store_job_fn *run, store_done_fn *done, void *arg, unsigned flags);

/* Queues a job and waits for its end. Any thread but the writer's, and not the main loop's for
 * anything but start and stop. */
bool store_writer_run(
	struct store_writer *w, store_job_fn *run, void *arg, unsigned flags, struct error *e);

/* True while the last transaction failed because of the disk; then why. For status. */
bool store_writer_trouble(struct store_writer *w, struct error *e);

/* From now on nothing is waited out: STORE_JOB_RETRY jobs are tried as often as others, and those
 * who wait for one are told within a second or so. For a program that has to end although the disk
 * is full. Any thread. */
void store_writer_hurry(struct store_writer *w);

/* Does what is queued (STORE_JOB_RETRY jobs once more, then they fail), closes the connection,
 * frees. Nobody may submit any more. */
void store_writer_stop(struct store_writer *w);

#endif
