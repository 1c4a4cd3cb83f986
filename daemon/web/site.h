/* What the public pages share: the server's state. */
#ifndef HUBMAIL_WEB_SITE_H
#define HUBMAIL_WEB_SITE_H

#include "hubmail/web.h"

#include "hubmail/store.h"
#include "visitors.h"
#include <event2/http.h>
#include <sys/queue.h>

struct unsubscribing;

struct web {
	struct loop *loop;
	const struct config *config;
	struct secret secret;
	struct store_writer *writer;
	struct schedule *schedule; /* NULL: nobody is told of news */
	struct store *store;       /* reads only */
	struct evhttp *http;
	struct visitors *visitors;
	int port;
	LIST_HEAD(, unsubscribing) unsubscribing; /* whose jobs are with the writer */
};

/* /unsubscribe/TOKEN: answers the request, POST after the commit. `token` is as it came. */
void unsubscribe_page(struct web *web, struct evhttp_request *r, const char *token);

/* /hooks/SOURCE and /websub/TOKEN: what sources and their hubs say. */
void hook_page(struct web *web, struct evhttp_request *r, const char *source);
void websub_page(struct web *web, struct evhttp_request *r, const char *token);

/* Those who wait will get no answer; what they asked for is done all the same. */
void unsubscribe_forget(struct web *web);

#endif
