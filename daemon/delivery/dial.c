/* Making the TCP connection: names to addresses, one address after the other, each within the
 * time-out. */
#include "wire.h"

#include "hubmail/base_clock.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Without TCP_NODELAY each message over 2 kB waits 40 ms for the relay's delayed acknowledgement.
 */
static void set_options(const struct wire *w, int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(
		fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &w->user_timeout_ms, sizeof(w->user_timeout_ms));
}

/* Returns 0 or an errno. */
static int wait_connected(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int64_t deadline = clock_mono_ms() + timeout_ms;
	int error = 0, n;
	socklen_t len = sizeof(error);

	do {
		int64_t left = deadline - clock_mono_ms();
		n = poll(&p, 1, left > 0 ? (int)left : 0);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return ETIMEDOUT;
	if (n < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		return errno;
	return error;
}

/* The descriptor is known before the connection stands, so that it can be shut down meanwhile. */
static bool put_fd(struct wire *w, int fd)
{
	pthread_mutex_lock(&w->lock);
	bool may = fd < 0 || !w->cut;
	w->fd = may ? fd : -1;
	pthread_mutex_unlock(&w->lock);
	return may;
}

/* A socket of its own all the same, for the wire to be shut down and looked at like any other. */
bool wire_discard(struct wire *w, struct error *e)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return error_set(e, ERROR_IO, "no socket: %s", strerror(errno));
	if (!put_fd(w, fd)) {
		close(fd);
		return error_set(e, ERROR_IO, "%s", strerror(ECANCELED));
	}
	discard_begin(&w->discard);
	return true;
}

/* Returns 0 or an errno. */
static int try_address(struct wire *w, const struct addrinfo *a)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error = 0;

	if (fd < 0)
		return errno;
	set_options(w, fd);
	if (!put_fd(w, fd))
		error = ECANCELED;
	else if (connect(fd, a->ai_addr, a->ai_addrlen) != 0)
		error = errno == EINPROGRESS ? wait_connected(fd, w->connect_timeout_ms) : errno;
	if (error != 0) {
		put_fd(w, -1);
		close(fd);
	}
	return error;
}

bool wire_connect(struct wire *w, const char *host, int port, struct error *e)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV},
			*addresses;
	char service[16];
	int error = 0;

	snprintf(service, sizeof(service), "%d", port);
	int rc = getaddrinfo(host, service, &hints, &addresses);
	if (rc != 0)
		return error_set(e, ERROR_IO, "%s: its address is not known: %s", host,
			rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
	for (const struct addrinfo *a = addresses; a != NULL; a = a->ai_next) {
		error = try_address(w, a);
		if (error == 0 || error == ECANCELED)
			break;
	}
	freeaddrinfo(addresses);
	return error == 0 ||
	       error_set(e, ERROR_IO, "%s:%d: cannot connect: %s", host, port, strerror(error));
}
