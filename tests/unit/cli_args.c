/* The command line as the table of commands reads it. */
#include "args.h"
#include "help.h"
#include "hubmail/base_mem.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* getopt reorders argv: each test has its own copy. */
struct typed {
	char *argv[16];
	struct args args;
	struct error e;
	bool good;
};

static void type(struct typed *t, const char *line)
{
	char *copy = xstrdup(line);
	int argc = 0;

	*t = (struct typed){0};
	t->argv[argc++] = xstrdup("hubmailctl");
	for (char *w = strtok(copy, " "); w != NULL && argc < 15; w = strtok(NULL, " "))
		t->argv[argc++] = xstrdup(w);
	free(copy);
	t->good = args_parse(argc, t->argv, &t->args, &t->e);
}

static void forget(struct typed *t)
{
	args_free(&t->args);
	for (size_t i = 0; i < 16; i++)
		free(t->argv[i]);
}

static void refused(const char *line, const char *why)
{
	struct typed t;

	type(&t, line);
	assert_false(t.good);
	assert_int_equal(t.e.code, ERROR_USAGE);
	if (strstr(t.e.text, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", t.e.text, why);
	forget(&t);
}

static void test_options_stand_before_and_after_words(void **state)
{
	struct typed t;
	struct strlist tags = {0};

	(void)state;
	type(&t, "-c x.conf add --tag one a@example.org -l news --tag=two b@example.org -q --json");
	assert_true(t.good);
	assert_string_equal(t.args.command->name, "add");
	assert_int_equal(t.args.n_words, 2);
	assert_string_equal(t.args.words[1], "b@example.org");
	assert_string_equal(args_value(&t.args, "config"), "x.conf");
	assert_string_equal(args_value(&t.args, "list"), "news");
	assert_true(args_has(&t.args, "json") && args_has(&t.args, "quiet"));
	args_values(&t.args, "tag", &tags);
	assert_int_equal(tags.n, 2);
	assert_string_equal(tags.items[1], "two");
	strlist_free(&tags);
	forget(&t);
}

static void test_nothing_at_all_is_no_command(void **state)
{
	struct typed t;

	(void)state;
	type(&t, "");
	assert_true(t.good);
	assert_null(t.args.command);
	forget(&t);
}

static void test_a_misspelt_command_or_option_gets_a_suggestion(void **state)
{
	(void)state;
	refused("subscribrs", "did you mean `subscribers`");
	refused("imp", "did you mean `import`");
	refused("frobnicate", "no such command");
	refused("ls", "did you mean `hubmailctl subscribers` or `hubmailctl lists`?");
	refused("rm a@example.org", "did you mean `hubmailctl remove`?");
	refused("delete a@example.org", "did you mean `hubmailctl remove` or `hubmailctl erase`?");
	refused("block a@example.org", "did you mean `hubmailctl suppress`?");
	refused("unsubscribe a@example.org", "did you mean `hubmailctl remove`?");
	refused("mailq", "did you mean `hubmailctl queue`?");
	refused("flush", "did you mean `hubmailctl retry`?");
	refused("logs", "did you mean `journalctl -u hubmaild`?");
	refused("add --nmae x a@example.org", "did you mean --name");
	refused("--jsno lists", "did you mean --json");
	refused("lists -z", "-z");
}

static void test_what_comes_later_is_refused_and_not_ignored(void **state)
{
	(void)state;
	refused("add --confirm a@example.org", "this version does not have that yet");
	refused("add --hour 8 a@example.org", "this version does not have that yet");
	refused("add --timezone UTC a@example.org", "this version does not have that yet");
	refused("edit a@example.org", "this version does not have that command yet");
	refused("doctor", "this version does not have that command yet");
}

static void test_words_and_values_are_counted_and_checked(void **state)
{
	(void)state;
	refused("add", "EMAIL");
	refused("show a@example.org b@example.org", "one argument too many");
	refused("lists news", "no argument is expected");
	refused("add a@example.org --tag", "--tag: a value is missing");
	refused("add a@example.org --force=yes", "takes no value");
	refused("add a@example.org --name x --name y", "more than once");
	refused("queue --state asleep", "queued deferred sent");
	refused("completion tcsh", "bash zsh fish");
	refused("subscribers --tag \xff", "not UTF-8");
}

static void test_help_counts_no_words(void **state)
{
	struct typed t;

	(void)state;
	type(&t, "add --help");
	assert_true(t.good);
	assert_true(args_has(&t.args, "help"));
	forget(&t);
}

static void test_numbers_have_limits(void **state)
{
	struct typed t;
	int64_t n = 0;

	(void)state;
	type(&t, "send news --last 12");
	assert_true(args_number(&t.args, "last", 1, 100, 0, &n, &t.e));
	assert_int_equal(n, 12);
	assert_false(args_number(&t.args, "last", 1, 10, 0, &n, &t.e));
	assert_int_equal(t.e.code, ERROR_USAGE);
	forget(&t);
}

static void test_every_row_of_the_table_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; commands[i] != NULL; i++) {
		const struct command *c = commands[i];
		assert_ptr_equal(command_find(c->name), c);
		assert_non_null(c->run);
		assert_true(c->summary[0] >= 'a' && c->summary[0] <= 'z');
		assert_true(strlen(c->help) > 0);
		assert_int_equal(c->max_words != 0, c->arguments != NULL);
		for (const char *l = c->help; *l != '\0'; l += strcspn(l, "\n"), l += *l == '\n')
			if (strcspn(l, "\n") > 90)
				fail_msg("%s: a line of its help is too long", c->name);
		for (const struct option_spec *o = c->options; o != NULL && o->name != NULL; o++)
			assert_non_null(o->help);
	}
}

static void test_usage_comes_from_the_table_without_what_is_not_there(void **state)
{
	struct buf usage = {0};

	(void)state;
	help_usage(&usage, command_find("add"));
	assert_string_equal(buf_str(&usage),
		"add EMAIL... [-l LIST]... [--name NAME] [--tag TAG]... [--set KEY=VALUE]... "
		"[--edition EDITION] [--force]");
	buf_free(&usage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_stand_before_and_after_words),
		cmocka_unit_test(test_nothing_at_all_is_no_command),
		cmocka_unit_test(test_a_misspelt_command_or_option_gets_a_suggestion),
		cmocka_unit_test(test_what_comes_later_is_refused_and_not_ignored),
		cmocka_unit_test(test_words_and_values_are_counted_and_checked),
		cmocka_unit_test(test_help_counts_no_words),
		cmocka_unit_test(test_numbers_have_limits),
		cmocka_unit_test(test_every_row_of_the_table_is_whole),
		cmocka_unit_test(test_usage_comes_from_the_table_without_what_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
