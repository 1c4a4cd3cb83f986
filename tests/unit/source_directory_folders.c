/* A watched directory whose folders come, move and go, and the watch's own end. */
#include "source_directory_helper.h"

#include <fcntl.h>
#include <sys/resource.h>

static void move_beside(const struct fixture *f, const char *from, const char *to)
{
	char *a = xasprintf("%s/%s", f->top, from), *b = xasprintf("%s/%s", f->top, to);

	assert_int_equal(rename(a, b), 0);
	free(a);
	free(b);
}

/* ---- Folders inside ---- */

static void test_a_new_folder_is_watched_with_what_is_in_it(void **state)
{
	struct fixture *f = *state;

	watch(f, NEVER_S);
	make_folder(f, "2026");
	make_folder(f, "2026/bundle");
	save(f, "2026/bundle/index.md", "Bundle");
	wait_for_found(f, "2026/bundle/index.md=Bundle");
	save(f, "2026/bundle/more.md", "More");
	wait_for_found(f, "2026/bundle/more.md=More");
	assert_int_equal(f->found.n, 2);
}

static void test_a_half_written_file_in_a_new_folder_is_not_told(void **state)
{
	struct fixture *f = *state;

	watch(f, NEVER_S);
	make_folder(f, "new");
	int fd = open_file(f, "new/half.md");
	write_text(fd, "---\ntitle: Ha");
	while (count_watches() < 2)
		turn(f);
	write_text(fd, "lf\n---\n");
	save(f, "sentinel.md", "Sentinel");
	wait_for_found(f, "sentinel.md=Sentinel");
	wait_until_old(f, "new/half.md");
	assert_int_equal(f->found.n, 1);
	look_at_all(f);
	assert_int_equal(f->found.n, 1);
	close(fd);
	wait_for_found(f, "new/half.md=Half");
}

static void test_a_folder_moved_in_brings_its_posts(void **state)
{
	struct fixture *f = *state;

	make_folder(f, "../batch");
	save(f, "../batch/a.md", "A");
	save(f, "../batch/b.md", "B");
	watch(f, NEVER_S);
	move(f, "../batch", "batch");
	wait_for_found(f, "batch/a.md=A");
	wait_for_found(f, "batch/b.md=B");
}

static void test_a_directory_that_is_not_there_says_nothing_of_its_files(void **state)
{
	struct fixture *f = *state;

	save(f, "a.md", "A");
	watch(f, NEVER_S);
	forget(f);
	move_beside(f, "posts", "aside");
	wait_for_errors(f, 1);
	assert_int_equal(f->gone.n, 0);
	move_beside(f, "aside", "posts");
	wait_for_complete(f);
	assert_int_equal(f->there.n, 1);
}

static void test_a_renamed_folder_is_known_by_its_new_name(void **state)
{
	struct fixture *f = *state;

	make_folder(f, "old");
	make_folder(f, "old/sub");
	save(f, "old/sub/a.md", "A");
	watch(f, NEVER_S);
	forget(f);
	move(f, "old", "new");
	wait_for_found(f, "new/sub/a.md=A");
	save(f, "new/sub/b.md", "B");
	wait_for_found(f, "new/sub/b.md=B");
	make_folder(f, "old");
	save(f, "old/c.md", "C");
	wait_for_found(f, "old/c.md=C");
	assert_int_equal(f->found.n, 3);
	look_at_all(f);
	assert_int_equal(f->found.n, 3);
}

static void test_a_folder_moved_out_is_no_longer_watched(void **state)
{
	struct fixture *f = *state;

	make_folder(f, "gone");
	make_folder(f, "gone/sub");
	save(f, "gone/sub/a.md", "A");
	watch(f, NEVER_S);
	assert_int_equal(count_watches(), 3);
	move(f, "gone", "../gone");
	save(f, "sentinel.md", "Sentinel");
	wait_for_found(f, "sentinel.md=Sentinel");
	assert_int_equal(count_watches(), 1);
	forget(f);
	save(f, "../gone/sub/b.md", "B");
	save(f, "last.md", "Last");
	wait_for_found(f, "last.md=Last");
	assert_int_equal(f->found.n, 1);
	look_at_all(f);
	assert_int_equal(f->found.n, 2);
	assert_int_equal(f->errors.n, 0);
}

static void test_a_folder_deleted_and_made_again_is_watched(void **state)
{
	struct fixture *f = *state;

	make_folder(f, "sub");
	save(f, "sub/a.md", "A");
	watch(f, NEVER_S);
	forget(f);
	char *sub = path_of(f, "sub");
	remove_all(sub);
	free(sub);
	make_folder(f, "sub");
	save(f, "sub/b.md", "B");
	wait_for_found(f, "sub/b.md=B");
	save(f, "sub/c.md", "C");
	wait_for_found(f, "sub/c.md=C");
	look_at_all(f);
	assert_int_equal(f->found.n, 2);
	assert_int_equal(f->errors.n, 0);
}

static void test_folders_may_lie_deep_but_not_without_end(void **state)
{
	struct fixture *f = *state;
	struct buf path = {0};

	for (int i = 0; i < 64; i++) {
		buf_addf(&path, "%sd", i > 0 ? "/" : "");
		make_folder(f, buf_str(&path));
	}
	char *deep = xasprintf("%s/deep.md", buf_str(&path));
	save(f, deep, "Deep");
	buf_adds(&path, "/d");
	make_folder(f, buf_str(&path));
	char *deeper = xasprintf("%s/deeper.md", buf_str(&path));
	save(f, deeper, "Deeper");
	watch(f, NEVER_S);
	assert_int_equal(f->found.n, 1);
	assert_int_equal(f->errors.n, 1);
	assert_non_null(strstr(f->errors.items[0], "folders inside each other"));
	free(deep);
	free(deeper);
	buf_free(&path);
}

/* ---- Events that are lost ---- */

static void test_what_lost_events_would_have_told_is_found_by_a_scan(void **state)
{
	struct fixture *f = *state;

	watch(f, NEVER_S);
	forget(f);
	int half = open_file(f, "half.md");
	write_text(half, "---\ntitle: Half");
	wait_until_old(f, "half.md");
	/* Two writers by turns, so that the kernel cannot merge their events; 16,384 is its limit
	 * unless somebody has raised it. */
	int a = open_file(f, "a.txt"), b = open_file(f, "b.txt");
	for (int i = 0; i < 40000; i++) {
		write_text(a, "x");
		write_text(b, "x");
	}
	close(a);
	close(b);
	make_folder(f, "new");
	save(f, "new/lost.md", "Lost");
	wait_for_found(f, "new/lost.md=Lost");
	look_at_all(f);
	assert_int_equal(f->found.n, 1); /* half.md's writer is not forgotten */
	write_text(half, "!\n---\n");
	close(half);
	wait_for_found(f, "half.md=Half!");
	save(f, "new/next.md", "Next");
	wait_for_found(f, "new/next.md=Next");
}

/* ---- The directory itself ---- */

static void test_a_directory_that_is_missing_is_an_error_once_and_waited_for(void **state)
{
	struct fixture *f = *state;

	remove_all(f->folder);
	f->watch = directory_watch_new(f->loop, f->folder, NULL, NULL, QUIET_MS, 1, on_look, f);
	wait_for_errors(f, 1);
	assert_non_null(strstr(f->errors.items[0], "posts: no such directory"));
	assert_int_equal(f->completes, 0);
	assert_int_equal(mkdir(f->folder, 0755), 0);
	save(f, "hello.md", "Hello");
	wait_for_complete(f);
	assert_int_equal(f->found.n, 1);
	assert_int_equal(f->errors.n, 1);
}

static void test_a_directory_that_vanishes_and_comes_back_is_watched_again(void **state)
{
	struct fixture *f = *state;

	save(f, "a.md", "A");
	watch(f, NEVER_S);
	forget(f);
	remove_all(f->folder);
	wait_for_errors(f, 1);
	assert_int_equal(mkdir(f->folder, 0755), 0);
	save(f, "b.md", "B");
	wait_for_found(f, "b.md=B");
	save(f, "c.md", "C");
	wait_for_found(f, "c.md=C");
	assert_int_equal(f->errors.n, 1);
	assert_int_equal(f->completes, 1);
}

/* Opens files until the descriptors that are in use have no gap between them. Returns the first
 * that is free. */
static int fill_gaps(void)
{
	int highest = 0, next;

	for (int fd = 0; fd < 1024; fd++)
		highest = fcntl(fd, F_GETFD) >= 0 ? fd : highest;
	while ((next = open("/dev/null", O_RDONLY)) < highest)
		assert_true(next >= 0);
	close(next);
	return next;
}

/* If it were complete without them, its posts would pass for new when they are found. */
static void test_a_look_without_descriptors_is_not_complete(void **state)
{
	struct fixture *f = *state;
	struct rlimit limit, low;

	make_folder(f, "sub");
	save(f, "sub/a.md", "A");
	save(f, "b.md", "B");
	wait_until_old(f, "b.md");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	int next = fill_gaps();
	for (int left = 0; left <= 3; left++) { /* for: nothing, inotify, a folder, a file */
		forget(f);
		low = (struct rlimit){(rlim_t)(next + left), limit.rlim_max};
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
		f->watch = directory_watch_new(
			f->loop, f->folder, NULL, NULL, QUIET_MS, NEVER_S, on_look, f);
		for (int i = 0; i < 100 && f->completes == 0; i++)
			event_base_loop(f->base, EVLOOP_NONBLOCK);
		assert_int_equal(f->completes, left == 3);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
		wait_for_complete(f);
		assert_true(strlist_has(&f->found, "sub/a.md=A"));
		assert_true(strlist_has(&f->found, "b.md=B"));
		directory_watch_free(f->watch);
		f->watch = NULL;
	}
}

static void test_a_directory_that_is_replaced_is_watched_anew(void **state)
{
	struct fixture *f = *state;

	make_folder(f, "sub");
	make_folder(f, "other");
	watch(f, NEVER_S);
	make_folder(f, "../next");
	make_folder(f, "../next/sub");
	save(f, "../next/a.md", "A");
	move_beside(f, "posts", "before");
	move_beside(f, "next", "posts");
	wait_for_found(f, "a.md=A");
	save(f, "sub/b.md", "B");
	wait_for_found(f, "sub/b.md=B");
	assert_int_equal(f->errors.n, 0);
	assert_int_equal(count_watches(), 2);
}

static void test_a_link_to_the_directory_may_be_switched(void **state)
{
	struct fixture *f = *state;
	char *current = path_of(f, "../current"), *next = path_of(f, "../switch");

	make_folder(f, "../release-2");
	save(f, "../release-2/b.md", "B");
	save(f, "a.md", "A");
	assert_int_equal(symlink("posts", current), 0);
	snprintf(f->folder, sizeof(f->folder), "%s/current", f->top);
	watch(f, 1);
	assert_true(strlist_has(&f->found, "a.md=A"));
	assert_int_equal(symlink("release-2", next), 0);
	assert_int_equal(rename(next, current), 0);
	wait_for_found(f, "b.md=B");
	assert_int_equal(count_watches(), 1);
	save(f, "c.md", "C");
	wait_for_found(f, "c.md=C");
	free(current);
	free(next);
}

/* ---- The end ---- */

static void test_the_watch_may_be_freed_in_its_callback(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 100; i++) {
		char name[32];
		snprintf(name, sizeof(name), "post-%d.md", i);
		save(f, name, "Title");
	}
	f->free_in_callback = true;
	f->watch =
		directory_watch_new(f->loop, f->folder, NULL, NULL, QUIET_MS, NEVER_S, on_look, f);
	while (f->calls == 0)
		turn(f);
	event_base_loop(f->base, EVLOOP_NONBLOCK);
	assert_int_equal(f->calls, 1);
	assert_null(f->watch);
}

static void test_the_watch_may_be_freed_before_it_has_looked(void **state)
{
	struct fixture *f = *state;

	save(f, "a.md", "A");
	directory_watch_free(
		directory_watch_new(f->loop, f->folder, NULL, NULL, QUIET_MS, NEVER_S, on_look, f));
	event_base_loop(f->base, EVLOOP_NONBLOCK);
	assert_int_equal(f->calls, 0);
	directory_watch_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_new_folder_is_watched_with_what_is_in_it),
		TEST(test_a_half_written_file_in_a_new_folder_is_not_told),
		TEST(test_a_folder_moved_in_brings_its_posts),
		TEST(test_a_directory_that_is_not_there_says_nothing_of_its_files),
		TEST(test_a_renamed_folder_is_known_by_its_new_name),
		TEST(test_a_folder_moved_out_is_no_longer_watched),
		TEST(test_a_folder_deleted_and_made_again_is_watched),
		TEST(test_folders_may_lie_deep_but_not_without_end),
		TEST(test_what_lost_events_would_have_told_is_found_by_a_scan),
		TEST(test_a_directory_that_is_missing_is_an_error_once_and_waited_for),
		TEST(test_a_directory_that_vanishes_and_comes_back_is_watched_again),
		TEST(test_a_look_without_descriptors_is_not_complete),
		TEST(test_a_directory_that_is_replaced_is_watched_anew),
		TEST(test_a_link_to_the_directory_may_be_switched),
		TEST(test_the_watch_may_be_freed_in_its_callback),
		TEST(test_the_watch_may_be_freed_before_it_has_looked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
