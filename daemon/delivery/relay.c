/* Relays: their health and their counters. Whom to trust with the next session is decided in
 * runner.c. */
#include "relay.h"

#include "hubmail/base_clock.h"
#include "hubmail/base_json.h"
#include "hubmail/base_log.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "pace.h"
#include "tls.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define PAUSE_FIRST 5
#define PAUSE_LONGEST 300
#define RATE_WINDOW 10 /* seconds that `rate` looks back */

struct relay {
	struct config_relay settings;
	atomic_int refs;
	atomic_bool retired;
	atomic_bool doubted;  /* its PIPELINING is */
	pthread_mutex_t lock; /* protects what follows */
	SSL_CTX *tls;
	SSL_SESSION *tls_session; /* the newest, to be resumed */
	int sessions;
	int failures; /* in a row */
	int64_t retry_at;
	char *error;       /* the last one; kept for status until the relay works again */
	int64_t counts[3]; /* by enum relay_event */
	int64_t second[RATE_WINDOW], sent_in[RATE_WINDOW];
	struct pace pace;
	struct window window;
	bool history_known;
};

static struct config_relay copy_settings(const struct config_relay *c)
{
	struct config_relay s = *c;

	s.name = xstrdup(c->name);
	s.host = xstrdup(c->host);
	s.tls_ca_file = xstrdup(c->tls_ca_file);
	s.username = xstrdup(c->username);
	s.password = xstrdup(c->password);
	s.token_command = xstrdup(c->token_command);
	s.hello = xstrdup(c->hello);
	return s;
}

struct relay *relay_new(const struct config_relay *c)
{
	struct relay *r = xcalloc(1, sizeof(*r));

	r->settings = copy_settings(c);
	pace_set(&r->pace, c->rate.count, c->rate.seconds);
	window_set(&r->window, c->limit.count, c->limit.seconds);
	r->history_known = c->limit.count == 0;
	atomic_init(&r->refs, 1);
	pthread_mutex_init(&r->lock, NULL);
	if (c->discard)
		log_warn("relay discards all mail", "relay=%s reason=%s", c->name,
			log_quote("its discard setting is true"));
	return r;
}

struct relay *relay_ref(struct relay *r)
{
	atomic_fetch_add(&r->refs, 1);
	return r;
}

void relay_unref(struct relay *r)
{
	if (r == NULL || atomic_fetch_sub(&r->refs, 1) > 1)
		return;
	SSL_SESSION_free(r->tls_session);
	SSL_CTX_free(r->tls);
	free(r->error);
	free(r->settings.name);
	free(r->settings.host);
	free(r->settings.tls_ca_file);
	free(r->settings.username);
	if (r->settings.password != NULL)
		explicit_bzero(r->settings.password, strlen(r->settings.password));
	free(r->settings.password);
	free(r->settings.token_command);
	free(r->settings.hello);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

const struct config_relay *relay_settings(const struct relay *r)
{
	return &r->settings;
}

static bool same_rate(const struct config_rate *a, const struct config_rate *b)
{
	return a->count == b->count && a->seconds == b->seconds;
}

bool relay_same(const struct relay *r, const struct config_relay *c)
{
	const struct config_relay *s = &r->settings;

	return text_same(s->name, c->name) && text_same(s->host, c->host) && s->port == c->port &&
	       s->tls == c->tls && s->discard == c->discard && s->pipelining == c->pipelining &&
	       s->allow_plain_auth == c->allow_plain_auth &&
	       text_same(s->tls_ca_file, c->tls_ca_file) && text_same(s->username, c->username) &&
	       text_same(s->password, c->password) &&
	       text_same(s->token_command, c->token_command) && text_same(s->hello, c->hello) &&
	       s->connections == c->connections &&
	       s->messages_per_connection == c->messages_per_connection &&
	       s->priority == c->priority && s->weight == c->weight &&
	       same_rate(&s->rate, &c->rate) && same_rate(&s->limit, &c->limit) &&
	       s->connect_timeout == c->connect_timeout &&
	       s->greeting_timeout == c->greeting_timeout &&
	       s->envelope_timeout == c->envelope_timeout &&
	       s->transfer_timeout == c->transfer_timeout && s->answer_timeout == c->answer_timeout;
}

static int keep_tls_session(SSL *ssl, SSL_SESSION *session)
{
	struct relay *r = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	pthread_mutex_lock(&r->lock);
	SSL_SESSION_free(r->tls_session);
	r->tls_session = session;
	pthread_mutex_unlock(&r->lock);
	return 1; /* the reference is ours now */
}

static SSL_CTX *new_tls(struct relay *r, struct error *e)
{
	SSL_CTX *ctx = tls_context_new(r->settings.host, r->settings.tls_ca_file, e);

	if (ctx == NULL)
		return NULL;
	/* Whoever has the context has the relay too. */
	SSL_CTX_set_app_data(ctx, r);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, keep_tls_session);
	return ctx;
}

SSL_CTX *relay_tls(struct relay *r, struct error *e)
{
	pthread_mutex_lock(&r->lock);
	if (r->tls == NULL)
		r->tls = new_tls(r, e);
	if (r->tls != NULL)
		SSL_CTX_up_ref(r->tls);
	SSL_CTX *ctx = r->tls;
	pthread_mutex_unlock(&r->lock);
	return ctx;
}

void relay_forget_tls(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	SSL_CTX_free(r->tls);
	r->tls = NULL;
	pthread_mutex_unlock(&r->lock);
}

SSL_SESSION *relay_tls_session(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	SSL_SESSION *session = r->tls_session;
	if (session != NULL)
		SSL_SESSION_up_ref(session);
	pthread_mutex_unlock(&r->lock);
	return session;
}

void relay_forget_tls_session(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	SSL_SESSION_free(r->tls_session);
	r->tls_session = NULL;
	pthread_mutex_unlock(&r->lock);
}

void relay_doubt_pipelining(struct relay *r)
{
	if (!atomic_exchange(&r->doubted, true))
		log_warn("relay does without pipelining", "relay=%s reason=%s", r->settings.name,
			log_quote(
				"it offers PIPELINING, but did not answer what was sent with the end of a text"));
}

bool relay_pipelines(const struct relay *r)
{
	return r->settings.pipelining && !atomic_load(&r->doubted);
}

void relay_retire(struct relay *r)
{
	atomic_store(&r->retired, true);
}

bool relay_retired(struct relay *r)
{
	return atomic_load(&r->retired);
}

bool relay_wants_history(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	bool wants = !r->history_known;
	r->history_known = true;
	pthread_mutex_unlock(&r->lock);
	return wants;
}

void relay_add_history(struct relay *r, int64_t at, int64_t n)
{
	pthread_mutex_lock(&r->lock);
	window_add(&r->window, at, n);
	pthread_mutex_unlock(&r->lock);
}

/* A pause that is longer than any can be is one of a clock that has been set back since. */
static bool is_pausing(const struct relay *r, int64_t now)
{
	return r->retry_at > now && r->retry_at <= now + PAUSE_LONGEST;
}

static int64_t open_at(const struct relay *r, int64_t now)
{
	int64_t at = window_open_at(&r->window, now);

	return is_pausing(r, now) && r->retry_at > at ? r->retry_at : at;
}

int64_t relay_open_at(struct relay *r, int64_t now)
{
	pthread_mutex_lock(&r->lock);
	int64_t at = open_at(r, now);
	pthread_mutex_unlock(&r->lock);
	return at;
}

static enum relay_state state_at(const struct relay *r, int64_t now)
{
	if (open_at(r, now) > now)
		return RELAY_CLOSED;
	return r->failures > 0 ? RELAY_ON_TRIAL : RELAY_OPEN;
}

enum relay_state relay_state(struct relay *r, int64_t now)
{
	pthread_mutex_lock(&r->lock);
	enum relay_state state = state_at(r, now);
	pthread_mutex_unlock(&r->lock);
	return state;
}

bool relay_enter(struct relay *r, int64_t now)
{
	pthread_mutex_lock(&r->lock);
	enum relay_state state = state_at(r, now);
	int most = state == RELAY_OPEN ? r->settings.connections : 1;
	bool may = state != RELAY_CLOSED && r->sessions < most;
	if (may)
		r->sessions++;
	pthread_mutex_unlock(&r->lock);
	return may;
}

int64_t relay_reserve(struct relay *r, int64_t max_wait_us)
{
	int64_t now_us = clock_mono_us(), now = clock_now();

	pthread_mutex_lock(&r->lock);
	int64_t wait_us = pace_wait_us(&r->pace, now_us);
	if (wait_us > max_wait_us || window_open_at(&r->window, now) > now) {
		wait_us = -1;
	} else {
		pace_take(&r->pace, now_us);
		window_add(&r->window, now, 1);
	}
	pthread_mutex_unlock(&r->lock);
	return wait_us;
}

void relay_unreserve(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	window_add(&r->window, clock_now(), -1);
	pthread_mutex_unlock(&r->lock);
}

int64_t relay_wait_us(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	int64_t wait_us = pace_wait_us(&r->pace, clock_mono_us());
	pthread_mutex_unlock(&r->lock);
	return wait_us;
}

int64_t relay_use_slot(const struct relay *r, int64_t at)
{
	if (r->settings.limit.count == 0)
		return 0;
	return at - at % window_slot_seconds(&r->window);
}

void relay_leave(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	r->sessions--;
	pthread_mutex_unlock(&r->lock);
}

bool relay_has_place(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	bool has = r->sessions < r->settings.connections;
	pthread_mutex_unlock(&r->lock);
	return has;
}

double relay_load(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	double load = (double)r->sessions / r->settings.weight;
	pthread_mutex_unlock(&r->lock);
	return load;
}

void relay_failed(struct relay *r, int64_t now, const char *reason)
{
	int64_t pause = PAUSE_FIRST;

	pthread_mutex_lock(&r->lock);
	/* Sessions that fail together are one failure. */
	bool counts = !is_pausing(r, now);
	if (counts) {
		for (int i = 0; i < r->failures && pause < PAUSE_LONGEST; i++)
			pause *= 2;
		if (pause > PAUSE_LONGEST)
			pause = PAUSE_LONGEST;
		r->failures++;
		r->retry_at = now + pause;
	}
	free(r->error);
	r->error = xstrdup(reason);
	pthread_mutex_unlock(&r->lock);
	if (counts)
		log_warn("relay failed", "relay=%s reason=%s retry_in=%llds", r->settings.name,
			log_quote(reason), (long long)pause);
}

void relay_try_now(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	r->retry_at = 0;
	pthread_mutex_unlock(&r->lock);
}

void relay_worked(struct relay *r, int64_t now)
{
	int slot = (int)(now % RATE_WINDOW);

	pthread_mutex_lock(&r->lock);
	bool back = r->failures > 0;
	r->failures = 0;
	r->retry_at = 0;
	if (back) {
		free(r->error);
		r->error = NULL;
	}
	r->counts[RELAY_SENT]++;
	if (r->second[slot] != now) {
		r->second[slot] = now;
		r->sent_in[slot] = 0;
	}
	r->sent_in[slot]++;
	pthread_mutex_unlock(&r->lock);
	if (back)
		log_info("relay works again", "relay=%s", r->settings.name);
}

void relay_count(struct relay *r, enum relay_event what)
{
	pthread_mutex_lock(&r->lock);
	r->counts[what]++;
	pthread_mutex_unlock(&r->lock);
}

/* Messages a second over the last whole seconds. */
static double rate(const struct relay *r, int64_t now)
{
	int64_t sum = 0;

	for (int i = 0; i < RATE_WINDOW; i++)
		if (r->second[i] < now && r->second[i] > now - RATE_WINDOW)
			sum += r->sent_in[i];
	return (double)sum / (RATE_WINDOW - 1);
}

static const char *state_name(const struct relay *r, int64_t now)
{
	if (r->failures > 0)
		return "failing";
	if (window_open_at(&r->window, now) > now)
		return "limited";
	if (r->settings.discard)
		return "discarding";
	return r->sessions > 0 ? "sending" : "idle";
}

json_t *relay_status(struct relay *r, int64_t now)
{
	pthread_mutex_lock(&r->lock);
	int64_t at = open_at(r, now);
	json_t *j = json_pack("{s:s, s:s, s:i, s:s, s:i, s:I, s:I, s:I, s:f, s:o, s:I}", "relay",
		r->settings.name, "host", r->settings.host, "port", r->settings.port, "state",
		state_name(r, now), "sessions", r->sessions, "sent",
		(json_int_t)r->counts[RELAY_SENT], "deferred",
		(json_int_t)r->counts[RELAY_DEFERRED], "failed",
		(json_int_t)r->counts[RELAY_FAILED], "rate", rate(r, now), "error",
		json_text(r->error), "retry_at", (json_int_t)(at > now ? at : 0));
	if (r->settings.limit.count > 0) {
		json_object_set_new(j, "limit", json_integer(r->settings.limit.count));
		json_object_set_new(j, "limit_used", json_integer(window_used(&r->window, now)));
	}
	pthread_mutex_unlock(&r->lock);
	return j;
}
