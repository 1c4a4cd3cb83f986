/* Blocking input and output for one session thread. A dead or silent client ends it: reads and
 * writes give up after STREAM_PATIENCE_S. */
#include "stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define STREAM_PATIENCE_S 300

void stream_init(struct stream *s, int fd, int delay_ms)
{
	int on = 1;
	struct timeval patience = {.tv_sec = STREAM_PATIENCE_S};

	memset(s, 0, offsetof(struct stream, in));
	s->fd = fd;
	s->delay_ms = delay_ms;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

bool stream_start_tls(struct stream *s, SSL_CTX *context)
{
	s->tls = SSL_new(context);
	if (s->tls == NULL || SSL_set_fd(s->tls, s->fd) != 1 || SSL_accept(s->tls) != 1)
		s->broken = true;
	return !s->broken;
}

void stream_put(struct stream *s, const void *data, size_t len)
{
	buf_add(&s->out, data, len);
}

static long write_some(struct stream *s, const char *data, size_t len)
{
	if (s->tls != NULL)
		return SSL_write(s->tls, data, (int)len);
	return send(s->fd, data, len, MSG_NOSIGNAL);
}

static void pause_for(int ms)
{
	struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};

	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		;
}

bool stream_flush(struct stream *s)
{
	size_t done = 0;

	if (s->out.len > 0 && s->delay_ms > 0)
		pause_for(s->delay_ms);
	while (!s->broken && done < s->out.len) {
		long n = write_some(s, s->out.data + done, s->out.len - done);
		if (n > 0)
			done += (size_t)n;
		else if (s->tls != NULL || errno != EINTR)
			s->broken = true;
	}
	buf_truncate(&s->out, 0);
	return !s->broken;
}

static bool fill(struct stream *s)
{
	long n;

	if (s->start < s->end)
		return true;
	s->start = s->end = 0;
	if (!stream_flush(s))
		return false;
	do
		n = s->tls != NULL ? SSL_read(s->tls, s->in, sizeof(s->in))
				   : recv(s->fd, s->in, sizeof(s->in), 0);
	while (n < 0 && s->tls == NULL && errno == EINTR);
	if (n <= 0)
		s->broken = true;
	else
		s->end = (size_t)n;
	return n > 0;
}

bool stream_line(struct stream *s, struct buf *line)
{
	buf_truncate(line, 0);
	while (line->len <= STREAM_LINE_MAX && fill(s)) {
		const char *from = s->in + s->start;
		const char *end = memchr(from, '\n', s->end - s->start);
		size_t n = end != NULL ? (size_t)(end - from) + 1 : s->end - s->start;
		buf_add(line, from, n);
		s->start += n;
		if (end == NULL)
			continue;
		while (line->len > 0 && strchr("\r\n", line->data[line->len - 1]) != NULL)
			buf_truncate(line, line->len - 1);
		return true;
	}
	return false;
}

bool stream_has_input(const struct stream *s)
{
	return s->start < s->end || (s->tls != NULL && SSL_pending(s->tls) > 0);
}

size_t stream_chunk(struct stream *s, size_t max, const char **data)
{
	if (!fill(s))
		return 0;
	size_t n = s->end - s->start < max ? s->end - s->start : max;
	*data = s->in + s->start;
	s->start += n;
	return n;
}

void stream_unread(struct stream *s, size_t n)
{
	s->start -= n;
}

void stream_forget_input(struct stream *s)
{
	s->start = s->end = 0;
}

/* What the client sent and nobody reads would turn the close into a reset, and the last answer
 * would be lost on its way. */
static void drain(int fd)
{
	struct timeval short_time = {.tv_sec = 1};
	char rest[4096];

	shutdown(fd, SHUT_WR);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &short_time, sizeof(short_time));
	for (int i = 0; i < 1000 && recv(fd, rest, sizeof(rest), 0) > 0; i++)
		;
}

static void free_stream(struct stream *s)
{
	SSL_free(s->tls);
	buf_free(&s->out);
	close(s->fd);
}

void stream_close(struct stream *s)
{
	stream_flush(s);
	if (s->tls != NULL && !s->broken)
		SSL_shutdown(s->tls);
	if (!s->broken)
		drain(s->fd);
	free_stream(s);
}

void stream_reset(struct stream *s)
{
	struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	free_stream(s);
}
