/* When a file is complete, and what is in it. inotify's word that a writer has closed it is good;
 * without it a file must stand still. Files are opened below the directory only, never through a
 * symbolic link, and read as long as nobody changes them. */
#include "directory_watch.h"

#include "hubmail/base_clock.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "hubmail/source_file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool read_file(
	struct directory_watch *w, struct dirtree_file *f, int dir, const struct file_sign *sign);

/* By the file system's clock, which may be another machine's: a time to come proves nothing. */
static bool is_old(const struct file_sign *sign)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	int64_t age_ms = (int64_t)(now.tv_sec - sign->ctime.tv_sec) * 1000 +
			 (now.tv_nsec - sign->ctime.tv_nsec) / 1000000;
	return age_ms >= DIRECTORY_STILL_MS;
}

static void look_again(
	struct directory_watch *w, struct dirtree_file *f, const struct file_sign *sign)
{
	f->seen = *sign;
	dirtree_file_queue(&w->tree, f, QUEUE_SETTLING, clock_mono_ms() + DIRECTORY_STILL_MS);
}

/* If it does not yet, it is looked at again. */
static bool stands_still(
	struct directory_watch *w, struct dirtree_file *f, const struct file_sign *sign)
{
	bool is_same = f->queue == QUEUE_SETTLING && file_sign_same(sign, &f->seen);

	if (is_old(sign) || (is_same && f->due_ms <= clock_mono_ms()))
		return true;
	if (!is_same)
		look_again(w, f, sign);
	return false;
}

void directory_take(struct directory_watch *w, struct dirtree_file *f, int dir, bool announced)
{
	struct stat st;

	if (fstatat(dir, dirtree_file_name(f), &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		!S_ISREG(st.st_mode)) {
		dirtree_file_drop(&w->tree, f);
		return;
	}
	struct file_sign sign = file_sign(&st);
	bool is_known = f->taken && file_sign_same(&sign, &f->known);
	bool is_wanted = !is_known || (w->full && !announced);
	if (f->queue == QUEUE_QUIET && !announced && !(is_known && is_wanted))
		return;
	/* An empty file is one that somebody is about to write. */
	if (st.st_size == 0 || !is_wanted || f->writing_until_ms > clock_mono_ms()) {
		dirtree_file_queue(&w->tree, f, QUEUE_NONE, 0);
		return;
	}
	if (!announced && !is_known && !stands_still(w, f, &sign))
		return;
	dirtree_file_queue(&w->tree, f, QUEUE_NONE, 0);
	f->writing_until_ms = 0;
	if (!read_file(w, f, dir, &sign))
		look_again(w, f, &sign);
}

/* What is saved while a full look goes on is no part of it, but news that comes after it: on the
 * first look that makes the difference between a post that has long been read and a new one. */
struct dirtree_file *directory_first_due(struct directory_watch *w)
{
	struct dirtree_file *quiet = w->full ? NULL : TAILQ_FIRST(&w->tree.quiet);
	struct dirtree_file *settling = TAILQ_FIRST(&w->tree.settling);

	if (quiet == NULL || (settling != NULL && settling->due_ms < quiet->due_ms))
		return settling;
	return quiet;
}

bool directory_take_due(struct directory_watch *w, int64_t now_ms)
{
	struct dirtree_file *f = directory_first_due(w);

	if (f == NULL || f->due_ms > now_ms)
		return false;
	int dir = directory_folder_open(w, f->parent->path);
	if (dir < 0) {
		dirtree_file_drop(&w->tree, f);
		w->want_scan = true;
		return true;
	}
	directory_take(w, f, dir, f->queue == QUEUE_QUIET);
	close(dir);
	return true;
}

/* ---- What is in it ---- */

static void report(struct directory_watch *w, const char *path, const struct error *e)
{
	if (text_starts(e->text, path))
		strlist_add(&w->errors, e->text);
	else
		directory_error(w, path, e->text);
}

static bool parse(struct directory_watch *w, const struct dirtree_file *f, const struct buf *data)
{
	struct source_file file = {.path = f->path,
		.data = buf_str(data),
		.len = data->len,
		.base_url = w->base_url,
		.permalink = w->permalink,
		.modified_at = f->known.mtime.tv_sec};
	struct post post = {0};
	bool draft = false;
	struct error e = {0};

	if (!source_file_parse(&file, &post, &draft, &e)) {
		report(w, f->path, &e);
		post_free(&post);
		return false;
	}
	if (draft) {
		strlist_add(&w->tree.gone, f->path);
		post_free(&post);
		return true;
	}
	*post_list_add(&w->posts) = post;
	return true;
}

/* Returns 0 or an errno. */
static int read_whole(int fd, struct buf *out)
{
	for (;;) {
		buf_reserve(out, 16384);
		size_t room = out->cap - out->len - 1;
		ssize_t n = read(fd, out->data + out->len, room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		out->len += (size_t)n;
		out->data[out->len] = '\0';
		if (n == 0)
			return 0;
		if (out->len > SOURCE_FILE_MAX)
			return EFBIG;
	}
}

static void fail(struct directory_watch *w, struct dirtree_file *f, int failure)
{
	char reason[128];

	if (failure == EFBIG)
		snprintf(reason, sizeof(reason),
			"larger than %u MiB and left aside; no post is that long",
			SOURCE_FILE_MAX >> 20);
	else if (failure == EACCES)
		snprintf(reason, sizeof(reason),
			"hubmail may not read it; give its user the right to");
	else
		snprintf(reason, sizeof(reason), "cannot be read: %s", strerror(failure));
	directory_error(w, f->path, reason);
	f->failed = true;
}

/* Returns 0 or an errno; EAGAIN if it is not, or is no longer, what `sign` says. */
static int read_signed(int fd, const struct file_sign *sign, struct buf *out)
{
	struct stat st;

	if (sign->size > (off_t)SOURCE_FILE_MAX)
		return EFBIG;
	int failure = read_whole(fd, out);
	if (failure != 0)
		return failure;
	if (fstat(fd, &st) != 0)
		return errno;
	struct file_sign now = file_sign(&st);
	return file_sign_same(&now, sign) && out->len == (size_t)now.size ? 0 : EAGAIN;
}

/* False if it changed meanwhile. */
static bool read_file(
	struct directory_watch *w, struct dirtree_file *f, int dir, const struct file_sign *sign)
{
	struct buf data = {0};
	int fd = openat(dir, dirtree_file_name(f),
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	int failure = fd >= 0 ? read_signed(fd, sign, &data) : errno;
	bool was_bad = f->failed;
	bool has_changed = failure == EAGAIN || failure == ENOENT || failure == ELOOP;

	/* What may pass by itself is tried again at the next rescan. */
	f->taken = failure == 0 || failure == EACCES || failure == EFBIG;
	f->known = *sign;
	if (failure == 0)
		f->failed = !parse(w, f, &data);
	else if (!has_changed && !directory_ran_out(w, failure))
		fail(w, f, failure);
	w->tree.mended = w->tree.mended || (was_bad && !f->failed);
	if (fd >= 0)
		close(fd);
	buf_free(&data);
	return !has_changed;
}
