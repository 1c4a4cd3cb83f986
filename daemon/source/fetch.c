/* Requests from their start to their callback: the queue that leaves every host in peace, redirects
 * one by one, and the answer. Each redirect waits for its turn like a new request. Callbacks run
 * from an event of their own, one at a time, with nothing of ours on the stack that they could pull
 * away. */
#include "hubmail/source_fetch.h"

#include "fetch_multi.h"
#include "fetch_transfer.h"
#include "fetch_url.h"
#include "hubmail/base_clock.h"
#include "hubmail/base_log.h"
#include "hubmail/base_mem.h"
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define RUNNING_MAX 16
#define REDIRECTS_MAX 5
#define TIMEOUT_DEFAULT_S 30

TAILQ_HEAD(fetch_list, fetch);

struct fetcher {
	struct fetch_multi *multi;
	struct event *deliver;
	char *user_agent;
	struct fetch_list waiting, running, ended;
	int n_running;
};

struct fetch {
	struct fetcher *fetcher;
	struct fetch_list *list; /* where it is; NULL while its callback runs */
	TAILQ_ENTRY(fetch) entry;
	fetch_fn *fn;
	void *arg;
	struct transfer transfer;
	struct fetch_url url; /* of the request under way */
	char *own_host;
	char *moved_to;
	enum fetch_private private_addresses;
	int timeout_s, redirects;
	int64_t left_ms, started_ms;
	bool is_post, had_login;
	bool is_permanent; /* every redirect so far was */
	bool has_answer;
	struct error failure;
};

static void deliver(evutil_socket_t fd, short what, void *arg);
static void hop_ended(CURL *easy, CURLcode result, void *arg);
static void start_waiting(struct fetcher *f);
static void end(struct fetch *r);

struct fetcher *fetcher_new(struct loop *loop, const char *user_agent)
{
	struct fetcher *f = xcalloc(1, sizeof(*f));

	/* Counted by libcurl, and never undone: a resolver's thread may outlive its fetcher. */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
	TAILQ_INIT(&f->waiting);
	TAILQ_INIT(&f->running);
	TAILQ_INIT(&f->ended);
	f->user_agent = xstrdup(user_agent);
	f->multi = fetch_multi_new(loop_base(loop), hop_ended, f);
	f->deliver = event_new(loop_base(loop), -1, 0, deliver, f);
	if (f->deliver == NULL)
		abort();
	return f;
}

/* ---- Requests in and out of the lists ---- */

static void move_to(struct fetch *r, struct fetch_list *list)
{
	struct fetcher *f = r->fetcher;

	if (r->list != NULL)
		TAILQ_REMOVE(r->list, r, entry);
	f->n_running += (list == &f->running) - (r->list == &f->running);
	r->list = list;
	if (list != NULL)
		TAILQ_INSERT_TAIL(list, r, entry);
}

static void fetch_free(struct fetch *r)
{
	transfer_free(&r->transfer);
	fetch_url_free(&r->url);
	free(r->own_host);
	free(r->moved_to);
	free(r);
}

static void drop(struct fetch *r)
{
	if (r->list == &r->fetcher->running)
		fetch_multi_remove(r->fetcher->multi, r->transfer.easy);
	move_to(r, NULL);
	fetch_free(r);
}

void fetcher_free(struct fetcher *f)
{
	struct fetch_list *lists[] = {&f->waiting, &f->running, &f->ended};
	struct fetch *r, *next;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (r = TAILQ_FIRST(lists[i]); r != NULL; r = next) {
			next = TAILQ_NEXT(r, entry);
			drop(r);
		}
	fetch_multi_free(f->multi);
	event_free(f->deliver);
	free(f->user_agent);
	free(f);
}

struct fetch *fetch_start(
	struct fetcher *f, const struct fetch_request *request, fetch_fn *fn, void *arg)
{
	struct fetch *r = xcalloc(1, sizeof(*r));

	r->fetcher = f;
	r->fn = fn;
	r->arg = arg;
	r->private_addresses = request->private_addresses;
	r->timeout_s = request->timeout_s > 0 ? request->timeout_s : TIMEOUT_DEFAULT_S;
	r->left_ms = (int64_t)r->timeout_s * 1000;
	r->is_post = request->body != NULL;
	r->is_permanent = true;
	transfer_init(&r->transfer, request, f->user_agent, r);
	if (!fetch_url_parse(request->url, &r->url, &r->failure)) {
		end(r);
		return r;
	}
	r->own_host = xstrdup(r->url.host);
	r->had_login = r->url.has_login;
	move_to(r, &f->waiting);
	start_waiting(f);
	return r;
}

void fetch_cancel(struct fetch *r)
{
	struct fetcher *f = r->fetcher;

	if (r->list == NULL)
		return;
	drop(r);
	start_waiting(f);
}

/* ---- Turns ---- */

static bool is_busy(const struct fetcher *f, const char *host)
{
	const struct fetch *r;

	TAILQ_FOREACH(r, &f->running, entry)
	if (strcmp(r->url.host, host) == 0)
		return true;
	return false;
}

static void run(struct fetch *r)
{
	bool always = r->private_addresses == FETCH_PRIVATE_ALWAYS;
	bool own = r->private_addresses == FETCH_PRIVATE_OWN_HOST &&
		   strcmp(r->url.host, r->own_host) == 0;

	transfer_prepare(&r->transfer, &r->url, r->left_ms, always || own, always);
	r->started_ms = clock_mono_ms();
	move_to(r, &r->fetcher->running);
	if (!fetch_multi_add(r->fetcher->multi, r->transfer.easy)) {
		error_set(&r->failure, ERROR_AGAIN, "%s cannot be asked now: out of memory",
			r->url.host);
		end(r);
	}
}

static void start_waiting(struct fetcher *f)
{
	struct fetch *r, *next;

	for (r = TAILQ_FIRST(&f->waiting); r != NULL && f->n_running < RUNNING_MAX; r = next) {
		next = TAILQ_NEXT(r, entry);
		if (!is_busy(f, r->url.host))
			run(r);
	}
}

/* ---- The end of a request, or of one of its hops ---- */

static void end(struct fetch *r)
{
	move_to(r, &r->fetcher->ended);
	event_active(r->fetcher->deliver, EV_TIMEOUT, 0);
}

static bool is_success(const struct fetch *r)
{
	int status = transfer_status(&r->transfer);

	return status == 200 || status == 304 || (r->is_post && status / 100 == 2);
}

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* False, with the failure set, if it leads nowhere. */
static bool follow(struct fetch *r)
{
	int status = transfer_status(&r->transfer);
	const char *location = transfer_header(&r->transfer, "location");
	struct fetch_url next;

	if (location == NULL)
		return error_set(&r->failure, ERROR_DATA,
			"%s answers %d, a redirect, without saying where to", r->url.host, status);
	if (++r->redirects > REDIRECTS_MAX)
		return error_set(&r->failure, ERROR_DATA,
			"%s redirects once more after %d redirects: they seem to go round in "
			"circles",
			r->url.host, REDIRECTS_MAX);
	if (!fetch_url_follow(&r->url, location, &next, &r->failure))
		return false;
	fetch_url_free(&r->url);
	r->url = next;
	r->is_permanent = r->is_permanent && (status == 301 || status == 308);
	if (r->is_permanent && !r->had_login) {
		free(r->moved_to);
		r->moved_to = xstrdup(r->url.shown);
	}
	if (r->is_post && status < 307) {
		r->is_post = false;
		transfer_make_get(&r->transfer);
	}
	return true;
}

/* True if it goes on. */
static bool go_on(struct fetch *r, CURLcode result)
{
	r->left_ms -= clock_mono_ms() - r->started_ms;
	if (r->left_ms > 0 && transfer_retry_unpacked(&r->transfer, result))
		return true;
	if (result != CURLE_OK)
		return transfer_failure(&r->transfer, result, &r->url, r->timeout_s, &r->failure);
	if (is_redirect(transfer_status(&r->transfer))) {
		if (r->left_ms > 0)
			return follow(r);
		return error_set(&r->failure, ERROR_AGAIN, "%s: redirects took more than %d s",
			r->url.host, r->timeout_s);
	}
	r->has_answer = true;
	if (!is_success(r))
		transfer_refusal(&r->transfer, &r->url, &r->failure);
	return false;
}

static void hop_ended(CURL *easy, CURLcode result, void *arg)
{
	struct fetcher *f = arg;
	char *private = NULL;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
	struct fetch *r = (struct fetch *)(void *)private;
	log_debug("fetched", "url=%s result=%d status=%d", log_quote(r->url.shown), (int)result,
		transfer_status(&r->transfer));
	if (go_on(r, result))
		move_to(r, &f->waiting);
	else
		end(r);
	start_waiting(f);
}

/* ---- The callback ---- */

static void call(struct fetch *r)
{
	const struct transfer *t = &r->transfer;
	bool failed = r->failure.code != ERROR_NONE;
	char *charset = r->has_answer ? transfer_charset(t) : NULL;
	char *hub = r->has_answer ? transfer_link(t, "hub", r->url.shown) : NULL;
	char *self = r->has_answer ? transfer_link(t, "self", r->url.shown) : NULL;
	struct fetch_answer answer = {0};

	if (r->has_answer) {
		answer = (struct fetch_answer){
			.status = transfer_status(t),
			.url = r->url.shown,
			.moved_to = failed ? NULL : r->moved_to,
			.body = buf_str(&t->body),
			.len = t->body.len,
			.etag = transfer_header(t, "etag"),
			.last_modified = transfer_header(t, "last-modified"),
			.charset = charset,
			.hub = hub,
			.self = self,
			.retry_after = transfer_retry_after(t),
			.fresh_for = transfer_fresh_for(t),
		};
	}
	r->fn(r->has_answer ? &answer : NULL, failed ? &r->failure : NULL, r->arg);
	free(charset);
	free(hub);
	free(self);
}

static void deliver(evutil_socket_t fd, short what, void *arg)
{
	struct fetcher *f = arg;
	struct fetch *r = TAILQ_FIRST(&f->ended);

	(void)fd;
	(void)what;
	if (r == NULL)
		return;
	move_to(r, NULL);
	if (!TAILQ_EMPTY(&f->ended))
		event_active(f->deliver, EV_TIMEOUT, 0);
	call(r); /* f may be gone afterwards */
	fetch_free(r);
}
