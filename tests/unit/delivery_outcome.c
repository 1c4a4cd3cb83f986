/* What an attempt comes to: each row is a way in which libesmtp was seen to end a message. */
#include "../../daemon/delivery/outcome.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct attempt_facts taken = {
	.mail_code = 250,
	.rcpt_code = 250,
	.data_code = 250,
	.sent_event = true,
	.complete = true,
	.entered = true,
	.at_end = true,
};

static void test_four_witnesses_make_a_message_accepted(void **state)
{
	struct attempt_facts f = taken;

	(void)state;
	assert_int_equal(attempt_classify(&f), ATTEMPT_ACCEPTED);
	assert_int_equal(attempt_step(&f), STEP_DATA);
}

static void test_a_reply_out_of_step_does_not_make_it_accepted(void **state)
{
	struct attempt_facts f = taken;

	(void)state;
	f.at_end = f.entered = false;
	assert_int_equal(attempt_classify(&f), ATTEMPT_BROKEN);
	f = taken;
	f.aborted = true;
	f.at_end = false;
	assert_int_equal(attempt_classify(&f), ATTEMPT_BROKEN);
}

static void test_a_refused_recipient_is_judged_by_rcpt_and_not_by_the_503_of_data(void **state)
{
	struct attempt_facts f = taken;

	(void)state;
	f.entered = f.at_end = false;
	f.rcpt_code = 550;
	f.data_code = 503;
	assert_int_equal(attempt_classify(&f), ATTEMPT_REJECTED_FOREVER);
	assert_int_equal(attempt_code(&f), 550);
	f.rcpt_code = 450;
	assert_int_equal(attempt_classify(&f), ATTEMPT_REJECTED_NOW);
}

static void test_a_refusal_of_the_text_is_about_the_message(void **state)
{
	struct attempt_facts f = taken;

	(void)state;
	f.complete = false;
	f.data_code = 451;
	assert_int_equal(attempt_classify(&f), ATTEMPT_REJECTED_NOW);
	f.data_code = 552;
	assert_int_equal(attempt_classify(&f), ATTEMPT_REJECTED_FOREVER);
	f.data_code = 421;
	assert_int_equal(attempt_classify(&f), ATTEMPT_REJECTED_NOW);
}

static void test_a_refused_mail_is_the_relays_fault(void **state)
{
	struct attempt_facts f = {.mail_code = 530};

	(void)state;
	assert_int_equal(attempt_classify(&f), ATTEMPT_RELAY_FAULT);
	f.mail_code = 421;
	assert_int_equal(attempt_classify(&f), ATTEMPT_RELAY_FAULT);
	assert_int_equal(attempt_step(&f), STEP_MAIL);
}

static void test_a_message_the_relay_never_heard_of_was_not_tried(void **state)
{
	struct attempt_facts f = {0};

	(void)state;
	assert_int_equal(attempt_classify(&f), ATTEMPT_NOT_TRIED);
	assert_int_equal(attempt_code(&f), 0);
}

static void test_a_message_taken_back_before_its_dot_was_not_tried(void **state)
{
	struct attempt_facts f = taken;

	(void)state;
	f.at_end = f.complete = f.sent_event = false;
	f.data_code = 354;
	f.aborted = f.unwanted = true;
	assert_int_equal(attempt_classify(&f), ATTEMPT_NOT_TRIED);
}

static void test_a_connection_lost_before_the_dot_certainly_delivered_nothing(void **state)
{
	struct attempt_facts f = {.mail_code = 250, .rcpt_code = 250};

	(void)state;
	assert_int_equal(attempt_classify(&f), ATTEMPT_BROKEN);
	f.entered = true;
	f.data_code = 354;
	assert_int_equal(attempt_classify(&f), ATTEMPT_BROKEN);
	f.aborted = true;
	assert_int_equal(attempt_classify(&f), ATTEMPT_BROKEN);
}

static void test_a_connection_lost_after_the_dot_is_unknown(void **state)
{
	struct attempt_facts f = taken;

	(void)state;
	f.complete = f.sent_event = false;
	f.data_code = 0;
	assert_int_equal(attempt_classify(&f), ATTEMPT_UNKNOWN);
	f.data_code = 354; /* the answer came later than we waited */
	assert_int_equal(attempt_classify(&f), ATTEMPT_UNKNOWN);
	f.data_code = 0; /* BDAT: the event comes without an answer */
	f.sent_event = true;
	assert_int_equal(attempt_classify(&f), ATTEMPT_UNKNOWN);
}

static void test_an_answer_that_could_not_be_parsed_counts_if_its_code_was_read(void **state)
{
	struct attempt_facts f = taken;

	(void)state;
	f.sent_event = f.complete = false;
	assert_int_equal(attempt_classify(&f), ATTEMPT_ACCEPTED);
}

static void test_pauses_double_up_to_the_longest_and_scatter_by_a_fifth(void **state)
{
	(void)state;
	assert_int_equal(retry_pause(1, 300, 14400, 0), 240);
	assert_int_equal(retry_pause(1, 300, 14400, 120), 360);
	assert_int_equal(retry_pause(2, 300, 14400, 0), 480);
	assert_int_equal(retry_pause(3, 300, 14400, 0), 960);
	assert_int_equal(retry_pause(60, 300, 14400, 0), 11520);
	for (uint32_t r = 0; r < 5000; r += 7) {
		int64_t pause = retry_pause(50, 300, 14400, r);
		assert_in_range(pause, 11520, 17280);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_four_witnesses_make_a_message_accepted),
		cmocka_unit_test(test_a_reply_out_of_step_does_not_make_it_accepted),
		cmocka_unit_test(
			test_a_refused_recipient_is_judged_by_rcpt_and_not_by_the_503_of_data),
		cmocka_unit_test(test_a_refusal_of_the_text_is_about_the_message),
		cmocka_unit_test(test_a_refused_mail_is_the_relays_fault),
		cmocka_unit_test(test_a_message_the_relay_never_heard_of_was_not_tried),
		cmocka_unit_test(test_a_message_taken_back_before_its_dot_was_not_tried),
		cmocka_unit_test(test_a_connection_lost_before_the_dot_certainly_delivered_nothing),
		cmocka_unit_test(test_a_connection_lost_after_the_dot_is_unknown),
		cmocka_unit_test(
			test_an_answer_that_could_not_be_parsed_counts_if_its_code_was_read),
		cmocka_unit_test(test_pauses_double_up_to_the_longest_and_scatter_by_a_fifth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
