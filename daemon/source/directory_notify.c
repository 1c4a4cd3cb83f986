/* What inotify tells of a watched directory. Somebody who has written a file and not closed it is
 * remembered, for his file is not taken, whatever a scan thinks of it. When the kernel loses events
 * a scan finds what they would have told. */
#include "directory_watch.h"

#include "hubmail/base_clock.h"
#include "hubmail/base_mem.h"
#include "hubmail/source_file.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define EVENTS                                                                                     \
	(IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |        \
		IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK)

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct directory_watch *w = arg;

	(void)fd;
	(void)what;
	event_active(w->step, EV_TIMEOUT, 0);
}

void directory_notify_open(struct directory_watch *w)
{
	w->tree.inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->tree.inotify >= 0) {
		w->readable =
			event_new(w->base, w->tree.inotify, EV_READ | EV_PERSIST, on_readable, w);
		event_add(w->readable, NULL);
	} else if (!w->told_watches) {
		directory_error(w, w->path,
			"cannot be watched; new posts are found at the next rescan (raise "
			"fs.inotify.max_user_instances)");
		w->told_watches = true;
	}
}

void directory_notify_close(struct directory_watch *w)
{
	if (w->tree.inotify < 0)
		return;
	event_free(w->readable);
	w->readable = NULL;
	close(w->tree.inotify);
	w->tree.inotify = -1;
}

void directory_notify_watch(struct directory_watch *w, struct dirtree_folder *d)
{
	if (w->tree.inotify < 0)
		return;
	char *path = xasprintf("%s/%s", w->path, d->path);
	int wd = inotify_add_watch(w->tree.inotify, path,
		d == w->tree.root ? EVENTS : (uint32_t)EVENTS | IN_DONT_FOLLOW);
	int failure = errno;

	free(path);
	dirtree_folder_watch(&w->tree, d, wd);
	if (wd < 0 && failure == ENOSPC && !w->told_watches) {
		directory_error(w, d->path[0] != '\0' ? d->path : w->path,
			"cannot be watched; new posts there are found at the next rescan (raise "
			"fs.inotify.max_user_watches)");
		w->told_watches = true;
	}
}

/* ---- Events ---- */

static void folder_event(
	struct directory_watch *w, struct dirtree_folder *parent, const struct inotify_event *event)
{
	struct dirtree_folder *d = dirtree_folder_known(&w->tree, parent, event->name);

	if (d != NULL && (event->mask & (IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE)) != 0)
		dirtree_folder_drop(&w->tree, d);
	if ((event->mask & (IN_CREATE | IN_MOVED_TO)) == 0 || parent->depth >= DIRECTORY_DEPTH_MAX)
		return;
	d = dirtree_folder(&w->tree, parent, event->name);
	if (d != NULL)
		dirtree_folder_read_later(&w->tree, d);
	else
		w->want_scan = true; /* which says what is wrong */
}

static void file_event(
	struct directory_watch *w, struct dirtree_folder *parent, const struct inotify_event *event)
{
	int64_t now_ms = clock_mono_ms();

	if ((event->mask & (IN_MOVED_FROM | IN_DELETE)) != 0) {
		struct dirtree_file *gone = dirtree_file_known(&w->tree, parent, event->name);
		if (gone != NULL)
			dirtree_file_drop(&w->tree, gone);
		return;
	}
	struct dirtree_file *f = dirtree_file(&w->tree, parent, event->name);
	if ((event->mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0) {
		f->writing_until_ms = 0;
		dirtree_file_queue(&w->tree, f, QUEUE_QUIET, now_ms + w->quiet_ms);
	} else if ((event->mask & IN_MODIFY) != 0) {
		f->writing_until_ms = now_ms + DIRECTORY_WRITER_MS;
		dirtree_file_queue(&w->tree, f, QUEUE_NONE, 0);
	} else if ((event->mask & IN_CREATE) != 0) {
		/* Perhaps a link, which nobody will close. */
		f->seen = (struct file_sign){0};
		dirtree_file_queue(&w->tree, f, QUEUE_SETTLING, now_ms + DIRECTORY_STILL_MS);
	}
}

static void events_lost(struct directory_watch *w)
{
	int64_t until_ms = clock_mono_ms() + DIRECTORY_DOUBT_MS;
	struct timeval after = {DIRECTORY_DOUBT_MS / 1000 + 1, 0};
	struct dirtree_file *f, *next;

	w->want_scan = true;
	HASH_ITER(hh, w->tree.files, f, next)
	if (f->writing_until_ms > until_ms)
		f->writing_until_ms = until_ms;
	if (w->rescan_s > after.tv_sec)
		event_add(w->rescan, &after);
}

static void handle(struct directory_watch *w, const struct inotify_event *event)
{
	if ((event->mask & IN_Q_OVERFLOW) != 0) {
		events_lost(w);
		return;
	}
	struct dirtree_folder *d = dirtree_folder_by_wd(&w->tree, event->wd);
	if (d == NULL)
		return;
	if ((event->mask & IN_IGNORED) != 0) {
		dirtree_folder_watch(&w->tree, d, -1);
		if (d != w->tree.root)
			dirtree_folder_drop(&w->tree, d);
	}
	if (d == w->tree.root && (event->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) != 0)
		w->want_scan = true;
	if ((event->mask & IN_IGNORED) != 0 || event->len == 0 || event->name[0] == '.')
		return;
	if ((event->mask & IN_ISDIR) != 0)
		folder_event(w, d, event);
	else if (source_file_is_post(event->name))
		file_event(w, d, event);
}

bool directory_notify_read(struct directory_watch *w, int64_t deadline_us)
{
	_Alignas(
		struct inotify_event) char data[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)];

	while (w->tree.inotify >= 0) {
		ssize_t n = read(w->tree.inotify, data, sizeof(data));
		if (n <= 0)
			return true;
		for (char *p = data; p < data + n;) {
			const struct inotify_event *event = (const void *)p;
			handle(w, event);
			p += sizeof(*event) + event->len;
		}
		if (clock_mono_us() >= deadline_us)
			return false;
	}
	return true;
}
