/* Requests and answers: what is sent and read, limits, failures, turns, and ends. */
#include "source_fetch_helper.h"

/* ---- Answers ---- */

static void test_an_answer_comes_with_its_body_and_validators(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, {"/feed", 200,
			  {{"ETag", "\"v1\""}, {"Last-Modified", "Tue, 24 Nov 2026 14:26:24 GMT"},
				  {"Content-Type", "text/xml; a=\"b;c\"; Charset=\"ISO-8859-1\""}},
			  .body = "<rss/>"});

	get(f, "/feed");
	assert_success(f, 200);
	assert_string_equal(buf_str(&f->body), "<rss/>");
	assert_string_equal(f->answer_etag, "\"v1\"");
	assert_string_equal(f->last_modified, "Tue, 24 Nov 2026 14:26:24 GMT");
	assert_string_equal(f->charset, "ISO-8859-1");
	assert_string_equal(f->answer_url, f->url);
	assert_null(f->moved_to);
	assert_string_equal(f->agent, "hubmail/test (+https://hubmail.example)");
	assert_string_equal(f->etag, "");
	assert_string_equal(f->since, "");
	assert_string_equal(f->method, "GET");
}

static void test_what_is_not_said_is_null(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, {"/feed", 200, {{"Content-Type", "text/xml"}}, .body = ""});

	get(f, "/feed");
	assert_success(f, 200);
	assert_int_equal(f->body.len, 0);
	assert_null(f->answer_etag);
	assert_null(f->last_modified);
	assert_null(f->charset);
	assert_int_equal(f->retry_after, 0);
	assert_int_equal(f->fresh_for, 0);
}

static void test_a_conditional_request_may_be_answered_with_304(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, {"/feed", 304, {{"ETag", "\"v1\""}}});

	f->request.etag = "\"v1\"";
	f->request.last_modified = "Tue, 24 Nov 2026 14:26:24 GMT";
	get(f, "/feed");
	assert_success(f, 304);
	assert_int_equal(f->body.len, 0);
	assert_string_equal(f->etag, "\"v1\"");
	assert_string_equal(f->since, "Tue, 24 Nov 2026 14:26:24 GMT");
}

static void test_a_validator_cannot_smuggle_a_header(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, {"/feed", 200, .body = "x"});

	f->request.etag = "\"v1\"\r\nAuthorization: Basic eDp5";
	get(f, "/feed");
	assert_success(f, 200);
	assert_string_equal(f->login, "");
}

static void test_max_age_is_reported_less_the_answers_age(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *control, *age;
		long fresh_for;
	} cases[] = {
		{"max-age=600", "0", 600},
		{"public, Max-Age=\"600\"", "100", 500},
		{"max-age=600", "700", 0},
		{"no-cache, max-age=600", "0", 0},
		{"max-age=600, no-store", "0", 0},
		{"x-max-age=600", "0", 0},
		{"max-age=99999999999999999999", "0", 366L * 86400},
		{"max-age=-5", "0", 0},
		{"max-age", "0", 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct route route = {"/feed", 200,
			{{"Cache-Control", cases[i].control}, {"Age", cases[i].age}}, .body = "x"};
		f->routes = &route;
		f->n_routes = 1;
		get(f, "/feed");
		assert_success(f, 200);
		assert_int_equal(f->fresh_for, cases[i].fresh_for);
	}
}

static void test_a_status_that_is_no_success_gives_answer_and_failure(void **state)
{
	struct fixture *f = *state;
	static const struct {
		int status;
		enum error_code code;
		const char *words;
	} cases[] = {
		{404, ERROR_NOT_FOUND, "blog.test answers 404: there is nothing"},
		{410, ERROR_NOT_FOUND, "gone for good"},
		{401, ERROR_IO, "wants a login"},
		{403, ERROR_IO, "refuses"},
		{429, ERROR_AGAIN, "too often"},
		{503, ERROR_AGAIN, "not available"},
		{500, ERROR_IO, "its web server fails"},
		{204, ERROR_IO, "no answer to take"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct route route = {"/feed", cases[i].status};
		f->routes = &route;
		f->n_routes = 1;
		get(f, "/feed");
		assert_true(f->has_answer);
		assert_int_equal(f->status, cases[i].status);
		assert_failure(f, cases[i].code, cases[i].words);
	}
}

static void test_links_in_headers_name_hub_and_self(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *link, *hub, *self;
	} cases[] = {
		{"<https://hub.example/>; rel=\"hub\"", "https://hub.example/", "-"},
		{"<https://a.example/x,y>; rel=\"next\", <https://hub.example/>; title=\"a, b\"; "
		 "rel=hub, <https://s.example/f>;rel=\"self alternate\"",
			"https://hub.example/", "https://s.example/f"},
		{"<https://hub.example/>; rel=\"nohub\"; x", "-", "-"},
		{"<javascript:alert(1)>; rel=hub", "-", "-"},
		{"<https://hub.example/; rel=hub", "-", "-"},
		{"https://hub.example/; rel=hub", "-", "-"},
		{"<", "-", "-"},
		{"<>;;;,,;rel", "-", "-"},
	};
	struct route route = {"/feed", 200, {{"Link", NULL}}, .body = "x"};

	f->routes = &route;
	f->n_routes = 1;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		route.headers[0].value = cases[i].link;
		get(f, "/feed");
		assert_success(f, 200);
		assert_string_equal(f->hub != NULL ? f->hub : "-", cases[i].hub);
		assert_string_equal(f->topic != NULL ? f->topic : "-", cases[i].self);
	}
}

static void test_retry_after_is_read_in_both_forms(void **state)
{
	struct fixture *f = *state;
	char date[64], rfc5322[40];
	struct route route = {"/feed", 429, {{"Retry-After", "120"}}};

	f->routes = &route;
	f->n_routes = 1;
	get(f, "/feed");
	assert_int_equal(f->retry_after, 120);
	clock_rfc5322(clock_now() + 3600, rfc5322);
	snprintf(date, sizeof(date), "%.25s GMT", rfc5322);
	route.headers[0].value = date;
	get(f, "/feed");
	assert_in_range(f->retry_after, 3600 - DEADLINE_S, 3600);
	route.headers[0].value = "Sun, 06 Nov 1994 08:49:37 GMT";
	get(f, "/feed");
	assert_int_equal(f->retry_after, 0);
	route.headers[0].value = "soon";
	get(f, "/feed");
	assert_int_equal(f->retry_after, 0);
}

static void test_a_post_sends_its_body_and_takes_any_2xx(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, {"/hub", 202}, {"/moved", 307, {{"Location", "/hub"}}},
		{"/done", 303, {{"Location", "/page"}}}, {"/page", 200, .body = "x"});

	f->request.body = "hub.mode=subscribe";
	f->request.body_len = strlen(f->request.body);
	f->request.body_type = "application/x-www-form-urlencoded";
	get(f, "/moved");
	assert_success(f, 202);
	assert_string_equal(f->method, "POST");
	assert_string_equal(buf_str(&f->sent), "hub.mode=subscribe");
	assert_string_equal(f->type, "application/x-www-form-urlencoded");
	get(f, "/done");
	assert_success(f, 200);
	assert_string_equal(f->method, "GET");
	assert_int_equal(f->sent.len, 0);
	assert_string_equal(f->type, "");
}

/* ---- Size ---- */

static void test_gzip_and_brotli_are_unpacked(void **state)
{
	struct fixture *f = *state;
	static const unsigned char gzip[] = {31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 179, 41, 42, 46, 214,
		183, 3, 0, 103, 41, 40, 189, 6, 0, 0, 0};
	static const char brotli[] = "\x50\x00\x10<rss/>\x03";
	struct route routes[] = {
		{"/gzip", 200, {{"Content-Encoding", "gzip"}}, .body = (const char *)gzip,
			.len = sizeof(gzip)},
		{"/br", 200, {{"Content-Encoding", "br"}}, .body = brotli,
			.len = sizeof(brotli) - 1},
	};

	f->routes = routes;
	f->n_routes = 2;
	get(f, "/gzip");
	assert_success(f, 200);
	assert_string_equal(buf_str(&f->body), "<rss/>");
	get(f, "/br");
	assert_success(f, 200);
	assert_string_equal(buf_str(&f->body), "<rss/>");
}

static void test_a_body_may_be_as_large_as_the_limit_and_no_larger(void **state)
{
	struct fixture *f = *state;
	char *body = xcalloc(1, MAX_BYTES + 1);
	struct route routes[] = {
		{"/most", 200, .body = body, .len = MAX_BYTES},
		{"/more", 200, .body = body, .len = MAX_BYTES + 1},
		{"/chunked", 200, .body = body, .len = MAX_BYTES + 1, .chunked = true},
	};

	f->routes = routes;
	f->n_routes = 3;
	get(f, "/most");
	assert_success(f, 200);
	assert_int_equal(f->body.len, MAX_BYTES);
	get(f, "/more");
	assert_false(f->has_answer);
	assert_failure(f, ERROR_DATA, "blog.test sends more than the 1024 kB");
	get(f, "/chunked");
	assert_failure(f, ERROR_DATA, "blog.test sends more than the 1024 kB");
	free(body);
}

static void add_bits(struct buf *b, unsigned *have, unsigned value, int n)
{
	for (int i = 0; i < n; i++, ++*have) {
		if (*have % 8 == 0)
			buf_addc(b, 0);
		b->data[b->len - 1] |= (char)((value >> i & 1) << *have % 8);
	}
}

static const unsigned char gzip_start[10] = {31, 139, 8, 0, 0, 0, 0, 0, 2, 3};

/* Zeros that take 13 bits for each 258 of them (RFC 1951, 3.2.6). */
static void gzip_bomb(struct buf *b, size_t matches)
{
	unsigned have = 0;

	buf_add(b, gzip_start, sizeof(gzip_start));
	have = (unsigned)b->len * 8;
	add_bits(b, &have, 3, 3);    /* the last block, fixed codes */
	add_bits(b, &have, 0x0c, 8); /* a zero */
	for (size_t i = 0; i < matches; i++) {
		add_bits(b, &have, 0xa3, 8); /* 258 bytes… */
		add_bits(b, &have, 0, 5);    /* …from 1 back */
	}
	add_bits(b, &have, 0, 7);
}

static void test_a_decompression_bomb_ends_at_the_limit(void **state)
{
	struct fixture *f = *state;
	struct buf bomb = {0};

	gzip_bomb(&bomb, 8 * (size_t)MAX_BYTES / 258);
	assert_in_range(bomb.len, 1000, MAX_BYTES);
	struct route route = {
		"/bomb", 200, {{"Content-Encoding", "gzip"}}, .body = bomb.data, .len = bomb.len};
	f->routes = &route;
	f->n_routes = 1;
	get(f, "/bomb");
	assert_failure(f, ERROR_DATA, "blog.test sends more than the 1024 kB");
	buf_free(&bomb);
}

static void test_a_stream_that_unpacks_to_nothing_ends_too(void **state)
{
	struct fixture *f = *state;
	struct buf empty = {0};

	buf_add(&empty, gzip_start, sizeof(gzip_start));
	for (size_t i = 0; i < MAX_BYTES / 4; i++)
		buf_add(&empty, "\x00\x00\x00\xff\xff", 5);
	struct route route = {"/empty", 200, {{"Content-Encoding", "gzip"}}, .body = empty.data,
		.len = empty.len, .chunked = true};
	f->routes = &route;
	f->n_routes = 1;
	get(f, "/empty");
	assert_failure(f, ERROR_DATA, "blog.test sends more than the 1024 kB");
	buf_free(&empty);
}

static void test_nested_compression_is_refused(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, {"/list", 200, {{"Content-Encoding", "gzip, gzip"}}, .body = "x"},
		{"/twice", 200, {{"Content-Encoding", "gzip"}, {"Content-Encoding", "br"}},
			.body = "x"});

	get(f, "/list");
	assert_failure(f, ERROR_DATA, "compressed more than once");
	get(f, "/twice");
	assert_failure(f, ERROR_DATA, "compressed more than once");
}

static void test_broken_compression_is_an_error(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, {"/feed", 200, {{"Content-Encoding", "gzip"}}, .body = "this is not gzip"});

	get(f, "/feed");
	assert_failure(f, ERROR_DATA, "compression is broken");
}

static void test_a_coding_that_is_none_is_not_heeded(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, {"/feed", 200, {{"Content-Encoding", "UTF-8"}}, .body = "<rss/>"});

	get(f, "/feed");
	assert_success(f, 200);
	assert_string_equal(buf_str(&f->body), "<rss/>");
}

static void test_headers_without_end_are_refused(void **state)
{
	struct fixture *f = *state;
	char *value = xcalloc(1, 90001);

	memset(value, 'x', 90000);
	struct route route = {"/feed", 200, {{"X-A", value}, {"X-B", value}, {"X-C", value}}};
	f->routes = &route;
	f->n_routes = 1;
	get(f, "/feed");
	assert_failure(f, ERROR_DATA, "headers without end");
	free(value);
}

/* ---- What fails ---- */

static void test_what_is_no_http_url_fails_after_the_start(void **state)
{
	struct fixture *f = *state;
	static const char *const urls[] = {"file:///etc/passwd", "ftp://blog.test/", "blog.test",
		"", "http://", "http://a b/", "javascript:1", "http://[::1/", "http://x\ny/"};

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		int before = f->calls;
		f->request.url = urls[i];
		fetch_start(f->fetcher, &f->request, on_answer, f);
		assert_int_equal(f->calls, before);
		wait_for(f, &f->calls, before + 1);
		assert_false(f->has_answer);
		assert_int_equal(f->failure.code, ERROR_DATA);
	}
}

static void test_a_host_in_another_script_is_asked_as_punycode(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, {"/feed", 200, .body = "x"});

	get_at(f, "bücher.test", "/feed");
	assert_success(f, 200);
	assert_memory_equal(f->host, "xn--bcher-kva.test", 18);
}

static void test_proxies_of_the_environment_are_not_used(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, {"/feed", 200, .body = "x"});

	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	get(f, "/feed");
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	assert_success(f, 200);
}

static void test_an_unknown_host_and_a_closed_port_are_told_apart(void **state)
{
	struct fixture *f = *state;

	get_at(f, "unknown.test", "/");
	assert_failure(f, ERROR_IO, "unknown.test: no address");
	f->request.url = "http://127.0.0.1:1/";
	int before = f->calls;
	fetch_start(f->fetcher, &f->request, on_answer, f);
	wait_for(f, &f->calls, before + 1);
	assert_failure(f, ERROR_IO, "Connection refused");
}

static void test_a_server_that_never_answers_runs_into_the_timeout(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, {"/feed", .silent = true});

	f->request.timeout_s = 1;
	get(f, "/feed");
	assert_false(f->has_answer);
	assert_failure(f, ERROR_AGAIN, "within 1 s");
	f->n_held = 0;
}

/* If the fetcher waited for the resolver here, this would never end. */
static void test_a_slow_name_server_holds_nobody_up(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, {"/feed", 200, .body = "x"});

	struct fetch *slow = start_at(f, "slow.test", "/feed");
	get(f, "/feed");
	assert_success(f, 200);
	pthread_mutex_lock(&net.lock);
	while (net.slow_waiting == 0)
		pthread_cond_wait(&net.changed, &net.lock);
	pthread_mutex_unlock(&net.lock);
	fetch_cancel(slow);
	f->request.timeout_s = 1;
	get_at(f, "slow.test", "/feed");
	assert_failure(f, ERROR_AGAIN, "slow.test: no connection within 1 s");
	pthread_mutex_lock(&net.lock);
	net.slow_goes = true;
	pthread_cond_broadcast(&net.changed);
	while (net.slow_waiting > 0)
		pthread_cond_wait(&net.changed, &net.lock);
	pthread_mutex_unlock(&net.lock);
}

/* ---- Many ---- */

static void test_a_host_is_asked_one_thing_at_a_time(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, {"/feed", .silent = true});

	for (int i = 0; i < 4; i++) {
		start_at(f, "blog.test", "/feed");
		start_at(f, "inside.test", "/feed");
	}
	while (f->calls < 8) {
		wait_for(f, &f->n_held, 2);
		release(f);
		wait_for(f, &f->calls, f->calls + 2);
	}
	assert_success(f, 200);
	assert_int_equal(f->most_held, 2);
	assert_int_equal(f->most_same_host, 1);
}

static void test_a_redirect_waits_for_its_turn_with_the_other_host(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, {"/feed", .silent = true},
		{"/out", 302, {{"Location", "http://inside.test:%d/feed"}}});

	f->request.private_addresses = FETCH_PRIVATE_ALWAYS;
	start_at(f, "inside.test", "/feed");
	start_at(f, "blog.test", "/out");
	wait_for(f, &f->requests, 2);
	start_at(f, "blog.test", "/out"); /* goes ahead, for blog.test is free again */
	wait_for(f, &f->requests, 3);
	for (int n = 1; n <= 3; n++) {
		wait_for(f, &f->n_held, 1);
		release(f);
		wait_for(f, &f->calls, n);
		assert_success(f, 200);
	}
	assert_int_equal(f->most_held, 1);
}

static void test_no_more_than_sixteen_are_under_way(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, {"/feed", .silent = true});

	for (int i = 0; i < 20; i++) {
		char host[32];
		snprintf(host, sizeof(host), "blog%d.test", i);
		start_at(f, host, "/feed");
	}
	wait_for(f, &f->n_held, 16);
	release(f);
	wait_for(f, &f->n_held, 4);
	release(f);
	wait_for(f, &f->calls, 20);
	assert_int_equal(f->most_held, 16);
}

/* ---- Ending ---- */

static void test_a_cancelled_request_is_not_heard_of_again(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, {"/feed", 200, .body = "x"}, {"/silent", .silent = true});

	struct fetch *running = start_at(f, "blog.test", "/silent");
	struct fetch *waiting = start_at(f, "blog.test", "/feed");
	wait_for(f, &f->n_held, 1);
	fetch_cancel(waiting);
	fetch_cancel(running);
	f->n_held = 0;
	f->request.url = "nonsense";
	struct fetch *ended = fetch_start(f->fetcher, &f->request, on_answer, f);
	fetch_cancel(ended);
	get(f, "/feed"); /* the host is free again */
	assert_success(f, 200);
	assert_int_equal(f->calls, 1);
}

static void cancel_all(const struct fetch_answer *a, const struct error *failure, void *arg)
{
	struct fixture *f = arg;

	(void)a;
	(void)failure;
	f->calls++;
	fetch_cancel(f->self);
	start_at(f, "blog.test", "/feed");
}

static void test_a_callback_may_cancel_itself_and_start_another(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, {"/feed", 200, .body = "x"});

	snprintf(f->url, sizeof(f->url), "http://blog.test:%d/feed", f->port);
	f->request.url = f->url;
	f->self = fetch_start(f->fetcher, &f->request, cancel_all, f);
	wait_for(f, &f->calls, 2);
	assert_success(f, 200);
}

static void free_fetcher(const struct fetch_answer *a, const struct error *failure, void *arg)
{
	struct fixture *f = arg;

	(void)a;
	(void)failure;
	f->calls++;
	fetcher_free(f->fetcher);
	f->fetcher = NULL;
}

static void test_a_callback_may_free_the_fetcher_with_all_it_has(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, {"/feed", 200, .body = "x"}, {"/silent", .silent = true});

	start_at(f, "inside.test", "/silent");
	start_at(f, "inside.test", "/feed");
	wait_for(f, &f->n_held, 1);
	f->request.url = "nonsense";
	for (int i = 0; i < 3; i++)
		fetch_start(f->fetcher, &f->request, free_fetcher, f);
	wait_for(f, &f->calls, 1);
	event_base_loop(f->base, EVLOOP_NONBLOCK);
	assert_int_equal(f->calls, 1);
	f->n_held = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_an_answer_comes_with_its_body_and_validators),
		TEST(test_what_is_not_said_is_null),
		TEST(test_a_conditional_request_may_be_answered_with_304),
		TEST(test_a_validator_cannot_smuggle_a_header),
		TEST(test_max_age_is_reported_less_the_answers_age),
		TEST(test_a_status_that_is_no_success_gives_answer_and_failure),
		TEST(test_links_in_headers_name_hub_and_self),
		TEST(test_retry_after_is_read_in_both_forms),
		TEST(test_a_post_sends_its_body_and_takes_any_2xx),
		TEST(test_gzip_and_brotli_are_unpacked),
		TEST(test_a_body_may_be_as_large_as_the_limit_and_no_larger),
		TEST(test_a_decompression_bomb_ends_at_the_limit),
		TEST(test_a_stream_that_unpacks_to_nothing_ends_too),
		TEST(test_nested_compression_is_refused),
		TEST(test_broken_compression_is_an_error),
		TEST(test_a_coding_that_is_none_is_not_heeded),
		TEST(test_headers_without_end_are_refused),
		TEST(test_what_is_no_http_url_fails_after_the_start),
		TEST(test_a_host_in_another_script_is_asked_as_punycode),
		TEST(test_proxies_of_the_environment_are_not_used),
		TEST(test_an_unknown_host_and_a_closed_port_are_told_apart),
		TEST(test_a_server_that_never_answers_runs_into_the_timeout),
		TEST(test_a_slow_name_server_holds_nobody_up),
		TEST(test_a_host_is_asked_one_thing_at_a_time),
		TEST(test_a_redirect_waits_for_its_turn_with_the_other_host),
		TEST(test_no_more_than_sixteen_are_under_way),
		TEST(test_a_cancelled_request_is_not_heard_of_again),
		TEST(test_a_callback_may_cancel_itself_and_start_another),
		TEST(test_a_callback_may_free_the_fetcher_with_all_it_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
