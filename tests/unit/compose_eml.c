/* Composed messages before somebody else's judge: Python's e-mail parser. */
#include "compose_helper.h"

#include <sys/wait.h>
#include <unistd.h>

/* Fails unless the message has no defects, decodes to what the arguments say, and consists of the
 * two parts. */
static const char judge[] =
	"import sys, email, email.policy\n"
	"m = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.SMTP)\n"
	"def check(ok, what):\n"
	"    if not ok: sys.exit('judge: %s' % (what,))\n"
	"check(not m.defects, m.defects)\n"
	"for name, value in m.items():\n"
	"    check(not getattr(value, 'defects', ()), (name, value.defects if hasattr(value, "
	"'defects') else ''))\n"
	"for name in ('From To Subject Date Message-ID MIME-Version List-Id List-Unsubscribe "
	"List-Unsubscribe-Post Content-Type').split():\n"
	"    check(len(m.get_all(name, [])) == 1, name)\n"
	"check(m['Subject'] == sys.argv[1], m['Subject'])\n"
	"check(m['From'].addresses[0].display_name == sys.argv[2], m['From'])\n"
	"check(m['To'].addresses[0].display_name == sys.argv[3], m['To'])\n"
	"check(m['To'].addresses[0].addr_spec == 'reader@example.net', m['To'])\n"
	"check(m.get_content_type() == 'multipart/alternative', m['Content-Type'])\n"
	"parts = list(m.iter_parts())\n"
	"check([p.get_content_type() for p in parts] == ['text/plain', 'text/html'], parts)\n"
	"for p in parts:\n"
	"    check(not p.defects, p.defects)\n"
	"    check(p.get_content_charset() == 'utf-8', p['Content-Type'])\n"
	"    check(sys.argv[4] in p.get_content(), sys.argv[4])\n"
	"    check('/unsubscribe/AQGkAeTz0pM8rX-VYbq_S1uWc4k2' in p.get_content(), 'link')\n"
	"check(not m.epilogue and not m.preamble, 'text around the parts')\n";

static bool judged(const char *message, const char *subject, const char *from, const char *to,
	const char *within)
{
	int pipes[2];
	assert_int_equal(pipe(pipes), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(pipes[0], 0);
		close(pipes[1]);
		execl("/usr/bin/python3", "python3", "-X", "utf8", "-c", judge, subject, from, to,
			within, (char *)NULL);
		_exit(127);
	}
	close(pipes[0]);
	FILE *in = fdopen(pipes[1], "w");
	assert_non_null(in);
	fputs(message, in);
	fclose(in);
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#define assert_judged(o, posts, n, r, subject, from, to, within)                                   \
	do {                                                                                       \
		char *message = message_for(o, posts, n, r);                                       \
		bool good = judged(message, subject, from, to, within);                            \
		if (!good)                                                                         \
			fail_msg("judged bad:\n%.3000s", message);                                 \
		free(message);                                                                     \
	} while (0)

static void test_an_english_message_is_well_formed(void **state)
{
	(void)state;
	struct compose_options o = an_english_list();
	struct post post = an_english_post();
	struct compose_reader r = a_reader();
	assert_judged(&o, &post, 1, &r, "A new quantum computer hums in a basement", "Beijing Tech",
		"王小明", "Ann Lee");
}

static void test_a_chinese_title_and_author_arrive_as_they_were(void **state)
{
	(void)state;
	struct compose_options o = an_english_list();
	struct post posts[] = {a_chinese_post(), an_english_post()};
	struct compose_reader r = a_reader();
	o.language = "zh-CN";
	o.list_title = o.from_name = "北京科技周报";
	const char *title =
		"中国科学家研制出新型量子计算机：速度比传统超级计算机快一亿倍（另有 1 篇）";
	assert_judged(&o, posts, 2, &r, title, "北京科技周报", "王小明", "王小明");
}

static void test_awkward_names_are_well_formed(void **state)
{
	(void)state;
	struct compose_options o = an_english_list();
	struct post post = an_english_post();
	struct compose_reader r = a_reader();
	post.title = S("=?utf-8?Q?odd?= \"title\" with a Zürich, (brackets) & <angles> in it, long "
		       "enough to be folded twice, says Dr. Müller");
	o.from_name = "Lee, Ann \"the \\ editor\" J.";
	r.name = "Jörg <evil@example.org>, Dr.";
	assert_judged(&o, &post, 1, &r, post.title, o.from_name, r.name, "Ann Lee");
	r.name = "";
	o.from_name = "=?utf-8?Q?x?=";
	assert_judged(&o, &post, 1, &r, post.title, o.from_name, "", "Ann Lee");
}

static void test_the_full_content_is_well_formed(void **state)
{
	(void)state;
	struct compose_options o = an_english_list();
	struct post post = an_english_post();
	struct compose_reader r = a_reader();
	o.full = true;
	post.content = S("<p>.\nFrom here\n..\n--=_x--\n 量子 =3D  two  spaces \t tab </p>");
	assert_judged(&o, &post, 1, &r, post.title, "Beijing Tech", "王小明", "量子 =3D");
}

static void test_the_judge_can_say_no(void **state)
{
	(void)state;
	struct compose_options o = an_english_list();
	struct post post = an_english_post();
	struct compose_reader r = a_reader();
	char *message = message_for(&o, &post, 1, &r);
	assert_false(judged(message, "Another subject", "Beijing Tech", "王小明", "Ann Lee"));
	strstr(message, "--\r\n")[0] = 'x';
	assert_false(judged(message, post.title, "Beijing Tech", "王小明", "Ann Lee"));
	free(message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_english_message_is_well_formed),
		cmocka_unit_test(test_a_chinese_title_and_author_arrive_as_they_were),
		cmocka_unit_test(test_awkward_names_are_well_formed),
		cmocka_unit_test(test_the_full_content_is_well_formed),
		cmocka_unit_test(test_the_judge_can_say_no),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
