/* An envelope that goes with the end of the text before it: in one packet with the final dot, not
 * sent again when libesmtp writes it, and given up where the dialogue takes another way. */
#include "wire_helper.h"
#include <sys/uio.h>

#define FROM "news@example.org"
#define TO "ada@example.net"
#define ENVELOPE "MAIL FROM:<" FROM ">\r\nRCPT TO:<" TO ">\r\nDATA\r\n"

/* A text ends, another message follows, and both are on their way. */
static void end_text(struct pair *p)
{
	begin(p);
	libesmtp_writes(p, "Hello.\r\n");
	wire_announce_next(&p->wire, FROM, TO);
	libesmtp_writes(p, ".\r\n");
	assert_int_equal(ask(p, POLLIN, 20), 0);
	peer_reads(p, "Hello.\r\n.\r\n" ENVELOPE);
}

static void peer_hears_nothing(struct pair *p)
{
	char text[16];

	assert_int_equal(recv(p->peer, text, sizeof(text), MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static void peer_sees_the_end(struct pair *p)
{
	char text[16];

	assert_int_equal(read(p->peer, text, sizeof(text)), 0);
}

static void test_the_next_envelope_goes_with_the_dot_and_only_once(void **state)
{
	struct pair *p = *state;

	end_text(p);
	peer_says(p, "250 kept\r\n250 mail\r\n250 rcpt\r\n354 go\r\n");
	libesmtp_reads(p, "250 kept\r\n");
	libesmtp_writes(p, "MAIL FROM:<" FROM ">\r\n");
	libesmtp_reads(p, "250 mail\r\n");
	libesmtp_writes(p, "RCPT TO:<" TO ">\r\n");
	libesmtp_writes(p, "DATA\r\n");
	libesmtp_reads(p, "250 rcpt\r\n");
	libesmtp_reads(p, "354 go\r\n");
	peer_hears_nothing(p);
	libesmtp_writes(p, "Bye.\r\n.\r\n");
	assert_int_equal(ask(p, POLLIN, 20), 0);
	peer_reads(p, "Bye.\r\n.\r\n");
}

static void test_libesmtp_may_write_it_in_any_portions(void **state)
{
	struct pair *p = *state;

	end_text(p);
	for (const char *c = ENVELOPE; *c != '\0'; c++)
		assert_int_equal(wire_on_write(&p->wire, c, 1), 1);
	peer_says(p, "250 kept\r\n");
	libesmtp_reads(p, "250 kept\r\n");
	peer_hears_nothing(p);
	/* What comes after it in the same portion is new. */
	libesmtp_writes(p, "Bye.\r\n");
	assert_int_equal(ask(p, POLLIN, 20), 0);
	peer_reads(p, "Bye.\r\n");
}

static void test_without_pipelining_nothing_is_sent_ahead(void **state)
{
	struct pair *p = *state;

	begin(p);
	p->wire.pipelining = false;
	libesmtp_writes(p, "Hello.\r\n");
	wire_announce_next(&p->wire, FROM, TO);
	libesmtp_writes(p, ".\r\n");
	assert_int_equal(ask(p, POLLIN, 20), 0);
	peer_reads(p, "Hello.\r\n.\r\n");
	peer_hears_nothing(p);
	libesmtp_writes(p, "MAIL FROM:<" FROM ">\r\n");
	assert_int_equal(ask(p, POLLIN, 20), 0);
	peer_reads(p, "MAIL FROM:<" FROM ">\r\n");
}

/* A text is refused at its end: libesmtp then writes RSET before the next MAIL, whose answers are
 * here already. */
static void test_a_reset_is_answered_before_what_has_come_already(void **state)
{
	struct pair *p = *state;

	end_text(p);
	peer_says(p, "550 no\r\n250 mail\r\n250 rcpt\r\n354 go\r\n");
	libesmtp_reads(p, "550 no\r\n");
	libesmtp_writes(p, "RSET\r\nMAIL FROM:<" FROM ">\r\n");
	libesmtp_reads(p, "250 2.0.0 reset\r\n");
	libesmtp_reads(p, "250 mail\r\n");
	libesmtp_writes(p, "RCPT TO:<" TO ">\r\nDATA\r\n");
	libesmtp_reads(p, "250 rcpt\r\n");
	libesmtp_reads(p, "354 go\r\n");
	peer_hears_nothing(p);
	assert_true(wire_is_alive(&p->wire));
}

/* libesmtp looks for answers while it has RSET and MAIL in its own buffer. */
static void test_no_answer_is_shown_before_its_command_is_written(void **state)
{
	struct pair *p = *state;
	struct pollfd both[] = {
		{.fd = p->lent, .events = POLLIN}, {.fd = p->lent, .events = POLLOUT}};

	end_text(p);
	peer_says(p, "550 no\r\n451 later\r\n503 no\r\n503 no\r\n");
	libesmtp_reads(p, "550 no\r\n");
	assert_int_equal(ask(p, POLLIN, 0), 0);
	assert_int_equal(wire_on_poll(&p->wire, both, 2, DEADLINE_MS), 1);
	assert_int_equal(both[0].revents, 0);
	assert_int_equal(both[1].revents, POLLOUT);
	libesmtp_writes(p, "RSET\r\nMAIL FROM:<" FROM ">\r\n");
	libesmtp_reads(p, "250 2.0.0 reset\r\n");
	libesmtp_reads(p, "451 later\r\n");
}

/* MAIL is refused: libesmtp gives up the connection. */
static void test_a_refused_sender_ends_in_quit(void **state)
{
	struct pair *p = *state;

	end_text(p);
	peer_says(p, "250 kept\r\n450 later\r\n503 no\r\n503 no\r\n");
	libesmtp_reads(p, "250 kept\r\n");
	libesmtp_writes(p, "MAIL FROM:<" FROM ">\r\n");
	libesmtp_reads(p, "450 later\r\n");
	libesmtp_writes(p, "QUIT\r\n");
	libesmtp_reads(p, "503 no\r\n");
	peer_reads(p, "QUIT\r\n");
}

static void test_another_envelope_than_the_relay_was_told_breaks_the_connection(void **state)
{
	struct pair *p = *state;
	static const char other[] = "MAIL FROM:<mallory@example.org>\r\n";

	end_text(p);
	peer_says(p, "250 kept\r\n");
	libesmtp_reads(p, "250 kept\r\n");
	assert_int_equal(wire_on_write(&p->wire, other, strlen(other)), -1);
	assert_int_equal(errno, EPIPE);
	peer_sees_the_end(p);
	assert_false(wire_is_alive(&p->wire));
}

/* The relay waits for a text and would take QUIT for one. */
static void test_leaving_then_says_nothing(void **state)
{
	struct pair *p = *state;

	end_text(p);
	wire_enter(&p->wire);
	wire_quit(&p->wire);
	wire_leave();
	peer_sees_the_end(p);
}

static void test_what_does_not_end_a_text_is_not_added_to(void **state)
{
	struct pair *p = *state;

	begin(p);
	wire_announce_next(&p->wire, FROM, TO);
	libesmtp_writes(p, "NOOP\r\n");
	assert_int_equal(ask(p, POLLIN, 20), 0);
	peer_reads(p, "NOOP\r\n");
	/* … and its moment has passed. */
	libesmtp_writes(p, "Hello.\r\n.\r\n");
	assert_int_equal(ask(p, POLLIN, 20), 0);
	peer_reads(p, "Hello.\r\n.\r\n");
	peer_hears_nothing(p);
}

/* The relay has taken the text and leaves while a part of the envelope is still to be sent: its
 * answer is not lost with that. */
static void test_an_answer_is_read_although_the_rest_cannot_be_sent(void **state)
{
	struct pair *p = *state;
	struct linger at_once = {.l_onoff = 1};

	end_text(p);
	memcpy(p->wire.out, "DATA\r\n", 6);
	p->wire.out_len = 6;
	peer_says(p, "250 kept\r\n");
	setsockopt(p->peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(p->peer);
	p->peer = -1;
	libesmtp_reads(p, "250 kept\r\n");
	assert_false(wire_is_alive(&p->wire));
}

static void test_a_relay_that_answers_more_than_fits_is_left(void **state)
{
	struct pair *p = *state;
	char much[WIRE_IN];
	const struct iovec answer[] = {{(char[]){"550 no\r\n"}, 8}, {much, sizeof(much) - 8}};

	end_text(p);
	memset(much, 'x', sizeof(much));
	assert_int_equal(writev(p->peer, answer, 2), sizeof(much));
	peer_says(p, "more");
	libesmtp_reads(p, "550 no\r\n");
	p->wire.in_at = 0; /* nothing of it has been read */
	wire_on_write(&p->wire, "RSET\r\n", 6);
	assert_false(wire_is_alive(&p->wire));
	assert_int_equal(wire_on_read(&p->wire, much, sizeof(much)), 0);
}

/* A new connection starts with nothing announced. */
static void test_the_next_connection_knows_nothing_of_it(void **state)
{
	struct pair *p = *state;

	end_text(p);
	wire_on_close(&p->wire);
	close(p->peer);
	close(p->lent);
	p->lent = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	begin(p);
	libesmtp_writes(p, "MAIL FROM:<" FROM ">\r\n");
	assert_int_equal(ask(p, POLLIN, 20), 0);
	peer_reads(p, "MAIL FROM:<" FROM ">\r\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_the_next_envelope_goes_with_the_dot_and_only_once),
		TEST(test_libesmtp_may_write_it_in_any_portions),
		TEST(test_without_pipelining_nothing_is_sent_ahead),
		TEST(test_a_reset_is_answered_before_what_has_come_already),
		TEST(test_no_answer_is_shown_before_its_command_is_written),
		TEST(test_a_refused_sender_ends_in_quit),
		TEST(test_another_envelope_than_the_relay_was_told_breaks_the_connection),
		TEST(test_leaving_then_says_nothing),
		TEST(test_what_does_not_end_a_text_is_not_added_to),
		TEST(test_an_answer_is_read_although_the_rest_cannot_be_sent),
		TEST(test_a_relay_that_answers_more_than_fits_is_left),
		TEST(test_the_next_connection_knows_nothing_of_it),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
