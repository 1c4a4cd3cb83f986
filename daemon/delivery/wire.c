/* The connection itself: buffers, TLS and time-outs over a socket that never blocks. What has gone
 * wrong once stays wrong, for libesmtp does not look at what became of its writes: a message must
 * end before its final dot rather than arrive with a hole. */
#include "wire.h"

#include "hubmail/base_clock.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static _Thread_local struct wire *current;

void wire_init(
	struct wire *w, int connect_timeout_ms, int user_timeout_ms, wire_open_fn *open, void *arg)
{
	memset(w, 0, sizeof(*w));
	w->connect_timeout_ms = connect_timeout_ms;
	w->user_timeout_ms = user_timeout_ms;
	w->open = open;
	w->arg = arg;
	w->fd = -1;
	pthread_mutex_init(&w->lock, NULL);
}

void wire_destroy(struct wire *w)
{
	pthread_mutex_destroy(&w->lock);
}

void wire_enter(struct wire *w)
{
	current = w;
}

void wire_leave(void)
{
	current = NULL;
}

struct wire *wire_current(void)
{
	return current;
}

/* ---- The socket, with or without TLS ---- */

/* How a call of OpenSSL's went, as read(2) and write(2) would say it. */
static ssize_t tls_result(struct wire *w, int rc, size_t n)
{
	if (rc > 0)
		return (ssize_t)n;
	int error = SSL_get_error(w->ssl, rc);
	ERR_clear_error();
	if (error == SSL_ERROR_ZERO_RETURN)
		return 0;
	errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN : EIO;
	return -1;
}

static ssize_t receive(struct wire *w, void *buf, size_t len)
{
	size_t n = 0;

	if (w->discard.on)
		return discard_read(&w->discard, buf, len);
	if (w->ssl != NULL) {
		ERR_clear_error();
		int rc = SSL_read_ex(w->ssl, buf, len, &n);
		return tls_result(w, rc, n);
	}
	return recv(w->fd, buf, len, MSG_DONTWAIT);
}

static ssize_t transmit(struct wire *w, const void *buf, size_t len)
{
	size_t n = 0;

	if (w->discard.on)
		return discard_write(&w->discard, buf, len);
	if (w->ssl != NULL) {
		ERR_clear_error();
		int rc = SSL_write_ex(w->ssl, buf, len, &n);
		return tls_result(w, rc, n);
	}
	return send(w->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static bool passing(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

static void break_off(struct wire *w)
{
	w->broken = true;
	w->out_len = 0;
	if (w->fd >= 0)
		shutdown(w->fd, SHUT_RDWR);
}

/* Takes in what has arrived. 1: there is something to read; 0: nothing yet; -1: the end. */
static int fill(struct wire *w)
{
	if (w->in_at < w->in_end)
		return 1;
	if (w->broken || w->fd < 0)
		return -1;
	ssize_t n = receive(w, w->in, sizeof(w->in));
	if (n < 0 && passing(errno))
		return 0;
	if (n <= 0)
		return -1;
	w->in_at = 0;
	w->in_end = (size_t)n;
	return 1;
}

/* Sending has failed. The relay may have answered before it went: with an envelope behind it, a
 * text can be over when something is still to be sent. */
static void lose(struct wire *w)
{
	fill(w);
	break_off(w);
}

/* Sends what the socket takes now. False if the connection is broken. */
static bool flush(struct wire *w)
{
	size_t sent = 0;

	while (!w->broken && sent < w->out_len) {
		ssize_t n = transmit(w, w->out + sent, w->out_len - sent);
		if (n > 0)
			sent += (size_t)n;
		else if (n < 0 && passing(errno))
			break;
		else
			lose(w);
	}
	if (w->broken)
		return false;
	memmove(w->out, w->out + sent, w->out_len - sent);
	w->out_len -= sent;
	return true;
}

/* Waits for the socket until the moment `deadline`. False: it has passed. */
static bool wait_for(struct wire *w, short events, int64_t deadline)
{
	struct pollfd p = {.fd = w->fd, .events = events};

	for (;;) {
		int64_t left = deadline - clock_mono_ms();
		int n = poll(&p, 1, left > 0 ? (int)left : 0);
		if (n > 0)
			return true;
		if (n == 0 || errno != EINTR)
			return false;
	}
}

static int64_t deadline_after(int timeout_ms)
{
	return clock_mono_ms() + (timeout_ms >= 0 ? timeout_ms : 24 * 3600 * 1000);
}

/* ---- TLS ---- */

static bool handshake_failed(struct wire *w, struct error *e)
{
	long verify = SSL_get_verify_result(w->ssl);
	unsigned long code = ERR_peek_last_error();
	const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

	if (verify != X509_V_OK)
		return error_set(e, ERROR_IO, "its certificate is not good: %s",
			X509_verify_cert_error_string(verify));
	return error_set(e, ERROR_IO, "TLS failed: %s",
		reason != NULL ? reason : "the relay ended the connection");
}

static bool shake_hands(struct wire *w, int timeout_ms, struct error *e)
{
	int64_t deadline = deadline_after(timeout_ms);

	for (;;) {
		ERR_clear_error();
		int rc = SSL_connect(w->ssl);
		if (rc == 1)
			return true;
		int error = SSL_get_error(w->ssl, rc);
		if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
			return handshake_failed(w, e);
		if (!wait_for(w, error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline))
			return error_set(e, ERROR_IO,
				"TLS failed: no answer from the relay within %d s",
				timeout_ms / 1000);
	}
}

bool wire_encrypt(
	struct wire *w, SSL_CTX *ctx, SSL_SESSION *resume, int timeout_ms, struct error *e)
{
	const char *host = X509_VERIFY_PARAM_get0_host(SSL_CTX_get0_param(ctx), 0);

	if (w->in_at < w->in_end)
		return error_set(e, ERROR_IO,
			"something was slipped in before TLS: the connection is being tampered with");
	w->ssl = SSL_new(ctx);
	if (w->ssl == NULL || SSL_set_fd(w->ssl, w->fd) != 1 ||
		(host != NULL && SSL_set_tlsext_host_name(w->ssl, host) != 1) ||
		(resume != NULL && SSL_set_session(w->ssl, resume) != 1)) {
		ERR_clear_error();
		return error_set(e, ERROR_IO, "TLS cannot be set up: too little memory");
	}
	SSL_set_mode(w->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	bool ok = shake_hands(w, timeout_ms, e);
	ERR_clear_error();
	return ok;
}

/* ---- The dialogue before libesmtp's ---- */

static bool lost(struct wire *w, struct error *e)
{
	break_off(w);
	return error_set(e, ERROR_IO, "the connection was lost");
}

bool wire_say(struct wire *w, const char *data, size_t len, int timeout_ms, struct error *e)
{
	int64_t deadline = deadline_after(timeout_ms);

	while (len > 0) {
		size_t room = sizeof(w->out) - w->out_len;
		size_t n = len < room ? len : room;
		memcpy(w->out + w->out_len, data, n);
		w->out_len += n;
		data += n;
		len -= n;
		while (flush(w) && w->out_len > 0)
			if (!wait_for(w, POLLOUT, deadline))
				return lost(w, e);
		if (w->broken)
			return lost(w, e);
	}
	return true;
}

/* The next character, or -1 with *e. */
static int hear_one(struct wire *w, int64_t deadline, struct error *e)
{
	int rc;

	while ((rc = fill(w)) == 0) {
		if (!wait_for(w, POLLIN, deadline)) {
			break_off(w);
			error_set(e, ERROR_IO, "no answer from the relay in time");
			return -1;
		}
	}
	if (rc < 0) {
		lost(w, e);
		return -1;
	}
	return (unsigned char)w->in[w->in_at++];
}

bool wire_hear(struct wire *w, char *line, size_t size, int timeout_ms, struct error *e)
{
	int64_t deadline = deadline_after(timeout_ms);
	size_t len = 0;
	int c;

	while ((c = hear_one(w, deadline, e)) != '\n') {
		if (c < 0)
			return false;
		if (len + 1 >= size) {
			break_off(w);
			return error_set(e, ERROR_IO,
				"the relay sent a line of more than %zu bytes: it speaks no SMTP",
				size);
		}
		line[len++] = (char)c;
	}
	while (len > 0 && line[len - 1] == '\r')
		len--;
	line[len] = '\0';
	return true;
}

void wire_pretend(struct wire *w, const char *greeting, const char *ehlo_reply)
{
	w->in_at = 0;
	w->in_end = (size_t)snprintf(w->in, sizeof(w->in), "%s", greeting);
	snprintf(w->ehlo_reply, sizeof(w->ehlo_reply), "%s", ehlo_reply);
	w->pipelining = strstr(ehlo_reply, "PIPELINING") != NULL;
	w->pretending = true;
}

void wire_announce_next(struct wire *w, const char *from, const char *to)
{
	if (w->pipelining)
		ahead_prepare(&w->ahead, from, to);
}

/* ---- libesmtp's calls ---- */

/* Our socket takes the place of libesmtp's under its number. */
static bool move_to(struct wire *w, int fd)
{
	pthread_mutex_lock(&w->lock);
	int old = w->fd;
	bool ok = dup3(old, fd, O_CLOEXEC) == fd;
	w->fd = ok ? fd : -1;
	pthread_mutex_unlock(&w->lock);
	close(old);
	return ok && (w->ssl == NULL || SSL_set_fd(w->ssl, fd) == 1);
}

static void drop(struct wire *w)
{
	pthread_mutex_lock(&w->lock);
	int fd = w->fd;
	w->fd = -1;
	pthread_mutex_unlock(&w->lock);
	SSL_free(w->ssl);
	w->ssl = NULL;
	if (fd >= 0)
		close(fd);
}

int wire_on_connect(struct wire *w, int fd)
{
	w->broken = false;
	w->in_at = w->in_end = w->out_len = 0;
	w->ahead = (struct ahead){0};
	w->ahead_ignored = false;
	w->discard.on = false;
	if (w->open(w, w->arg) && move_to(w, fd))
		return 0;
	drop(w);
	errno = ECONNABORTED;
	return -1;
}

/* One line at a time, so that no later answer is with libesmtp already when one of ours is to come
 * before it. */
ssize_t wire_on_read(struct wire *w, void *buf, size_t len)
{
	int rc = fill(w);

	if (rc == 0) {
		errno = EAGAIN;
		return -1;
	}
	if (rc < 0)
		return 0;
	const char *from = w->in + w->in_at;
	size_t n = w->in_end - w->in_at < len ? w->in_end - w->in_at : len;
	const char *end = memchr(from, '\n', n);
	if (end != NULL)
		n = (size_t)(end - from) + 1;
	memcpy(buf, from, n);
	w->in_at += n;
	return (ssize_t)n;
}

/* libesmtp greets a relay that has been greeted. */
static void answer_ehlo(struct wire *w)
{
	w->pretending = false;
	w->in_at = 0;
	w->in_end = strlen(w->ehlo_reply);
	memcpy(w->in, w->ehlo_reply, w->in_end);
}

/* An answer of ours, to be read before those of the relay that have not been. */
static void answer_first(struct wire *w, const char *answer)
{
	size_t len = strlen(answer), unread = w->in_end - w->in_at;

	if (len + unread > sizeof(w->in)) {
		w->in_at = w->in_end; /* it would answer the wrong commands */
		break_off(w);
		return;
	}
	memmove(w->in + len, w->in + w->in_at, unread);
	memcpy(w->in, answer, len);
	w->in_at = 0;
	w->in_end = len + unread;
}

/* The commands that were sent ahead. After a text that was refused libesmtp begins with RSET, which
 * the relay does not need (RFC 5321, 4.1.1.4). With QUIT it gives up the message that was
 * announced. Anything else is not what the relay has been told. */
static size_t write_again(struct wire *w, const char *buf, size_t len)
{
	static const char reset[] = "RSET\r\n", quit[] = "QUIT\r\n";

	if (w->ahead.claimed == 0 && len >= strlen(reset) &&
		memcmp(buf, reset, strlen(reset)) == 0) {
		answer_first(w, "250 2.0.0 reset\r\n");
		return strlen(reset);
	}
	size_t n = ahead_claim(&w->ahead, buf, len);
	if (n == 0 && (len != strlen(quit) || memcmp(buf, quit, len) != 0))
		break_off(w);
	return n;
}

ssize_t wire_on_write(struct wire *w, const void *buf, size_t len)
{
	if (w->pretending) {
		if (memchr(buf, '\n', len) != NULL)
			answer_ehlo(w);
		return (ssize_t)len;
	}
	if (w->ahead.sent) {
		size_t n = write_again(w, buf, len);
		if (n > 0)
			return (ssize_t)n;
	}
	if (!w->broken && w->out_len == sizeof(w->out))
		flush(w);
	if (w->broken) {
		errno = EPIPE;
		return -1;
	}
	size_t room = sizeof(w->out) - w->out_len;
	if (room == 0) {
		errno = EAGAIN;
		return -1;
	}
	size_t n = len < room ? len : room;
	memcpy(w->out + w->out_len, buf, n);
	w->out_len += n;
	return (ssize_t)n;
}

/* Waits until there is an answer to read, sending meanwhile what is left to send. */
static bool await_answer(struct wire *w, int64_t deadline)
{
	int rc;

	ahead_join(&w->ahead, w->out, &w->out_len, sizeof(w->out));
	for (;;) {
		flush(w);
		rc = fill(w);
		if (rc != 0)
			return true;
		if (!wait_for(w, (short)(POLLIN | (w->out_len > 0 ? POLLOUT : 0)), deadline))
			return false;
	}
}

static bool await_room(struct wire *w, int64_t deadline)
{
	while (w->out_len == sizeof(w->out) && flush(w) && w->out_len == sizeof(w->out))
		if (!wait_for(w, POLLOUT, deadline))
			return false;
	return true;
}

/* An answer is here before libesmtp has written all it has to write. What was sent ahead is
 * answered as early, but libesmtp must write it before it reads that: with RSET in front of it, it
 * would take the answer for another command's. */
static bool is_answered_early(const struct wire *w)
{
	return w->in_at < w->in_end && !w->ahead.sent;
}

/* libesmtp asks with one entry for reading, one for writing, or both. An entry for reading is ready
 * when there is an answer and not only a TLS ticket, and one for writing when the buffer has room:
 * libesmtp never waits for an answer to what it has not sent. A time of 0 is its look for early
 * answers while it fills its buffer. */
int wire_on_poll(struct wire *w, struct pollfd *fds, nfds_t n, int timeout_ms)
{
	struct pollfd *reading = NULL, *writing = NULL;
	int64_t deadline = deadline_after(timeout_ms);
	bool ready;

	for (nfds_t i = 0; i < n; i++) {
		fds[i].revents = 0;
		if ((fds[i].events & POLLIN) != 0)
			reading = &fds[i];
		if ((fds[i].events & POLLOUT) != 0)
			writing = &fds[i];
	}
	if (writing != NULL)
		ready = await_room(w, deadline);
	else
		ready = timeout_ms == 0 ? is_answered_early(w) : await_answer(w, deadline);
	if (!ready) {
		if (writing == NULL && timeout_ms != 0 && w->ahead.claimed > 0)
			w->ahead_ignored = true;
		if (writing != NULL || (w->out_len > 0 && timeout_ms != 0))
			break_off(w);
		return 0;
	}
	if (writing != NULL)
		writing->revents = POLLOUT;
	if (reading != NULL && (writing == NULL || is_answered_early(w)))
		reading->revents = POLLIN;
	return (writing != NULL) + (reading != NULL && reading->revents != 0);
}

void wire_on_close(struct wire *w)
{
	pthread_mutex_lock(&w->lock);
	w->fd = -1; /* libesmtp closes it */
	pthread_mutex_unlock(&w->lock);
	if (w->ssl != NULL) {
		if (!w->broken)
			SSL_shutdown(w->ssl); /* on the descriptor, which is still open */
		ERR_clear_error();
		SSL_free(w->ssl);
		w->ssl = NULL;
	}
}

/* ---- */

bool wire_is_alive(struct wire *w)
{
	char c;

	if (w->broken || w->fd < 0)
		return false;
	ssize_t n = recv(w->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);
	return n > 0 || (n < 0 && passing(errno));
}

void wire_quit(struct wire *w)
{
	static const char quit[] = "QUIT\r\n";

	if (w->broken || w->fd < 0)
		return;
	wire_leave();
	/* A relay that waits for a text would take it for that. */
	if (!w->ahead.sent)
		wire_say(w, quit, sizeof(quit) - 1, 1000, NULL);
	break_off(w);
	wire_enter(w);
}

void wire_shut_down(struct wire *w)
{
	pthread_mutex_lock(&w->lock);
	w->cut = true;
	if (w->fd >= 0)
		shutdown(w->fd, SHUT_RDWR);
	pthread_mutex_unlock(&w->lock);
}
