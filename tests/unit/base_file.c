/* Whole files: what is replaced, what is never replaced, and what is left behind. */
#include "hubmail/base_file.h"
#include "hubmail/base_mem.h"
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	char folder[64];
	char path[96];
	struct error e;
};

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	snprintf(f->folder, sizeof(f->folder), "/tmp/hubmail-unit-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/file", f->folder);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	assert_int_equal(rmdir(f->folder), 0);
	free(f);
	return 0;
}

static void assert_content(struct fixture *f, const char *expected)
{
	struct buf text = {0};

	if (!file_read(f->path, 100, &text, &f->e))
		fail_msg("%s", f->e.text);
	assert_string_equal(buf_str(&text), expected);
	buf_free(&text);
}

static size_t files(const struct fixture *f)
{
	DIR *folder = opendir(f->folder);
	size_t n = 0;

	assert_non_null(folder);
	for (const struct dirent *d; (d = readdir(folder)) != NULL;)
		n += d->d_name[0] != '.';
	closedir(folder);
	return n;
}

static void test_a_written_file_takes_the_place_of_the_old_one(void **state)
{
	struct fixture *f = *state;

	assert_true(file_write(f->path, "old", 3, 0644, &f->e));
	assert_true(file_write(f->path, "new", 3, 0600, &f->e));
	assert_content(f, "new");
	assert_int_equal(files(f), 1);
}

static void test_a_new_file_has_its_mode_and_its_folder_s_owner(void **state)
{
	struct fixture *f = *state;
	uid_t owner = geteuid() == 0 ? 65534 : geteuid();
	struct stat st;

	if (geteuid() == 0)
		assert_int_equal(chown(f->folder, owner, 65534), 0);
	if (!file_create(f->path, "key", 3, 0600, &f->e))
		fail_msg("%s", f->e.text);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_uid, owner);
	assert_int_equal(st.st_nlink, 1);
	assert_content(f, "key");
	assert_int_equal(files(f), 1);
}

static void test_a_new_file_takes_nobody_s_place(void **state)
{
	struct fixture *f = *state;

	assert_true(file_write(f->path, "old", 3, 0644, &f->e));
	assert_false(file_create(f->path, "new", 3, 0600, &f->e));
	assert_int_equal(f->e.code, ERROR_REFUSED);
	assert_content(f, "old");
	assert_int_equal(files(f), 1);
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(symlink("nowhere", f->path), 0);
	assert_false(file_create(f->path, "new", 3, 0600, &f->e));
	assert_int_equal(f->e.code, ERROR_REFUSED);
	assert_int_equal(files(f), 1);
}

static void test_a_folder_that_is_not_there_is_told(void **state)
{
	struct fixture *f = *state;

	snprintf(f->path, sizeof(f->path), "%s/folder/file", f->folder);
	assert_false(file_create(f->path, "new", 3, 0600, &f->e));
	assert_int_equal(f->e.code, ERROR_IO);
	assert_int_equal(files(f), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_written_file_takes_the_place_of_the_old_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_new_file_has_its_mode_and_its_folder_s_owner, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_new_file_takes_nobody_s_place, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_folder_that_is_not_there_is_told, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
