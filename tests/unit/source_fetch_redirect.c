/* Where redirects may lead: how far, to which schemes and to which addresses. */
#include "source_fetch_helper.h"

/* ---- Redirects ---- */

static void test_redirects_are_followed_and_permanent_ones_reported(void **state)
{
	struct fixture *f = *state;
	char expected[64];
	ROUTES(f, {"/old", 301, {{"Location", "/new"}}}, {"/new", 308, {{"Location", "newest"}}},
		{"/newest", 200, .body = "x"}, {"/for-now", 302, {{"Location", "/new"}}},
		{"/both", 301, {{"Location", "/for-now"}}},
		{"/to-gone", 301, {{"Location", "/gone"}}}, {"/gone", 410});

	get(f, "/old");
	assert_success(f, 200);
	snprintf(expected, sizeof(expected), "http://blog.test:%d/newest", f->port);
	assert_string_equal(f->answer_url, expected);
	assert_string_equal(f->moved_to, expected);
	get(f, "/for-now");
	assert_success(f, 200);
	assert_string_equal(f->answer_url, expected);
	assert_null(f->moved_to);
	get(f, "/both");
	snprintf(expected, sizeof(expected), "http://blog.test:%d/for-now", f->port);
	assert_string_equal(f->moved_to, expected);
	get(f, "/to-gone");
	assert_int_equal(f->status, 410);
	assert_null(f->moved_to);
}

static void test_validators_go_along_with_redirects(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, {"/old", 302, {{"Location", "/feed"}}}, {"/feed", 304});

	f->request.etag = "\"v1\"";
	get(f, "/old");
	assert_success(f, 304);
	assert_string_equal(f->etag, "\"v1\"");
}

static void test_five_redirects_are_the_most(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, {"/6", 302, {{"Location", "/5"}}}, {"/5", 302, {{"Location", "/4"}}},
		{"/4", 302, {{"Location", "/3"}}}, {"/3", 302, {{"Location", "/2"}}},
		{"/2", 302, {{"Location", "/1"}}}, {"/1", 302, {{"Location", "/0"}}},
		{"/0", 200, .body = "x"}, {"/loop", 301, {{"Location", "/loop"}}});

	get(f, "/5");
	assert_success(f, 200);
	get(f, "/6");
	assert_failure(f, ERROR_DATA, "5 redirects");
	f->requests = 0;
	get(f, "/loop");
	assert_failure(f, ERROR_DATA, "circles");
	assert_int_equal(f->requests, 6);
}

static void test_redirects_lead_to_http_only(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, {"/file", 302, {{"Location", "file:///etc/passwd"}}},
		{"/ftp", 302, {{"Location", "ftp://blog.test/"}}},
		{"/script", 302, {{"Location", "javascript:alert(1)"}}}, {"/none", 302});

	get(f, "/file");
	assert_failure(f, ERROR_DATA, "http");
	get(f, "/ftp");
	assert_failure(f, ERROR_DATA, "http");
	get(f, "/script");
	assert_false(f->has_answer);
	get(f, "/none");
	assert_failure(f, ERROR_DATA, "without saying where");
}

static void test_a_password_stays_with_its_host(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, {"/feed", 200, .body = "x"}, {"/same", 301, {{"Location", "/feed"}}},
		{"/whole", 301, {{"Location", "http://blog.test:%d/feed"}}},
		{"/other", 301, {{"Location", "http://any.test:%d/feed"}}});

	snprintf(net.address, sizeof(net.address), "8.8.8.8");
	get_at(f, "ann:s3cret@blog.test", "/feed");
	assert_success(f, 200);
	assert_string_equal(f->login, "Basic YW5uOnMzY3JldA==");
	assert_null(strstr(f->answer_url, "s3cret"));
	get_at(f, "ann:s3cret@blog.test", "/same");
	assert_success(f, 200);
	assert_string_equal(f->login, "Basic YW5uOnMzY3JldA==");
	assert_null(f->moved_to);
	get_at(f, "ann:s3cret@blog.test", "/whole");
	assert_string_equal(f->login, "Basic YW5uOnMzY3JldA==");
	get_at(f, "ann:s3cret@blog.test", "/other");
	assert_success(f, 200);
	assert_string_equal(f->login, "");
}

/* ---- Addresses ---- */

static bool redirect_is_followed_to(struct fixture *f, const char *address)
{
	ROUTES(f, {"/out", 302, {{"Location", "http://any.test:%d/feed"}}},
		{"/feed", 200, .body = "x"});

	pthread_mutex_lock(&net.lock);
	snprintf(net.address, sizeof(net.address), "%s", address);
	pthread_mutex_unlock(&net.lock);
	fetcher_free(f->fetcher); /* with what it knows of any.test */
	f->fetcher = fetcher_new(f->loop, "test");
	f->requests = net.connects = 0;
	get(f, "/out");
	if (f->failure.code == ERROR_NONE)
		return true;
	assert_false(f->has_answer);
	assert_failure(f, ERROR_REFUSED, "any.test has the address");
	assert_int_equal(f->requests, 1);
	assert_int_equal(net.connects, 1);
	return false;
}

static void test_a_redirect_to_another_host_reaches_public_addresses_only(void **state)
{
	struct fixture *f = *state;
	static const char *const refused[] = {"127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1",
		"172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.127.255.255",
		"0.0.0.0", "224.0.0.1", "239.1.1.1", "255.255.255.255", "198.18.0.1", "240.0.0.1"};
	static const char *const reached[] = {"8.8.8.8", "172.15.0.1", "172.32.0.1", "100.63.0.1",
		"100.128.0.1", "192.167.0.1", "11.0.0.1", "223.1.1.1", "126.0.0.1", "169.253.0.1"};

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (redirect_is_followed_to(f, refused[i]))
			fail_msg("%s was connected to", refused[i]);
	for (size_t i = 0; i < sizeof(reached) / sizeof(reached[0]); i++)
		if (!redirect_is_followed_to(f, reached[i]))
			fail_msg("%s was refused: %s", reached[i], f->failure.text);
}

static void test_the_same_holds_for_ipv6(void **state)
{
	struct fixture *f = *state;
	static const char *const refused[] = {"::1", "::", "fe80::1", "fd00::1", "fc00::1",
		"ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::a00:1",
		"64:ff9b:1::1", "2002:7f00:1::", "2001::1", "2001:db8::1", "fec0::1", "100::1",
		"::ffff:169.254.169.254"};
	static const char *const reached[] = {"2606:4700::1", "2a00:1450::1", "::ffff:8.8.8.8",
		"64:ff9b::808:808", "2002:808:808::"};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		skip();
	close(fd);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (redirect_is_followed_to(f, refused[i]))
			fail_msg("%s was connected to", refused[i]);
	for (size_t i = 0; i < sizeof(reached) / sizeof(reached[0]); i++)
		if (!redirect_is_followed_to(f, reached[i]))
			fail_msg("%s was refused: %s", reached[i], f->failure.text);
}

static void test_an_address_in_the_redirect_itself_is_refused_in_every_spelling(void **state)
{
	struct fixture *f = *state;
	static const char *const hosts[] = {"169.254.169.254", "127.0.0.1:%d", "2130706433:%d",
		"0x7f.1:%d", "[::1]:%d", "[::ffff:127.0.0.1]:%d", "inside.test:%d"};

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		char location[64];
		snprintf(location, sizeof(location), "http://%s/feed", hosts[i]);
		struct route routes[] = {
			{"/out", 302, {{"Location", location}}}, {"/feed", 200, .body = "x"}};
		f->routes = routes;
		f->n_routes = 2;
		get(f, "/out");
		if (f->failure.code != ERROR_REFUSED)
			fail_msg("%s: %s", location, f->failure.text);
	}
}

static void test_the_operators_own_host_may_be_private(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, {"/feed", 200, .body = "x"},
		{"/back", 302, {{"Location", "http://BLOG.test:%d/feed"}}});

	get(f, "/feed");
	assert_success(f, 200);
	get(f, "/back");
	assert_success(f, 200);
	get_at(f, "127.0.0.1", "/feed");
	assert_success(f, 200);
}

static void test_not_even_the_own_host_may_be_link_local(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, {"/feed", 200, .body = "x"});

	snprintf(net.address, sizeof(net.address), "169.254.169.254");
	get_at(f, "any.test", "/feed");
	assert_failure(f, ERROR_REFUSED, "169.254.169.254");
	f->request.private_addresses = FETCH_PRIVATE_ALWAYS;
	get_at(f, "any.test", "/feed");
	assert_success(f, 200);
}

static void test_private_addresses_can_be_refused_or_allowed_altogether(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, {"/feed", 200, .body = "x"},
		{"/out", 302, {{"Location", "http://inside.test:%d/feed"}}});

	f->request.private_addresses = FETCH_PRIVATE_ALWAYS;
	get(f, "/out");
	assert_success(f, 200);
	f->request.private_addresses = FETCH_PRIVATE_NEVER;
	get(f, "/feed");
	assert_failure(f, ERROR_REFUSED, "blog.test has the address 127.0.0.1");
}

static void test_an_open_connection_to_a_private_address_is_not_lent(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, {"/feed", 200, .body = "x"},
		{"/out", 302, {{"Location", "http://inside.test:%d/feed"}}});

	get_at(f, "inside.test", "/feed");
	assert_success(f, 200);
	f->requests = 0;
	get(f, "/out");
	assert_failure(f, ERROR_REFUSED, "inside.test has the address 127.0.0.1");
	assert_int_equal(f->requests, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_redirects_are_followed_and_permanent_ones_reported),
		TEST(test_validators_go_along_with_redirects),
		TEST(test_five_redirects_are_the_most),
		TEST(test_redirects_lead_to_http_only),
		TEST(test_a_password_stays_with_its_host),
		TEST(test_a_redirect_to_another_host_reaches_public_addresses_only),
		TEST(test_the_same_holds_for_ipv6),
		TEST(test_an_address_in_the_redirect_itself_is_refused_in_every_spelling),
		TEST(test_the_operators_own_host_may_be_private),
		TEST(test_not_even_the_own_host_may_be_link_local),
		TEST(test_private_addresses_can_be_refused_or_allowed_altogether),
		TEST(test_an_open_connection_to_a_private_address_is_not_lent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
