/* What the monitor hears of a dialogue. */
#include "../../daemon/delivery/talk.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void relay(struct talk *t, const char *data)
{
	talk_hear(t, data, strlen(data), false);
}

static void us(struct talk *t, const char *data)
{
	talk_hear(t, data, strlen(data), true);
}

static void test_235_after_auth_is_a_login(void **state)
{
	struct talk t = {0};

	(void)state;
	relay(&t, "220 relay ESMTP\r\n");
	relay(&t, "235 2.7.0 out of the blue\r\n");
	assert_false(t.logged_in);
	us(&t, "AUTH PLAIN AGEAYg==\r\n");
	relay(&t, "23");
	relay(&t, "5 2.7.0 welcome\r\n");
	assert_true(t.logged_in);
}

static void test_a_refused_login_leaves_the_relays_words(void **state)
{
	struct talk t = {0};

	(void)state;
	us(&t, "AUTH PLAIN AGEAYg==\r\n");
	relay(&t, "535 5.7.8 who are you?\r\n");
	assert_false(t.logged_in);
	assert_int_equal(t.code, 535);
	assert_string_equal(t.refusal, "535 5.7.8 who are you?");
}

static void test_what_we_say_is_never_kept(void **state)
{
	struct talk t = {0};

	(void)state;
	us(&t, "AUTH PLAIN c2VjcmV0c2VjcmV0\r\n");
	us(&t, "c2VjcmV0c2VjcmV0\r\n");
	for (size_t i = 0; i + 8 <= sizeof(t); i++)
		assert_memory_not_equal((const char *)&t + i, "c2VjcmV0", 8);
}

static void test_what_follows_the_answer_to_starttls_is_an_injection(void **state)
{
	struct talk clean = {0}, dirty = {0}, split = {0};

	(void)state;
	us(&clean, "STARTTLS\r\n");
	relay(&clean, "220 2.0.0 go ahead\r\n");
	assert_true(clean.tls);
	assert_false(clean.injected);
	us(&dirty, "STARTTLS\r\n");
	relay(&dirty, "220 2.0.0 go ahead\r\n250 AUTH PLAIN\r\n");
	assert_true(dirty.injected);
	us(&split, "STARTTLS\r\n");
	relay(&split, "220 2.0.0 go");
	relay(&split, " ahead\r\n2");
	assert_true(split.injected);
}

static void test_a_line_without_end_is_cut_and_harms_nothing(void **state)
{
	struct talk t = {0};
	char big[5000];

	(void)state;
	memset(big, '5', sizeof(big));
	talk_hear(&t, big, sizeof(big), false);
	relay(&t, "\r\n");
	relay(&t, "454 4.7.0 not now\r\n");
	assert_int_equal(t.code, 454);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_235_after_auth_is_a_login),
		cmocka_unit_test(test_a_refused_login_leaves_the_relays_words),
		cmocka_unit_test(test_what_we_say_is_never_kept),
		cmocka_unit_test(test_what_follows_the_answer_to_starttls_is_an_injection),
		cmocka_unit_test(test_a_line_without_end_is_cut_and_harms_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
