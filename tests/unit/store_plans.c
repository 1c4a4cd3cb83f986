/* No statement of the daemon's walks over a table that grows with the readers. A life of the store
 * is lived through, and then every statement that it prepared is asked how it finds its rows. */
#include "../../daemon/store/sql.h"
#include "store_helper.h"

#include "hubmail/store_suppression.h"

static bool nobody(const struct store_subscriber *sub, void *arg)
{
	(void)sub;
	(void)arg;
	return true;
}

static bool no_reader(int64_t id, const char *email, const char *name, void *arg)
{
	(void)id;
	(void)email;
	(void)name;
	(void)arg;
	return true;
}

static bool no_delivery(const struct store_delivery *d, void *arg)
{
	(void)d;
	(void)arg;
	return true;
}

static bool no_attempt(const struct store_attempt *a, void *arg)
{
	(void)a;
	(void)arg;
	return true;
}

static void live_with_posts(struct fixture *f)
{
	struct store_source src = {0}, *all;
	struct post_list l = {0}, got = {0};
	struct store_look look = {.at = NOW, .complete = true, .posts = &l};
	struct store_look_result r;
	struct store_past past;
	struct strlist files = {0};
	int64_t next, ids[1];
	size_t n;

	assert_ok(f, store_source_ensure(f->store, f->list, "feed", "x", &src, &f->e));
	look.source_id = src.id;
	store_source_free(&src);
	struct post *p = post_list_add(&l);
	p->guid = xstrdup("urn:g");
	p->url = xstrdup("https://example.org/1");
	assert_ok(f, store_source_look(f->store, &look, &r, &f->e));
	p->guid[4] = 'h';
	p->published_at = NOW;
	p->title = xstrdup("t");
	look.newest_only = true;
	assert_ok(f, store_source_past(f->store, &look, &past, &f->e));
	assert_ok(f, store_source_look(f->store, &look, &r, &f->e));
	free(p->url);
	p->url = NULL;
	p->published_at = 0;
	look.past = &past;
	past.renamed = true;
	p->guid[4] = 'i';
	assert_ok(f, store_source_look(f->store, &look, &r, &f->e));
	strlist_add(&files, "f");
	look.gone = look.there = &files;
	look.error = "e";
	look.complete = false;
	assert_ok(f, store_source_look(f->store, &look, &r, &f->e));
	assert_ok(f, store_source_list(f->store, 0, &all, &n, &f->e));
	for (size_t i = 0; i < n; i++)
		store_source_free(&all[i]);
	free(all);
	assert_ok(f, store_source_leased(f->store, NOW, &all, &n, &f->e));
	assert_int_equal(n, 0);
	assert_ok(
		f, store_post_pending(f->store, f->list, EDITION_EACH, NOW, 0, &got, &next, &f->e));
	assert_ok(f, store_post_held(f->store, f->list, &got, &f->e));
	assert_ok(f, store_post_last(f->store, f->list, 1, INT64_MAX, &got, &f->e));
	ids[0] = got.items[0].id;
	assert_ok(f, store_post_by_ids(f->store, f->list, ids, 1, &got, &f->e));
	post_list_free(&got);
	post_list_free(&l);
	strlist_free(&files);
}

static void live_with_digests(struct fixture *f)
{
	int64_t id = queued_digest(f, 3), at, to[1] = {reader_id(f, "r1@example.org")}, some;
	struct store_digest_new d = {.list_id = f->list,
		.subject = "s",
		.message = "m",
		.message_len = 1,
		.to = to,
		.n_to = 1};
	struct store_ready r[4];
	struct store_digest *all;
	struct buf message = {0};
	size_t n;
	int64_t *posts;

	assert_ok(f, store_digest_create(f->store, &d, NOW, &some, &f->e));
	assert_ok(f, store_delivery_fresh(f->store, id, 0, 1, r, &n, &f->e));
	struct store_result result = {.key = r[0].key, .outcome = OUTCOME_DEFERRED, .at = NOW};
	struct store_turn turn = {.result = &result, .next = &r[0].key, .at = NOW};
	enum store_go go;
	assert_ok(f, store_delivery_turn(f->store, &turn, &go, &f->e));
	assert_ok(f, store_attempt_each(f->store, &r[0].key, no_attempt, NULL, &f->e));
	store_ready_free(&r[0]);
	assert_ok(f, store_delivery_due(f->store, NOW + 9, 4, r, &n, &f->e));
	store_ready_free(&r[0]);
	assert_ok(f, store_delivery_next_due(f->store, &at, &f->e));
	int unknown, retried;
	bool more;
	assert_ok(f, store_delivery_recover(f->store, true, NOW, NULL, NULL, &unknown, &f->e));
	assert_int_equal(unknown, 1);
	assert_ok(f, store_delivery_retry(f->store, 0, 9, NOW, &retried, &f->e));
	assert_ok(f, store_digest_list(f->store, 0, 0, &all, &n, &f->e));
	for (size_t i = 0; i < n; i++)
		store_digest_free(&all[i]);
	free(all);
	assert_ok(f, store_digest_active(f->store, &all, &n, &f->e));
	for (size_t i = 0; i < n; i++)
		store_digest_free(&all[i]);
	free(all);
	assert_ok(f, store_digest_unfinished(f->store, &all, &n, &f->e));
	for (size_t i = 0; i < n; i++)
		store_digest_free(&all[i]);
	free(all);
	get_digest(f, id);
	assert_ok(f, store_digest_message(f->store, id, &message, &f->e));
	buf_free(&message);
	assert_ok(f, store_digest_posts(f->store, id, &posts, &n, &f->e));
	free(posts);
	const int states[] = {-3, -2, -1, 0};
	for (size_t i = 0; i < 4; i++) {
		struct store_delivery_filter filter = {.digest_id = id, .state = states[i]};
		assert_ok(f, store_delivery_each(f->store, &filter, no_delivery, NULL, &f->e));
		filter.subscriber_id = to[0];
		assert_ok(f, store_delivery_each(f->store, &filter, no_delivery, NULL, &f->e));
	}
	assert_ok(f, store_digest_pause(f->store, id, &f->e));
	assert_ok(f, store_digest_resume(f->store, id, NOW, &f->e));
	assert_ok(f, store_digest_cancel(f->store, id, 9, NOW, &more, &f->e));
	assert_ok(f, store_schedule_set(f->store, f->list, EDITION_DAILY, NOW, &f->e));
	assert_ok(f, store_schedule_get(f->store, f->list, EDITION_DAILY, &at, &f->e));
}

static void live_with_readers(struct fixture *f)
{
	struct strlist tags = {0};
	char key[] = "city", value[] = "Beijing";
	struct store_key_value pair = {key, value};
	struct store_subscriber_new who = {.email = "who@example.org",
		.list_id = f->list,
		.state = SUBSCRIPTION_PENDING,
		.edition = EDITION_WEEKLY,
		.tags = &tags,
		.attributes = &pair,
		.n_attributes = 1};
	struct store_subscriber sub;
	struct store_list_counts counts;
	struct store_subscriber_filter everybody = {.state = -1};
	enum store_add_result result;
	enum subscription_state sub_state;
	int64_t count;
	int ended;

	strlist_add(&tags, "t");
	for (int i = 0; i < 2; i++)
		assert_ok(f, store_subscriber_add(f->store, &who, NOW, &result, &f->e));
	strlist_free(&tags);
	who.tags = NULL;
	who.state = SUBSCRIPTION_CONFIRMED;
	assert_ok(f, store_subscriber_add(f->store, &who, NOW, &result, &f->e));
	int64_t id = reader_id(f, who.email);
	assert_ok(f, store_subscriber_get_by_id(f->store, id, &sub, &f->e));
	store_subscriber_free(&sub);
	assert_ok(f, store_subscriber_each(f->store, &everybody, nobody, NULL, &f->e));
	assert_ok(f, store_list_counts(f->store, f->list, &counts, &f->e));
	assert_ok(f, store_audience_count(f->store, f->list, EDITION_EACH, true, &count, &f->e));
	assert_ok(f,
		store_audience_each(f->store, f->list, EDITION_EACH, true, no_reader, NULL, &f->e));
	free(store_list_name(f->store, f->list, &f->e));
	assert_ok(f, store_subscription_state(f->store, id, f->list, &sub_state, &f->e));
	assert_ok(f, store_subscription_end(
			     f->store, id, f->list, SUBSCRIPTION_UNSUBSCRIBED, NOW, &ended, &f->e));
	assert_ok(f, store_subscription_end(
			     f->store, id, 0, SUBSCRIPTION_UNSUBSCRIBED, NOW, &ended, &f->e));
}

static void live_without_them(struct fixture *f)
{
	struct store_suppressed done;
	struct store_suppression sup;
	struct store_erasure last;
	bool was;

	for (int i = 0; i < 2; i++)
		assert_ok(f, store_suppression_add(
				     f->store, "r2@example.org", "why", NOW, &done, &f->e));
	assert_ok(f, store_suppression_get(f->store, "r2@example.org", &sup, &f->e));
	store_suppression_free(&sup);
	assert_ok(f, store_suppression_lift(f->store, "r2@example.org", &was, &f->e));
	assert_ok(f, store_subscriber_erase(
			     f->store, reader_id(f, "r2@example.org"), 0, NOW, &last, &f->e));
	assert_int_equal(last.deliveries, 1);
}

/* Walks that a person asked for (hubmailctl subscribers, posts of the operator's own sources), or
 * over tables that stay small. */
static bool may_walk(const char *detail)
{
	static const char *const fine[] = {"SCAN r USING INDEX sqlite_autoindex_subscriber",
		"SCAN c", "SCAN l", "SCAN t", "SCAN session", "SCAN digest",
		"SCAN d USING INDEX digest_open", "SCAN g", "SCAN (", "SCAN CONSTANT",
		"SCAN 64 CONSTANT ROWS", "SCAN sqlite_sequence", "SCAN u USING", "SCAN d"};

	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
		if (strncmp(detail, fine[i], strlen(fine[i])) == 0)
			return true;
	return false;
}

/* `d` is a digest or a delivery by the statement: a delivery must never be walked over, but by its
 * partial indexes, which hold only what waits. */
static bool is_walk(const char *detail, const char *sql)
{
	if (strncmp(detail, "SCAN ", 5) != 0)
		return false;
	if (strncmp(detail, "SCAN d", 6) == 0 && strstr(sql, "delivery d") != NULL)
		return strstr(detail, "delivery_due") == NULL &&
		       strstr(detail, "delivery_held") == NULL;
	/* … and one that ends at the first row is none. */
	return !may_walk(detail) &&
	       strstr(sql, "SELECT EXISTS (SELECT 1 FROM suppression)") == NULL;
}

static int check(struct store *s, const char *sql)
{
	char *explain = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
	sqlite3_stmt *st;
	int walks = 0;

	assert_int_equal(sqlite3_prepare_v2(s->db, explain, -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		const char *detail = (const char *)sqlite3_column_text(st, 3);
		if (is_walk(detail, sql)) {
			print_error("%s\n  in: %s\n", detail, sql);
			walks++;
		}
	}
	sqlite3_finalize(st);
	sqlite3_free(explain);
	return walks;
}

static void test_no_statement_walks_over_a_table_of_readers_or_deliveries(void **state)
{
	struct fixture *f = *state;
	struct strlist texts = {0};
	int walks = 0;

	live_with_posts(f);
	live_with_digests(f);
	live_with_readers(f);
	live_without_them(f);
	for (sqlite3_stmt *st = NULL; (st = sqlite3_next_stmt(f->store->db, st)) != NULL;)
		strlist_add(&texts, sqlite3_sql(st));
	assert_true(texts.n > 70);
	for (size_t i = 0; i < texts.n; i++)
		walks += check(f->store, texts.items[i]);
	strlist_free(&texts);
	assert_int_equal(walks, 0);
}

static void test_the_check_finds_a_walk(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(check(f->store, "SELECT 1 FROM delivery d WHERE d.attempts = 1"), 1);
	assert_int_equal(check(f->store, "SELECT 1 FROM subscriber WHERE name = 'x'"), 1);
	assert_int_equal(check(f->store, "SELECT 1 FROM attempt WHERE code = 550"), 1);
	assert_int_equal(check(f->store, "SELECT 1 FROM subscriber WHERE email = 'x'"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_no_statement_walks_over_a_table_of_readers_or_deliveries, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(test_the_check_finds_a_walk, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
