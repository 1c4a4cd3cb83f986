/* What is known of a watched directory: its folders with their inotify watches, its files with
 * what they looked like, and which of them wait. Private to daemon/source. */
#ifndef HUBMAIL_SOURCE_DIRECTORY_TREE_H
#define HUBMAIL_SOURCE_DIRECTORY_TREE_H

#include "hubmail/base_buf.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <time.h>
#include <uthash.h>

#define DIRTREE_FOLDERS_MAX 10000

/* What a file looked like. The time of its last change of any kind cannot be set by its owner, so
 * that a copy that keeps size and date is still seen. */
struct file_sign {
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime;
};
struct file_sign file_sign(const struct stat *st);
bool file_sign_same(const struct file_sign *a, const struct file_sign *b);

enum file_queue {
	QUEUE_NONE,
	QUEUE_QUIET,    /* closed or moved in, taken when it has been quiet */
	QUEUE_SETTLING, /* found, taken when it stands still */
};

struct dirtree_file {
	char *path; /* relative, '/'-separated */
	struct dirtree_folder *parent;
	bool taken;
	bool failed;              /* an error has been told of it */
	struct file_sign known;   /* when it was taken */
	struct file_sign seen;    /* when it was found */
	int64_t writing_until_ms; /* somebody has written and not closed it; not believed for longer
				   */
	int64_t due_ms;
	enum file_queue queue;
	uint64_t stamp; /* of the last reading or event that showed it */
	LIST_ENTRY(dirtree_file) sibling;
	TAILQ_ENTRY(dirtree_file) waiting;
	UT_hash_handle hh;
};

struct dirtree_folder {
	char *path; /* relative; "" is the directory itself */
	struct dirtree_folder *parent;
	int depth;
	int wd;      /* -1: not watched */
	int failure; /* errno of the last try to read it */
	bool to_read;
	uint64_t stamp;
	LIST_HEAD(, dirtree_folder) folders;
	LIST_HEAD(, dirtree_file) files;
	LIST_ENTRY(dirtree_folder) sibling;
	TAILQ_ENTRY(dirtree_folder) reading;
	UT_hash_handle hh, hh_wd;
};

TAILQ_HEAD(dirtree_files, dirtree_file);
TAILQ_HEAD(dirtree_folders, dirtree_folder);

struct dirtree {
	int inotify; /* -1: none */
	struct dirtree_folder *root, *by_path, *by_wd;
	struct dirtree_file *files; /* by path */
	size_t n_folders;
	struct dirtree_files quiet, settling;
	struct dirtree_folders to_read;
	struct dirtree_folder *current; /* being read; NULL if it is dropped meanwhile */
	uint64_t stamp;
	struct strlist gone; /* files that were taken and are not there any more */
	bool mended;         /* something of which an error was told is right now, or gone */
};

void dirtree_init(struct dirtree *t);
void dirtree_clear(struct dirtree *t); /* forgets all, and lets go of all watches */

/* What is known, or a new one. NULL if there are too many folders. name "" is the root. */
struct dirtree_folder *dirtree_folder(
	struct dirtree *t, struct dirtree_folder *parent, const char *name);
struct dirtree_folder *dirtree_folder_known(
	struct dirtree *t, const struct dirtree_folder *parent, const char *name);
struct dirtree_folder *dirtree_folder_by_wd(struct dirtree *t, int wd);
void dirtree_folder_watch(struct dirtree *t, struct dirtree_folder *d, int wd);
void dirtree_folder_read_later(struct dirtree *t, struct dirtree_folder *d);
void dirtree_folder_drop(struct dirtree *t, struct dirtree_folder *d); /* with all below */
/* Drops what lies in d and has not shown since that stamp. */
void dirtree_folder_sweep(struct dirtree *t, struct dirtree_folder *d, uint64_t stamp);

struct dirtree_file *dirtree_file(
	struct dirtree *t, struct dirtree_folder *parent, const char *name);
struct dirtree_file *dirtree_file_known(
	struct dirtree *t, const struct dirtree_folder *parent, const char *name);
const char *dirtree_file_name(const struct dirtree_file *f); /* the last part of its path */
void dirtree_file_drop(struct dirtree *t, struct dirtree_file *f);
/* At the end of that queue (none: of none). Delays must be the same within a queue. */
void dirtree_file_queue(
	struct dirtree *t, struct dirtree_file *f, enum file_queue queue, int64_t due_ms);

#endif
