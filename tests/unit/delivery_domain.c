/* Domains that want less than they get, and those that wait for them. */
#include "../../daemon/delivery/domain.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define S 1000000LL
#define NOW_US (1000 * S)

static void test_a_complaint_is_forgotten_when_nothing_was_sent_for_an_hour(void **state)
{
	struct domain *d = domain_new("example.org");

	(void)state;
	domain_complained(d, "too much", NOW_US);
	assert_false(domain_is_ordinary(d, NOW_US));
	assert_false(domain_is_ordinary(d, NOW_US + 1800 * S));
	assert_true(domain_is_ordinary(d, NOW_US + 3700 * S));
	d->n_waiting = 1;
	assert_false(domain_is_ordinary(d, NOW_US + 3700 * S));
	domain_free(d);
}

/* Or else a million would come back together, to be put off again, every few seconds. */
static void test_those_who_are_put_off_come_back_one_after_the_other(void **state)
{
	struct domain *d = domain_new("example.org");
	int64_t before = -1;

	(void)state;
	d->configured = true;
	pace_set(&d->pace, 10, 1);
	for (int i = 0; i < 10; i++) {
		int64_t after = domain_plan(d, 100, 50, NOW_US);
		assert_int_equal(after, 5 + i * 10);
		assert_true(after > before);
		before = after;
	}
	/* Those before them have gone by then. */
	assert_int_equal(domain_plan(d, 100, 50, NOW_US + 95 * S), 10);
	domain_free(d);
}

static void test_nobody_is_put_off_for_more_than_ten_minutes_by_a_rate(void **state)
{
	struct domain *d = domain_new("example.org");

	(void)state;
	d->configured = true;
	pace_set(&d->pace, 1, 1);
	for (int i = 0; i < 100; i++)
		assert_true(domain_plan(d, 100, 50, NOW_US) <= 600);
	assert_int_equal(domain_plan(d, 100, 50, NOW_US), 600);
	domain_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_complaint_is_forgotten_when_nothing_was_sent_for_an_hour),
		cmocka_unit_test(test_those_who_are_put_off_come_back_one_after_the_other),
		cmocka_unit_test(test_nobody_is_put_off_for_more_than_ten_minutes_by_a_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
