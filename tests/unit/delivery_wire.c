/* The connection under libesmtp: what it is set to, and that what failed once stays failed. */
#include "../../daemon/delivery/tls.h"
#include "wire_helper.h"

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
