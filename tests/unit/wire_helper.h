/* The connection under libesmtp, without libesmtp: the test calls what libesmtp would, and holds
 * the peer's socket. */
#ifndef HUBMAIL_TESTS_WIRE_HELPER_H
#define HUBMAIL_TESTS_WIRE_HELPER_H

#include "../../daemon/delivery/wire.h"
#include "hubmail/base_clock.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE_MS 20000

struct pair {
	struct wire wire;
	int listener, peer;
	int lent; /* the descriptor that stands for libesmtp's */
	struct error e;
};

static inline bool open_it(struct wire *w, void *arg)
{
	struct pair *p = arg;
	struct sockaddr_in addr = {0};
	socklen_t len = sizeof(addr);

	getsockname(p->listener, (struct sockaddr *)&addr, &len);
	if (!wire_connect(w, "127.0.0.1", ntohs(addr.sin_port), &p->e))
		return false;
	wire_pretend(w, "220 relay\r\n", "250-relay\r\n250 PIPELINING\r\n");
	return true;
}

static inline int set_up(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int small = 4096;

	assert_non_null(p);
	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(p->listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	assert_int_equal(bind(p->listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(p->listener, 4), 0);
	wire_init(&p->wire, DEADLINE_MS, DEADLINE_MS, open_it, p);
	p->lent = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	p->peer = -1;
	*state = p;
	return 0;
}

static inline int tear_down(void **state)
{
	struct pair *p = *state;

	wire_on_close(&p->wire);
	wire_destroy(&p->wire);
	close(p->lent);
	close(p->listener);
	if (p->peer >= 0)
		close(p->peer);
	free(p);
	return 0;
}

static inline int ask(struct pair *p, short events, int timeout_ms)
{
	struct pollfd fd = {.fd = p->lent, .events = events};

	return wire_on_poll(&p->wire, &fd, 1, timeout_ms);
}

static inline void libesmtp_writes(struct pair *p, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = wire_on_write(&p->wire, text, len);
		assert_true(n > 0);
		text += n;
		len -= (size_t)n;
	}
}

/* One line. */
static inline void libesmtp_reads(struct pair *p, const char *expected)
{
	char text[256] = "";

	assert_int_equal(ask(p, POLLIN, DEADLINE_MS), 1);
	assert_true(wire_on_read(&p->wire, text, sizeof(text) - 1) > 0);
	assert_string_equal(text, expected);
}

/* As libesmtp does it: connects, reads the greeting, says EHLO, reads the answer. */
static inline void begin(struct pair *p)
{
	assert_int_equal(wire_on_connect(&p->wire, p->lent), 0);
	p->peer = accept(p->listener, NULL, NULL);
	assert_true(p->peer >= 0);
	libesmtp_reads(p, "220 relay\r\n");
	libesmtp_writes(p, "EHLO x\r\n");
	libesmtp_reads(p, "250-relay\r\n");
	libesmtp_reads(p, "250 PIPELINING\r\n");
}

static inline void peer_says(struct pair *p, const char *text)
{
	assert_int_equal(write(p->peer, text, strlen(text)), strlen(text));
}

static inline void peer_reads(struct pair *p, const char *expected)
{
	char text[256] = "";
	size_t len = 0, want = strlen(expected);

	while (len < want) {
		ssize_t n = read(p->peer, text + len, want - len);
		assert_true(n > 0);
		len += (size_t)n;
	}
	assert_string_equal(text, expected);
}

#endif
