/* What a watched directory promises: which files are taken, and when. */
#include "source_directory_helper.h"

#define NOBODY 65534

/* ---- Looks ---- */

static void test_the_first_look_is_complete_and_has_all_posts(void **state)
{
	struct fixture *f = *state;

	save(f, "hello.md", "Hello");
	make_folder(f, "2026");
	make_folder(f, "2026/deep");
	save(f, "2026/deep/world.md", "World");
	save(f, "notes.txt", "No post");
	save(f, ".hidden.md", "Hidden");
	make_folder(f, ".git");
	save(f, ".git/config.md", "Hidden");
	watch(f, NEVER_S);
	assert_int_equal(f->found.n, 2);
	assert_true(strlist_has(&f->found, "hello.md=Hello"));
	assert_true(strlist_has(&f->found, "2026/deep/world.md=World"));
	assert_int_equal(f->errors.n, 0);
	assert_int_equal(f->completes, 1);
	assert_int_equal(f->calls_after_complete, 0);
}

static void test_an_empty_directory_gives_a_complete_look(void **state)
{
	struct fixture *f = *state;

	watch(f, NEVER_S);
	assert_int_equal(f->found.n, 0);
	assert_int_equal(f->errors.n, 0);
}

static void test_a_rescan_on_request_has_all_posts_again(void **state)
{
	struct fixture *f = *state;

	save(f, "a.md", "A");
	save(f, "b.md", "B");
	watch(f, NEVER_S);
	look_at_all(f);
	assert_int_equal(f->found.n, 2);
	directory_watch_rescan(f->watch);
	look_at_all(f);
	assert_int_equal(f->found.n, 2);
}

static void test_a_thousand_files_come_with_one_complete_look(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 1000; i++) {
		char name[32];
		snprintf(name, sizeof(name), "post-%d.md", i);
		save(f, name, "Title");
	}
	watch(f, NEVER_S);
	assert_int_equal(f->found.n, 1000);
	assert_int_equal(f->completes, 1);
	assert_int_equal(f->calls_after_complete, 0);
}

static void test_what_is_saved_during_the_first_look_comes_after_it(void **state)
{
	struct fixture *f = *state;

	save(f, "old.md", "Old"); /* so fresh that the look waits for it */
	f->watch =
		directory_watch_new(f->loop, f->folder, NULL, NULL, QUIET_MS, NEVER_S, on_look, f);
	turn(f);
	if (f->completes > 0)
		skip(); /* this took so long that the file is not fresh any more */
	save(f, "new.md", "New");
	wait_for_complete(f);
	assert_int_equal(f->found.n, 1);
	assert_string_equal(f->found.items[0], "old.md=Old");
	wait_for_found(f, "new.md=New");
	assert_int_equal(f->completes, 1);
}

static void test_what_has_not_changed_is_not_told_again(void **state)
{
	struct fixture *f = *state;

	save(f, "a.md", "A");
	watch(f, 1);
	wait_until_old(f, "a.md");
	forget(f);
	save(f, "b.md", "B");
	wait_until_old(f, "b.md"); /* with a rescan or two */
	assert_int_equal(f->found.n, 1);
	assert_string_equal(f->found.items[0], "b.md=B");
	assert_int_equal(f->completes, 0);
}

/* ---- Complete files, and only those ---- */

static void test_a_saved_file_is_told(void **state)
{
	struct fixture *f = *state;

	watch(f, NEVER_S);
	forget(f);
	save(f, "hello.md", "Hello");
	wait_for_found(f, "hello.md=Hello");
	assert_int_equal(f->calls, 1);
	assert_int_equal(f->completes, 0);
}

static void test_an_edited_file_is_told_again(void **state)
{
	struct fixture *f = *state;

	save(f, "hello.md", "Hello");
	watch(f, NEVER_S);
	forget(f);
	save(f, "hello.md", "Hullo");
	wait_for_found(f, "hello.md=Hullo");
	assert_int_equal(f->found.n, 1);
}

static void test_a_file_saved_in_pieces_is_told_once_and_whole(void **state)
{
	struct fixture *f = *state;

	watch(f, NEVER_S);
	forget(f);
	save(f, "hello.md", "H");
	save(f, "hello.md", "He");
	save(f, "hello.md", "Hello");
	wait_for_found(f, "hello.md=Hello");
	save(f, "later.md", "Later");
	wait_for_found(f, "later.md=Later");
	assert_int_equal(f->found.n, 2);
}

static void test_a_file_that_somebody_still_writes_is_not_told(void **state)
{
	struct fixture *f = *state;

	watch(f, NEVER_S);
	forget(f);
	int fd = open_file(f, "half.md");
	write_text(fd, "---\ntitle: Half");
	save(f, "whole.md", "Whole");
	wait_for_found(f, "whole.md=Whole");
	wait_until_old(f, "half.md");
	assert_int_equal(f->found.n, 1);
	look_at_all(f); /* not even by a scan that finds it standing still */
	assert_int_equal(f->found.n, 1);
	write_text(fd, " and half\n---\nText.\n");
	close(fd);
	wait_for_found(f, "half.md=Half and half");
	assert_int_equal(f->found.n, 2);
}

static void test_a_known_file_that_is_written_anew_is_not_told_half(void **state)
{
	struct fixture *f = *state;

	save(f, "hello.md", "Hello");
	watch(f, NEVER_S);
	forget(f);
	int fd = open_file(f, "hello.md");
	assert_int_equal(ftruncate(fd, 0), 0);
	write_text(fd, "---\ntitle: Hul");
	wait_until_old(f, "hello.md");
	look_at_all(f);
	assert_int_equal(f->found.n, 0);
	write_text(fd, "lo\n---\n");
	close(fd);
	wait_for_found(f, "hello.md=Hullo");
}

static void test_an_empty_file_waits_for_its_text(void **state)
{
	struct fixture *f = *state;

	watch(f, NEVER_S);
	forget(f);
	close(open_file(f, "new.md"));
	save(f, "other.md", "Other");
	wait_for_found(f, "other.md=Other");
	wait_until_old(f, "new.md");
	look_at_all(f);
	assert_int_equal(f->found.n, 1);
	save(f, "new.md", "New");
	wait_for_found(f, "new.md=New");
}

static void test_a_file_renamed_into_place_is_told(void **state)
{
	struct fixture *f = *state;

	watch(f, NEVER_S);
	forget(f);
	save(f, ".hello.md.x7Tq2a", "Hello"); /* as rsync does */
	move(f, ".hello.md.x7Tq2a", "hello.md");
	wait_for_found(f, "hello.md=Hello");
	save(f, "../elsewhere.md", "Moved");
	move(f, "../elsewhere.md", "moved.md");
	wait_for_found(f, "moved.md=Moved");
	assert_int_equal(f->found.n, 2);
}

static void test_an_editor_that_keeps_a_backup_is_understood(void **state)
{
	struct fixture *f = *state;

	save(f, "hello.md", "Hello");
	watch(f, NEVER_S);
	forget(f);
	move(f, "hello.md", "hello.md~");
	save(f, "hello.md", "Hullo");
	remove_file(f, "hello.md~");
	wait_for_found(f, "hello.md=Hullo");
	assert_int_equal(f->found.n, 1);
	assert_int_equal(f->errors.n, 0);
}

static void test_a_hard_link_is_told(void **state)
{
	struct fixture *f = *state;
	char *from = path_of(f, "../outside.md"), *to = path_of(f, "linked.md");

	watch(f, NEVER_S);
	forget(f);
	save(f, "../outside.md", "Linked");
	assert_int_equal(link(from, to), 0);
	wait_for_found(f, "linked.md=Linked");
	free(from);
	free(to);
}

static void test_a_deleted_file_is_no_error(void **state)
{
	struct fixture *f = *state;

	save(f, "old.md", "Old");
	watch(f, NEVER_S);
	forget(f);
	save(f, "short.md", "Short-lived");
	remove_file(f, "short.md");
	remove_file(f, "old.md");
	save(f, "hello.md", "Hello");
	wait_for_found(f, "hello.md=Hello");
	look_at_all(f);
	assert_int_equal(f->found.n, 1);
	assert_int_equal(f->errors.n, 0);
}

static void test_a_draft_is_told_when_it_is_none_any_more(void **state)
{
	struct fixture *f = *state;

	int fd = open_file(f, "post.md");
	write_text(fd, "---\ntitle: Post\ndraft: true\n---\nText.\n");
	close(fd);
	watch(f, NEVER_S);
	assert_int_equal(f->found.n, 0);
	save(f, "post.md", "Post");
	wait_for_found(f, "post.md=Post");
}

static void test_files_that_are_removed_or_become_drafts_are_told(void **state)
{
	struct fixture *f = *state;

	save(f, "keep.md", "Keep");
	save(f, "removed.md", "Removed");
	save(f, "moved.md", "Moved");
	save(f, "draft.md", "Draft");
	make_folder(f, "folder");
	save(f, "folder/deep.md", "Deep");
	watch(f, NEVER_S);
	assert_int_equal(f->gone.n, 0);
	assert_int_equal(f->there.n, 5);
	assert_true(strlist_has(&f->there, "folder/deep.md"));
	forget(f);
	remove_file(f, "removed.md");
	move(f, "moved.md", "../moved.md");
	move(f, "folder", "../folder");
	save(f, "draft.md", "Draft\ndraft: true");
	while (f->gone.n < 4)
		turn(f);
	assert_true(strlist_has(&f->gone, "removed.md"));
	assert_true(strlist_has(&f->gone, "moved.md"));
	assert_true(strlist_has(&f->gone, "folder/deep.md"));
	assert_true(strlist_has(&f->gone, "draft.md"));
	look_at_all(f);
	assert_int_equal(f->there.n, 2);
	assert_int_equal(f->errors.n, 0);
}

/* ---- What is left aside ---- */

static void test_symbolic_links_are_left_aside(void **state)
{
	struct fixture *f = *state;

	save(f, "../secret.md", "Secret");
	make_folder(f, "../other");
	save(f, "../other/secret.md", "Secret");
	save(f, "hello.md", "Hello");
	link_to(f, "../secret.md", "link.md");
	link_to(f, "../other", "folder");
	link_to(f, "hello.md", "latest.md");
	link_to(f, "nowhere", "dangling.md");
	link_to(f, ".", "circle");
	watch(f, NEVER_S);
	assert_int_equal(f->found.n, 1);
	link_to(f, "../secret.md", "link2.md");
	link_to(f, "../other", "folder2");
	save(f, "sentinel.md", "Sentinel");
	wait_until_old(f, "sentinel.md");
	assert_int_equal(f->found.n, 2);
	assert_int_equal(f->errors.n, 0);
}

static void test_what_is_no_file_is_left_aside(void **state)
{
	struct fixture *f = *state;
	char *path = path_of(f, "pipe.md");

	assert_int_equal(mkfifo(path, 0644), 0);
	make_folder(f, "folder.md");
	watch(f, NEVER_S);
	assert_int_equal(f->found.n, 0);
	assert_int_equal(f->errors.n, 0);
	free(path);
}

/* ---- Errors ---- */

static void test_a_broken_file_is_an_error_once_for_each_change(void **state)
{
	struct fixture *f = *state;

	int fd = open_file(f, "broken.md");
	write_text(fd, "---\ntitle: \xff\xfe\n---\n");
	close(fd);
	save(f, "good.md", "Good");
	watch(f, 1);
	assert_int_equal(f->errors.n, 1);
	assert_true(text_starts(f->errors.items[0], "broken.md:"));
	assert_int_equal(f->found.n, 1);
	wait_until_old(f, "broken.md"); /* with rescans */
	assert_int_equal(f->errors.n, 1);
	fd = open_file(f, "broken.md");
	write_text(fd, "more\n");
	close(fd);
	wait_for_errors(f, 2);
	look_at_all(f);
	assert_int_equal(f->errors.n, 1);
	save(f, "broken.md", "Mended");
	wait_for_found(f, "broken.md=Mended");
	assert_int_equal(f->errors.n, 1);
}

static void test_it_is_told_when_nothing_is_wrong_any_more(void **state)
{
	struct fixture *f = *state;

	int fd = open_file(f, "broken.md");
	write_text(fd, "---\ntitle: \xff\xfe\n---\n");
	close(fd);
	watch(f, NEVER_S);
	forget(f);
	remove_file(f, "broken.md");
	while (f->calls == 0)
		turn(f);
	assert_int_equal(f->found.n + f->errors.n, 0);
	fd = open_file(f, "broken.md");
	write_text(fd, "---\ntitle: \xff\xfe\n---\n");
	close(fd);
	wait_for_errors(f, 1);
	forget(f);
	save(f, "broken.md", "Draft\ndraft: true");
	while (f->calls == 0)
		turn(f);
	assert_int_equal(f->found.n + f->errors.n, 0);
	assert_int_equal(f->completes, 0);
}

static void test_a_file_that_is_too_large_is_an_error(void **state)
{
	struct fixture *f = *state;

	int fd = open_file(f, "large.md");
	assert_int_equal(ftruncate(fd, SOURCE_FILE_MAX + 1), 0);
	close(fd);
	watch(f, NEVER_S);
	assert_int_equal(f->found.n, 0);
	assert_int_equal(f->errors.n, 1);
	assert_true(text_starts(f->errors.items[0], "large.md: larger than 4 MiB"));
}

static void test_a_file_that_may_not_be_read_is_an_error_until_it_may(void **state)
{
	struct fixture *f = *state;
	char *path = path_of(f, "closed.md");
	uid_t me = geteuid();

	save(f, "closed.md", "Closed");
	assert_int_equal(chmod(path, 0), 0);
	if (me == 0) {
		assert_int_equal(chmod(f->top, 0755), 0);
		assert_int_equal(seteuid(NOBODY), 0); /* root may read everything */
	}
	watch(f, 1);
	assert_int_equal(f->errors.n, 1);
	assert_true(text_starts(f->errors.items[0], "closed.md: hubmail may not read it"));
	assert_int_equal(seteuid(me), 0);
	assert_int_equal(chmod(path, 0644), 0);
	wait_for_found(f, "closed.md=Closed");
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_first_look_is_complete_and_has_all_posts),
		TEST(test_an_empty_directory_gives_a_complete_look),
		TEST(test_a_rescan_on_request_has_all_posts_again),
		TEST(test_a_thousand_files_come_with_one_complete_look),
		TEST(test_what_is_saved_during_the_first_look_comes_after_it),
		TEST(test_what_has_not_changed_is_not_told_again),
		TEST(test_a_saved_file_is_told),
		TEST(test_an_edited_file_is_told_again),
		TEST(test_a_file_saved_in_pieces_is_told_once_and_whole),
		TEST(test_a_file_that_somebody_still_writes_is_not_told),
		TEST(test_a_known_file_that_is_written_anew_is_not_told_half),
		TEST(test_an_empty_file_waits_for_its_text),
		TEST(test_a_file_renamed_into_place_is_told),
		TEST(test_an_editor_that_keeps_a_backup_is_understood),
		TEST(test_a_hard_link_is_told),
		TEST(test_a_deleted_file_is_no_error),
		TEST(test_a_draft_is_told_when_it_is_none_any_more),
		TEST(test_files_that_are_removed_or_become_drafts_are_told),
		TEST(test_symbolic_links_are_left_aside),
		TEST(test_what_is_no_file_is_left_aside),
		TEST(test_a_broken_file_is_an_error_once_for_each_change),
		TEST(test_it_is_told_when_nothing_is_wrong_any_more),
		TEST(test_a_file_that_is_too_large_is_an_error),
		TEST(test_a_file_that_may_not_be_read_is_an_error_until_it_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
