/* connect() and poll() as libesmtp sees them. These two stand in the executable itself and are
 * exported from it, so that the library's calls are bound to them by the ordinary rules of dynamic
 * linking; for every thread that is not inside a session they are the C library's. */
#include "wire.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

typedef int connect_fn(int fd, const struct sockaddr *addr, socklen_t len);
typedef int poll_fn(struct pollfd *fds, nfds_t n, int timeout_ms);

/* The next definition of that name: the C library's, or a sanitizer's. */
static void *real(_Atomic(void *) *known, const char *name)
{
	void *f = atomic_load_explicit(known, memory_order_acquire);

	if (f == NULL) {
		f = dlsym(RTLD_NEXT, name);
		atomic_store_explicit(known, f, memory_order_release);
	}
	return f;
}

int connect(int fd, __CONST_SOCKADDR_ARG to, socklen_t len)
{
	const struct sockaddr *addr = to.__sockaddr__;
	static _Atomic(void *) known;
	struct wire *w = wire_current();
	connect_fn *f;
	void *p = real(&known, "connect");

	memcpy(&f, &p, sizeof(f));
	if (w == NULL || (addr->sa_family != AF_INET && addr->sa_family != AF_INET6))
		return f(fd, addr, len);
	/* wire_connect() calls connect() itself: this time it is not for libesmtp. */
	wire_leave();
	int rc = wire_connect(w, fd, addr, len);
	int error = errno;
	wire_enter(w);
	errno = error;
	return rc;
}

/* libesmtp asks for reading and writing at once, and it looks for early answers while it still
 * fills its buffer. With TLS 1.3 the server's session tickets make the socket readable before there
 * is an answer, and libesmtp then waits for the answer to a command that it has not sent yet. So
 * writing goes first, and looking for early answers (one descriptor, no time to wait) finds none.
 */
int poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	static _Atomic(void *) known;
	poll_fn *f;
	void *p = real(&known, "poll");

	memcpy(&f, &p, sizeof(f));
	if (wire_current() == NULL)
		return f(fds, n, timeout_ms);
	if (timeout_ms == 0 && n == 1 && fds[0].events == POLLIN) {
		fds[0].revents = 0;
		return 0;
	}
	int ready = f(fds, n, timeout_ms);
	if (ready == 2 && n == 2 && fds[0].fd == fds[1].fd && (fds[1].revents & POLLOUT) != 0) {
		fds[0].revents = 0;
		return 1;
	}
	return ready;
}
