/* A directory of posts, watched: inotify, and a slow rescan as a safety net. The loop's thread
 * only. */
#ifndef HUBMAIL_SOURCE_DIRECTORY_H
#define HUBMAIL_SOURCE_DIRECTORY_H

#include "hubmail/base_error.h"
#include "hubmail/base_loop.h"
#include "hubmail/post.h"
#include <stdbool.h>

struct directory_watch;

/* What a look found. posts: those of files that are new or changed since the last call (all files,
 * on a full look). complete: it was a full look at everything that is there. errors: one line for
 * each file or folder that could not be read ("hello.md:3: …"); the others are in posts all the
 * same. Borrowed. */
struct directory_look {
	const struct post_list *posts;
	bool complete;
	const struct strlist *errors;
};
typedef void directory_fn(const struct directory_look *look, void *arg);

/* Watches `path` and its folders (hidden ones and symbolic links out of it left aside; at most
 * 10,000 folders). The first full look comes from the loop soon after. A file is taken once it has
 * been closed after writing (or moved in) and quiet for quiet_ms; a rescan every rescan_s seconds
 * finds what inotify missed, taking only files whose size and time stand still and that nobody is
 * known to have open for writing. A directory that does not exist (yet) is an error in the look and
 * is tried again at the rescan. Long scans go in steps of at most 10 ms. base_url may be NULL. */
struct directory_watch *directory_watch_new(struct loop *loop, const char *path,
	const char *base_url, int quiet_ms, int rescan_s, directory_fn *fn, void *arg);
void directory_watch_rescan(
	struct directory_watch *w); /* a full look soon, whose call has complete = true */
void directory_watch_free(struct directory_watch *w);

#endif
