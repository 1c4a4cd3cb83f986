/* The public pages as a browser, a mail program, a scanner and an attacker meet them: a real
 * database, its writer, the loop in a thread of its own, and requests over TCP. */
#include "store_helper.h"

#include "hubmail/base_buf.h"
#include "hubmail/base_clock.h"
#include "hubmail/store_writer.h"
#include "hubmail/web.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>

#define DEADLINE_MS 60000
#define READER "jonathan@example.org"

struct site {
	struct fixture *f; /* with a STORE_WRITE connection beside the daemon's */
	struct config config;
	struct config_list list;
	struct secret secret;
	struct store_writer *writer;
	struct loop *loop;
	struct web *web;
	pthread_t thread;
	char token[TOKEN_MAX];
	int64_t reader;
	atomic_bool ill;       /* what the job of make_ill() meets */
	sem_t blocked, let_go; /* of block_writer() */
};

static void *run_loop(void *arg)
{
	struct site *s = arg;

	event_base_loop(loop_base(s->loop), EVLOOP_NO_EXIT_ON_EMPTY);
	return NULL;
}

static void end_loop(void *arg)
{
	struct site *s = arg;

	event_base_loopbreak(loop_base(s->loop));
}

static void stop_loop(struct site *s)
{
	loop_post(s->loop, end_loop, s);
	pthread_join(s->thread, NULL);
}

static int open_site(void **state)
{
	struct site *s = xcalloc(1, sizeof(*s));
	struct error e = {0};
	void *fixture = NULL;

	signal(SIGPIPE, SIG_IGN);
	set_up(&fixture);
	s->f = fixture;
	add_reader(s->f, READER);
	s->reader = reader_id(s->f, READER);
	memset(s->secret.key, 7, sizeof(s->secret.key));
	token_make(&s->secret, s->f->list, s->reader, s->token);
	s->list.name = xstrdup("news");
	s->list.title = xstrdup("Beijing Tech Weekly");
	s->list.language = xstrdup("en");
	s->config = (struct config){.file = xstrdup("hubmail.conf"),
		.database = s->f->path,
		.web_listen_host = xstrdup("127.0.0.1"),
		.web_url = xstrdup("https://news.example.org"),
		.lists = &s->list,
		.n_lists = 1};
	sem_init(&s->blocked, 0, 0);
	sem_init(&s->let_go, 0, 0);
	s->loop = loop_new();
	s->writer = store_writer_start(s->f->path, &e);
	s->web = s->writer == NULL ? NULL
				   : web_start(s->loop, &s->config, &s->secret, s->writer, &e);
	if (s->web == NULL)
		fail_msg("%s", e.text);
	assert_int_equal(pthread_create(&s->thread, NULL, run_loop, s), 0);
	*state = s;
	return 0;
}

static int close_site(void **state)
{
	struct site *s = *state;
	void *fixture = s->f;

	if (s->web != NULL) {
		stop_loop(s);
		web_free(s->web);
		store_writer_stop(s->writer);
		loop_free(s->loop);
	}
	tear_down(&fixture);
	sem_destroy(&s->blocked);
	sem_destroy(&s->let_go);
	free(s->list.name);
	free(s->list.title);
	free(s->list.language);
	free(s->config.file);
	free(s->config.web_listen_host);
	free(s->config.web_url);
	free(s);
	return 0;
}

/* ---- HTTP as a client sees it ---- */

static int connect_to(struct site *s)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)web_port(s->web)),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Everything up to the end of the connection; the caller's. */
static char *hear(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct buf all = {0};
	char block[4096];
	ssize_t n;

	do {
		assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
		n = recv(fd, block, sizeof(block), 0);
		if (n > 0)
			buf_add(&all, block, (size_t)n);
	} while (n > 0);
	buf_reserve(&all, 1);
	close(fd);
	return buf_take(&all);
}

static char *request(struct site *s, const char *method, const char *path, const char *rest)
{
	char *text = xasprintf("%s %s HTTP/1.1\r\nHost: news.example.org\r\n%s", method, path,
		rest != NULL ? rest : "\r\n");
	int fd = connect_to(s);

	say(fd, text);
	free(text);
	return hear(fd);
}

static char *link_path(struct site *s, const char *prefix)
{
	return xasprintf("%s/unsubscribe/%s", prefix, s->token);
}

/* The answer to a request for this reader's link. */
static char *visit(struct site *s, const char *method, const char *rest)
{
	char *path = link_path(s, "");
	char *answer = request(s, method, path, rest);

	free(path);
	return answer;
}

static char *post(struct site *s)
{
	return visit(s, "POST",
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 0\r\n\r\n");
}

static void assert_has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void assert_has_not(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		fail_msg("\"%s\" is in:\n%s", part, text);
}

/* Checks the status and one part of an answer, and frees it. */
static void expect(char *answer, const char *status, const char *part)
{
	char *line = xasprintf("HTTP/1.1 %s", status);

	if (strncmp(answer, line, strlen(line)) != 0)
		fail_msg("not %s:\n%s", status, answer);
	assert_has(answer, part);
	free(line);
	free(answer);
}

static enum subscription_state state_of(struct site *s)
{
	enum subscription_state state;

	assert_ok(s->f,
		store_subscription_state(s->f->store, s->reader, s->f->list, &state, &s->f->e));
	return state;
}

/* ---- Showing ---- */

static void test_a_get_shows_the_list_the_hidden_address_and_a_button(void **state)
{
	struct site *s = *state;
	char *answer = visit(s, "GET", NULL);

	assert_has(answer, "HTTP/1.1 200 OK\r\n");
	assert_has(answer, "Content-Type: text/html; charset=utf-8\r\n");
	assert_has(answer, "Beijing Tech Weekly");
	assert_has(answer, "j…n@example.org");
	assert_has_not(answer, "jonathan");
	assert_has(answer, "<form method=\"post\">");
	assert_has(answer, "<button type=\"submit\">Unsubscribe</button>");
	free(answer);
}

static void test_get_and_head_change_nothing(void **state)
{
	struct site *s = *state;

	free(visit(s, "GET", NULL));
	char *answer = visit(s, "HEAD", NULL);
	assert_has(answer, "HTTP/1.1 200 OK\r\n");
	assert_has(answer, "Content-Length: ");
	assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
	free(answer);
	assert_int_equal(state_of(s), SUBSCRIPTION_CONFIRMED);
}

static void test_what_comes_from_outside_is_escaped(void **state)
{
	struct site *s = *state;

	free(s->list.title);
	s->list.title = xstrdup("<script>alert(\"1\")</script> & 'co'");
	char *answer = visit(s, "GET", NULL);
	assert_has(answer, "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;co&#39;");
	assert_has_not(answer, "<script>");
	free(answer);
	expect(request(s, "GET", "/%3Cscript%3E<script>", NULL), "404", "Nothing here");
}

static void test_the_page_speaks_the_lists_language(void **state)
{
	static const char *const cases[][3] = {
		{"de", "<html lang=\"de\">", "Abbestellen?"},
		{"fr-CA", "<html lang=\"fr\">", "Se désabonner"},
		{"es", "<html lang=\"es\">", "¿Cancelar la suscripción?"},
		{"zh-Hans-CN", "<html lang=\"zh\">", "确定要退订吗？"},
		{"EN_us", "<html lang=\"en\">", "Unsubscribe?"},
		{"tlh", "<html lang=\"en\">", "Unsubscribe?"},
	};
	struct site *s = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		free(s->list.language);
		s->list.language = xstrdup(cases[i][0]);
		char *answer = visit(s, "GET", NULL);
		assert_has(answer, cases[i][1]);
		expect(answer, "200", cases[i][2]);
	}
}

static void test_a_list_that_is_no_longer_configured_can_be_left(void **state)
{
	struct site *s = *state;

	s->config.n_lists = 0;
	expect(visit(s, "GET", NULL), "200", "<p class=\"list\">news</p>");
	expect(post(s), "200", "You are unsubscribed");
	assert_int_equal(state_of(s), SUBSCRIPTION_UNSUBSCRIBED);
}

static void test_every_answer_keeps_browsers_caches_and_robots_at_bay(void **state)
{
	static const char *const paths[] = {"/", "/healthz", "/unsubscribe/x", "/robots.txt"};
	struct site *s = *state;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char *answer = request(s, "GET", paths[i], NULL);
		assert_has(answer, "Content-Security-Policy: default-src 'none';");
		assert_has(answer, "frame-ancestors 'none'");
		assert_has(answer, "X-Content-Type-Options: nosniff\r\n");
		assert_has(answer, "Referrer-Policy: no-referrer\r\n");
		assert_has(answer, "Cache-Control: no-store\r\n");
		assert_has(answer, "X-Robots-Tag: noindex");
		free(answer);
	}
}

/* ---- Unsubscribing ---- */

static void test_a_post_unsubscribes_and_cancels_what_is_queued(void **state)
{
	struct site *s = *state;
	int64_t digest = queued_digest(s->f, 2);

	assert_int_equal(get_digest(s->f, digest).queued, 3);
	expect(post(s), "200", "You are unsubscribed");
	assert_int_equal(state_of(s), SUBSCRIPTION_UNSUBSCRIBED);
	assert_int_equal(get_digest(s->f, digest).queued, 2);
	assert_int_equal(get_digest(s->f, digest).cancelled, 1);
}

static void test_one_click_of_a_mail_program_unsubscribes(void **state)
{
	struct site *s = *state;

	expect(visit(s, "POST",
		       "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 26\r\n\r\n"
		       "List-Unsubscribe=One-Click"),
		"200", "You are unsubscribed");
	assert_int_equal(state_of(s), SUBSCRIPTION_UNSUBSCRIBED);
}

static void test_one_click_as_multipart_unsubscribes(void **state)
{
	static const char body[] =
		"--xyz\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--xyz--\r\n";
	struct site *s = *state;
	char *rest = xasprintf(
		"Content-Type: multipart/form-data; boundary=xyz\r\nContent-Length: %zu\r\n\r\n%s",
		strlen(body), body);

	expect(visit(s, "POST", rest), "200", "You are unsubscribed");
	free(rest);
	assert_int_equal(state_of(s), SUBSCRIPTION_UNSUBSCRIBED);
}

static void test_a_post_in_chunks_unsubscribes(void **state)
{
	struct site *s = *state;

	expect(visit(s, "POST",
		       "Transfer-Encoding: chunked\r\n\r\n1a\r\nList-Unsubscribe=One-Click\r\n0\r\n\r\n"),
		"200", "You are unsubscribed");
	assert_int_equal(state_of(s), SUBSCRIPTION_UNSUBSCRIBED);
}

static void test_doing_it_again_is_fine_and_says_so(void **state)
{
	struct site *s = *state;

	expect(post(s), "200", "You are unsubscribed");
	expect(post(s), "200", "Already unsubscribed");
	char *answer = visit(s, "GET", NULL);
	assert_has_not(answer, "<button");
	expect(answer, "200", "Already unsubscribed");
}

static void test_a_link_of_somebody_who_is_not_there_any_more_ends_well(void **state)
{
	struct site *s = *state;

	token_make(&s->secret, s->f->list, s->reader + 1000, s->token);
	expect(visit(s, "GET", NULL), "200", "not on this list any more");
	expect(post(s), "200", "not on this list any more");
}

static void test_a_pending_subscription_can_be_ended_too(void **state)
{
	struct site *s = *state;
	enum store_add_result result;
	struct store_subscriber_new n = {.email = "pending@example.org",
		.list_id = s->f->list,
		.state = SUBSCRIPTION_PENDING,
		.edition = -1,
		.origin = "test"};

	assert_ok(s->f, store_subscriber_add(s->f->store, &n, NOW, &result, &s->f->e));
	s->reader = reader_id(s->f, n.email);
	token_make(&s->secret, s->f->list, s->reader, s->token);
	expect(visit(s, "GET", NULL), "200", "<button");
	expect(post(s), "200", "You are unsubscribed");
	assert_int_equal(state_of(s), SUBSCRIPTION_UNSUBSCRIBED);
}

/* ---- Wrong ways in ---- */

static void test_a_wrong_token_says_what_to_do_and_changes_nothing(void **state)
{
	struct site *s = *state;
	char *path = link_path(s, "");
	size_t len = strlen(path);
	char *longer = xasprintf("%sA", path), *deeper = xasprintf("%s/x", path);

	path[len - 1] = path[len - 1] == 'A' ? 'B' : 'A';
	expect(request(s, "GET", path, NULL), "404", "open it from the mail again");
	expect(request(s, "POST", path, "Content-Length: 0\r\n\r\n"), "404", "does not work");
	path[len - 1] = '\0';
	expect(request(s, "POST", path, "Content-Length: 0\r\n\r\n"), "404", "does not work");
	expect(request(s, "POST", longer, "Content-Length: 0\r\n\r\n"), "404", "does not work");
	expect(request(s, "POST", deeper, "Content-Length: 0\r\n\r\n"), "404", "does not work");
	expect(request(s, "GET", "/unsubscribe/", NULL), "404", "does not work");
	expect(request(s, "GET", "/unsubscribe/%00%ff..%2f", NULL), "404", "does not work");
	assert_int_equal(state_of(s), SUBSCRIPTION_CONFIRMED);
	free(path);
	free(longer);
	free(deeper);
}

static void test_a_token_of_another_secret_is_wrong(void **state)
{
	struct site *s = *state;
	struct secret other = {{1}};

	token_make(&other, s->f->list, s->reader, s->token);
	expect(post(s), "404", "does not work");
	assert_int_equal(state_of(s), SUBSCRIPTION_CONFIRMED);
}

static void test_other_methods_are_not_allowed_and_told_which_are(void **state)
{
	static const char *const methods[] = {"PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"};
	struct site *s = *state;

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		expect(visit(s, methods[i], "Content-Length: 0\r\n\r\n"), "405",
			"Allow: GET, HEAD, POST\r\n");
		expect(request(s, methods[i], "/healthz", "Content-Length: 0\r\n\r\n"), "405",
			"Allow: GET, HEAD\r\n");
	}
	expect(request(s, "POST", "/healthz", "Content-Length: 0\r\n\r\n"), "405", "Allow: GET");
	assert_int_equal(state_of(s), SUBSCRIPTION_CONFIRMED);
}

static void test_a_proxy_may_pass_the_prefix_on_or_cut_it_off(void **state)
{
	struct site *s = *state;
	char *with = link_path(s, "/news"), *without = link_path(s, "");
	char *wrong = link_path(s, "/newsletter");

	expect(request(s, "GET", with, NULL), "404", "Nothing here");
	free(s->config.web_url);
	s->config.web_url = xstrdup("https://example.org/news");
	expect(request(s, "GET", with, NULL), "200", "<button");
	expect(request(s, "GET", without, NULL), "200", "<button");
	expect(request(s, "GET", wrong, NULL), "404", "Nothing here");
	expect(request(s, "GET", "/news/healthz", NULL), "200", "ok\n");
	free(with);
	free(without);
	free(wrong);
}

static void test_what_is_too_big_or_no_http_is_refused(void **state)
{
	struct site *s = *state;
	char *filler = xmalloc(10001), *rest;

	memset(filler, 'x', 10000);
	filler[10000] = '\0';
	rest = xasprintf("X-Filler: %s\r\n\r\n", filler);
	char *answer = visit(s, "POST", rest);
	assert_true(strncmp(answer, "HTTP/1.1 4", 10) == 0 || answer[0] == '\0');
	free(answer);
	free(rest);
	rest = xasprintf("Content-Length: 10000\r\n\r\n%s", filler);
	answer = visit(s, "POST", rest);
	assert_true(strncmp(answer, "HTTP/1.1 413", 12) == 0 || answer[0] == '\0');
	free(answer);
	free(rest);
	answer = request(s, "DANCE", "/healthz", NULL);
	assert_int_not_equal(strncmp(answer, "HTTP/1.1 2", 10), 0);
	free(answer);
	int fd = connect_to(s);
	say(fd, "\x16\x03\x01\r\n\r\n");
	free(hear(fd));
	free(filler);
	expect(request(s, "GET", "/healthz", NULL), "200", "ok\n");
	assert_int_equal(state_of(s), SUBSCRIPTION_CONFIRMED);
}

static void test_a_second_request_on_a_connection_is_not_looked_at(void **state)
{
	struct site *s = *state;
	char *path = link_path(s, "");
	char *both = xasprintf(
		"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nPOST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
		path);
	int fd = connect_to(s);

	say(fd, both);
	expect(hear(fd), "200", "ok\n");
	assert_int_equal(state_of(s), SUBSCRIPTION_CONFIRMED);
	free(path);
	free(both);
}

/* ---- Trouble ---- */

static bool meet_illness(struct store *store, void *arg, struct error *e)
{
	struct site *s = arg;

	(void)store;
	if (atomic_load(&s->ill))
		return error_set(e, ERROR_IO, "the disk is full");
	return true;
}

static void await_health(struct site *s, const char *status)
{
	int64_t until = clock_mono_ms() + DEADLINE_MS;
	char *line = xasprintf("HTTP/1.1 %s ", status);
	bool is_so = false;

	while (!is_so && clock_mono_ms() < until) {
		char *answer = request(s, "GET", "/healthz", NULL);
		is_so = strncmp(answer, line, strlen(line)) == 0;
		free(answer);
	}
	free(line);
	assert_true(is_so);
}

static void test_while_the_disk_is_in_trouble_nobody_is_told_they_are_out(void **state)
{
	struct site *s = *state;

	await_health(s, "200");
	atomic_store(&s->ill, true);
	store_writer_submit(s->writer, meet_illness, NULL, s, STORE_JOB_RETRY);
	await_health(s, "503");
	char *answer = post(s);
	assert_has(answer, "Retry-After: ");
	expect(answer, "503", "try again in a minute");
	assert_int_equal(state_of(s), SUBSCRIPTION_CONFIRMED);
	atomic_store(&s->ill, false);
	await_health(s, "200");
	expect(post(s), "200", "You are unsubscribed");
}

static bool block(struct store *store, void *arg, struct error *e)
{
	struct site *s = arg;

	(void)store;
	(void)e;
	sem_post(&s->blocked);
	sem_wait(&s->let_go);
	return true;
}

/* Until sem_post(&s->let_go). */
static void block_writer(struct site *s)
{
	store_writer_submit(s->writer, block, NULL, s, 0);
	sem_wait(&s->blocked);
}

/* A POST that the writer has not come to yet. That the server has read it shows in that it answers
 * a request that came later. */
static int post_and_wait(struct site *s)
{
	char *text = xasprintf(
		"POST /unsubscribe/%s HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", s->token);
	int fd = connect_to(s);

	say(fd, text);
	free(text);
	expect(request(s, "GET", "/healthz", NULL), "200", "ok\n");
	return fd;
}

static void test_the_answer_waits_for_the_commit(void **state)
{
	struct site *s = *state;

	block_writer(s);
	int fd = post_and_wait(s);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_int_equal(state_of(s), SUBSCRIPTION_CONFIRMED);
	sem_post(&s->let_go);
	expect(hear(fd), "200", "You are unsubscribed");
}

static void test_a_reader_who_does_not_wait_for_the_answer_is_unsubscribed(void **state)
{
	struct site *s = *state;

	block_writer(s);
	close(post_and_wait(s));
	sem_post(&s->let_go);
	expect(post(s), "200", "Already unsubscribed");
	assert_int_equal(state_of(s), SUBSCRIPTION_UNSUBSCRIBED);
}

static void test_a_stop_in_between_still_unsubscribes(void **state)
{
	struct site *s = *state;

	block_writer(s);
	int fd = post_and_wait(s);
	stop_loop(s);
	web_free(s->web);
	s->web = NULL;
	sem_post(&s->let_go);
	store_writer_stop(s->writer);
	loop_free(s->loop);
	char *answer = hear(fd);
	assert_string_equal(answer, "");
	free(answer);
	assert_int_equal(state_of(s), SUBSCRIPTION_UNSUBSCRIBED);
}

static void test_more_visitors_than_there_is_room_for_wait_their_turn(void **state)
{
	enum { MANY = 300 };
	struct site *s = *state;
	int fds[MANY];

	for (size_t i = 0; i < MANY; i++)
		fds[i] = connect_to(s);
	for (size_t i = MANY - 1; i > 0; i--)
		say(fds[i], "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
	say(fds[0], "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
	for (size_t i = 0; i < MANY; i++)
		expect(hear(fds[i]), "200", "ok\n");
}

static void test_silent_and_slow_visitors_are_let_go(void **state)
{
	struct site *s = *state;
	int64_t until = clock_mono_ms() + DEADLINE_MS;
	int silent = connect_to(s), slow = connect_to(s);
	struct pollfd p = {.fd = slow, .events = POLLIN};

	say(slow, "GET /healthz HTTP/1.1\r\nX-Slow: ");
	while (poll(&p, 1, 50) == 0 && clock_mono_ms() < until)
		send(slow, "x", 1, MSG_NOSIGNAL);
	assert_true(clock_mono_ms() < until);
	close(slow);
	free(hear(silent));
}

/* ---- Starting and reloading ---- */

static void test_an_address_in_use_names_the_setting(void **state)
{
	struct site *s = *state;
	struct config c = s->config;
	struct error e = {0};

	c.web_listen_port = web_port(s->web);
	assert_null(web_start(s->loop, &c, &s->secret, s->writer, &e));
	assert_has(e.text, "web.listen: 127.0.0.1:");
	assert_has(e.text, "another program listens there");
	c.web_listen_host = (char[]){"192.0.2.1"};
	assert_null(web_start(s->loop, &c, &s->secret, s->writer, &e));
	assert_has(e.text, "no such address");
}

struct reload {
	struct site *s;
	const struct config *config;
	sem_t done;
};

static void reload_now(void *arg)
{
	struct reload *r = arg;

	web_reconfigure(r->s->web, r->config);
	sem_post(&r->done);
}

static void test_a_reload_brings_the_new_title(void **state)
{
	struct site *s = *state;
	struct config_list list = s->list;
	struct config c = s->config;
	struct reload r = {.s = s, .config = &c};

	list.title = (char[]){"Shanghai Tech Weekly"};
	c.lists = &list;
	sem_init(&r.done, 0, 0);
	loop_post(s->loop, reload_now, &r);
	sem_wait(&r.done);
	expect(visit(s, "GET", NULL), "200", "Shanghai Tech Weekly");
	r.config = &s->config;
	loop_post(s->loop, reload_now, &r);
	sem_wait(&r.done);
	sem_destroy(&r.done);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_site, close_site)
	const struct CMUnitTest tests[] = {
		T(test_a_get_shows_the_list_the_hidden_address_and_a_button),
		T(test_get_and_head_change_nothing),
		T(test_what_comes_from_outside_is_escaped),
		T(test_the_page_speaks_the_lists_language),
		T(test_a_list_that_is_no_longer_configured_can_be_left),
		T(test_every_answer_keeps_browsers_caches_and_robots_at_bay),
		T(test_a_post_unsubscribes_and_cancels_what_is_queued),
		T(test_one_click_of_a_mail_program_unsubscribes),
		T(test_one_click_as_multipart_unsubscribes),
		T(test_a_post_in_chunks_unsubscribes),
		T(test_doing_it_again_is_fine_and_says_so),
		T(test_a_link_of_somebody_who_is_not_there_any_more_ends_well),
		T(test_a_pending_subscription_can_be_ended_too),
		T(test_a_wrong_token_says_what_to_do_and_changes_nothing),
		T(test_a_token_of_another_secret_is_wrong),
		T(test_other_methods_are_not_allowed_and_told_which_are),
		T(test_a_proxy_may_pass_the_prefix_on_or_cut_it_off),
		T(test_what_is_too_big_or_no_http_is_refused),
		T(test_a_second_request_on_a_connection_is_not_looked_at),
		T(test_while_the_disk_is_in_trouble_nobody_is_told_they_are_out),
		T(test_the_answer_waits_for_the_commit),
		T(test_a_reader_who_does_not_wait_for_the_answer_is_unsubscribed),
		T(test_a_stop_in_between_still_unsubscribes),
		T(test_more_visitors_than_there_is_room_for_wait_their_turn),
		T(test_silent_and_slow_visitors_are_let_go),
		T(test_an_address_in_use_names_the_setting),
		T(test_a_reload_brings_the_new_title),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
