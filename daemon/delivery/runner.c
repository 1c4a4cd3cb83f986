/* The queue runner: one thread that keeps the ready queue filled and starts sessions while there is
 * more to send than the open ones manage. It sleeps until it is woken, a retry falls due or a relay
 * may be tried again. */
#include "hubmail/delivery.h"

#include "hubmail/base_clock.h"
#include "hubmail/base_log.h"
#include "hubmail/base_mem.h"
#include "pace.h"
#include "ready.h"
#include "relay.h"
#include "session.h"
#include "supply.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#define SLEEP_MAX_MS 30000
#define MESSAGES_PER_SESSION                                                                       \
	16 /* another session is opened when this many wait for each one that is open */
#define TRIM_EVERY_MS 600000
#define NO_THREAD_MS 1000 /* out of threads or memory: the next try */
#define STACK_SIZE ((size_t)512 * 1024)

/* A session and its thread. */
struct worker {
	struct session session;
	struct delivery *delivery;
	pthread_t thread;
	LIST_ENTRY(worker) entry;
};

LIST_HEAD(worker_list, worker);

struct delivery {
	struct store_writer *writer;
	struct secret secret;
	struct ready *ready;
	struct supply *supply; /* the runner's thread only */
	pthread_t thread;
	atomic_bool stopping;
	pthread_mutex_t lock; /* protects what follows */
	pthread_cond_t woken;
	bool wake, quit;
	struct relay **relays; /* by priority */
	size_t n_relays;
	struct senders *senders;
	struct retry_settings retry;
	struct worker_list workers;
	int n_workers;
	bool no_thread;     /* the last session could not be started */
	int64_t use_kept_s; /* as far back as the longest window reaches */
};

void delivery_prepare_process(void)
{
	signal(SIGPIPE, SIG_IGN);
	/* libesmtp looks there for a client certificate in each TLS session, and fails if the
	 * folder may not be read. */
	setenv("XDG_CONFIG_DIR", "/nonexistent", 1);
}

bool delivery_check(const struct config *c, struct strlist *errors)
{
	size_t before = errors->n;

	senders_unref(senders_new(c, errors));
	return errors->n == before;
}

void delivery_wake(struct delivery *d)
{
	pthread_mutex_lock(&d->lock);
	d->wake = true;
	pthread_cond_signal(&d->woken);
	pthread_mutex_unlock(&d->lock);
}

void delivery_try_now(struct delivery *d)
{
	pthread_mutex_lock(&d->lock);
	for (size_t i = 0; i < d->n_relays; i++)
		relay_try_now(d->relays[i]);
	pthread_mutex_unlock(&d->lock);
	delivery_wake(d);
}

static void wake(void *arg)
{
	delivery_wake(arg);
}

/* ---- Settings ---- */

/* The relay that is running with these very settings, or a new one. */
static struct relay *keep_or_make(struct delivery *d, const struct config_relay *c)
{
	for (size_t i = 0; i < d->n_relays; i++)
		if (relay_same(d->relays[i], c)) {
			relay_forget_tls(d->relays[i]);
			return relay_ref(d->relays[i]);
		}
	return relay_new(c);
}

static void set_relays(struct delivery *d, const struct config *c)
{
	struct relay **relays = xcalloc(c->n_relays + 1, sizeof(struct relay *));

	for (size_t i = 0; i < c->n_relays; i++)
		relays[i] = keep_or_make(d, &c->relays[i]);
	for (size_t i = 0; i < d->n_relays; i++) {
		bool kept = false;
		for (size_t k = 0; k < c->n_relays; k++)
			kept = kept || relays[k] == d->relays[i];
		if (!kept)
			relay_retire(d->relays[i]);
		relay_unref(d->relays[i]);
	}
	free(d->relays);
	d->relays = relays;
	d->n_relays = c->n_relays;
}

void delivery_reconfigure(struct delivery *d, const struct config *c)
{
	/* Keys were checked by delivery_check(). */
	struct senders *senders = senders_new(c, NULL);

	pthread_mutex_lock(&d->lock);
	set_relays(d, c);
	d->use_kept_s = 0;
	for (size_t i = 0; i < c->n_relays; i++)
		if (c->relays[i].limit.count > 0 && c->relays[i].limit.seconds > d->use_kept_s)
			d->use_kept_s = c->relays[i].limit.seconds;
	senders_unref(d->senders);
	d->senders = senders;
	ready_set_domains(d->ready, c->domains, c->n_domains);
	d->retry = (struct retry_settings){c->retry_first, c->retry_longest, c->retry_give_up,
		c->on_unknown == UNKNOWN_HOLD, c->pause_after};
	pthread_mutex_unlock(&d->lock);
	delivery_wake(d);
}

/* ---- Sessions ---- */

static void *worker_main(void *arg)
{
	struct worker *w = arg;

	pthread_setname_np(pthread_self(), "session");
	session_run(&w->session);
	relay_leave(w->session.relay);
	atomic_store(&w->session.over, true);
	delivery_wake(w->delivery);
	return NULL;
}

static int free_place(struct delivery *d)
{
	struct worker *w;
	int place = 0;

	for (bool taken = true; taken;) {
		taken = false;
		LIST_FOREACH(w, &d->workers, entry)
		taken = taken || w->session.place == place;
		place += taken;
	}
	return place;
}

static bool start_worker(struct delivery *d, struct relay *relay)
{
	struct worker *w = xcalloc(1, sizeof(*w));
	pthread_attr_t attr;

	w->delivery = d;
	w->session = (struct session){
		.world = {d->ready, d->writer, &d->secret, &d->stopping},
		.relay = relay_ref(relay),
		.retry = d->retry,
		.place = free_place(d),
	};
	session_init(&w->session);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	int rc = pthread_create(&w->thread, &attr, worker_main, w);
	pthread_attr_destroy(&attr);
	d->no_thread = rc != 0;
	if (rc != 0) {
		log_error("session cannot be started", "relay=%s reason=%s",
			relay_settings(relay)->name, log_quote(strerror(rc)));
		session_destroy(&w->session);
		relay_leave(relay);
		relay_unref(relay);
		free(w);
		return false;
	}
	LIST_INSERT_HEAD(&d->workers, w, entry);
	d->n_workers++;
	return true;
}

/* Whether another session would have something to do: one that has to wait for the relay's rate
 * ends again at once. */
static bool has_work_for(struct relay *r)
{
	return relay_has_place(r) && relay_wait_us(r) == 0;
}

/* Among the relays of the best priority that serves, the one with the smallest load for its weight.
 */
static struct relay *choose_relay(struct delivery *d, int64_t now)
{
	struct relay *best = NULL;
	int priority = 0;

	for (size_t i = 0; i < d->n_relays; i++) {
		struct relay *r = d->relays[i];
		enum relay_state state = relay_state(r, now);
		if (best != NULL && relay_settings(r)->priority != priority)
			break;
		if (state != RELAY_OPEN)
			continue;
		priority = relay_settings(r)->priority;
		if (best == NULL || (has_work_for(r) && relay_load(r) < relay_load(best)) ||
			!has_work_for(best))
			best = r;
	}
	return best != NULL && has_work_for(best) && relay_enter(best, now) ? best : NULL;
}

/* One session finds out whether a relay that failed works again, whatever the others do meanwhile.
 */
static void start_trials(struct delivery *d, int64_t now)
{
	pthread_mutex_lock(&d->lock);
	for (size_t i = 0; i < d->n_relays; i++)
		if (relay_state(d->relays[i], now) == RELAY_ON_TRIAL &&
			relay_enter(d->relays[i], now))
			start_worker(d, d->relays[i]);
	pthread_mutex_unlock(&d->lock);
}

/* Another session is worth it while more wait than the open ones manage. */
static bool is_worth_another(const struct delivery *d, size_t sendable)
{
	return sendable > (size_t)d->n_workers * MESSAGES_PER_SESSION;
}

static void start_workers(struct delivery *d, int64_t now, size_t sendable)
{
	struct relay *relay;

	pthread_mutex_lock(&d->lock);
	while (!atomic_load(&d->stopping) && is_worth_another(d, sendable) &&
		(relay = choose_relay(d, now)) != NULL)
		if (!start_worker(d, relay))
			break;
	pthread_mutex_unlock(&d->lock);
}

static struct worker *take_ended(struct delivery *d, bool any)
{
	struct worker *w;

	pthread_mutex_lock(&d->lock);
	LIST_FOREACH(w, &d->workers, entry)
	if (any || atomic_load(&w->session.over))
		break;
	if (w != NULL) {
		LIST_REMOVE(w, entry);
		d->n_workers--;
	}
	pthread_mutex_unlock(&d->lock);
	return w;
}

/* any: waits for those that still run. */
static void join_workers(struct delivery *d, bool any)
{
	struct worker *w;

	while ((w = take_ended(d, any)) != NULL) {
		pthread_join(w->thread, NULL);
		session_destroy(&w->session);
		relay_unref(w->session.relay);
		free(w);
	}
}

/* ---- The runner's thread ---- */

/* When the relay may have a session that it may not have now; INT64_MAX: that is no matter of time.
 */
static int64_t relay_ms(struct delivery *d, struct relay *r, int64_t now, size_t sendable)
{
	int64_t closed_s = relay_open_at(r, now) - now, wait_us = relay_wait_us(r);

	if (closed_s > 0)
		return closed_s * 1000;
	if (wait_us > 0 && relay_has_place(r) && is_worth_another(d, sendable))
		return wait_us / 1000 + 1;
	return INT64_MAX;
}

static int64_t next_relay_ms(struct delivery *d, int64_t now, size_t sendable)
{
	int64_t next = INT64_MAX;

	pthread_mutex_lock(&d->lock);
	if (d->no_thread)
		next = NO_THREAD_MS;
	for (size_t i = 0; i < d->n_relays; i++) {
		int64_t ms = relay_ms(d, d->relays[i], now, sendable);
		next = ms < next ? ms : next;
	}
	pthread_mutex_unlock(&d->lock);
	return next;
}

/* How long the runner may sleep. `sendable` deliveries wait for a session, or for a domain until
 * next_us; the next retry falls due at next_due. */
static int64_t pause_ms(
	struct delivery *d, int64_t now, size_t sendable, int64_t next_us, int64_t next_due)
{
	int64_t pause = SLEEP_MAX_MS;

	/* What is due and not in the queue is with a session, or did not fit. */
	if (next_due > now && (next_due - now) * 1000 < pause)
		pause = (next_due - now) * 1000;
	if (next_us != INT64_MAX && (next_us - clock_mono_us()) / 1000 < pause)
		pause = (next_us - clock_mono_us()) / 1000 + 1;
	if (sendable > 0) {
		int64_t relay = next_relay_ms(d, now, sendable);
		pause = relay < pause ? relay : pause;
	}
	return pause > 1 ? pause : 1;
}

/* True until the runner shall end. */
static bool wait_for_work(struct delivery *d, int64_t ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&d->lock);
	int rc = 0;
	while (!d->wake && !d->quit && rc == 0)
		rc = pthread_cond_timedwait(&d->woken, &d->lock, &until);
	d->wake = false;
	bool go_on = !d->quit;
	pthread_mutex_unlock(&d->lock);
	return go_on;
}

/* Once for each relay that has a window, before its first session. */
static void load_history(struct delivery *d, int64_t now)
{
	pthread_mutex_lock(&d->lock);
	for (size_t i = 0; i < d->n_relays; i++)
		if (relay_wants_history(d->relays[i]))
			supply_relay_history(d->supply, d->relays[i], now);
	pthread_mutex_unlock(&d->lock);
}

static bool trim(struct store *s, void *before, struct error *e)
{
	return store_relay_use_trim(s, *(int64_t *)before, e);
}

static void trimmed(void *before, const struct error *failure)
{
	if (failure != NULL)
		log_warn("what relays took long ago is still in the database", "reason=%s",
			log_quote(failure->text));
	free(before);
}

/* What relays took is of no use any more when it has left their windows. */
static void trim_history(struct delivery *d, int64_t *next_ms)
{
	if (clock_mono_ms() < *next_ms)
		return;
	*next_ms = clock_mono_ms() + TRIM_EVERY_MS;
	int64_t *before = xcalloc(1, sizeof(*before));
	pthread_mutex_lock(&d->lock);
	/* One slot longer, for the window counts in whole slots. */
	*before = clock_now() - d->use_kept_s - d->use_kept_s / WINDOW_SLOTS - 1;
	pthread_mutex_unlock(&d->lock);
	store_writer_submit(d->writer, trim, trimmed, before, 0);
}

static void fill(struct delivery *d, int64_t now, int64_t *next_due)
{
	struct error e = {0};

	pthread_mutex_lock(&d->lock);
	struct senders *senders = senders_ref(d->senders);
	pthread_mutex_unlock(&d->lock);
	if (!supply_more(d->supply, senders, now, next_due, &e))
		log_error("queue cannot be read", "reason=%s", log_quote(e.text));
	senders_unref(senders);
}

static void *runner_main(void *arg)
{
	struct delivery *d = arg;
	int64_t next_due = 0, next_us, now, next_trim_ms = 0;
	size_t sendable;

	pthread_setname_np(pthread_self(), "queue");
	do {
		now = clock_now();
		join_workers(d, false);
		sendable = 0;
		next_us = INT64_MAX;
		if (!atomic_load(&d->stopping)) {
			load_history(d, now);
			trim_history(d, &next_trim_ms);
			fill(d, now, &next_due);
			sendable = ready_sendable(d->ready, &next_us);
			if (sendable > 0)
				start_trials(d, now);
			start_workers(d, now, sendable);
		}
	} while (wait_for_work(d, pause_ms(d, now, sendable, next_us, next_due)));
	join_workers(d, true);
	return NULL;
}

/* ---- Start and stop ---- */

struct recovery {
	bool hold;
	int n;
};

static void log_unknown(const struct delivery_key *key, const char *email, void *arg)
{
	const struct recovery *r = arg;

	log_warn("delivery unknown", "delivery=%lld.%lld to=%s text=%s", (long long)key->digest_id,
		(long long)key->subscriber_id, email != NULL ? email : "-",
		r->hold ? "\"held: the relay may have it\""
			: "\"sent again: the relay may have it already\"");
}

static bool recover(struct store *s, void *arg, struct error *e)
{
	struct recovery *r = arg;

	return store_delivery_recover(s, r->hold, clock_now(), log_unknown, r, &r->n, e);
}

static void free_parts(struct delivery *d)
{
	supply_free(d->supply);
	ready_free(d->ready);
	for (size_t i = 0; i < d->n_relays; i++)
		relay_unref(d->relays[i]);
	free(d->relays);
	senders_unref(d->senders);
	pthread_cond_destroy(&d->woken);
	pthread_mutex_destroy(&d->lock);
	explicit_bzero(&d->secret, sizeof(d->secret));
	free(d);
}

struct delivery *delivery_start(const struct config *c, const struct secret *secret,
	struct store_writer *w, struct error *e)
{
	struct delivery *d = xcalloc(1, sizeof(*d));
	struct recovery recovery = {.hold = c->on_unknown == UNKNOWN_HOLD};
	pthread_condattr_t attr;

	d->writer = w;
	d->secret = *secret;
	pthread_mutex_init(&d->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&d->woken, &attr);
	pthread_condattr_destroy(&attr);
	LIST_INIT(&d->workers);
	d->ready = ready_new(wake, d);
	d->supply = supply_new(c->database, w, d->ready, e);
	if (d->supply == NULL || !store_writer_run(w, recover, &recovery, STORE_JOB_DURABLE, e))
		goto fail;
	delivery_reconfigure(d, c);
	if (pthread_create(&d->thread, NULL, runner_main, d) != 0) {
		error_set(e, ERROR_IO,
			"the queue runner's thread cannot be started: too many processes or too little memory");
		goto fail;
	}
	return d;
fail:
	free_parts(d);
	return NULL;
}

json_t *delivery_domains(struct delivery *d)
{
	return ready_status(d->ready);
}

json_t *delivery_status(struct delivery *d)
{
	json_t *all = json_array();
	int64_t now = clock_now();

	pthread_mutex_lock(&d->lock);
	for (size_t i = 0; i < d->n_relays; i++)
		json_array_append_new(all, relay_status(d->relays[i], now));
	pthread_mutex_unlock(&d->lock);
	return all;
}

void delivery_stop(struct delivery *d, bool now)
{
	struct worker *w;

	atomic_store(&d->stopping, true);
	ready_close(d->ready);
	pthread_mutex_lock(&d->lock);
	LIST_FOREACH(w, &d->workers, entry)
	if (now)
		wire_shut_down(&w->session.wire);
	pthread_mutex_unlock(&d->lock);
	delivery_wake(d);
}

bool delivery_stopped(struct delivery *d)
{
	pthread_mutex_lock(&d->lock);
	bool none = d->n_workers == 0;
	pthread_mutex_unlock(&d->lock);
	return none;
}

void delivery_free(struct delivery *d)
{
	if (d == NULL)
		return;
	pthread_mutex_lock(&d->lock);
	d->quit = true;
	pthread_cond_signal(&d->woken);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->thread, NULL);
	free_parts(d);
}
