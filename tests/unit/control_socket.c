/* The control socket: who is answered, what a line may be, and what happens to those who are slow,
 * gone, too many, or not allowed. A real server on a loop in a thread of its own, real clients. */
#include "hubmail/control.h"

#include "hubmail/base_clock.h"
#include "hubmail/base_mem.h"
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE_MS 60000
#define NOBODY 65534

struct fixture {
	char folder[64];
	char socket[96];
	struct config config;
	struct loop *loop;
	pthread_t thread;
	struct control *control;
	struct control_request *kept; /* of the command "later"; the loop's thread only */
	sem_t was_kept;
	struct error e;
};

/* ---- The daemon's side ---- */

static bool handle(const char *command, const json_t *request, struct control_request *r, void *arg)
{
	struct fixture *f = arg;
	struct error e;

	if (strcmp(command, "echo") == 0) {
		control_answer(r, json_pack("{s:O}", "said", json_object_get(request, "say")));
	} else if (strcmp(command, "fail") == 0) {
		error_set(&e, ERROR_AGAIN, "the relay sleeps");
		control_refuse(r, &e);
	} else if (strcmp(command, "long") == 0) {
		char *text = xmalloc(CONTROL_LINE_MAX + 1);
		memset(text, 'a', CONTROL_LINE_MAX);
		text[CONTROL_LINE_MAX] = '\0';
		control_answer(r, json_pack("{s:s}", "text", text));
		free(text);
	} else if (strcmp(command, "later") == 0) {
		f->kept = r;
		sem_post(&f->was_kept);
	} else {
		return false;
	}
	return true;
}

static void answer_kept(void *arg)
{
	struct fixture *f = arg;
	struct control_request *r = f->kept;

	f->kept = NULL;
	control_answer(r, json_pack("{s:s}", "said", "at last"));
}

static void *run_loop(void *arg)
{
	struct fixture *f = arg;

	event_base_loop(loop_base(f->loop), EVLOOP_NO_EXIT_ON_EMPTY);
	return NULL;
}

static void end_loop(void *arg)
{
	struct fixture *f = arg;

	event_base_loopbreak(loop_base(f->loop));
}

static void start_daemon(struct fixture *f)
{
	f->loop = loop_new();
	f->control = control_start(f->loop, &f->config, handle, f, &f->e);
	if (f->control == NULL)
		fail_msg("%s", f->e.text);
	assert_int_equal(pthread_create(&f->thread, NULL, run_loop, f), 0);
}

static void stop_daemon(struct fixture *f)
{
	loop_post(f->loop, end_loop, f);
	pthread_join(f->thread, NULL);
	control_free(f->control);
	if (f->kept != NULL) /* each request is answered once, also after the server has gone */
		answer_kept(f);
	loop_free(f->loop);
	f->control = NULL;
	f->loop = NULL;
}

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	signal(SIGPIPE, SIG_IGN);
	snprintf(f->folder, sizeof(f->folder), "/tmp/hubmail-unit-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	assert_int_equal(chmod(f->folder, 0755), 0);
	snprintf(f->socket, sizeof(f->socket), "%s/run/control.sock", f->folder);
	f->config.control_socket = f->socket;
	sem_init(&f->was_kept, 0, 0);
	start_daemon(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char path[128];

	if (f->control != NULL)
		stop_daemon(f);
	sem_destroy(&f->was_kept);
	snprintf(path, sizeof(path), "%s/file", f->folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/run", f->folder);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(f->folder), 0);
	free(f);
	return 0;
}

/* ---- The client's side ---- */

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* What comes up to and without the next newline; "" when the other side has closed. */
static const char *hear(int fd, char *line, size_t size)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	size_t n = 0;

	while (n < size - 1) {
		assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
		if (recv(fd, line + n, 1, 0) != 1 || line[n] == '\n')
			break;
		n++;
	}
	line[n] = '\0';
	return line;
}

static json_t *ask(struct fixture *f, json_t *request)
{
	f->e = (struct error){0};
	return control_ask(f->socket, request, DEADLINE_MS, &f->e);
}

static json_t *command(const char *name)
{
	return json_pack("{s:s}", "command", name);
}

/* ---- Asking and answering ---- */

static void test_an_answer_is_the_handlers_object_with_ok(void **state)
{
	struct fixture *f = *state;
	json_t *answer =
		ask(f, json_pack("{s:s, s:s}", "command", "echo", "say", "Gr\xc3\xbc\xc3\x9f\ne"));

	assert_non_null(answer);
	assert_true(json_is_true(json_object_get(answer, "ok")));
	assert_string_equal(
		json_string_value(json_object_get(answer, "said")), "Gr\xc3\xbc\xc3\x9f\ne");
	json_decref(answer);
}

static void test_a_refusal_carries_its_code_and_sentence(void **state)
{
	struct fixture *f = *state;

	assert_null(ask(f, command("fail")));
	assert_int_equal(f->e.code, ERROR_AGAIN);
	assert_string_equal(f->e.text, "the relay sleeps");
}

static void test_a_command_nobody_knows_is_named(void **state)
{
	struct fixture *f = *state;

	assert_null(ask(f, command("dance")));
	assert_int_equal(f->e.code, ERROR_USAGE);
	assert_non_null(strstr(f->e.text, "\"dance\""));
	assert_non_null(strstr(f->e.text, HUBMAIL_VERSION));
}

static void test_what_is_no_request_is_refused_and_the_connection_goes_on(void **state)
{
	static const char *const wrong[] = {"", "{", "[]", "\"status\"", "{\"command\":7}",
		"{\"command\":\"echo\",\"command\":\"fail\"}", "{\"command\":\"echo\"} more",
		"{\"command\":\"\xff\"}"};
	struct fixture *f = *state;
	char line[1024];
	int fd = connect_to(f->socket);

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		say(fd, wrong[i]);
		say(fd, "\n");
		hear(fd, line, sizeof(line));
		if (strncmp(line, "{\"ok\":false,\"code\":64,", 22) != 0)
			fail_msg("%s: %s", wrong[i], line);
	}
	say(fd, "{\"command\":\"echo\",\"say\":1}\n");
	assert_string_equal(hear(fd, line, sizeof(line)), "{\"said\":1,\"ok\":true}");
	close(fd);
}

static void test_questions_in_one_packet_are_answered_in_order(void **state)
{
	struct fixture *f = *state;
	char line[256];
	int fd = connect_to(f->socket);

	say(fd, "{\"command\":\"echo\",\"say\":1}\n{\"command\":\"fail\"}\n{\"command\":\"echo\",\"say\":3}\n");
	assert_string_equal(hear(fd, line, sizeof(line)), "{\"said\":1,\"ok\":true}");
	assert_string_equal(hear(fd, line, sizeof(line)),
		"{\"ok\":false,\"code\":75,\"error\":\"the relay sleeps\"}");
	assert_string_equal(hear(fd, line, sizeof(line)), "{\"said\":3,\"ok\":true}");
	close(fd);
}

static void test_a_question_may_come_in_pieces(void **state)
{
	static const char question[] = "{\"command\":\"echo\",\"say\":\"bit by bit\"}\n";
	struct fixture *f = *state;
	char line[256];
	int fd = connect_to(f->socket);

	for (const char *p = question; *p != '\0'; p++)
		say(fd, (char[]){*p, '\0'});
	assert_string_equal(hear(fd, line, sizeof(line)), "{\"said\":\"bit by bit\",\"ok\":true}");
	close(fd);
}

static void test_somebody_who_shut_their_side_is_still_answered(void **state)
{
	struct fixture *f = *state;
	char line[256];
	int fd = connect_to(f->socket);

	say(fd, "{\"command\":\"later\"}\n{\"command\":\"echo\",\"say\":2}\n");
	shutdown(fd, SHUT_WR);
	sem_wait(&f->was_kept);
	loop_post(f->loop, answer_kept, f);
	assert_string_equal(hear(fd, line, sizeof(line)), "{\"said\":\"at last\",\"ok\":true}");
	assert_string_equal(hear(fd, line, sizeof(line)), "{\"said\":2,\"ok\":true}");
	assert_string_equal(hear(fd, line, sizeof(line)), "");
	close(fd);
}

static void test_an_answer_for_somebody_who_left_goes_nowhere(void **state)
{
	struct fixture *f = *state;
	int fd = connect_to(f->socket);

	say(fd, "{\"command\":\"later\"}\n");
	sem_wait(&f->was_kept);
	close(fd);
	json_t *answer = ask(f, json_pack("{s:s, s:i}", "command", "echo", "say", 1));
	assert_non_null(answer);
	json_decref(answer);
	loop_post(f->loop, answer_kept, f);
	answer = ask(f, json_pack("{s:s, s:i}", "command", "echo", "say", 2));
	assert_non_null(answer);
	json_decref(answer);
}

static void test_a_request_may_outlive_the_server(void **state)
{
	struct fixture *f = *state;
	char line[256];
	int fd = connect_to(f->socket);

	say(fd, "{\"command\":\"later\"}\n");
	sem_wait(&f->was_kept);
	stop_daemon(f); /* answers it last */
	assert_string_equal(hear(fd, line, sizeof(line)), "");
	close(fd);
}

/* ---- Limits ---- */

static void test_the_longest_line_is_taken_and_a_longer_one_refused(void **state)
{
	struct fixture *f = *state;
	size_t rest = CONTROL_LINE_MAX - strlen("{\"command\":\"echo\",\"say\":[],\"fill\":\"\"}");
	char *fill = xmalloc(rest + 2);

	memset(fill, 'x', rest + 1);
	fill[rest] = '\0';
	json_t *answer =
		ask(f, json_pack("{s:s, s:[], s:s}", "command", "echo", "say", "fill", fill));
	assert_non_null(answer);
	json_decref(answer);
	fill[rest] = 'x';
	fill[rest + 1] = '\0';
	assert_null(ask(f, json_pack("{s:s, s:[], s:s}", "command", "echo", "say", "fill", fill)));
	assert_int_equal(f->e.code, ERROR_USAGE);
	free(fill);
}

static void test_a_line_without_end_is_refused_and_closed(void **state)
{
	struct fixture *f = *state;
	char line[256];
	char *endless = xmalloc(CONTROL_LINE_MAX + 1);
	int fd = connect_to(f->socket);

	memset(endless, ' ', CONTROL_LINE_MAX + 1);
	for (size_t sent = 0; sent < CONTROL_LINE_MAX + 1;) {
		ssize_t n = send(fd, endless + sent, CONTROL_LINE_MAX + 1 - sent, MSG_NOSIGNAL);
		assert_true(n > 0);
		sent += (size_t)n;
	}
	assert_string_equal(hear(fd, line, sizeof(line)),
		"{\"ok\":false,\"code\":64,\"error\":\"the request is longer than a line may be\"}");
	assert_string_equal(hear(fd, line, sizeof(line)), "");
	close(fd);
	free(endless);
}

static void test_an_answer_that_is_too_long_is_a_failure_that_says_so(void **state)
{
	struct fixture *f = *state;

	assert_null(ask(f, command("long")));
	assert_int_equal(f->e.code, ERROR_REFUSED);
	assert_non_null(strstr(f->e.text, "does not fit"));
}

static void test_more_connections_than_allowed_wait_their_turn(void **state)
{
	enum { MANY = 70 };
	struct fixture *f = *state;
	char line[256];
	int fds[MANY];

	for (size_t i = 0; i < MANY; i++) {
		fds[i] = connect_to(f->socket);
		say(fds[i], "{\"command\":\"echo\",\"say\":1}\n");
	}
	for (size_t i = 0; i < MANY; i++) {
		assert_string_equal(hear(fds[i], line, sizeof(line)), "{\"said\":1,\"ok\":true}");
		close(fds[i]);
	}
}

static void test_silent_and_slow_clients_are_let_go(void **state)
{
	struct fixture *f = *state;
	char line[256];
	int silent = connect_to(f->socket), slow = connect_to(f->socket);
	int64_t until = clock_mono_ms() + DEADLINE_MS;
	struct pollfd p = {.fd = slow, .events = POLLIN};

	assert_string_equal(hear(silent, line, sizeof(line)), "");
	while (poll(&p, 1, 50) == 0 && clock_mono_ms() < until)
		send(slow, " ", 1, MSG_NOSIGNAL);
	assert_true(clock_mono_ms() < until);
	close(silent);
	close(slow);
}

/* ---- The socket's file ---- */

static void test_the_socket_is_the_groups_and_nobody_elses(void **state)
{
	struct fixture *f = *state;
	struct group *g = getgrgid(getegid());
	struct stat st;

	assert_int_equal(stat(f->socket, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	stop_daemon(f);
	assert_non_null(g);
	f->config.control_group = g->gr_name;
	start_daemon(f);
	assert_int_equal(stat(f->socket, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(st.st_gid, getegid());
}

static void test_the_file_goes_with_the_server_unless_it_is_anothers(void **state)
{
	struct fixture *f = *state;

	stop_daemon(f);
	assert_int_equal(access(f->socket, F_OK), -1);
	start_daemon(f);
	assert_int_equal(unlink(f->socket), 0);
	assert_int_equal(mkdir(f->socket, 0700), 0);
	stop_daemon(f);
	assert_int_equal(access(f->socket, F_OK), 0);
	assert_int_equal(rmdir(f->socket), 0);
}

static void test_a_dead_daemons_socket_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	stop_daemon(f);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", f->socket);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	start_daemon(f);
	json_t *answer = ask(f, json_pack("{s:s, s:i}", "command", "echo", "say", 1));
	assert_non_null(answer);
	json_decref(answer);
}

/* What is in the way stays there, and is named. */
static void assert_start_fails(struct fixture *f, enum error_code code, const char *says)
{
	struct error e = {0};

	assert_null(control_start(f->loop, &f->config, handle, f, &e));
	assert_int_equal(e.code, code);
	if (strstr(e.text, says) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", e.text, says);
}

static void test_a_living_daemons_socket_is_refused_and_the_process_named(void **state)
{
	struct fixture *f = *state;
	char who[64];

	snprintf(who, sizeof(who), "process %d", (int)getpid());
	assert_start_fails(f, ERROR_REFUSED, who);
	json_t *answer = ask(f, json_pack("{s:s, s:i}", "command", "echo", "say", 1));
	assert_non_null(answer);
	json_decref(answer);
}

static void test_a_start_that_cannot_be_says_what_to_do(void **state)
{
	struct fixture *f = *state;
	char path[256];

	f->config.control_group = (char[]){"no-such-group"};
	assert_start_fails(f, ERROR_CONFIG, "groupadd --system no-such-group");
	f->config.control_group = NULL;
	f->config.control_socket = path;
	snprintf(path, sizeof(path), "%s/a/b/control.sock", f->folder);
	assert_start_fails(f, ERROR_IO, "the folder cannot be made");
	snprintf(path, sizeof(path), "%s/file", f->folder);
	fclose(fopen(path, "w"));
	assert_start_fails(f, ERROR_CONFIG, "something else than a socket");
	assert_int_equal(access(path, F_OK), 0);
	memset(path, 'x', 120);
	path[0] = '/';
	path[120] = '\0';
	assert_start_fails(f, ERROR_CONFIG, "at most 107 bytes");
	f->config.control_socket = f->socket;
}

/* ---- Who may ask ---- */

/* Asks as another user: credentials belong to a thread, as long as only the kernel is asked. */
struct somebody {
	struct fixture *f;
	uid_t uid;
	gid_t gid, other_group;
	json_t *answer;
	struct error e;
};

static void *ask_as(void *arg)
{
	struct somebody *s = arg;

	if (syscall(SYS_setgroups, 1, &s->other_group) == 0 &&
		syscall(SYS_setresgid, s->gid, s->gid, s->gid) == 0 &&
		syscall(SYS_setresuid, s->uid, s->uid, s->uid) == 0)
		s->answer = control_ask(s->f->socket,
			json_pack("{s:s, s:i}", "command", "echo", "say", 1), DEADLINE_MS, &s->e);
	return NULL;
}

static bool is_answered(struct somebody *s)
{
	pthread_t thread;

	s->e = (struct error){0};
	s->answer = NULL;
	assert_int_equal(pthread_create(&thread, NULL, ask_as, s), 0);
	pthread_join(thread, NULL);
	bool answered = s->answer != NULL;
	json_decref(s->answer);
	return answered;
}

static void test_members_of_the_group_are_heard_and_others_are_not(void **state)
{
	struct fixture *f = *state;
	struct group *g = getgrnam("mail");
	struct somebody s = {.f = f, .uid = NOBODY, .gid = NOBODY, .other_group = NOBODY};
	gid_t mail = g != NULL ? g->gr_gid : NOBODY;

	if (geteuid() != 0 || mail == NOBODY)
		skip();
	stop_daemon(f);
	f->config.control_group = (char[]){"mail"};
	start_daemon(f);

	assert_false(is_answered(&s));
	assert_int_equal(s.e.code, ERROR_REFUSED);
	assert_non_null(strstr(s.e.text, "usermod -aG mail"));
	s.other_group = mail;
	assert_true(is_answered(&s));
	s.other_group = NOBODY;
	s.gid = mail;
	assert_true(is_answered(&s));
	s.gid = NOBODY;
	assert_int_equal(chmod(f->socket, 0666), 0); /* the file's mode is not all that protects */
	assert_false(is_answered(&s));
	assert_int_equal(s.e.code, ERROR_REFUSED);
	assert_non_null(strstr(s.e.text, "control.group"));
}

/* ---- Nobody answers ---- */

static void test_without_a_daemon_the_client_says_how_to_start_it(void **state)
{
	struct fixture *f = *state;

	stop_daemon(f);
	assert_null(ask(f, command("echo")));
	assert_int_equal(f->e.code, ERROR_UNAVAILABLE);
	assert_non_null(strstr(f->e.text, "systemctl start hubmaild"));
}

static void test_a_daemon_that_takes_too_long_is_not_waited_for(void **state)
{
	struct fixture *f = *state;

	assert_null(control_ask(f->socket, command("later"), 1, &f->e));
	assert_int_equal(f->e.code, ERROR_AGAIN);
	assert_non_null(strstr(f->e.text, "did not answer within 1 s"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_an_answer_is_the_handlers_object_with_ok),
		T(test_a_refusal_carries_its_code_and_sentence),
		T(test_a_command_nobody_knows_is_named),
		T(test_what_is_no_request_is_refused_and_the_connection_goes_on),
		T(test_questions_in_one_packet_are_answered_in_order),
		T(test_a_question_may_come_in_pieces),
		T(test_somebody_who_shut_their_side_is_still_answered),
		T(test_an_answer_for_somebody_who_left_goes_nowhere),
		T(test_a_request_may_outlive_the_server),
		T(test_the_longest_line_is_taken_and_a_longer_one_refused),
		T(test_a_line_without_end_is_refused_and_closed),
		T(test_an_answer_that_is_too_long_is_a_failure_that_says_so),
		T(test_more_connections_than_allowed_wait_their_turn),
		T(test_silent_and_slow_clients_are_let_go),
		T(test_the_socket_is_the_groups_and_nobody_elses),
		T(test_the_file_goes_with_the_server_unless_it_is_anothers),
		T(test_a_dead_daemons_socket_is_replaced),
		T(test_a_living_daemons_socket_is_refused_and_the_process_named),
		T(test_a_start_that_cannot_be_says_what_to_do),
		T(test_members_of_the_group_are_heard_and_others_are_not),
		T(test_without_a_daemon_the_client_says_how_to_start_it),
		T(test_a_daemon_that_takes_too_long_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
