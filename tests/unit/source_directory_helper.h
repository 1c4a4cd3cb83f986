/* A watched folder of real files, and what the watch has told of it. */
#ifndef TESTS_UNIT_SOURCE_DIRECTORY_HELPER_H
#define TESTS_UNIT_SOURCE_DIRECTORY_HELPER_H

#include "hubmail/source_directory.h"

#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "hubmail/source_file.h"
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE_S 20
#define QUIET_MS 20
#define NEVER_S 86400

struct fixture {
	char top[64];    /* a folder beside what is watched */
	char folder[96]; /* what is watched */
	struct loop *loop;
	struct event_base *base;
	struct event *deadline;
	struct directory_watch *watch;
	struct strlist found; /* "guid=title" in the order they came, since the last forget() */
	struct strlist errors;
	struct strlist gone, there;
	int calls, completes, calls_after_complete;
	bool free_in_callback;
};

#if !__has_include("../../daemon/source/file.c")
/* Until the parser is there: a title from the front matter, drafts, and UTF-8 or an error. */
bool source_file_is_post(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;

	return name[0] != '.' && text_ends(name, ".md");
}

bool source_file_parse(const struct source_file *f, struct post *out, bool *draft, struct error *e)
{
	const char *title = strstr(f->data, "title: ");

	*draft = strstr(f->data, "draft: true") != NULL;
	if (!utf8_valid(f->data, f->len))
		return error_set(e, ERROR_DATA, "%s:1: not UTF-8", f->path);
	if (*draft)
		return true;
	out->guid = xstrdup(f->path);
	if (title != NULL)
		out->title = xstrndup(title + 7, strcspn(title + 7, "\n"));
	return true;
}
#endif

static inline void too_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fputs("nothing happened for too long\n", stderr);
	abort();
}

static inline void on_look(const struct directory_look *look, void *arg)
{
	struct fixture *f = arg;

	f->calls++;
	f->calls_after_complete = look->complete ? 0 : f->calls_after_complete + 1;
	f->completes += look->complete;
	for (size_t i = 0; i < look->posts->n; i++) {
		const struct post *p = &look->posts->items[i];
		strlist_take(
			&f->found, xasprintf("%s=%s", p->guid, p->title != NULL ? p->title : ""));
	}
	strlist_copy(&f->errors, look->errors);
	strlist_copy(&f->gone, look->gone);
	strlist_copy(&f->there, look->there);
	if (f->free_in_callback) {
		directory_watch_free(f->watch);
		f->watch = NULL;
	}
}

static inline int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct timeval deadline = {DEADLINE_S, 0};

	snprintf(f->top, sizeof(f->top), "/tmp/hubmail-unit-XXXXXX");
	assert_non_null(mkdtemp(f->top));
	snprintf(f->folder, sizeof(f->folder), "%s/posts", f->top);
	assert_int_equal(mkdir(f->folder, 0755), 0);
	f->loop = loop_new();
	f->base = loop_base(f->loop);
	f->deadline = evtimer_new(f->base, too_late, NULL);
	event_add(f->deadline, &deadline);
	*state = f;
	return 0;
}

static inline void forget(struct fixture *f)
{
	strlist_free(&f->found);
	strlist_free(&f->errors);
	strlist_free(&f->gone);
	strlist_free(&f->there);
	f->calls = f->completes = 0;
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void remove_all(const char *path)
{
	assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;

	directory_watch_free(f->watch);
	event_free(f->deadline);
	loop_free(f->loop);
	forget(f);
	remove_all(f->top);
	free(f);
	return 0;
}

/* How many folders the kernel watches for this process. */
static inline int count_watches(void)
{
	char name[64], line[256];
	int n = 0;

	for (int fd = 0; fd < 256; fd++) {
		snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", fd);
		FILE *in = fopen(name, "r");
		while (in != NULL && fgets(line, sizeof(line), in) != NULL)
			n += text_starts(line, "inotify wd:");
		if (in != NULL)
			fclose(in);
	}
	return n;
}

static inline void turn(struct fixture *f)
{
	event_base_loop(f->base, EVLOOP_ONCE);
}

static inline void wait_for_complete(struct fixture *f)
{
	while (f->completes == 0)
		turn(f);
}

static inline void wait_for_found(struct fixture *f, const char *what)
{
	while (!strlist_has(&f->found, what))
		turn(f);
}

static inline void wait_for_errors(struct fixture *f, size_t n)
{
	while (f->errors.n < n)
		turn(f);
}

/* Starts the watch and waits for its first full look. */
static inline void watch(struct fixture *f, int rescan_s)
{
	f->watch =
		directory_watch_new(f->loop, f->folder, NULL, NULL, QUIET_MS, rescan_s, on_look, f);
	assert_int_equal(f->calls, 0);
	wait_for_complete(f);
}

/* A full look, and all that was told up to its end. */
static inline void look_at_all(struct fixture *f)
{
	forget(f);
	directory_watch_rescan(f->watch);
	assert_int_equal(f->calls, 0);
	wait_for_complete(f);
}

/* Paths are relative to what is watched; "../x" lies beside it. */
static inline char *path_of(const struct fixture *f, const char *name)
{
	return xasprintf("%s/%s", f->folder, name);
}

static inline int open_file(const struct fixture *f, const char *name)
{
	char *path = path_of(f, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	free(path);
	return fd;
}

static inline void write_text(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static inline void save(const struct fixture *f, const char *name, const char *title)
{
	char *path = path_of(f, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	dprintf(fd, "---\ntitle: %s\n---\nText.\n", title);
	close(fd);
	free(path);
}

static inline void make_folder(const struct fixture *f, const char *name)
{
	char *path = path_of(f, name);

	assert_int_equal(mkdir(path, 0755), 0);
	free(path);
}

static inline void move(const struct fixture *f, const char *from, const char *to)
{
	char *a = path_of(f, from), *b = path_of(f, to);

	assert_int_equal(rename(a, b), 0);
	free(a);
	free(b);
}

static inline void remove_file(const struct fixture *f, const char *name)
{
	char *path = path_of(f, name);

	assert_int_equal(unlink(path), 0);
	free(path);
}

static inline void link_to(const struct fixture *f, const char *target, const char *name)
{
	char *path = path_of(f, name);

	assert_int_equal(symlink(target, path), 0);
	free(path);
}

/* Runs the loop until the file has been as it is for longer than a scan asks for. */
static inline void wait_until_old(struct fixture *f, const char *name)
{
	char *path = path_of(f, name);
	struct timespec now;
	struct timeval tick = {0, 10000};
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	free(path);
	do {
		event_base_loopexit(f->base, &tick);
		event_base_dispatch(f->base);
		clock_gettime(CLOCK_REALTIME, &now);
	} while ((now.tv_sec - st.st_ctim.tv_sec) * 1000 +
			 (now.tv_nsec - st.st_ctim.tv_nsec) / 1000000 <=
		 1500);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
