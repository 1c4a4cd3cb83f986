/* connect(), read(), write(), poll() and close() as libesmtp sees them. They stand in the
 * executable itself and are exported from it, so that the library's calls are bound to them by the
 * ordinary rules of dynamic linking. They act on the connection of the session that the calling
 * thread is in (wire.h), and are the C library's for every other descriptor and thread. */
#include "wire.h"

#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* NOLINTBEGIN(bugprone-macro-parentheses): a type and lists in their own parentheses */
#define CALL_REAL(result, name, types, arguments)                                                  \
	do {                                                                                       \
		static _Atomic(void *) known;                                                      \
		result(*f) types;                                                                  \
		void *p = real(&known, #name);                                                     \
		memcpy(&f, &p, sizeof(f));                                                         \
		return f arguments;                                                                \
	} while (0)
/* NOLINTEND(bugprone-macro-parentheses) */

/* The session whose connection this is, or NULL. Until give_back() the calls of the thread are the
 * C library's: what the wire does, and OpenSSL under it, is not for libesmtp. */
static struct wire *take(int fd)
{
	struct wire *w = wire_current();

	if (w == NULL || w->fd != fd || fd < 0)
		return NULL;
	wire_leave();
	return w;
}

static void give_back(struct wire *w)
{
	int error = errno;

	wire_enter(w);
	errno = error;
}

/* libesmtp connects to WIRE_PLACE_HOLDER: which relay it really is, the session knows. */
static bool is_place_holder(const struct sockaddr *addr)
{
	struct sockaddr_in in;

	if (addr->sa_family != AF_INET)
		return false;
	memcpy(&in, addr, sizeof(in));
	return in.sin_addr.s_addr == htonl(INADDR_LOOPBACK) && in.sin_port == htons(1);
}

int connect(int fd, __CONST_SOCKADDR_ARG to, socklen_t len) /* NOLINT(readability-*) */
{
	struct wire *w = wire_current();

	if (w != NULL && is_place_holder(to.__sockaddr__)) {
		wire_leave();
		int rc = wire_on_connect(w, fd);
		give_back(w);
		return rc;
	}
	CALL_REAL(int, connect, (int, const struct sockaddr *, socklen_t),
		(fd, to.__sockaddr__, len));
}

ssize_t read(int fd, void *buf, size_t len) /* NOLINT(readability-*) */
{
	struct wire *w = take(fd);

	if (w != NULL) {
		ssize_t n = wire_on_read(w, buf, len);
		give_back(w);
		return n;
	}
	CALL_REAL(ssize_t, read, (int, void *, size_t), (fd, buf, len));
}

ssize_t write(int fd, const void *buf, size_t len) /* NOLINT(readability-*) */
{
	struct wire *w = take(fd);

	if (w != NULL) {
		ssize_t n = wire_on_write(w, buf, len);
		give_back(w);
		return n;
	}
	CALL_REAL(ssize_t, write, (int, const void *, size_t), (fd, buf, len));
}

/* A function of its own, for <poll.h> declares that poll() only writes to what it is given. */
__attribute__((noinline)) static struct wire *take_polled(struct pollfd *fds, nfds_t n)
{
	return n > 0 ? take(fds->fd) : NULL;
}

int poll(struct pollfd *fds, nfds_t n, int timeout_ms) /* NOLINT(readability-*) */
{
	struct wire *w = take_polled(fds, n);

	if (w != NULL) {
		int ready = wire_on_poll(w, fds, n, timeout_ms);
		give_back(w);
		return ready;
	}
	CALL_REAL(int, poll, (struct pollfd *, nfds_t, int), (fds, n, timeout_ms));
}

int close(int fd)
{
	struct wire *w = take(fd);

	if (w != NULL) {
		wire_on_close(w);
		give_back(w);
	}
	CALL_REAL(int, close, (int), (fd));
}
