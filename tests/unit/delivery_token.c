/* Tokens from a command. */
#include "../../daemon/delivery/token.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LONG_ENOUGH 20000

static void test_the_first_line_is_the_token(void **state)
{
	struct error e = {0};
	char *token =
		token_fetch("echo ya29.abc-DEF_1; echo more; echo words >&2", LONG_ENOUGH, &e);

	(void)state;
	if (token == NULL)
		fail_msg("%s", e.text);
	assert_string_equal(token, "ya29.abc-DEF_1");
	free(token);
}

static void refuse(const char *command, int timeout_ms, const char *words)
{
	struct error e = {0};

	assert_null(token_fetch(command, timeout_ms, &e));
	assert_int_equal(e.code, ERROR_IO);
	if (strstr(e.text, words) == NULL)
		fail_msg("\"%s\" has not: %s", e.text, words);
}

static void test_a_command_that_fails_gives_no_token(void **state)
{
	(void)state;
	refuse("echo token; exit 3", LONG_ENOUGH, "exit code 3");
	refuse("kill -9 $$", LONG_ENOUGH, "signal 9");
	refuse("/no/such/program 2>/dev/null", LONG_ENOUGH, "exit code 127");
}

static void test_what_is_no_token_is_refused(void **state)
{
	(void)state;
	refuse("true", LONG_ENOUGH, "printed nothing");
	refuse("echo", LONG_ENOUGH, "printed nothing");
	refuse("echo two words", LONG_ENOUGH, "no token");
	refuse("printf 'a\\001b'", LONG_ENOUGH, "no token");
	refuse("head -c 100000 /dev/zero | tr '\\0' a", LONG_ENOUGH, "more than a token");
}

static void test_a_command_that_hangs_is_ended_with_its_children(void **state)
{
	(void)state;
	refuse("sleep 1000 & sleep 1000", 200, "in time");
	refuse("exec >&-; sleep 1000", 200, "in time");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_line_is_the_token),
		cmocka_unit_test(test_a_command_that_fails_gives_no_token),
		cmocka_unit_test(test_what_is_no_token_is_refused),
		cmocka_unit_test(test_a_command_that_hangs_is_ended_with_its_children),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
