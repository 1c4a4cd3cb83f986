/* A directory under watch, as the files of this room share it: directory.c has the life cycle and
 * the steps, directory_notify.c inotify, directory_scan.c reading folders, directory_take.c reading
 * files. Private to daemon/source. */
#ifndef HUBMAIL_SOURCE_DIRECTORY_WATCH_H
#define HUBMAIL_SOURCE_DIRECTORY_WATCH_H

#include "directory_tree.h"
#include "hubmail/source_directory.h"
#include <dirent.h>
#include <event2/event.h>

#define DIRECTORY_DEPTH_MAX 64
#define DIRECTORY_STILL_MS 1000     /* a file that was found must stand still for so long */
#define DIRECTORY_WRITER_MS 3600000 /* a writer that does nothing for so long is forgotten */
#define DIRECTORY_DOUBT_MS 30000 /* the same after events were lost, its end among them perhaps */

struct directory_watch {
	struct event_base *base;
	char *path, *base_url, *permalink;
	int quiet_ms, rescan_s;
	directory_fn *fn;
	void *arg;

	struct dirtree tree;
	struct event *readable, *step, *rescan;

	bool want_scan, want_full;
	bool scanning, full; /* the scan under way: of all there is; reporting all there is */
	int64_t closing_ms;  /* when a full look ends whatever waits; 0: not known yet */
	bool cut_short;      /* we ran out of something: what was not seen may be there */
	DIR *dir;            /* of tree.current */
	uint64_t read_stamp;
	int root_failure;                /* errno that has been reported; 0: it is there */
	bool told_folders, told_watches; /* limits that have been reported */

	/* Found in this step. */
	struct post_list posts;
	struct strlist errors;
	bool complete;
};

void directory_error(struct directory_watch *w, const char *path, const char *reason);

/* ---- directory_notify.c ---- */

/* Starts inotify anew; all folders must have been dropped. */
void directory_notify_open(struct directory_watch *w);
void directory_notify_close(struct directory_watch *w);
void directory_notify_watch(struct directory_watch *w, struct dirtree_folder *d);
/* Takes in what has happened. False if there is more than fits before the deadline. */
bool directory_notify_read(struct directory_watch *w, int64_t deadline_us);

/* ---- directory_scan.c ---- */

/* Does one small piece of the scan; false if there is none. */
bool directory_scan_step(struct directory_watch *w);
void directory_scan_stop(struct directory_watch *w);
/* True if it says nothing about the folder or file: descriptors or memory have run out. The scan is
 * then cut short. */
bool directory_ran_out(struct directory_watch *w, int failure);
/* Opens a folder without following a symbolic link below the directory; -1 with errno. */
int directory_folder_open(const struct directory_watch *w, const char *path);

/* ---- directory_take.c ---- */

/* Looks at a file of the folder `dir`, and takes it if it is to be: new or changed (or this is a
 * full look), and complete. `announced`: it has been closed or moved in, and been quiet. May drop
 * f. */
void directory_take(struct directory_watch *w, struct dirtree_file *f, int dir, bool announced);
/* The one that is due first; NULL if none waits. */
struct dirtree_file *directory_first_due(struct directory_watch *w);
/* Takes it if it is due now; false if there was nothing to do. */
bool directory_take_due(struct directory_watch *w, int64_t now_ms);

#endif
