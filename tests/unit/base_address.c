/* Addresses: what may come in, in which form, and what must never reach an SMTP command. */
#include "hubmail/base_address.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_good_addresses_get_one_form(void **state)
{
	static const char *const r[][2] = {
		{"a@example.org", "a@example.org"},
		{"  Anna.Smith+news@EXAMPLE.Org\n", "Anna.Smith+news@example.org"},
		{"o'brien@example.org", "o'brien@example.org"},
		{"x@bücher.example", "x@xn--bcher-kva.example"},
		{"x@例え.jp", "x@xn--r8jz45g.jp"},
		{"!#$%&'*+-/=?^_`{|}~@example.org", "!#$%&'*+-/=?^_`{|}~@example.org"},
	};
	struct error e = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(r) / sizeof(r[0]); i++) {
		char out[ADDRESS_MAX + 1];
		if (!address_normalise(r[i][0], out, &e))
			fail_msg("%s", e.text);
		assert_string_equal(out, r[i][1]);
		assert_true(address_is_normal(out));
	}
}

static void test_everything_else_is_refused_with_a_reason(void **state)
{
	static const char *const bad[] = {"", "  ", "anna", "@example.org", "a@", "a@b",
		"a@@example.org", "a b@example.org", "a@exa mple.org",
		"a@example.org>\r\nRCPT TO:<b", "a\r\n@example.org", "<a@example.org>",
		"\"a b\"@example.org", ".a@example.org", "a.@example.org", "a..b@example.org",
		"a@-example.org", "a@example-.org", "a@example..org", "a@.example.org",
		"a@[127.0.0.1]", "élise@example.org", "a@example.org\x01", "a,b@example.org",
		"a@example.org,b@example.org", "a;b@example.org", "a\\b@example.org",
		"a(b)@example.org", "a:b@example.org", "a\x7f@example.org"};
	char out[ADDRESS_MAX + 1], big[600];
	struct error e;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		e = (struct error){0};
		if (address_normalise(bad[i], out, &e))
			fail_msg("\"%s\" was taken", bad[i]);
		assert_int_equal(e.code, ERROR_DATA);
		assert_true(strlen(e.text) > 10);
		assert_null(strchr(e.text, '\n'));
	}
	memset(big, 'a', sizeof(big));
	memcpy(big + 65, "@example.org", 13);
	assert_false(address_normalise(big, out, &e));
	memset(big, 'a', 65);
	memcpy(big + 64, "@example.org", 13);
	assert_true(address_normalise(big, out, &e));
	memset(big, 'a', sizeof(big));
	big[0] = 'x';
	big[1] = '@';
	memcpy(big + 500, ".org", 5);
	assert_false(address_normalise(big, out, &e));
}

static void test_mailboxes_come_apart(void **state)
{
	char address[ADDRESS_MAX + 1];
	char *name;
	struct error e = {0};

	(void)state;
	assert_true(address_parse_mailbox("Beijing Tech <News@Example.org>", &name, address, &e));
	assert_string_equal(name, "Beijing Tech");
	assert_string_equal(address, "News@example.org");
	free(name);
	assert_true(address_parse_mailbox(
		"\"Smith, J. \\\"Jo\\\"\" <j@example.org>", &name, address, &e));
	assert_string_equal(name, "Smith, J. \"Jo\"");
	free(name);
	assert_true(address_parse_mailbox("j@example.org", &name, address, &e));
	assert_null(name);
	assert_true(address_parse_mailbox("北京 <j@example.org>", &name, address, &e));
	assert_string_equal(name, "北京");
	free(name);
	assert_false(address_parse_mailbox("J <j@example.org", &name, address, &e));
	assert_false(address_parse_mailbox("J <>", &name, address, &e));
	assert_false(
		address_parse_mailbox("J <j@example.org> K <k@example.org>", &name, address, &e));
}

static void test_addresses_differ_in_more_than_the_case_of_letters(void **state)
{
	(void)state;
	assert_int_equal(address_compare("INFO@example.org", "info@example.org"), 0);
	assert_true(address_compare("a@example.org", "B@example.org") < 0);
	assert_true(address_compare("b@example.org", "A@example.org") > 0);
	assert_true(address_compare("a", "ab") < 0);
	assert_true(address_compare("ab", "a") > 0);
	/* In Latin-1 these would be one letter. */
	assert_true(address_compare("\xc4", "\xe4") < 0);
	assert_true(address_compare("z", "\xc4") < 0);
	assert_true(address_compare("@", "`") < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_addresses_get_one_form),
		cmocka_unit_test(test_everything_else_is_refused_with_a_reason),
		cmocka_unit_test(test_mailboxes_come_apart),
		cmocka_unit_test(test_addresses_differ_in_more_than_the_case_of_letters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
