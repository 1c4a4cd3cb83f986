/* The memory of a watched directory. Every folder has its folders and files in lists, so that a
 * subtree is dropped without looking at the rest; hashes find them by path and by watch. */
#include "directory_tree.h"

#include "hubmail/base_mem.h"
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

struct file_sign file_sign(const struct stat *st)
{
	return (struct file_sign){st->st_ino, st->st_size, st->st_mtim, st->st_ctim};
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool file_sign_same(const struct file_sign *a, const struct file_sign *b)
{
	return a->ino == b->ino && a->size == b->size && same_time(&a->mtime, &b->mtime) &&
	       same_time(&a->ctime, &b->ctime);
}

void dirtree_init(struct dirtree *t)
{
	*t = (struct dirtree){.inotify = -1};
	TAILQ_INIT(&t->quiet);
	TAILQ_INIT(&t->settling);
	TAILQ_INIT(&t->to_read);
}

void dirtree_clear(struct dirtree *t)
{
	if (t->root != NULL)
		dirtree_folder_drop(t, t->root);
	strlist_free(&t->gone); /* for we do not know */
}

static char *join(const struct dirtree_folder *parent, const char *name)
{
	return parent == NULL || parent->path[0] == '\0' ? xstrdup(name)
							 : xasprintf("%s/%s", parent->path, name);
}

/* ---- Folders ---- */

struct dirtree_folder *dirtree_folder_known(
	struct dirtree *t, const struct dirtree_folder *parent, const char *name)
{
	char *path = join(parent, name);
	struct dirtree_folder *d;

	HASH_FIND_STR(t->by_path, path, d);
	free(path);
	return d;
}

struct dirtree_folder *dirtree_folder(
	struct dirtree *t, struct dirtree_folder *parent, const char *name)
{
	struct dirtree_folder *d = dirtree_folder_known(t, parent, name);

	if (d == NULL) {
		if (t->n_folders >= DIRTREE_FOLDERS_MAX)
			return NULL;
		d = xcalloc(1, sizeof(*d));
		d->path = join(parent, name);
		d->parent = parent;
		d->depth = parent != NULL ? parent->depth + 1 : 0;
		d->wd = -1;
		LIST_INIT(&d->folders);
		LIST_INIT(&d->files);
		if (parent != NULL)
			LIST_INSERT_HEAD(&parent->folders, d, sibling);
		else
			t->root = d;
		HASH_ADD_KEYPTR(hh, t->by_path, d->path, strlen(d->path), d);
		t->n_folders++;
	}
	d->stamp = t->stamp;
	return d;
}

struct dirtree_folder *dirtree_folder_by_wd(struct dirtree *t, int wd)
{
	struct dirtree_folder *d;

	HASH_FIND(hh_wd, t->by_wd, &wd, sizeof(wd), d);
	return d;
}

/* A watch that another folder has is that of a folder that was moved here. */
void dirtree_folder_watch(struct dirtree *t, struct dirtree_folder *d, int wd)
{
	if (d->wd == wd)
		return;
	if (d->wd >= 0) {
		HASH_DELETE(hh_wd, t->by_wd, d);
		inotify_rm_watch(t->inotify, d->wd); /* fails if its folder is gone */
	}
	struct dirtree_folder *other = wd >= 0 ? dirtree_folder_by_wd(t, wd) : NULL;
	if (other != NULL) {
		HASH_DELETE(hh_wd, t->by_wd, other);
		other->wd = -1;
	}
	d->wd = wd;
	if (wd >= 0)
		HASH_ADD(hh_wd, t->by_wd, wd, sizeof(d->wd), d);
}

void dirtree_folder_read_later(struct dirtree *t, struct dirtree_folder *d)
{
	if (d->to_read)
		return;
	d->to_read = true;
	TAILQ_INSERT_TAIL(&t->to_read, d, reading);
}

static void drop_files(struct dirtree *t, struct dirtree_folder *d, uint64_t before)
{
	struct dirtree_file *f, *next;

	for (f = LIST_FIRST(&d->files); f != NULL; f = next) {
		next = LIST_NEXT(f, sibling);
		if (f->stamp < before)
			dirtree_file_drop(t, f);
	}
}

/* d has no folders any more. */
static void drop_leaf(struct dirtree *t, struct dirtree_folder *d)
{
	drop_files(t, d, UINT64_MAX);
	if (d->to_read)
		TAILQ_REMOVE(&t->to_read, d, reading);
	if (t->current == d)
		t->current = NULL;
	t->mended = t->mended || d->failure != 0;
	dirtree_folder_watch(t, d, -1);
	if (d->parent != NULL)
		LIST_REMOVE(d, sibling);
	else
		t->root = NULL;
	HASH_DELETE(hh, t->by_path, d);
	t->n_folders--;
	free(d->path);
	free(d);
}

void dirtree_folder_drop(struct dirtree *t, struct dirtree_folder *d)
{
	bool was_last = false;

	while (!was_last) {
		struct dirtree_folder *leaf = d;
		while (!LIST_EMPTY(&leaf->folders))
			leaf = LIST_FIRST(&leaf->folders);
		was_last = leaf == d;
		drop_leaf(t, leaf);
	}
}

void dirtree_folder_sweep(struct dirtree *t, struct dirtree_folder *d, uint64_t stamp)
{
	struct dirtree_folder *sub, *next;

	drop_files(t, d, stamp);
	for (sub = LIST_FIRST(&d->folders); sub != NULL; sub = next) {
		next = LIST_NEXT(sub, sibling);
		if (sub->stamp < stamp)
			dirtree_folder_drop(t, sub);
	}
}

/* ---- Files ---- */

struct dirtree_file *dirtree_file_known(
	struct dirtree *t, const struct dirtree_folder *parent, const char *name)
{
	char *path = join(parent, name);
	struct dirtree_file *f;

	HASH_FIND_STR(t->files, path, f);
	free(path);
	return f;
}

struct dirtree_file *dirtree_file(
	struct dirtree *t, struct dirtree_folder *parent, const char *name)
{
	struct dirtree_file *f = dirtree_file_known(t, parent, name);

	if (f == NULL) {
		f = xcalloc(1, sizeof(*f));
		f->path = join(parent, name);
		f->parent = parent;
		LIST_INSERT_HEAD(&parent->files, f, sibling);
		HASH_ADD_KEYPTR(hh, t->files, f->path, strlen(f->path), f);
	}
	f->stamp = t->stamp;
	return f;
}

const char *dirtree_file_name(const struct dirtree_file *f)
{
	const char *slash = strrchr(f->path, '/');

	return slash != NULL ? slash + 1 : f->path;
}

void dirtree_file_queue(
	struct dirtree *t, struct dirtree_file *f, enum file_queue queue, int64_t due_ms)
{
	if (f->queue != QUEUE_NONE)
		TAILQ_REMOVE(f->queue == QUEUE_QUIET ? &t->quiet : &t->settling, f, waiting);
	f->queue = queue;
	f->due_ms = due_ms;
	if (queue != QUEUE_NONE)
		TAILQ_INSERT_TAIL(queue == QUEUE_QUIET ? &t->quiet : &t->settling, f, waiting);
}

void dirtree_file_drop(struct dirtree *t, struct dirtree_file *f)
{
	dirtree_file_queue(t, f, QUEUE_NONE, 0);
	t->mended = t->mended || f->failed;
	if (f->taken)
		strlist_add(&t->gone, f->path);
	LIST_REMOVE(f, sibling);
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): f is in it */
	HASH_DELETE(hh, t->files, f);
	free(f->path);
	free(f);
}
