/* The connection under libesmtp, without libesmtp: what it is set to, and that what failed once
 * stays failed. The peer is a socket that the test holds. */
#include "../../daemon/delivery/tls.h"
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

static bool open_it(struct wire *w, void *arg)
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

static int set_up(void **state)
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

static int tear_down(void **state)
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

/* As libesmtp does it: connects, reads the greeting, says EHLO, reads the answer. */
static void begin(struct pair *p)
{
	char text[256];

	assert_int_equal(wire_on_connect(&p->wire, p->lent), 0);
	p->peer = accept(p->listener, NULL, NULL);
	assert_true(p->peer >= 0);
	ssize_t n = wire_on_read(&p->wire, text, sizeof(text));
	assert_memory_equal(text, "220 relay\r\n", (size_t)n);
	assert_int_equal(wire_on_write(&p->wire, "EHLO x\r\n", 8), 8);
	n = wire_on_read(&p->wire, text, sizeof(text));
	assert_memory_equal(text, "250-relay\r\n250 PIPELINING\r\n", (size_t)n);
}

static int ask(struct pair *p, short events, int timeout_ms)
{
	struct pollfd fd = {.fd = p->lent, .events = events};

	return wire_on_poll(&p->wire, &fd, 1, timeout_ms);
}

static void peer_reads(struct pair *p, const char *expected)
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

static void test_small_packets_are_sent_at_once(void **state)
{
	struct pair *p = *state;
	int on = 0;
	socklen_t len = sizeof(on);

	begin(p);
	assert_int_equal(getsockopt(p->lent, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
	assert_int_not_equal(on, 0);
	assert_int_equal(getsockopt(p->lent, SOL_SOCKET, SO_KEEPALIVE, &on, &len), 0);
	assert_int_not_equal(on, 0);
	assert_int_equal(getsockopt(p->lent, IPPROTO_TCP, TCP_USER_TIMEOUT, &on, &len), 0);
	assert_int_equal(on, DEADLINE_MS);
}

static void test_what_is_written_is_sent_before_an_answer_is_waited_for(void **state)
{
	struct pair *p = *state;
	char text[64];

	begin(p);
	assert_int_equal(wire_on_write(&p->wire, "MAIL FROM:<a@b.cd>\r\n", 20), 20);
	assert_int_equal(ask(p, POLLIN, 0), 0); /* a look for early answers sends nothing */
	assert_int_equal(recv(p->peer, text, sizeof(text), MSG_DONTWAIT), -1);
	assert_int_equal(ask(p, POLLIN, 20), 0);
	peer_reads(p, "MAIL FROM:<a@b.cd>\r\n");
	assert_int_equal(write(p->peer, "250 ok\r\n", 8), 8);
	assert_int_equal(ask(p, POLLIN, DEADLINE_MS), 1);
	assert_int_equal(wire_on_read(&p->wire, text, sizeof(text)), 8);
	errno = 0;
	assert_int_equal(wire_on_read(&p->wire, text, sizeof(text)), -1);
	assert_int_equal(errno, EAGAIN);
}

/* Fills every buffer between here and the peer, who does not read. */
static size_t stuff(struct pair *p)
{
	static const char text[4096];
	size_t sent = 0;
	ssize_t n;

	for (;;) {
		while ((n = wire_on_write(&p->wire, text, sizeof(text))) > 0)
			sent += (size_t)n;
		assert_int_equal(errno, EAGAIN);
		if (ask(p, POLLOUT, 200) == 0)
			return sent;
	}
}

static void test_a_peer_that_stalls_and_recovers_gets_no_message_with_a_hole(void **state)
{
	struct pair *p = *state;
	char text[65536];
	size_t got = 0;
	ssize_t n;

	begin(p);
	size_t sent = stuff(p);
	/* It comes back. What libesmtp would go on with must not reach it. */
	assert_int_equal(wire_on_write(&p->wire, "\r\n.\r\n", 5), -1);
	assert_int_equal(errno, EPIPE);
	assert_false(wire_is_alive(&p->wire));
	while ((n = read(p->peer, text, sizeof(text))) > 0) {
		assert_null(memchr(text, '.', (size_t)n));
		got += (size_t)n;
	}
	assert_true(got <= sent);
	assert_int_equal(wire_on_write(&p->wire, ".\r\n", 3), -1);
	assert_int_equal(wire_on_read(&p->wire, text, sizeof(text)), 0);
}

static void test_a_peer_that_is_gone_is_noticed(void **state)
{
	struct pair *p = *state;
	char text[16];

	begin(p);
	assert_true(wire_is_alive(&p->wire));
	close(p->peer);
	p->peer = -1;
	assert_int_equal(ask(p, POLLIN, DEADLINE_MS), 1);
	assert_int_equal(wire_on_read(&p->wire, text, sizeof(text)), 0);
	assert_false(wire_is_alive(&p->wire));
}

static void test_a_connection_can_be_cut_from_outside(void **state)
{
	struct pair *p = *state;
	char text[16];

	begin(p);
	wire_shut_down(&p->wire);
	assert_int_equal(ask(p, POLLIN, DEADLINE_MS), 1);
	assert_int_equal(wire_on_read(&p->wire, text, sizeof(text)), 0);
	/* … and no other is made. */
	wire_on_close(&p->wire);
	assert_int_equal(wire_on_connect(&p->wire, p->lent), -1);
}

static void test_lines_are_read_one_by_one_and_not_without_end(void **state)
{
	struct pair *p = *state;
	char line[64], big[200];
	struct error e = {0};

	begin(p);
	assert_int_equal(write(p->peer, "250-one\r\n250 two\nthree\r\n", 24), 24);
	assert_true(wire_hear(&p->wire, line, sizeof(line), DEADLINE_MS, &e));
	assert_string_equal(line, "250-one");
	assert_true(wire_hear(&p->wire, line, sizeof(line), DEADLINE_MS, &e));
	assert_string_equal(line, "250 two");
	assert_true(wire_hear(&p->wire, line, sizeof(line), DEADLINE_MS, &e));
	assert_string_equal(line, "three");
	memset(big, '5', sizeof(big));
	assert_int_equal(write(p->peer, big, sizeof(big)), sizeof(big));
	assert_false(wire_hear(&p->wire, line, sizeof(line), DEADLINE_MS, &e));
	assert_int_equal(e.code, ERROR_IO);
	assert_false(wire_is_alive(&p->wire));
}

static void test_nothing_may_stand_before_the_handshake(void **state)
{
	struct pair *p = *state;
	char line[64];
	struct error e = {0};
	SSL_CTX *ctx = tls_context_new("localhost", NULL, &e);

	begin(p);
	assert_non_null(ctx);
	static const char answer[] = "220 go ahead\r\n250 AUTH PLAIN\r\n";
	assert_int_equal(write(p->peer, answer, sizeof(answer) - 1), sizeof(answer) - 1);
	assert_true(wire_hear(&p->wire, line, sizeof(line), DEADLINE_MS, &e));
	assert_string_equal(line, "220 go ahead");
	assert_false(wire_encrypt(&p->wire, ctx, NULL, DEADLINE_MS, &e));
	assert_non_null(strstr(e.text, "tampered"));
	SSL_CTX_free(ctx);
}

static void test_a_refused_connection_names_host_port_and_reason(void **state)
{
	struct pair *p = *state;
	struct sockaddr_in addr = {0};
	socklen_t len = sizeof(addr);
	char place[64];

	getsockname(p->listener, (struct sockaddr *)&addr, &len);
	close(p->listener);
	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_false(wire_connect(&p->wire, "127.0.0.1", ntohs(addr.sin_port), &p->e));
	snprintf(place, sizeof(place), "127.0.0.1:%d: cannot connect: ", ntohs(addr.sin_port));
	assert_non_null(strstr(p->e.text, place));
	assert_false(wire_connect(&p->wire, "no-such-host.invalid", 25, &p->e));
	assert_non_null(strstr(p->e.text, "no-such-host.invalid: its address is not known"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_small_packets_are_sent_at_once),
		TEST(test_what_is_written_is_sent_before_an_answer_is_waited_for),
		TEST(test_a_peer_that_stalls_and_recovers_gets_no_message_with_a_hole),
		TEST(test_a_peer_that_is_gone_is_noticed),
		TEST(test_a_connection_can_be_cut_from_outside),
		TEST(test_lines_are_read_one_by_one_and_not_without_end),
		TEST(test_nothing_may_stand_before_the_handshake),
		TEST(test_a_refused_connection_names_host_port_and_reason),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
