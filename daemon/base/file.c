/* Whole files: reading with a limit, and replacing so that a crash leaves the old content or the
 * new. */
#include "hubmail/base_file.h"
#include "hubmail/base_mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool read_all(int fd, const char *path, size_t max, struct buf *out, struct error *e);
static bool put(const char *path, const void *data, size_t len, unsigned mode, bool is_new,
	struct error *e);
static bool write_all(int fd, const char *data, size_t len);
static bool sync_folder(const char *path);

bool file_read(const char *path, size_t max, struct buf *out, struct error *e)
{
	/* Not blocking: opening a pipe that nobody writes to would wait for ever. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		bool missing = errno == ENOENT || errno == ENOTDIR;
		return error_set(e, missing ? ERROR_NOT_FOUND : ERROR_IO, "%s: %s", path,
			missing ? "no such file" : strerror(errno));
	}
	size_t before = out->len;
	struct stat st;
	bool ok = false;
	if (fstat(fd, &st) != 0)
		error_set(e, ERROR_IO, "%s: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		error_set(e, ERROR_DATA, "%s: not a regular file", path);
	else
		ok = read_all(fd, path, max, out, e);
	if (!ok)
		buf_truncate(out, before);
	close(fd);
	return ok;
}

static bool read_all(int fd, const char *path, size_t max, struct buf *out, struct error *e)
{
	size_t total = 0;
	for (;;) {
		buf_reserve(out, 8192);
		ssize_t n = read(fd, out->data + out->len, out->cap - out->len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(e, ERROR_IO, "%s: %s", path, strerror(errno));
		if (n == 0)
			return true;
		out->len += (size_t)n;
		out->data[out->len] = '\0';
		total += (size_t)n;
		if (total > max)
			return error_set(e, ERROR_DATA, "%s: larger than %zu bytes", path, max);
	}
}

bool file_write(const char *path, const void *data, size_t len, unsigned mode, struct error *e)
{
	return put(path, data, len, mode, false, e);
}

bool file_create(const char *path, const void *data, size_t len, unsigned mode, struct error *e)
{
	return put(path, data, len, mode, true, e);
}

/* A new name is made by a link, which takes no other's place as a renaming does. */
static bool put(
	const char *path, const void *data, size_t len, unsigned mode, bool is_new, struct error *e)
{
	char *beside = xasprintf("%s.XXXXXX", path);
	int fd = mkostemp(beside, O_CLOEXEC);
	bool written = fd >= 0 && fchmod(fd, mode) == 0 &&
		       (!is_new || file_give_to_folder(fd, path)) && write_all(fd, data, len) &&
		       fsync(fd) == 0;
	bool ok = written && (is_new ? link(beside, path) : rename(beside, path)) == 0;
	if (!ok && written && is_new && errno == EEXIST)
		error_set(e, ERROR_REFUSED, "%s: is there already", path);
	else if (!ok)
		error_set(e, ERROR_IO, "%s: %s", path, strerror(errno));
	if (fd >= 0) {
		close(fd);
		if (!ok || is_new)
			unlink(beside);
	}
	free(beside);
	if (ok && !sync_folder(path))
		return error_set(e, ERROR_IO, "%s: %s", path, strerror(errno));
	return ok;
}

static bool write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* The new name is durable only when its folder is. */
static bool sync_folder(const char *path)
{
	char *folder = file_folder(path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
	int failure = errno;
	if (fd >= 0)
		close(fd);
	free(folder);
	errno = failure;
	return ok;
}

char *file_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	if (slash == NULL)
		return xstrdup(".");
	while (slash > path && slash[-1] == '/')
		slash--;
	return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

bool file_give_to_folder(int fd, const char *path)
{
	struct stat st;

	if (geteuid() != 0)
		return true;
	char *folder = file_folder(path);
	bool ok = stat(folder, &st) == 0 && fchown(fd, st.st_uid, st.st_gid) == 0;
	free(folder);
	return ok;
}
