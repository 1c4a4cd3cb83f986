/* The whole way from a real source to a digest: a feed over HTTP and a folder on disk, parsed,
 * composed and queued by the real rooms. */
#include "schedule_world.h"

#include "hubmail/compose.h"
#include <event2/buffer.h>
#include <event2/http.h>
#include <fcntl.h>
#include <sys/stat.h>

/* A blog: its feed on the loop of the world, and a folder. */
struct blog {
	struct world *w;
	struct evhttp *http;
	char url[64];
	char *folder;
	const char *feed; /* NULL: the server is in trouble */
	int served, unchanged;
};

static void serve(struct evhttp_request *r, void *arg)
{
	struct blog *b = arg;
	struct evkeyvalq *headers = evhttp_request_get_output_headers(r);
	const char *etag = evhttp_find_header(evhttp_request_get_input_headers(r), "If-None-Match");
	char own[32];

	if (b->feed == NULL) {
		evhttp_send_error(r, 500, "broken");
		return;
	}
	snprintf(own, sizeof(own), "\"%zu\"", strlen(b->feed));
	evhttp_add_header(headers, "ETag", own);
	evhttp_add_header(headers, "Content-Type", "application/rss+xml");
	if (etag != NULL && strcmp(etag, own) == 0) {
		b->unchanged++;
		evhttp_send_reply(r, 304, "Not Modified", NULL);
		return;
	}
	struct evbuffer *body = evbuffer_new();
	evbuffer_add(body, b->feed, strlen(b->feed));
	evhttp_send_reply(r, 200, "OK", body);
	evbuffer_free(body);
	b->served++;
}

static void open_server(struct blog *b, struct loop *loop)
{
	b->http = evhttp_new(loop_base(loop));
	assert_non_null(b->http);
	struct evhttp_bound_socket *s = evhttp_bind_socket_with_handle(b->http, "127.0.0.1", 0);
	assert_non_null(s);
	struct sockaddr_in at = {0};
	socklen_t len = sizeof(at);
	assert_int_equal(
		getsockname(evhttp_bound_socket_get_fd(s), (struct sockaddr *)&at, &len), 0);
	snprintf(b->url, sizeof(b->url), "http://127.0.0.1:%d/feed", ntohs(at.sin_port));
	evhttp_set_gencb(b->http, serve, b);
}

static int make_blog(void **state)
{
	struct blog *b = xcalloc(1, sizeof(*b));

	make_world((void **)&b->w);
	b->folder = xasprintf("%s/posts", b->w->f->folder);
	assert_int_equal(mkdir(b->folder, 0755), 0);
	struct loop *loop = loop_new();
	open_server(b, loop);
	b->w->sources[0][0].location = b->url;
	b->w->sources[0][0].allow_private = true;
	b->w->sources[0][1].location = b->folder;
	b->w->sources[0][1].url = (char *)"https://example.org/posts/";
	b->w->lists[0].n_sources = 2;
	add_reader(b->w->f, "anna@example.org");
	start_on(b->w, loop);
	*state = b;
	return 0;
}

static int end_blog(void **state)
{
	struct blog *b = *state;

	evhttp_free(b->http);
	end_world((void **)&b->w);
	free(b->folder);
	free(b);
	return 0;
}

#define ITEM(title)                                                                                \
	"<item><guid>" title "</guid><title>" title "</title><link>https://example.org/" title     \
	"</link><description>&lt;p&gt;About " title "&lt;/p&gt;</description></item>"
#define RSS(items) "<?xml version='1.0'?><rss version='2.0'><channel>" items "</channel></rss>"

static void save(struct blog *b, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", b->folder, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	free(path);
}

static void test_a_new_item_of_a_feed_becomes_a_digest(void **state)
{
	struct blog *b = *state;

	b->feed = RSS(ITEM("One"));
	WAIT_FOR(b->w, is_ok, b->url);
	assert_int_equal(schedule_poll(b->w->schedule, b->url), 1);
	WAIT_FOR(b->w, is_looking, b->url);
	WAIT_FOR(b->w, is_ok, b->url);
	assert_int_equal(b->served, 1);
	assert_int_equal(b->unchanged, 1);
	b->feed = RSS(ITEM("One") ITEM("Zweites"));
	assert_int_equal(schedule_poll(b->w->schedule, b->url), 1);
	expect_digests(b->w, "each:Zweites");
}

static void test_a_file_saved_in_the_folder_becomes_a_digest(void **state)
{
	struct blog *b = *state;
	struct buf message = {0};

	b->feed = RSS(ITEM("One"));
	WAIT_FOR(b->w, is_ok, b->folder);
	save(b, "hello.md", "---\ntitle: Hello\n---\nA *new* post.\n");
	expect_digests(b->w, "each:Hello");
	assert_ok(b->w->f, store_digest_message(b->w->f->store, 1, &message, &b->w->e));
	struct compose_plan *plan = compose_plan_decode(message.data, message.len, &b->w->e);
	assert_non_null(plan);
	assert_string_equal(compose_plan_subject(plan), "Hello");
	compose_plan_free(plan);
	buf_free(&message);
}

static void test_a_broken_feed_does_not_hold_up_the_folder(void **state)
{
	struct blog *b = *state;

	WAIT_FOR(b->w, is_failing, b->url);
	assert_non_null(strstr(source_text(b->w, b->url, "error"), "500"));
	WAIT_FOR(b->w, is_ok, b->folder);
	save(b, "hello.md", "---\ntitle: Hello\n---\nText.\n");
	expect_digests(b->w, "each:Hello");
	b->feed = "<html><body>not a feed";
	assert_int_equal(schedule_poll(b->w->schedule, b->url), 1);
	WAIT_FOR(b->w, is_looking, b->url);
	WAIT_FOR(b->w, is_failing, b->url);
	b->feed = RSS(ITEM("One"));
	assert_int_equal(schedule_poll(b->w->schedule, b->url), 1);
	WAIT_FOR(b->w, is_ok, b->url);
}

static void test_a_bad_file_is_an_error_until_it_is_mended(void **state)
{
	struct blog *b = *state;

	b->feed = RSS(ITEM("One"));
	WAIT_FOR(b->w, is_ok, b->folder);
	save(b, "bad.md", "---\ntitle: [\n---\nText.\n");
	WAIT_FOR(b->w, is_failing, b->folder);
	assert_non_null(strstr(source_text(b->w, b->folder, "error"), "bad.md"));
	save(b, "good.md", "---\ntitle: Good\n---\nText.\n");
	expect_digests(b->w, "each:Good");
	save(b, "bad.md", "---\ntitle: Mended\n---\nText.\n");
	expect_digests(b->w, "each:Good each:Mended");
	WAIT_FOR(b->w, is_ok, b->folder);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_blog, end_blog)
	const struct CMUnitTest tests[] = {
		TEST(test_a_new_item_of_a_feed_becomes_a_digest),
		TEST(test_a_file_saved_in_the_folder_becomes_a_digest),
		TEST(test_a_broken_feed_does_not_hold_up_the_folder),
		TEST(test_a_bad_file_is_an_error_until_it_is_mended),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
