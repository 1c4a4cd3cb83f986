/* The control socket's server on the loop. A connection is answered one line at a time: the next
 * line is looked at when the answer to the last has left, so that nobody can pile up answers. Who
 * may ask is peer.c's matter, what they may ask is the handler's. */
#include "hubmail/control.h"

#include "hubmail/base_log.h"
#include "hubmail/base_mem.h"
#include "line.h"
#include "peer.h"
#include "socket.h"
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64
#define PATIENCE_S 10 /* for a line to arrive, for an answer to be taken */
#define ACCEPT_PAUSE_S 1

struct connection {
	struct control *control;
	struct bufferevent *bev;
	struct event *deadline;
	struct control_request *request; /* the one at work, or NULL */
	struct ucred who;
	size_t searched; /* bytes of the input known to hold no newline */
	bool ended;      /* the client has said everything */
	bool last;       /* close when the output has left */
	LIST_ENTRY(connection) entry;
};

struct control_request {
	struct connection *connection; /* NULL: gone while the answer was being made */
};

struct control {
	struct event_base *base;
	control_fn *handle;
	void *arg;
	char *path;
	struct stat made;
	gid_t group;
	struct evconnlistener *listener;
	struct event *accept_again;
	size_t n_connections;
	LIST_HEAD(, connection) connections;
};

/* ---- Connections ---- */

static void be_patient(struct connection *c)
{
	struct timeval patience = {PATIENCE_S, 0};

	event_add(c->deadline, &patience);
}

static void close_connection(struct connection *c)
{
	struct control *ctl = c->control;

	if (c->request != NULL)
		c->request->connection = NULL;
	LIST_REMOVE(c, entry);
	event_free(c->deadline);
	bufferevent_free(c->bev);
	free(c);
	if (ctl->n_connections-- == CONNECTIONS_MAX)
		evconnlistener_enable(ctl->listener);
}

static void say(struct connection *c, char *line)
{
	if (line == NULL)
		c->last = true;
	else
		bufferevent_write(c->bev, line, strlen(line));
	free(line);
	be_patient(c);
}

/* The next line without its newline, the caller's; NULL if it has not come yet. */
static char *take_line(struct connection *c, size_t *len)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	struct evbuffer_ptr from, end;

	evbuffer_ptr_set(in, &from, c->searched, EVBUFFER_PTR_SET);
	end = evbuffer_search_eol(in, &from, NULL, EVBUFFER_EOL_LF);
	if (end.pos < 0) {
		c->searched = evbuffer_get_length(in);
		return NULL;
	}
	c->searched = 0;
	return evbuffer_readln(in, len, EVBUFFER_EOL_LF);
}

static void refuse(struct connection *c, enum error_code code, const char *why)
{
	struct error e;

	error_set(&e, code, "%s", why);
	say(c, line_failure(&e));
}

static void take_request(struct connection *c, const char *line, size_t len)
{
	const char *command;
	struct error e = {0};
	json_t *object = line_parse(line, len, &command, &e);

	if (object == NULL) {
		say(c, line_failure(&e));
		return;
	}
	log_debug("control request", "command=%s uid=%u pid=%d", log_quote(command), c->who.uid,
		(int)c->who.pid);
	struct control_request *r = xcalloc(1, sizeof(*r));
	r->connection = c;
	c->request = r;
	event_del(c->deadline);
	if (!c->control->handle(command, object, r, c->control->arg)) {
		error_set(&e, ERROR_USAGE,
			"this hubmaild (%s) knows no command \"%s\": hubmailctl may be of another version",
			HUBMAIL_VERSION, command);
		control_refuse(r, &e);
	}
	json_decref(object);
}

/* One step: what can be done with this connection now? */
static void advance(struct connection *c)
{
	size_t len;

	if (c->request != NULL || evbuffer_get_length(bufferevent_get_output(c->bev)) > 0)
		return;
	char *line = c->last ? NULL : take_line(c, &len);
	if (line != NULL) {
		take_request(c, line, len);
		free(line);
	} else if (c->last || c->ended) {
		close_connection(c);
	} else if (c->searched > CONTROL_LINE_MAX) {
		c->last = true;
		refuse(c, ERROR_USAGE, "the request is longer than a line may be");
	}
}

static void on_input(struct bufferevent *bev, void *arg)
{
	(void)bev;
	advance(arg);
}

static void on_output_left(struct bufferevent *bev, void *arg)
{
	struct connection *c = arg;

	(void)bev;
	if (c->request == NULL)
		be_patient(c);
	advance(c);
}

static void on_end(struct bufferevent *bev, short what, void *arg)
{
	struct connection *c = arg;

	(void)bev;
	if ((what & BEV_EVENT_EOF) == 0) {
		close_connection(c);
		return;
	}
	/* Somebody who has asked and shut their side is still answered. */
	c->ended = true;
	advance(c);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;

	(void)fd;
	(void)what;
	log_debug("control connection timed out", "uid=%u pid=%d", c->who.uid, (int)c->who.pid);
	close_connection(c);
}

/* ---- Listening ---- */

static void greet(struct connection *c)
{
	if (peer_may_ask(bufferevent_getfd(c->bev), &c->who, c->control->group)) {
		bufferevent_enable(c->bev, EV_READ | EV_WRITE);
		be_patient(c);
		return;
	}
	log_warn("control connection refused", "uid=%u gid=%u pid=%d", c->who.uid, c->who.gid,
		(int)c->who.pid);
	bufferevent_enable(c->bev, EV_WRITE);
	c->last = true;
	refuse(c, ERROR_REFUSED,
		"hubmaild listens to root, its own user and members of control.group only");
}

static void on_connection(struct evconnlistener *listener, evutil_socket_t fd,
	struct sockaddr *address, int len, void *arg)
{
	struct control *ctl = arg;
	struct ucred who;

	(void)address;
	(void)len;
	if (!peer_credentials(fd, &who)) {
		close(fd);
		return;
	}
	struct connection *c = xcalloc(1, sizeof(*c));
	c->control = ctl;
	c->who = who;
	c->bev = bufferevent_socket_new(ctl->base, fd, BEV_OPT_CLOSE_ON_FREE);
	c->deadline = evtimer_new(ctl->base, on_deadline, c);
	bufferevent_setcb(c->bev, on_input, on_output_left, on_end, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, CONTROL_LINE_MAX + 1);
	LIST_INSERT_HEAD(&ctl->connections, c, entry);
	if (++ctl->n_connections == CONNECTIONS_MAX)
		evconnlistener_disable(listener); /* the others wait in the kernel's queue */
	greet(c);
}

/* Most likely out of descriptors. Whoever waits would wake the loop again at once. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct control *ctl = arg;
	struct timeval pause = {ACCEPT_PAUSE_S, 0};

	log_warn("control connection cannot be accepted", "reason=%s", log_quote(strerror(errno)));
	evconnlistener_disable(listener);
	event_add(ctl->accept_again, &pause);
}

static void on_accept_again(evutil_socket_t fd, short what, void *arg)
{
	struct control *ctl = arg;

	(void)fd;
	(void)what;
	if (ctl->n_connections < CONNECTIONS_MAX)
		evconnlistener_enable(ctl->listener);
}

/* ---- What others call ---- */

static void finish(struct control_request *r, char *line)
{
	struct connection *c = r->connection;

	free(r);
	if (c == NULL) {
		free(line);
		return;
	}
	c->request = NULL;
	say(c, line);
}

void control_answer(struct control_request *r, json_t *answer)
{
	finish(r, line_success(answer));
}

void control_refuse(struct control_request *r, const struct error *why)
{
	finish(r, line_failure(why));
}

static bool find_group(const char *name, gid_t *out, struct error *e)
{
	struct group *g = name != NULL ? getgrnam(name) : NULL;

	*out = g != NULL ? g->gr_gid : PEER_NO_GROUP;
	if (name == NULL || g != NULL)
		return true;
	return error_set(e, ERROR_CONFIG,
		"control.group: there is no group \"%s\": make it (groupadd --system %s) or name another",
		name, name);
}

struct control *control_start(
	struct loop *loop, const struct config *c, control_fn *handle, void *arg, struct error *e)
{
	struct stat made;
	gid_t group;

	if (!find_group(c->control_group, &group, e))
		return NULL;
	int fd = socket_listen(c->control_socket, group, &made, e);
	if (fd < 0)
		return NULL;
	struct control *ctl = xcalloc(1, sizeof(*ctl));
	ctl->base = loop_base(loop);
	ctl->handle = handle;
	ctl->arg = arg;
	ctl->path = xstrdup(c->control_socket);
	ctl->made = made;
	ctl->group = group;
	LIST_INIT(&ctl->connections);
	ctl->accept_again = evtimer_new(ctl->base, on_accept_again, ctl);
	ctl->listener = evconnlistener_new(ctl->base, on_connection, ctl,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	evconnlistener_set_error_cb(ctl->listener, on_accept_error);
	return ctl;
}

void control_free(struct control *ctl)
{
	struct connection *c, *next;

	if (ctl == NULL)
		return;
	socket_remove(ctl->path, &ctl->made);
	for (c = LIST_FIRST(&ctl->connections); c != NULL; c = next) {
		next = LIST_NEXT(c, entry);
		close_connection(c);
	}
	event_free(ctl->accept_again);
	evconnlistener_free(ctl->listener);
	free(ctl->path);
	free(ctl);
}
