/* hubmailctl's end of the control socket: one question, one answer, in blocking calls with one
 * deadline. Most of it is telling people why nobody answers. */
#include "hubmail/control.h"

#include "hubmail/base_buf.h"
#include "hubmail/base_clock.h"
#include "hubmail/base_mem.h"
#include "socket.h"
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

struct question {
	const char *path;
	int fd;
	int timeout_ms;
	int64_t until_ms; /* monotonic */
};

static int left_ms(const struct question *q)
{
	int64_t left = q->until_ms - clock_mono_ms();

	return left > 0 ? (int)left : 0;
}

static bool too_late(const struct question *q, struct error *e)
{
	char text[32];

	clock_duration_text((q->timeout_ms + 999) / 1000, text);
	return error_set(e, ERROR_AGAIN,
		"%s: hubmaild did not answer within %s: try again, or look at its log (journalctl -u hubmaild)",
		q->path, text);
}

/* ---- Connecting ---- */

static bool not_permitted(const char *path, struct error *e)
{
	struct stat st;
	struct group *g = NULL;

	if (stat(path, &st) == 0 && (st.st_mode & S_IWGRP) != 0)
		g = getgrgid(st.st_gid);
	if (g != NULL)
		return error_set(e, ERROR_REFUSED,
			"%s: only root and members of the group %s may talk to hubmaild: use sudo, or join (usermod -aG %s NAME) and log in again",
			path, g->gr_name, g->gr_name);
	return error_set(e, ERROR_REFUSED,
		"%s: only root, hubmaild's own user and members of control.group in hubmail.conf may talk to hubmaild: use sudo",
		path);
}

static bool not_connected(const char *path, int why, struct error *e)
{
	if (why == EACCES || why == EPERM)
		return not_permitted(path, e);
	if (why == ENOENT || why == ENOTDIR || why == ECONNREFUSED)
		return error_set(e, ERROR_UNAVAILABLE,
			"%s: hubmaild does not run: start it (systemctl start hubmaild)", path);
	return error_set(
		e, ERROR_UNAVAILABLE, "%s: hubmaild cannot be reached: %s", path, strerror(why));
}

static bool ask_to_connect(struct question *q, struct error *e)
{
	struct sockaddr_un address;
	struct timeval wait = {q->timeout_ms / 1000, q->timeout_ms % 1000 * 1000L};

	if (!socket_address(q->path, &address, e))
		return false;
	q->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (q->fd < 0)
		return error_set(e, ERROR_IO, "%s: %s", q->path, strerror(errno));
	/* For connect(), which waits while the daemon's queue is full, and for send(). */
	setsockopt(q->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (connect(q->fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return true;
	return errno == EAGAIN ? too_late(q, e) : not_connected(q->path, errno, e);
}

/* ---- Asking ---- */

static bool send_all(struct question *q, const char *text, size_t len, struct error *e)
{
	while (len > 0) {
		ssize_t n = send(q->fd, text, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return too_late(q, e);
		if (n < 0) /* it hung up; what it said before that is worth reading */
			return true;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

static bool hung_up(const struct question *q, struct error *e)
{
	return error_set(e, ERROR_AGAIN,
		"%s: hubmaild closed the connection without an answer: it may have been stopped (systemctl status hubmaild)",
		q->path);
}

/* Reads up to the newline, which is left out. */
static bool receive_line(struct question *q, struct buf *line, struct error *e)
{
	char block[8192];

	for (;;) {
		struct pollfd p = {.fd = q->fd, .events = POLLIN};
		int rc = poll(&p, 1, left_ms(q));
		if (rc < 0 && errno == EINTR)
			continue;
		if (rc <= 0)
			return too_late(q, e);
		ssize_t n = recv(q->fd, block, sizeof(block), 0);
		if (n <= 0)
			return hung_up(q, e);
		const char *end = memchr(block, '\n', (size_t)n);
		buf_add(line, block, end != NULL ? (size_t)(end - block) : (size_t)n);
		if (end != NULL)
			return true;
		if (line->len > CONTROL_LINE_MAX)
			return error_set(e, ERROR_IO, "%s: the answer is longer than %u bytes",
				q->path, CONTROL_LINE_MAX);
	}
}

static enum error_code known_code(json_int_t code)
{
	static const enum error_code codes[] = {ERROR_REFUSED, ERROR_NOT_FOUND, ERROR_USAGE,
		ERROR_DATA, ERROR_UNAVAILABLE, ERROR_IO, ERROR_AGAIN, ERROR_CONFIG};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if ((json_int_t)codes[i] == code)
			return codes[i];
	return ERROR_REFUSED;
}

/* The object if it says that all went well. */
static json_t *read_answer(const struct question *q, const struct buf *line, struct error *e)
{
	json_t *answer = json_loadb(buf_str(line), line->len, 0, NULL);
	const char *why = json_string_value(json_object_get(answer, "error"));

	if (json_is_true(json_object_get(answer, "ok")))
		return answer;
	if (why != NULL)
		error_set(e, known_code(json_integer_value(json_object_get(answer, "code"))), "%s",
			why);
	else
		error_set(e, ERROR_UNAVAILABLE,
			"%s: what answers there is not hubmaild: see control.socket in hubmail.conf",
			q->path);
	json_decref(answer);
	return NULL;
}

static json_t *ask(struct question *q, const char *line, struct error *e)
{
	struct buf answer = {0};
	json_t *object = NULL;

	if (ask_to_connect(q, e) && send_all(q, line, strlen(line), e) &&
		receive_line(q, &answer, e))
		object = read_answer(q, &answer, e);
	buf_free(&answer);
	if (q->fd >= 0)
		close(q->fd);
	return object;
}

json_t *control_ask(const char *socket_path, json_t *request, int timeout_ms, struct error *e)
{
	struct question q = {.path = socket_path,
		.fd = -1,
		.timeout_ms = timeout_ms,
		.until_ms = clock_mono_ms() + timeout_ms};
	char *text = json_dumps(request, JSON_COMPACT);
	json_t *answer = NULL;

	json_decref(request);
	if (text == NULL) {
		error_set(e, ERROR_USAGE, "the request cannot be written as JSON");
	} else if (strlen(text) > CONTROL_LINE_MAX) {
		error_set(e, ERROR_USAGE,
			"the request is longer than %u bytes: ask for less at once",
			CONTROL_LINE_MAX);
	} else {
		char *line = xasprintf("%s\n", text);
		answer = ask(&q, line, e);
		free(line);
	}
	free(text);
	return answer;
}
