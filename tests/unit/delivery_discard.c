/* The relay that throws everything away: what it answers, and when. */
#include "../../daemon/delivery/discard.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct room {
	struct discard relay;
	char heard[100];
};

static void say(struct room *r, const char *text)
{
	assert_int_equal(discard_write(&r->relay, text, strlen(text)), strlen(text));
}

static const char *hear(struct room *r)
{
	ssize_t n = discard_read(&r->relay, r->heard, sizeof(r->heard) - 1);

	r->heard[n > 0 ? n : 0] = '\0';
	return r->heard;
}

static void assert_silent(struct room *r)
{
	assert_int_equal(discard_read(&r->relay, r->heard, sizeof(r->heard)), -1);
	assert_int_equal(errno, EAGAIN);
}

static struct room open_text(void)
{
	struct room r = {0};

	discard_begin(&r.relay);
	assert_silent(&r);
	say(&r, "MAIL FROM:<news@example.org>\r\n");
	assert_string_equal(hear(&r), "250 2.0.0 ok\r\n");
	assert_silent(&r);
	say(&r, "DATA\r\n");
	assert_string_equal(hear(&r), "354 go ahead\r\n");
	return r;
}

static void test_a_message_is_taken_at_its_final_dot(void **state)
{
	struct room r = open_text();

	(void)state;
	say(&r, "Subject: DATA\r\n\r\n..\r\nquoted:\r\n.no end\r\n");
	assert_silent(&r);
	say(&r, "\r\n.\r\n");
	assert_string_equal(hear(&r), "250 2.0.0 discarded\r\n");
	say(&r, "QUIT\r\n");
	assert_string_equal(hear(&r), "250 2.0.0 ok\r\n");
}

static void test_the_final_dot_may_come_in_pieces(void **state)
{
	static const char end[] = "\r\n.\r\n";
	struct room r = open_text();

	(void)state;
	for (const char *p = end; *p != '\0'; p++) {
		assert_silent(&r);
		say(&r, (const char[]){*p, '\0'});
	}
	assert_string_equal(hear(&r), "250 2.0.0 discarded\r\n");
}

static void test_an_answer_may_be_read_in_pieces(void **state)
{
	struct room r = open_text();
	char first[3];

	(void)state;
	say(&r, "text\r\n.\r\n");
	assert_int_equal(discard_read(&r.relay, first, sizeof(first)), 3);
	assert_memory_equal(first, "250", 3);
	assert_string_equal(hear(&r), " 2.0.0 discarded\r\n");
	assert_silent(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_message_is_taken_at_its_final_dot),
		cmocka_unit_test(test_the_final_dot_may_come_in_pieces),
		cmocka_unit_test(test_an_answer_may_be_read_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
