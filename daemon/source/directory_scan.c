/* Reading folders in small pieces: a whole scan starts at the directory itself, a small one at a
 * folder that has appeared. A folder is watched before it is read, so that nothing falls between;
 * what a reading does not show any more is forgotten. */
#include "directory_watch.h"

#include "hubmail/base_clock.h"
#include "hubmail/base_mem.h"
#include "hubmail/source_file.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK)

/* The directory itself may be a symbolic link: the operator wrote it. */
int directory_folder_open(const struct directory_watch *w, const char *path)
{
	int fd = open(w->path, FOLDER_FLAGS);
	char name[NAME_MAX + 1];

	while (fd >= 0 && *path != '\0') {
		size_t len = strcspn(path, "/");
		if (len > NAME_MAX) {
			close(fd);
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(name, path, len);
		name[len] = '\0';
		path += len + (path[len] == '/');
		int next = openat(fd, name, FOLDER_FLAGS | O_NOFOLLOW);
		int failure = errno;
		close(fd);
		errno = failure;
		fd = next;
	}
	return fd;
}

static void forget_all(struct directory_watch *w)
{
	directory_scan_stop(w);
	dirtree_clear(&w->tree);
	directory_notify_close(w);
}

bool directory_ran_out(struct directory_watch *w, int failure)
{
	bool ran_out = failure == EMFILE || failure == ENFILE || failure == ENOMEM;

	w->cut_short = w->cut_short || ran_out;
	return ran_out;
}

static void root_failed(struct directory_watch *w, int failure)
{
	char reason[256];

	if (directory_ran_out(w, failure))
		directory_scan_stop(w);
	else
		forget_all(w);
	w->want_full = true; /* tells that it is back, when it is */
	if (failure == w->root_failure)
		return;
	w->root_failure = failure;
	snprintf(reason, sizeof(reason), "%s; posts are looked for there when it can be read",
		failure == ENOENT ? "no such directory" : strerror(failure));
	directory_error(w, w->path, reason);
}

static void scan_start(struct directory_watch *w)
{
	int fd = directory_folder_open(w, "");

	w->want_scan = w->cut_short = false;
	if (fd < 0) {
		root_failed(w, errno);
		return;
	}
	close(fd);
	w->root_failure = 0;
	if (w->tree.inotify < 0)
		directory_notify_open(w);
	w->scanning = true;
	w->full = w->want_full;
	w->want_full = false;
	dirtree_folder_read_later(&w->tree, dirtree_folder(&w->tree, NULL, ""));
}

void directory_scan_stop(struct directory_watch *w)
{
	if (w->dir != NULL)
		closedir(w->dir);
	w->dir = NULL;
	w->tree.current = NULL;
	if (w->scanning && w->full)
		w->want_full = true;
	w->scanning = w->full = false;
	w->closing_ms = 0;
}

/* Files that have just been written belong to a full look: it ends when they have been taken, or
 * would have been if nobody wrote on. */
static bool waits_for_files(struct directory_watch *w)
{
	if (TAILQ_EMPTY(&w->tree.settling))
		return false;
	if (w->closing_ms == 0)
		w->closing_ms = clock_mono_ms() + DIRECTORY_STILL_MS + 1;
	return clock_mono_ms() < w->closing_ms;
}

/* True if another scan is wanted at once. A full look that was cut short is not complete: what it
 * has missed would later pass for new. */
static bool scan_end(struct directory_watch *w)
{
	if (w->full && waits_for_files(w))
		return false;
	if (w->cut_short) {
		directory_scan_stop(w);
		return false;
	}
	w->complete = w->full;
	w->closing_ms = 0;
	w->scanning = w->full = false;
	return w->want_scan || w->want_full;
}

/* ---- One folder ---- */

static void folder_failed(struct directory_watch *w, struct dirtree_folder *d, int failure)
{
	if (d == w->tree.root) {
		root_failed(w, failure);
		return;
	}
	if (failure == ENOENT || failure == ENOTDIR || failure == ELOOP) {
		dirtree_folder_drop(&w->tree, d);
		return;
	}
	directory_ran_out(w, failure);
	if (d->failure != failure || w->full)
		directory_error(w, d->path,
			failure == EACCES ? "hubmail may not read this folder; give its user the "
					    "right to"
					  : strerror(failure));
	d->failure = failure;
}

static void open_next(struct directory_watch *w)
{
	struct dirtree_folder *d = TAILQ_FIRST(&w->tree.to_read);

	TAILQ_REMOVE(&w->tree.to_read, d, reading);
	d->to_read = false;
	directory_notify_watch(w, d);
	int fd = directory_folder_open(w, d->path);
	w->dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (w->dir == NULL) {
		int failure = errno;
		if (fd >= 0)
			close(fd);
		folder_failed(w, d, failure);
		return;
	}
	w->tree.mended = w->tree.mended || d->failure != 0;
	d->failure = 0;
	w->tree.current = d;
	w->read_stamp = ++w->tree.stamp;
}

/* failure: an errno if it could not be read to its end. */
static void close_current(struct directory_watch *w, int failure)
{
	struct dirtree_folder *d = w->tree.current;

	closedir(w->dir);
	w->dir = NULL;
	w->tree.current = NULL;
	if (d != NULL && failure == 0)
		dirtree_folder_sweep(&w->tree, d, w->read_stamp);
	else if (d != NULL)
		folder_failed(w, d, failure);
}

static unsigned char entry_type(const struct directory_watch *w, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type;
	if (fstatat(dirfd(w->dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return DT_UNKNOWN;
	return S_ISREG(st.st_mode) ? DT_REG : S_ISDIR(st.st_mode) ? DT_DIR : DT_UNKNOWN;
}

static void found_folder(struct directory_watch *w, const char *name)
{
	struct dirtree_folder *d = dirtree_folder(&w->tree, w->tree.current, name);

	if (d != NULL) {
		if (d->depth <= DIRECTORY_DEPTH_MAX)
			dirtree_folder_read_later(&w->tree, d);
		else if (!d->failure || w->full)
			directory_error(
				w, d->path, "too many folders inside each other; left aside");
		d->failure = d->depth <= DIRECTORY_DEPTH_MAX ? d->failure : ELOOP;
		return;
	}
	if (!w->told_folders)
		directory_error(w, w->path, "more than 10000 folders; the others are left aside");
	w->told_folders = true;
}

static void found_file(struct directory_watch *w, const char *name)
{
	if (!source_file_is_post(name))
		return;
	directory_take(w, dirtree_file(&w->tree, w->tree.current, name), dirfd(w->dir), false);
}

/* Symbolic links are left aside: what they lead to inside the directory is found by itself. */
static void found(struct directory_watch *w, const struct dirent *entry)
{
	if (entry->d_name[0] == '.')
		return;
	unsigned char type = entry_type(w, entry);
	if (type == DT_DIR)
		found_folder(w, entry->d_name);
	else if (type == DT_REG)
		found_file(w, entry->d_name);
}

bool directory_scan_step(struct directory_watch *w)
{
	if (w->dir != NULL && w->tree.current == NULL)
		close_current(w, 0);
	if (w->dir == NULL && (w->want_scan || w->want_full) && !w->scanning) {
		scan_start(w);
		return w->scanning;
	}
	if (w->dir == NULL && TAILQ_EMPTY(&w->tree.to_read))
		return scan_end(w);
	if (w->dir == NULL) {
		open_next(w);
		return true;
	}
	errno = 0;
	const struct dirent *entry = readdir(w->dir);
	if (entry != NULL)
		found(w, entry);
	else
		close_current(w, errno);
	return true;
}
