/* A directory of posts, watched: inotify, and a slow rescan as a safety net. The loop's thread
 * only. */
#ifndef HUBMAIL_SOURCE_DIRECTORY_H
#define HUBMAIL_SOURCE_DIRECTORY_H

#include "hubmail/base_error.h"
#include "hubmail/base_loop.h"
#include "hubmail/post.h"
#include <stdbool.h>

struct directory_watch;

/* What a look found. posts: those of files that are new or changed since the last call (all that
 * are there, on a full look). complete: with this call ends a full look. errors: one line for each
 * file or folder that could not be read ("hello.md:3: …"), once for each change of it and on every
 * full look; the others are in posts all the same. gone: the guids (paths) of files that have been
 * removed or moved away, before anything in posts was found, and of drafts. there: on a complete
 * look those of all files that are there, drafts and bad ones too; a folder that could not be read
 * is an error and its files may be missing. All may be empty: then something of which an error was
 * told is right now, or gone. Borrowed. */
struct directory_look {
	const struct post_list *posts;
	bool complete;
	const struct strlist *errors;
	const struct strlist *gone, *there;
};
typedef void directory_fn(const struct directory_look *look, void *arg);

/* Watches `path` and its folders (hidden ones and symbolic links left aside, at most 10,000
 * folders, 64 deep; `path` itself may be a link). The first full look comes from the loop soon
 * after. A file is taken once it has been closed after writing (or moved in) and quiet for
 * quiet_ms. A rescan every rescan_s seconds, and one when the kernel has lost events, finds what
 * inotify missed; it tells what is new or changed and is no full look. A file that is found without
 * having been announced (in a new folder, by a rescan, at the start) is taken when it stands still
 * for a second and nobody is known to have it open for writing; one who writes nothing for an hour
 * is not believed to write any more. An empty file is no post yet.
 *
 * A full look is handed over in several calls if there is much, and waits up to a second for files
 * that are not at rest; what is still being written then, or saved while it goes on, comes later,
 * as something new.
 *
 * A directory that does not exist is an error in a look, once and on request, and is looked for
 * every second; when it comes (back), a full look follows. Work goes in steps of at most 10 ms.
 * base_url may be NULL,
 * as may permalink (source_file.h). fn may free the watch. */
struct directory_watch *directory_watch_new(struct loop *loop, const char *path,
	const char *base_url, const char *permalink, int quiet_ms, int rescan_s, directory_fn *fn,
	void *arg);

/* A full look soon, also if one is under way; fn is not called before this returns. */
void directory_watch_rescan(struct directory_watch *w);

void directory_watch_free(struct directory_watch *w); /* NULL is no error */

#endif
