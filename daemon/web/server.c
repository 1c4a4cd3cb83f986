/* The HTTP server of the public pages: its socket, its limits, and which page a path means. */
#include "site.h"

#include "hubmail/base_log.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "page.h"
#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADERS_MAX 8192
#define BODY_MAX (512u << 10) /* a feed that a hub delivers */
#define FORM_MAX 4096         /* anything else */
#define SILENCE_MAX_S 10
#define BACKLOG 512

/* ---- Requests ---- */

static void show_health(struct web *web, struct evhttp_request *r)
{
	enum evhttp_cmd_type method = evhttp_request_get_command(r);

	if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD)
		page_send_not_allowed(r, "GET, HEAD");
	else if (store_writer_trouble(web->writer, NULL))
		page_send_line(r, 503, "the database cannot be written");
	else
		page_send_line(r, 200, "ok");
}

static void show_nothing(struct web *web, struct evhttp_request *r)
{
	const struct config *c = web->config;
	const struct texts *t = texts_for(c->n_lists > 0 ? c->lists[0].language : NULL);

	page_send(r, &(struct page){.status = 404, .texts = t, .message = &t->nothing});
}

/* What web.url has after its host: "/news", or "". */
static const char *prefix(const struct config *c)
{
	const char *host = c->web_url != NULL ? strstr(c->web_url, "://") : NULL;
	const char *path = host != NULL ? strchr(host + 3, '/') : NULL;

	return path != NULL ? path : "";
}

/* A proxy may pass the prefix on or cut it off. */
static const char *without_prefix(const struct config *c, const char *path)
{
	const char *start = prefix(c);

	if (text_starts(path, start) && path[strlen(start)] == '/')
		return path + strlen(start);
	return path;
}

static void on_complete(struct evhttp_request *r, void *arg)
{
	struct web *web = arg;

	(void)r;
	visitors_leaving(web->visitors);
}

static void on_request(struct evhttp_request *r, void *arg)
{
	static const char unsubscribe[] = "/unsubscribe/", hooks[] = "/hooks/", hub[] = "/websub/";
	struct web *web = arg;
	const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(r));

	evhttp_request_set_on_complete_cb(r, on_complete, web);
	path = without_prefix(web->config, path != NULL ? path : "");
	if (text_starts(path, hub) && web->schedule != NULL)
		websub_page(web, r, path + strlen(hub));
	else if (text_starts(path, hooks) && web->schedule != NULL)
		hook_page(web, r, path + strlen(hooks));
	else if (evbuffer_get_length(evhttp_request_get_input_buffer(r)) > FORM_MAX)
		page_send_line(r, 413, "that is more than this page takes");
	else if (text_starts(path, unsubscribe))
		unsubscribe_page(web, r, path + strlen(unsubscribe));
	else if (strcmp(path, "/healthz") == 0)
		show_health(web, r);
	else
		show_nothing(web, r);
}

/* ---- Listening ---- */

static bool cannot_listen(const struct config *c, int why, struct error *e)
{
	const char *host = c->web_listen_host;
	int port = c->web_listen_port;

	switch (why) {
	case EADDRINUSE:
		return error_set(e, ERROR_AGAIN,
			"web.listen: %s:%d: another program listens there: stop it, or name another port in %s",
			host, port, c->file);
	case EADDRNOTAVAIL:
		return error_set(e, ERROR_AGAIN,
			"web.listen: %s:%d: this machine has no such address (now)", host, port);
	case EACCES:
		return error_set(e, ERROR_CONFIG,
			"web.listen: %s:%d: not permitted: name a port from 1024 and let a web server pass requests on",
			host, port);
	default:
		return error_set(e, ERROR_IO, "web.listen: %s:%d: %s", host, port, strerror(why));
	}
}

static int listen_at(const struct addrinfo *where)
{
	int on = 1;
	int fd = socket(where->ai_family, where->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, where->ai_addr, where->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	int why = errno;
	close(fd);
	errno = why;
	return -1;
}

/* The first of the host's addresses that can be had. */
static int open_socket(const struct config *c, struct error *e)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *all;
	char port[16];
	int fd = -1, why = 0;

	snprintf(port, sizeof(port), "%d", c->web_listen_port);
	int rc = getaddrinfo(c->web_listen_host, port, &hints, &all);
	if (rc != 0) {
		error_set(e, rc == EAI_AGAIN ? ERROR_AGAIN : ERROR_CONFIG, "web.listen: %s: %s",
			c->web_listen_host, gai_strerror(rc));
		return -1;
	}
	for (struct addrinfo *one = all; one != NULL && fd < 0; one = one->ai_next) {
		fd = listen_at(one);
		if (fd < 0 && why == 0)
			why = errno;
	}
	freeaddrinfo(all);
	if (fd < 0)
		cannot_listen(c, why, e);
	return fd;
}

static int port_of(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} own = {0};
	socklen_t len = sizeof(own);

	if (getsockname(fd, &own.any, &len) != 0)
		return 0;
	return ntohs(own.any.sa_family == AF_INET6 ? own.v6.sin6_port : own.v4.sin_port);
}

/* Every method comes to on_request(), which says 405 with what is allowed. */
static void serve(struct web *web, int fd)
{
	struct event_base *base = loop_base(web->loop);
	struct evconnlistener *listener = evconnlistener_new(
		base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);

	web->http = evhttp_new(base);
	evhttp_set_max_headers_size(web->http, HEADERS_MAX);
	evhttp_set_max_body_size(web->http, BODY_MAX);
	evhttp_set_timeout(web->http, SILENCE_MAX_S);
	evhttp_set_allowed_methods(web->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST |
						      EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
						      EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE |
						      EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH);
	evhttp_set_gencb(web->http, on_request, web);
	evhttp_bind_listener(web->http, listener); /* the listener is the server's from here on */
	web->visitors = visitors_new(base, web->http, listener);
}

struct web *web_start(struct loop *loop, const struct config *c, const struct secret *secret,
	struct store_writer *w, struct error *e)
{
	struct store *store = store_open(c->database, STORE_READ, e);

	if (store == NULL)
		return NULL;
	int fd = open_socket(c, e);
	if (fd < 0) {
		store_close(store);
		return NULL;
	}
	struct web *web = xcalloc(1, sizeof(*web));
	web->loop = loop;
	web->config = c;
	web->secret = *secret;
	web->writer = w;
	web->store = store;
	web->port = port_of(fd);
	LIST_INIT(&web->unsubscribing);
	serve(web, fd);
	log_info("web server listens", "address=%s port=%d", c->web_listen_host, web->port);
	return web;
}

void web_take_calls(struct web *web, struct schedule *schedule)
{
	web->schedule = schedule;
}

void web_reconfigure(struct web *web, const struct config *c)
{
	const struct config *old = web->config;

	if (c->web_listen_host == NULL || strcmp(c->web_listen_host, old->web_listen_host) != 0 ||
		c->web_listen_port != old->web_listen_port)
		log_warn("setting takes effect after a restart", "setting=web.listen");
	web->config = c;
}

int web_port(const struct web *web)
{
	return web->port;
}

void web_free(struct web *web)
{
	if (web == NULL)
		return;
	unsubscribe_forget(web);
	evhttp_free(web->http);
	visitors_free(web->visitors);
	store_close(web->store);
	explicit_bzero(&web->secret, sizeof(web->secret));
	free(web);
}
