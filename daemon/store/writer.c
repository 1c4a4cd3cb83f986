/* The daemon's writing thread. Jobs are taken in the order in which they came, as many as there are
 * (up to some time) in one transaction: at full speed one commit carries the results of many
 * sessions. If the transaction fails, each of its jobs is tried alone, so that one bad job does not
 * take its neighbours down. */
#include "hubmail/store_writer.h"

#include "hubmail/base_clock.h"
#include "hubmail/base_log.h"
#include "hubmail/base_mem.h"
#include "sql.h"
#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <time.h>

#define GROUP_MAX_US 20000 /* a transaction takes no further job after this long */
#define LONG_GROUP_US 5000 /* after a transaction this long, hubmailctl gets a chance to write */
#define NAP_US 2000L
#define RETRY_S 1

struct job {
	store_job_fn *run;
	store_done_fn *done;
	void *arg;
	unsigned flags;
	struct error failure;
	STAILQ_ENTRY(job) entry;
};

STAILQ_HEAD(job_list, job);

struct store_writer {
	struct store *store;
	pthread_t thread;
	pthread_mutex_t lock; /* protects what follows */
	pthread_cond_t arrived;
	struct job_list waiting;
	struct error trouble; /* code is ERROR_NONE when there is none */
	bool hurrying;        /* nothing is waited out any more */
	bool stopping;
};

static struct job *list_take(struct job_list *l)
{
	struct job *j = STAILQ_FIRST(l);

	if (j != NULL)
		STAILQ_REMOVE_HEAD(l, entry);
	return j;
}

/* Puts `front` before what is in l. front is empty afterwards. */
static void list_prepend(struct job_list *l, struct job_list *front)
{
	STAILQ_CONCAT(front, l);
	STAILQ_CONCAT(l, front);
}

static void note_trouble(struct store_writer *w, const struct error *e)
{
	pthread_mutex_lock(&w->lock);
	bool is_new = w->trouble.code == ERROR_NONE && e->code != ERROR_NONE;
	bool is_over = w->trouble.code != ERROR_NONE && e->code == ERROR_NONE;
	w->trouble = *e;
	pthread_mutex_unlock(&w->lock);
	if (is_new)
		log_error("database cannot be written, waiting", "reason=%s", log_quote(e->text));
	if (is_over)
		log_info("database can be written again", NULL);
}

static bool begin(struct store_writer *w, bool durable, struct error *e)
{
	return sql_set_durable(w->store, durable, e) && store_begin(w->store, e);
}

static void finish(struct job *j, const struct error *failure)
{
	if (j->done != NULL)
		j->done(j->arg, failure);
	free(j);
}

/* A group in one transaction. True: all committed. The jobs it did not get to stay in `jobs`. */
static bool run_group(struct store_writer *w, struct job_list *jobs, struct job_list *tried)
{
	struct error e = {0};
	bool durable = false;
	struct job *j;

	STAILQ_FOREACH(j, jobs, entry)
	durable = durable || (j->flags & STORE_JOB_DURABLE) != 0;
	if (!begin(w, durable, &e))
		goto fail;
	/* From here on others wait for us; we may have waited for them just as long. */
	int64_t start = clock_mono_us();
	while (clock_mono_us() - start < GROUP_MAX_US && (j = list_take(jobs)) != NULL) {
		STAILQ_INSERT_TAIL(tried, j, entry);
		if (((j->flags & STORE_JOB_TURN) == 0 && !digest_settle(w->store, &e)) ||
			!j->run(w->store, j->arg, &e))
			goto fail;
	}
	if (store_commit(w->store, &e))
		return true;
fail:
	store_rollback(w->store);
	return false;
}

static bool run_alone(struct store_writer *w, struct job *j)
{
	j->failure = (struct error){0};
	if (!begin(w, (j->flags & STORE_JOB_DURABLE) != 0, &j->failure))
		return false;
	if (j->run(w->store, j->arg, &j->failure) && store_commit(w->store, &j->failure))
		return true;
	store_rollback(w->store);
	return false;
}

/* What another try may mend. */
static bool is_passing(const struct error *e)
{
	return e->code == ERROR_AGAIN || e->code == ERROR_IO;
}

/* Each job alone. Those to be tried again are left in `jobs`, in their order, and everything after
 * them too: results must not overtake each other. */
static void run_each(struct store_writer *w, struct job_list *jobs, bool last_try)
{
	struct job_list again;
	struct error trouble = {0};
	struct job *j;

	STAILQ_INIT(&again);
	while ((j = list_take(jobs)) != NULL) {
		bool done = run_alone(w, j);
		if (!done && is_passing(&j->failure))
			trouble = j->failure;
		if (!done && !last_try && (j->flags & STORE_JOB_RETRY) != 0 &&
			is_passing(&j->failure)) {
			STAILQ_INSERT_TAIL(&again, j, entry);
			break;
		}
		finish(j, done ? NULL : &j->failure);
	}
	/* A job that nobody waits out is answered now rather than after the trouble. */
	while ((j = list_take(jobs)) != NULL) {
		if ((j->flags & STORE_JOB_RETRY) != 0)
			STAILQ_INSERT_TAIL(&again, j, entry);
		else
			finish(j, &trouble);
	}
	list_prepend(jobs, &again);
	note_trouble(w, &trouble);
}

static void run_jobs(struct store_writer *w, struct job_list *jobs, bool last_try)
{
	while (!STAILQ_EMPTY(jobs)) {
		struct job_list tried;
		struct job *j;

		STAILQ_INIT(&tried);
		if (!run_group(w, jobs, &tried)) {
			list_prepend(jobs, &tried);
			run_each(w, jobs, last_try);
			return;
		}
		note_trouble(w, &(struct error){0});
		while ((j = list_take(&tried)) != NULL)
			finish(j, NULL);
	}
}

/* Waits for jobs, or, with some left from a failed try, for a moment. True while the thread shall
 * go on. */
static bool wait_for_jobs(struct store_writer *w, struct job_list *jobs, bool *last_try)
{
	struct timespec until;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += RETRY_S;
	pthread_mutex_lock(&w->lock);
	while (!w->stopping && STAILQ_EMPTY(&w->waiting) && rc == 0) {
		if (STAILQ_EMPTY(jobs))
			pthread_cond_wait(&w->arrived, &w->lock);
		else
			rc = pthread_cond_timedwait(&w->arrived, &w->lock, &until);
	}
	STAILQ_CONCAT(jobs, &w->waiting);
	*last_try = w->stopping || w->hurrying;
	bool go_on = !w->stopping || !STAILQ_EMPTY(jobs);
	pthread_mutex_unlock(&w->lock);
	return go_on;
}

static void *writer_main(void *arg)
{
	struct store_writer *w = arg;
	struct job_list jobs;
	bool last_try = false;

	pthread_setname_np(pthread_self(), "writer"); /* as top -H shows it */
	STAILQ_INIT(&jobs);
	while (wait_for_jobs(w, &jobs, &last_try)) {
		int64_t start = clock_mono_us();
		run_jobs(w, &jobs, last_try);
		if (clock_mono_us() - start > LONG_GROUP_US && !last_try)
			nanosleep(&(struct timespec){0, NAP_US * 1000}, NULL);
	}
	return NULL;
}

struct store_writer *store_writer_start(const char *path, struct error *e)
{
	struct store_writer *w = xcalloc(1, sizeof(*w));
	pthread_condattr_t attr;

	w->store = store_open(path, STORE_DAEMON, e);
	if (w->store == NULL) {
		free(w);
		return NULL;
	}
	STAILQ_INIT(&w->waiting);
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->arrived, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&w->thread, NULL, writer_main, w) != 0) {
		error_set(e, ERROR_IO,
			"the writer's thread cannot be started: too many processes or too little memory");
		store_close(w->store);
		free(w);
		return NULL;
	}
	return w;
}

void store_writer_submit(
	struct store_writer *w, store_job_fn *run, store_done_fn *done, void *arg, unsigned flags)
{
	struct job *j = xcalloc(1, sizeof(*j));

	j->run = run;
	j->done = done;
	j->arg = arg;
	j->flags = flags;
	pthread_mutex_lock(&w->lock);
	STAILQ_INSERT_TAIL(&w->waiting, j, entry);
	pthread_mutex_unlock(&w->lock);
	pthread_cond_signal(&w->arrived);
}

/* A job somebody stands and waits for. */
struct waited {
	store_job_fn *run;
	void *arg;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool over;
	struct error failure;
};

static bool waited_run(struct store *s, void *arg, struct error *e)
{
	struct waited *wt = arg;

	return wt->run(s, wt->arg, e);
}

static void waited_done(void *arg, const struct error *failure)
{
	struct waited *wt = arg;

	pthread_mutex_lock(&wt->lock);
	if (failure != NULL)
		wt->failure = *failure;
	wt->over = true;
	pthread_cond_signal(&wt->ended);
	pthread_mutex_unlock(&wt->lock);
}

bool store_writer_run(
	struct store_writer *w, store_job_fn *run, void *arg, unsigned flags, struct error *e)
{
	struct waited wt = {.run = run, .arg = arg};

	pthread_mutex_init(&wt.lock, NULL);
	pthread_cond_init(&wt.ended, NULL);
	store_writer_submit(w, waited_run, waited_done, &wt, flags);
	pthread_mutex_lock(&wt.lock);
	while (!wt.over)
		pthread_cond_wait(&wt.ended, &wt.lock);
	pthread_mutex_unlock(&wt.lock);
	pthread_cond_destroy(&wt.ended);
	pthread_mutex_destroy(&wt.lock);
	if (wt.failure.code != ERROR_NONE && e != NULL)
		*e = wt.failure;
	return wt.failure.code == ERROR_NONE;
}

bool store_writer_trouble(struct store_writer *w, struct error *e)
{
	pthread_mutex_lock(&w->lock);
	bool in_trouble = w->trouble.code != ERROR_NONE;
	if (in_trouble && e != NULL)
		*e = w->trouble;
	pthread_mutex_unlock(&w->lock);
	return in_trouble;
}

void store_writer_hurry(struct store_writer *w)
{
	pthread_mutex_lock(&w->lock);
	w->hurrying = true;
	pthread_mutex_unlock(&w->lock);
}

void store_writer_stop(struct store_writer *w)
{
	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_signal(&w->arrived);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	store_close(w->store);
	pthread_cond_destroy(&w->arrived);
	pthread_mutex_destroy(&w->lock);
	free(w);
}
