/* The socket under a libesmtp session. libesmtp 1.1.0 sets no option on it, waits for connect() as
 * long as the kernel likes and gives its descriptor to nobody; interpose.c brings its calls here.
 */
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <unistd.h>

static _Thread_local struct wire *current;

void wire_init(struct wire *w, int connect_timeout_ms, int user_timeout_ms)
{
	*w = (struct wire){connect_timeout_ms, user_timeout_ms, PTHREAD_MUTEX_INITIALIZER, -1};
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

static void set_fd(struct wire *w, int fd)
{
	pthread_mutex_lock(&w->lock);
	w->fd = fd;
	pthread_mutex_unlock(&w->lock);
}

/* Without TCP_NODELAY each message over 2 kB waits 40 ms for the relay's delayed acknowledgement.
 */
static void set_options(struct wire *w, int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(
		fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &w->user_timeout_ms, sizeof(w->user_timeout_ms));
	fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static int wait_connected(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int error = 0, n;
	socklen_t len = sizeof(error);

	while ((n = poll(&p, 1, timeout_ms)) < 0 && errno == EINTR)
		;
	if (n == 0)
		error = ETIMEDOUT;
	else if (n < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	errno = error;
	return error == 0 ? 0 : -1;
}

/* The descriptor is remembered before the connection stands, so that it can be shut down while it
 * is being made. */
int wire_connect(struct wire *w, int fd, const struct sockaddr *addr, socklen_t len)
{
	int flags = fcntl(fd, F_GETFL);

	set_options(w, fd);
	set_fd(w, fd);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
		goto fail;
	if (connect(fd, addr, len) != 0) {
		if (errno != EINPROGRESS)
			goto fail;
		if (wait_connected(fd, w->connect_timeout_ms) != 0)
			goto fail;
	}
	if (fcntl(fd, F_SETFL, flags) == 0)
		return 0;
fail:
	set_fd(w, -1);
	return -1;
}

bool wire_is_alive(struct wire *w)
{
	char c;

	if (w->fd < 0)
		return true;
	ssize_t n = recv(w->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR));
}

void wire_shut_down(struct wire *w)
{
	pthread_mutex_lock(&w->lock);
	if (w->fd >= 0)
		shutdown(w->fd, SHUT_RDWR);
	pthread_mutex_unlock(&w->lock);
}

void wire_forget(struct wire *w)
{
	set_fd(w, -1);
}
