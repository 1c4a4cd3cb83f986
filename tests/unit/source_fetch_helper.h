/* The fetcher with a real HTTP server on the loopback interface. Names are resolved by a double
 * of getaddrinfo(), and connections to addresses outside are led to the same server by one of
 * connect(), so that the Internet can be played without leaving this machine. */
#ifndef TESTS_UNIT_SOURCE_FETCH_HELPER_H
#define TESTS_UNIT_SOURCE_FETCH_HELPER_H

#include "hubmail/source_fetch.h"

#include "hubmail/base_buf.h"
#include "hubmail/base_clock.h"
#include "hubmail/base_mem.h"
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define DEADLINE_S 20
#define MAX_BYTES (1u << 20)

/* ---- The Internet ---- */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	char address[64]; /* of any.test */
	bool slow_goes;   /* slow.test is answered */
	int slow_waiting;
	int connects;                        /* that were tried, wherever to */
	int port;                            /* where outside addresses lead */
	struct sockaddr_storage peers[1024]; /* by descriptor: what connect() was asked for */
} net = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static inline void wait_for_slow(void)
{
	pthread_mutex_lock(&net.lock);
	net.slow_waiting++;
	pthread_cond_broadcast(&net.changed);
	while (!net.slow_goes)
		pthread_cond_wait(&net.changed, &net.lock);
	net.slow_waiting--;
	pthread_cond_broadcast(&net.changed);
	pthread_mutex_unlock(&net.lock);
}

int getaddrinfo(const char *restrict name, const char *restrict service,
	const struct addrinfo *restrict hints, struct addrinfo **restrict result)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	char address[64];

	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	if (name == NULL || strstr(name, ".test") == NULL)
		return real(name, service, hints, result);
	if (strcmp(name, "unknown.test") == 0)
		return EAI_NONAME;
	if (strcmp(name, "slow.test") == 0)
		wait_for_slow();
	pthread_mutex_lock(&net.lock);
	snprintf(address, sizeof(address), "%s",
		strcmp(name, "any.test") == 0 ? net.address : "127.0.0.1");
	pthread_mutex_unlock(&net.lock);
	return real(address, service, hints, result);
}

int connect(int fd, __CONST_SOCKADDR_ARG to, socklen_t len)
{
	int (*real)(int, const struct sockaddr *, socklen_t);
	struct sockaddr_in inside = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)net.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 mapped = {
		.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)net.port)};
	struct sockaddr_in asked;

	*(void **)&real = dlsym(RTLD_NEXT, "connect");
	memcpy(&asked, to.__sockaddr__, sizeof(asked));
	bool is_inside =
		asked.sin_family == AF_INET && asked.sin_addr.s_addr == htonl(INADDR_LOOPBACK);
	if (fd < 0 || (size_t)fd >= sizeof(net.peers) / sizeof(net.peers[0]))
		return errno = EBADF, -1;
	net.connects++;
	memset(&net.peers[fd], 0, sizeof(net.peers[fd]));
	if (is_inside || len > sizeof(net.peers[fd]))
		return real(fd, to.__sockaddr__, len);
	memcpy(&net.peers[fd], to.__sockaddr__, len);
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr);
	return asked.sin_family == AF_INET
		       ? real(fd, (const struct sockaddr *)&inside, sizeof(inside))
		       : real(fd, (const struct sockaddr *)&mapped, sizeof(mapped));
}

/* The address that was asked for, not the one that it was led to. */
int getpeername(int fd, __SOCKADDR_ARG out, socklen_t *restrict len)
{
	int (*real)(int, struct sockaddr *, socklen_t *);

	*(void **)&real = dlsym(RTLD_NEXT, "getpeername");
	int rc = real(fd, out.__sockaddr__, len);
	if (rc == 0 && net.peers[fd].ss_family != AF_UNSPEC) {
		*len = net.peers[fd].ss_family == AF_INET ? sizeof(struct sockaddr_in)
							  : sizeof(struct sockaddr_in6);
		memcpy(out.__sockaddr__, &net.peers[fd], *len);
	}
	return rc;
}

/* ---- The server ---- */

struct header {
	const char *name, *value;
};

/* What is answered to a path. */
struct route {
	const char *path;
	int status;
	struct header headers[3];
	const char *body;
	size_t len; /* 0: a string */
	bool chunked, silent;
};

struct fixture {
	struct loop *loop;
	struct event_base *base;
	struct event *deadline;
	struct evhttp *server;
	int port;
	const struct route *routes;
	size_t n_routes;
	int requests;
	char host[64], agent[64], etag[64], since[64], login[64], type[64], method[8];
	struct buf sent; /* the body of the last request */
	struct evhttp_request *held[64];
	int n_held, most_held, most_same_host;

	struct fetcher *fetcher;
	struct fetch_request request;
	char url[512];

	/* The last answer, copied. */
	int calls, status;
	bool has_answer;
	char *answer_url, *moved_to, *answer_etag, *last_modified, *charset, *hub, *topic;
	struct buf body;
	long retry_after, fresh_for;
	struct error failure;
	struct fetch *self;
};

static inline void copy_header(struct evhttp_request *q, const char *name, char *out, size_t size)
{
	const char *value = evhttp_find_header(evhttp_request_get_input_headers(q), name);

	snprintf(out, size, "%s", value != NULL ? value : "");
}

static inline void note_request(struct fixture *f, struct evhttp_request *q)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(q);

	f->requests++;
	copy_header(q, "Host", f->host, sizeof(f->host));
	copy_header(q, "User-Agent", f->agent, sizeof(f->agent));
	copy_header(q, "If-None-Match", f->etag, sizeof(f->etag));
	copy_header(q, "If-Modified-Since", f->since, sizeof(f->since));
	copy_header(q, "Authorization", f->login, sizeof(f->login));
	copy_header(q, "Content-Type", f->type, sizeof(f->type));
	snprintf(f->method, sizeof(f->method), "%s",
		evhttp_request_get_command(q) == EVHTTP_REQ_POST ? "POST" : "GET");
	buf_truncate(&f->sent, 0);
	buf_add(&f->sent, evbuffer_pullup(in, -1), evbuffer_get_length(in));
}

static inline void hold(struct fixture *f, struct evhttp_request *q)
{
	int same = 0;

	f->held[f->n_held++] = q;
	for (int i = 0; i < f->n_held; i++)
		same += strcmp(evhttp_request_get_host(f->held[i]), evhttp_request_get_host(q)) ==
			0;
	if (f->n_held > f->most_held)
		f->most_held = f->n_held;
	if (same > f->most_same_host)
		f->most_same_host = same;
}

static inline void answer(struct fixture *f, struct evhttp_request *q, const struct route *r)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(q);
	struct evbuffer *body = evbuffer_new();
	char value[256];

	if (r->body != NULL)
		evbuffer_add(body, r->body, r->len != 0 ? r->len : strlen(r->body));
	for (size_t i = 0; i < 3 && r->headers[i].name != NULL; i++) {
		/* %d stands for the port. */
		const char *mark = strstr(r->headers[i].value, "%d");
		if (mark != NULL)
			snprintf(value, sizeof(value), "%.*s%d%s",
				(int)(mark - r->headers[i].value), r->headers[i].value, f->port,
				mark + 2);
		evhttp_add_header(
			headers, r->headers[i].name, mark != NULL ? value : r->headers[i].value);
	}
	if (r->chunked) {
		evhttp_send_reply_start(q, r->status, "Said");
		evhttp_send_reply_chunk(q, body);
		evhttp_send_reply_end(q);
	} else {
		evhttp_send_reply(q, r->status, "Said", body);
	}
	evbuffer_free(body);
}

static inline void serve(struct evhttp_request *q, void *arg)
{
	struct fixture *f = arg;

	note_request(f, q);
	for (size_t i = 0; i < f->n_routes; i++) {
		if (strcmp(evhttp_request_get_uri(q), f->routes[i].path) != 0)
			continue;
		if (f->routes[i].silent)
			hold(f, q);
		else
			answer(f, q, &f->routes[i]);
		return;
	}
	evhttp_send_error(q, 404, NULL);
}

static inline void release(struct fixture *f)
{
	const struct route ok = {.status = 200, .body = "ok"};

	for (int i = 0; i < f->n_held; i++)
		answer(f, f->held[i], &ok);
	f->n_held = 0;
}

/* ---- The test's side ---- */

static inline void too_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fputs("nothing happened for too long\n", stderr);
	abort();
}

static inline int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct timeval deadline = {DEADLINE_S, 0};
	struct sockaddr_in at;
	socklen_t len = sizeof(at);

	signal(SIGPIPE, SIG_IGN);
	f->loop = loop_new();
	f->base = loop_base(f->loop);
	f->deadline = evtimer_new(f->base, too_late, NULL);
	event_add(f->deadline, &deadline);
	f->server = evhttp_new(f->base);
	evhttp_set_gencb(f->server, serve, f);
	struct evhttp_bound_socket *s = evhttp_bind_socket_with_handle(f->server, "127.0.0.1", 0);
	assert_non_null(s);
	getsockname(evhttp_bound_socket_get_fd(s), (struct sockaddr *)&at, &len);
	f->port = ntohs(at.sin_port);
	net.port = f->port;
	f->fetcher = fetcher_new(f->loop, "hubmail/test (+https://hubmail.example)");
	f->request = (struct fetch_request){.max_bytes = MAX_BYTES, .timeout_s = DEADLINE_S};
	*state = f;
	return 0;
}

static inline void forget_answer(struct fixture *f)
{
	free(f->answer_url);
	free(f->moved_to);
	free(f->answer_etag);
	free(f->last_modified);
	free(f->charset);
	free(f->hub);
	free(f->topic);
	f->answer_url = f->moved_to = f->answer_etag = f->last_modified = f->charset = NULL;
	f->hub = f->topic = NULL;
	buf_free(&f->body);
	f->status = 0;
	f->failure = (struct error){0};
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;

	if (f->fetcher != NULL)
		fetcher_free(f->fetcher);
	evhttp_free(f->server);
	event_free(f->deadline);
	loop_free(f->loop);
	forget_answer(f);
	buf_free(&f->sent);
	free(f);
	return 0;
}

static inline void on_answer(const struct fetch_answer *a, const struct error *failure, void *arg)
{
	struct fixture *f = arg;

	forget_answer(f);
	f->calls++;
	f->has_answer = a != NULL;
	if (failure != NULL)
		f->failure = *failure;
	if (a == NULL)
		return;
	f->status = a->status;
	f->answer_url = xstrdup(a->url);
	f->moved_to = xstrdup(a->moved_to);
	f->answer_etag = xstrdup(a->etag);
	f->last_modified = xstrdup(a->last_modified);
	f->charset = xstrdup(a->charset);
	f->hub = xstrdup(a->hub);
	f->topic = xstrdup(a->self);
	buf_add(&f->body, a->body, a->len);
	f->retry_after = a->retry_after;
	f->fresh_for = a->fresh_for;
}

static inline struct fetch *start_at(struct fixture *f, const char *host, const char *path)
{
	snprintf(f->url, sizeof(f->url), "http://%s:%d%s", host, f->port, path);
	f->request.url = f->url;
	return fetch_start(f->fetcher, &f->request, on_answer, f);
}

static inline void wait_for(struct fixture *f, const int *counter, int n)
{
	while (*counter < n)
		event_base_loop(f->base, EVLOOP_ONCE);
}

static inline void get_at(struct fixture *f, const char *host, const char *path)
{
	int before = f->calls;

	start_at(f, host, path);
	assert_int_equal(f->calls, before);
	wait_for(f, &f->calls, before + 1);
}

static inline void get(struct fixture *f, const char *path)
{
	get_at(f, "blog.test", path);
}

#define ROUTES(f, ...)                                                                             \
	static const struct route routes[] = {__VA_ARGS__};                                        \
	(f)->routes = routes;                                                                      \
	(f)->n_routes = sizeof(routes) / sizeof(routes[0])

#define assert_success(f, expected)                                                                \
	do {                                                                                       \
		if ((f)->failure.code != ERROR_NONE)                                               \
			fail_msg("%s", (f)->failure.text);                                         \
		assert_int_equal((f)->status, expected);                                           \
	} while (0)

#define assert_failure(f, expected, words)                                                         \
	do {                                                                                       \
		if ((f)->failure.code != (expected) || strstr((f)->failure.text, words) == NULL)   \
			fail_msg("code %d: %s", (f)->failure.code, (f)->failure.text);             \
	} while (0)

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
