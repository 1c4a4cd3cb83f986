/* Opening databases: new ones, older ones, newer ones, other people's. */
#include "../../daemon/store/sql.h"
#include "store_helper.h"

#include "hubmail/store_suppression.h"
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void execute(struct fixture *f, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_close(db);
}

static int number(const char *path, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *st;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	int n = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

static void close_store(struct fixture *f)
{
	store_close(f->store);
	f->store = NULL;
}

static void test_a_new_database_is_ours_and_of_this_version(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	close_store(f);
	assert_int_equal(number(f->path, "PRAGMA application_id"), 0x6875626d);
	assert_int_equal(number(f->path, "PRAGMA user_version"), schema_current().n);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void test_a_database_of_a_newer_program_is_refused_and_untouched(void **state)
{
	struct fixture *f = *state;
	const enum store_mode modes[] = {STORE_READ, STORE_WRITE, STORE_DAEMON};

	close_store(f);
	execute(f, "PRAGMA user_version = 999");
	for (size_t i = 0; i < 3; i++) {
		assert_null(store_open(f->path, modes[i], &f->e));
		assert_int_equal(f->e.code, ERROR_CONFIG);
		assert_non_null(strstr(f->e.text, "newer"));
	}
	assert_int_equal(number(f->path, "PRAGMA user_version"), 999);
}

static void test_another_programs_database_is_refused_and_untouched(void **state)
{
	struct fixture *f = *state;

	close_store(f);
	assert_int_equal(unlink(f->path), 0);
	execute(f, "CREATE TABLE theirs (x); PRAGMA user_version = 1");
	assert_null(store_open(f->path, STORE_WRITE, &f->e));
	assert_int_equal(f->e.code, ERROR_CONFIG);
	assert_int_equal(number(f->path, "SELECT count(*) FROM sqlite_schema"), 1);
}

static void test_a_file_that_is_no_database_is_refused_and_untouched(void **state)
{
	struct fixture *f = *state;
	static const char text[] = "Dear diary, today I wrote no database at all, only this line.";
	char back[sizeof(text)] = "";

	close_store(f);
	assert_int_equal(unlink(f->path), 0);
	FILE *file = fopen(f->path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_null(store_open(f->path, STORE_WRITE, &f->e));
	assert_int_equal(f->e.code, ERROR_CONFIG);
	file = fopen(f->path, "r");
	assert_non_null(fgets(back, sizeof(back), file));
	fclose(file);
	assert_string_equal(back, text);
}

static void test_reading_makes_no_database(void **state)
{
	struct fixture *f = *state;

	close_store(f);
	assert_int_equal(unlink(f->path), 0);
	assert_null(store_open(f->path, STORE_READ, &f->e));
	assert_int_equal(f->e.code, ERROR_NOT_FOUND);
	assert_int_not_equal(access(f->path, F_OK), 0);
}

/* Migrations are tried with steps of their own, too. */
static sqlite3 *at_version(struct fixture *f, struct schema schema)
{
	sqlite3 *db;

	close_store(f);
	unlink(f->path);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_ok(f, schema_migrate(db, f->path, schema, &f->e));
	return db;
}

static void test_an_older_database_is_migrated_after_a_copy_was_made(void **state)
{
	struct fixture *f = *state;
	static const char *const steps[] = {"CREATE TABLE a (x); INSERT INTO a VALUES (7)",
		"ALTER TABLE a ADD COLUMN y", "UPDATE a SET y = x * 2"};
	char copy[128];
	sqlite3 *db = at_version(f, (struct schema){steps, 1});

	snprintf(copy, sizeof(copy), "%s.v1.bak", f->path);
	assert_int_not_equal(access(copy, F_OK), 0);
	assert_ok(f, schema_migrate(db, f->path, (struct schema){steps, 3}, &f->e));
	sqlite3_close(db);
	assert_int_equal(number(f->path, "SELECT y FROM a"), 14);
	assert_int_equal(number(f->path, "PRAGMA user_version"), 3);
	assert_int_equal(number(copy, "SELECT x FROM a"), 7);
	assert_int_equal(number(copy, "PRAGMA user_version"), 1);
}

static void test_a_migration_that_fails_changes_nothing(void **state)
{
	struct fixture *f = *state;
	static const char *const steps[] = {"CREATE TABLE a (x); INSERT INTO a VALUES (7)",
		"UPDATE a SET x = 8", "UPDATE no_such_table SET x = 9"};
	sqlite3 *db = at_version(f, (struct schema){steps, 1});

	assert_false(schema_migrate(db, f->path, (struct schema){steps, 3}, &f->e));
	assert_non_null(strstr(f->e.text, "nothing was changed"));
	sqlite3_close(db);
	assert_int_equal(number(f->path, "SELECT x FROM a"), 7);
	assert_int_equal(number(f->path, "PRAGMA user_version"), 1);
}

static void test_posts_of_the_first_schema_are_still_known_by_their_links(void **state)
{
	struct fixture *f = *state;
	static const char posts[] =
		"INSERT INTO list (name) VALUES ('news');"
		"INSERT INTO source (list_id, kind, location, first_look_at) VALUES (1, 'feed', 'x', 5);"
		"INSERT INTO post (source_id, guid, url, published_at, found_at, seen) VALUES"
		" (1, 'a', 'http://www.example.org/a/', 5, 5, 1), (1, 'b', 'https://example.org/b', 5, 5, 1)";
	char *urls[] = {xstrdup("https://example.org/a"), xstrdup("http://www.example.org/b/")};
	struct post_list l = {0};
	struct store_look look = {.source_id = 1, .at = NOW, .posts = &l, .complete = true};
	struct store_look_result r;

	sqlite3_close(at_version(f, (struct schema){schema_current().steps, 1}));
	execute(f, posts);
	f->store = store_open(f->path, STORE_WRITE, &f->e);
	assert_non_null(f->store);
	for (int i = 0; i < 2; i++) {
		struct post *p = post_list_add(&l);
		p->guid = xasprintf("new-%d", i);
		p->url = urls[i];
	}
	assert_ok(f, store_source_look(f->store, &look, &r, &f->e));
	assert_int_equal(r.changed, 2);
	assert_int_equal(r.added, 0);
	post_list_free(&l);
}

/* Every schema that was ever current becomes the one of today, with its readers. */
static void test_a_database_of_any_age_learns_to_suppress(void **state)
{
	struct fixture *f = *state;
	static const char reader[] =
		"INSERT INTO list (name) VALUES ('news');"
		"INSERT INTO subscriber (email, created_at) VALUES ('Ann@example.org', 5);"
		"INSERT INTO subscription (list_id, subscriber_id, state, created_at)"
		" VALUES (1, 1, 1, 5)";
	struct store_suppressed done;
	struct store_suppression sup;

	for (int version = 1; version < schema_current().n; version++) {
		sqlite3_close(at_version(f, (struct schema){schema_current().steps, version}));
		execute(f, reader);
		f->store = store_open(f->path, STORE_WRITE, &f->e);
		assert_non_null(f->store);
		store_set_secret(f->store, &unit_secret);
		assert_ok(f, store_suppression_add(
				     f->store, "ann@example.org", NULL, NOW, &done, &f->e));
		assert_int_equal(done.ended, 1);
		assert_ok(f, store_suppression_get(f->store, "ann@example.org", &sup, &f->e));
		assert_int_equal(sup.at, NOW);
		assert_int_equal(number(f->path, "PRAGMA user_version"), schema_current().n);
	}
}

static void test_one_daemon_at_a_time_has_the_lock(void **state)
{
	struct fixture *f = *state;
	char pid[32];
	int status;
	int fd = store_lock(f->path, &f->e);

	assert_true(fd >= 0);
	pid_t child = fork();
	if (child == 0) {
		struct error e = {0};
		int second = store_lock(f->path, &e);
		snprintf(pid, sizeof(pid), "process %ld", (long)getppid());
		_exit(second < 0 && e.code == ERROR_REFUSED && strstr(e.text, pid) != NULL ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	close(fd);
	fd = store_lock(f->path, &f->e);
	assert_true(fd >= 0);
	close(fd);
}

static void test_the_log_is_emptied_unless_somebody_reads(void **state)
{
	struct fixture *f = *state;
	char log[128];
	struct stat st;
	sqlite3 *db;

	snprintf(log, sizeof(log), "%s-wal", f->path);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db, "BEGIN; SELECT * FROM list", NULL, NULL, NULL), SQLITE_OK);
	add_reader(f, "a@example.org");
	assert_false(store_empty_log(f->store));
	assert_int_equal(stat(log, &st), 0);
	assert_true(st.st_size > 0);
	add_reader(f, "b@example.org"); /* nobody has to wait for that reader */
	sqlite3_close(db);
	assert_true(store_empty_log(f->store));
	assert_int_equal(stat(log, &st), 0);
	assert_int_equal(st.st_size, 0);
	add_reader(f, "c@example.org");
	assert_int_equal(number(f->path, "SELECT count(*) FROM subscriber"), 3);
}

static void test_a_backup_is_a_whole_database_and_overwrites_nothing(void **state)
{
	struct fixture *f = *state;
	char copy[128];

	add_reader(f, "a@example.org");
	snprintf(copy, sizeof(copy), "%s/copy.db", f->folder);
	assert_ok(f, store_backup(f->store, copy, &f->e));
	assert_int_equal(number(copy, "SELECT count(*) FROM subscriber"), 1);
	assert_false(store_backup(f->store, copy, &f->e));
	assert_int_equal(f->e.code, ERROR_REFUSED);
	assert_int_equal(number(copy, "SELECT count(*) FROM subscriber"), 1);
}

static void test_only_its_owner_reads_a_backup(void **state)
{
	struct fixture *f = *state;
	char copy[128];
	struct stat st;

	snprintf(copy, sizeof(copy), "%s/copy.db", f->folder);
	mode_t before = umask(0);
	assert_ok(f, store_backup(f->store, copy, &f->e));
	umask(before);
	assert_int_equal(stat(copy, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

/* A limit on the size of files stands in for the full disk. */
static void test_a_backup_that_fails_leaves_no_file_and_names_it(void **state)
{
	struct fixture *f = *state;
	struct rlimit before, low;
	char copy[128];

	snprintf(copy, sizeof(copy), "%s/none/copy.db", f->folder);
	assert_false(store_backup(f->store, copy, &f->e));
	assert_non_null(strstr(f->e.text, copy));
	snprintf(copy, sizeof(copy), "%s/copy.db", f->folder);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	low = before;
	low.rlim_cur = 8192;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	bool done = store_backup(f->store, copy, &f->e);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_false(done);
	assert_non_null(strstr(f->e.text, copy));
	assert_int_equal(access(copy, F_OK), -1);
	assert_ok(f, store_backup(f->store, copy, &f->e));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_a_new_database_is_ours_and_of_this_version),
		TEST(test_a_database_of_a_newer_program_is_refused_and_untouched),
		TEST(test_another_programs_database_is_refused_and_untouched),
		TEST(test_a_file_that_is_no_database_is_refused_and_untouched),
		TEST(test_reading_makes_no_database),
		TEST(test_an_older_database_is_migrated_after_a_copy_was_made),
		TEST(test_a_migration_that_fails_changes_nothing),
		TEST(test_posts_of_the_first_schema_are_still_known_by_their_links),
		TEST(test_a_database_of_any_age_learns_to_suppress),
		TEST(test_one_daemon_at_a_time_has_the_lock),
		TEST(test_the_log_is_emptied_unless_somebody_reads),
		TEST(test_a_backup_is_a_whole_database_and_overwrites_nothing),
		TEST(test_only_its_owner_reads_a_backup),
		TEST(test_a_backup_that_fails_leaves_no_file_and_names_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
