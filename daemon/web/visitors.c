/* libevent's HTTP server limits neither the number of its connections nor their whole duration, and
 * tells nobody when one ends. So each connection's bufferevent is made here and kept by a second
 * reference: once the server has let go of it, its callbacks are gone, and a look around finds
 * that. */
#include "visitors.h"

#include "hubmail/base_clock.h"
#include "hubmail/base_log.h"
#include "hubmail/base_mem.h"
#include <errno.h>
#include <event2/bufferevent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LOOK_MS 1000     /* while anybody is there */
#define LOOK_FULL_MS 50  /* while others wait for a place */
#define ACCEPT_PAUSE_S 1 /* when out of descriptors */
#define WARN_EVERY_MS 60000

struct visitor {
	struct bufferevent *bev;
	int64_t since_ms;
};

struct visitors {
	struct event_base *base;
	struct evconnlistener *listener;
	struct event *look, *accept_again;
	bool full;
	int64_t warned_ms; /* 0: never */
	size_t n;
	struct visitor places[VISITORS_MAX];
};

static bool has_left(const struct visitor *one)
{
	bufferevent_event_cb on_event;

	bufferevent_getcb(one->bev, NULL, NULL, &on_event, NULL);
	return on_event == NULL;
}

static void look_around(struct visitors *v)
{
	int64_t now = clock_mono_ms();
	size_t kept = 0;

	for (size_t i = 0; i < v->n; i++) {
		struct visitor *one = &v->places[i];
		if (has_left(one)) {
			bufferevent_decref(one->bev);
			continue;
		}
		/* The server sees the end of the connection and cleans up as for any other. */
		if (now - one->since_ms > VISIT_MAX_MS)
			shutdown(bufferevent_getfd(one->bev), SHUT_RDWR);
		v->places[kept++] = *one;
	}
	v->n = kept;
}

static void look_again(struct visitors *v)
{
	struct timeval pause = {0, (v->full ? LOOK_FULL_MS : LOOK_MS) * 1000L};

	if (v->n > 0) {
		pause.tv_sec = pause.tv_usec / 1000000;
		pause.tv_usec %= 1000000;
		event_add(v->look, &pause);
	}
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct visitors *v = arg;

	(void)fd;
	(void)what;
	look_around(v);
	if (v->full && v->n < VISITORS_MAX) {
		v->full = false;
		evconnlistener_enable(v->listener);
	}
	look_again(v);
}

/* The others wait in the kernel's queue. */
static void hold_back(struct visitors *v)
{
	int64_t now = clock_mono_ms();

	v->full = true;
	evconnlistener_disable(v->listener);
	if (v->warned_ms != 0 && now - v->warned_ms < WARN_EVERY_MS)
		return;
	v->warned_ms = now;
	log_warn("web connections are at their limit", "limit=%d", VISITORS_MAX);
}

/* For each connection that the server accepts. The descriptor stays open until both references are
 * gone: closed earlier, its number could be taken by another connection that the loop would mistake
 * for this one. */
static struct bufferevent *admit(struct event_base *base, void *arg)
{
	struct visitors *v = arg;
	struct bufferevent *bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);

	if (bev == NULL || v->n == VISITORS_MAX)
		return bev;
	bufferevent_incref(bev);
	v->places[v->n++] = (struct visitor){bev, clock_mono_ms()};
	if (v->n == VISITORS_MAX)
		hold_back(v);
	if (v->full || !event_pending(v->look, EV_TIMEOUT, NULL))
		look_again(v);
	return bev;
}

static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct visitors *v = arg;
	struct timeval pause = {ACCEPT_PAUSE_S, 0};

	log_warn("web connection cannot be accepted", "reason=%s", log_quote(strerror(errno)));
	evconnlistener_disable(listener);
	event_add(v->accept_again, &pause);
}

static void on_accept_again(evutil_socket_t fd, short what, void *arg)
{
	struct visitors *v = arg;

	(void)fd;
	(void)what;
	if (!v->full)
		evconnlistener_enable(v->listener);
}

struct visitors *visitors_new(
	struct event_base *base, struct evhttp *http, struct evconnlistener *listener)
{
	struct visitors *v = xcalloc(1, sizeof(*v));

	v->base = base;
	v->listener = listener;
	v->look = evtimer_new(base, on_look, v);
	v->accept_again = evtimer_new(base, on_accept_again, v);
	evhttp_set_bevcb(http, admit, v);
	evconnlistener_set_error_cb(listener, on_accept_error);
	return v;
}

void visitors_leaving(struct visitors *v)
{
	event_active(v->look, EV_TIMEOUT, 0);
}

void visitors_free(struct visitors *v)
{
	if (v == NULL)
		return;
	look_around(v);
	event_free(v->look);
	event_free(v->accept_again);
	free(v);
}
