/* Making and removing the control socket's file. The socket is bound beside its name, gets its
 * owner and mode, listens, and takes its name last: nobody ever meets one that is half made. */
#include "socket.h"

#include "hubmail/base_file.h"
#include "hubmail/base_mem.h"
#include "peer.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 64

bool socket_address(const char *path, struct sockaddr_un *address, struct error *e)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address->sun_path))
		return error_set(e, ERROR_CONFIG,
			"control.socket: %s: a socket's path has at most %zu bytes", path,
			sizeof(address->sun_path) - 1);
	memcpy(address->sun_path, path, strlen(path) + 1);
	return true;
}

/* The umask is the daemon's; the folder is for everybody to pass through, as /run's are. */
static bool make_folder(const char *path, struct error *e)
{
	char *folder = file_folder(path);
	bool ok = access(folder, F_OK) == 0 ||
		  (mkdir(folder, 0755) == 0 && chmod(folder, 0755) == 0) || errno == EEXIST;

	if (!ok)
		error_set(e, ERROR_IO,
			"control.socket: %s: the folder cannot be made: %s: make it and give it to hubmaild's user",
			folder, strerror(errno));
	free(folder);
	return ok;
}

static bool refuse_live(int fd, const char *path, struct error *e)
{
	struct ucred who;

	if (peer_credentials(fd, &who))
		return error_set(e, ERROR_REFUSED,
			"control.socket: %s: another daemon (process %d) listens there", path,
			(int)who.pid);
	return error_set(
		e, ERROR_REFUSED, "control.socket: %s: another daemon listens there", path);
}

/* True if a new socket may take that name: nothing is there, or a socket that nobody answers. */
static bool check_free(const struct sockaddr_un *address, struct error *e)
{
	const char *path = address->sun_path;
	struct stat st;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? true
				       : error_set(e, ERROR_IO, "control.socket: %s: %s", path,
						 strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return error_set(e, ERROR_CONFIG,
			"control.socket: %s: is something else than a socket: remove it or name another path",
			path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set(e, ERROR_IO, "control.socket: %s", strerror(errno));
	bool ok;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
		ok = refuse_live(fd, path, e);
	else if (errno == EAGAIN) /* its queue is full */
		ok = error_set(
			e, ERROR_REFUSED, "control.socket: %s: another daemon listens there", path);
	else
		ok = errno == ECONNREFUSED || errno == ENOENT ||
		     error_set(e, ERROR_IO, "control.socket: %s: %s", path, strerror(errno));
	close(fd);
	return ok;
}

static bool bind_at(
	int fd, const struct sockaddr_un *beside, gid_t group, struct stat *made, struct error *e)
{
	const char *path = beside->sun_path;

	unlink(path); /* of a start that was cut off */
	if (bind(fd, (const struct sockaddr *)beside, sizeof(*beside)) != 0)
		return error_set(e, ERROR_IO, "control.socket: %s: cannot be made: %s", path,
			strerror(errno));
	if (lstat(path, made) != 0)
		return error_set(e, ERROR_IO, "control.socket: %s: %s", path, strerror(errno));
	/* The daemon's unit allows no chown(), which its own group does not need. */
	if (group != PEER_NO_GROUP && made->st_gid != group && chown(path, (uid_t)-1, group) != 0)
		return error_set(e, ERROR_CONFIG,
			"control.socket: %s: cannot be given to control.group: %s: hubmaild's user must be in that group",
			path, strerror(errno));
	if (chmod(path, group == PEER_NO_GROUP ? 0600 : 0660) != 0 || listen(fd, BACKLOG) != 0)
		return error_set(e, ERROR_IO, "control.socket: %s: %s", path, strerror(errno));
	return true;
}

static bool address_beside(const char *path, struct sockaddr_un *beside, struct error *e)
{
	char *name = xasprintf("%s.new", path);
	bool ok = socket_address(name, beside, e);

	free(name);
	return ok;
}

int socket_listen(const char *path, gid_t group, struct stat *made, struct error *e)
{
	struct sockaddr_un address, beside;

	if (!socket_address(path, &address, e) || !address_beside(path, &beside, e) ||
		!make_folder(path, e) || !check_free(&address, e))
		return -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		error_set(e, ERROR_IO, "control.socket: %s", strerror(errno));
		return -1;
	}
	bool ok = bind_at(fd, &beside, group, made, e);
	if (ok && rename(beside.sun_path, path) != 0)
		ok = error_set(e, ERROR_IO, "control.socket: %s: cannot be made: %s", path,
			strerror(errno));
	if (!ok) {
		unlink(beside.sun_path);
		close(fd);
		return -1;
	}
	return fd;
}

void socket_remove(const char *path, const struct stat *made)
{
	struct stat now;

	if (lstat(path, &now) == 0 && now.st_dev == made->st_dev && now.st_ino == made->st_ino)
		unlink(path);
}
