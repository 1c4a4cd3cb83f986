/* How many may be connected to the public pages at once, and for how long. */
#ifndef HUBMAIL_WEB_VISITORS_H
#define HUBMAIL_WEB_VISITORS_H

#include <event2/http.h>
#include <event2/listener.h>

#define VISITORS_MAX 256
#define VISIT_MAX_MS 20000 /* from the first byte to the last: one request, one answer */

struct visitors;

/* Counts the connections that come to `http` by `listener`, holds the listener back while there are
 * VISITORS_MAX, and cuts off who stays too long. Both are borrowed. */
struct visitors *visitors_new(
	struct event_base *base, struct evhttp *http, struct evconnlistener *listener);

/* Some connection is about to end: look soon. */
void visitors_leaving(struct visitors *v);

/* After evhttp_free(). */
void visitors_free(struct visitors *v);

#endif
