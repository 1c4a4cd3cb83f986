/* libcurl's multi interface on the libevent loop: libcurl says which sockets and which timer to
 * wait for, libevent waits. What a transfer is for is fetch.c's business. */
#include "fetch_multi.h"

#include "hubmail/base_mem.h"
#include <stdlib.h>
#include <sys/queue.h>

#define IDLE_CONNECTIONS 16L /* kept open for the next request to the same host */

struct watched {
	struct fetch_multi *multi;
	struct event *event;
	LIST_ENTRY(watched) entry;
};

struct fetch_multi {
	struct event_base *base;
	CURLM *curl;
	struct event *timer;
	LIST_HEAD(, watched) sockets;
	fetch_multi_fn *ended;
	void *arg;
};

static int want_socket(CURL *easy, curl_socket_t s, int what, void *arg, void *socket_arg);
static int want_timer(CURLM *curl, long timeout_ms, void *arg);
static void on_timer(evutil_socket_t fd, short what, void *arg);

struct fetch_multi *fetch_multi_new(struct event_base *base, fetch_multi_fn *ended, void *arg)
{
	struct fetch_multi *m = xcalloc(1, sizeof(*m));

	*m = (struct fetch_multi){.base = base, .ended = ended, .arg = arg};
	LIST_INIT(&m->sockets);
	m->curl = curl_multi_init();
	m->timer = evtimer_new(base, on_timer, m);
	if (m->curl == NULL || m->timer == NULL)
		abort();
	curl_multi_setopt(m->curl, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(m->curl, CURLMOPT_SOCKETDATA, m);
	curl_multi_setopt(m->curl, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(m->curl, CURLMOPT_TIMERDATA, m);
	curl_multi_setopt(m->curl, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	curl_multi_setopt(m->curl, CURLMOPT_MAXCONNECTS, IDLE_CONNECTIONS);
	return m;
}

bool fetch_multi_add(struct fetch_multi *m, CURL *easy)
{
	return curl_multi_add_handle(m->curl, easy) == CURLM_OK;
}

void fetch_multi_remove(struct fetch_multi *m, CURL *easy)
{
	curl_multi_remove_handle(m->curl, easy);
}

static void drop_socket(struct watched *w)
{
	LIST_REMOVE(w, entry);
	event_free(w->event);
	free(w);
}

void fetch_multi_free(struct fetch_multi *m)
{
	struct watched *w, *next;

	curl_multi_cleanup(m->curl);
	for (w = LIST_FIRST(&m->sockets); w != NULL; w = next) {
		next = LIST_NEXT(w, entry);
		drop_socket(w);
	}
	event_free(m->timer);
	free(m);
}

static void report_ended(struct fetch_multi *m)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(m->curl, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE)
			continue;
		CURL *easy = message->easy_handle;
		CURLcode result = message->data.result;
		curl_multi_remove_handle(m->curl, easy);
		m->ended(easy, result, m->arg);
	}
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct watched *w = arg;
	struct fetch_multi *m = w->multi;
	int ready = ((what & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
		    ((what & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0);
	int running;

	curl_multi_socket_action(m->curl, fd, ready, &running);
	report_ended(m);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct fetch_multi *m = arg;
	int running;

	(void)fd;
	(void)what;
	curl_multi_socket_action(m->curl, CURL_SOCKET_TIMEOUT, 0, &running);
	report_ended(m);
}

static int want_socket(CURL *easy, curl_socket_t s, int what, void *arg, void *socket_arg)
{
	struct fetch_multi *m = arg;
	struct watched *w = socket_arg;
	short events = EV_PERSIST;

	(void)easy;
	if (w != NULL)
		drop_socket(w);
	if (what == CURL_POLL_REMOVE) {
		curl_multi_assign(m->curl, s, NULL);
		return 0;
	}
	if ((what & CURL_POLL_IN) != 0)
		events |= EV_READ;
	if ((what & CURL_POLL_OUT) != 0)
		events |= EV_WRITE;
	w = xcalloc(1, sizeof(*w));
	w->multi = m;
	w->event = event_new(m->base, s, events, on_socket, w);
	if (w->event == NULL)
		abort();
	LIST_INSERT_HEAD(&m->sockets, w, entry);
	event_add(w->event, NULL);
	curl_multi_assign(m->curl, s, w);
	return 0;
}

static int want_timer(CURLM *curl, long timeout_ms, void *arg)
{
	struct fetch_multi *m = arg;
	struct timeval after = {timeout_ms / 1000, timeout_ms % 1000 * 1000};

	(void)curl;
	if (timeout_ms < 0)
		event_del(m->timer);
	else
		event_add(m->timer, &after);
	return 0;
}
