/* Running the token command: a child with nothing of ours but an empty standard input, a pipe for
 * what it prints, and standard error, which goes to the log. */
#include "token.h"

#include "hubmail/base_clock.h"
#include "hubmail/base_mem.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TOKEN_SIZE 16384

extern char **environ;

static pid_t start(const char *command, int out)
{
	char shell[] = "/bin/sh", from_text[] = "-c";
	char *const argv[] = {shell, from_text, (char *)command, NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, pipe_signal;
	pid_t pid = -1;

	sigemptyset(&none);
	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(
		&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &pipe_signal);
	int rc = posix_spawn(&pid, argv[0], &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	errno = rc;
	return rc == 0 ? pid : -1;
}

/* Until its end, a full buffer or the deadline. Returns how much, or -1 when the time is over. */
static ssize_t read_all(int fd, char *buf, size_t size, int64_t deadline)
{
	size_t len = 0;

	while (len < size) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = deadline - clock_mono_ms();
		int n = poll(&p, 1, left > 0 ? (int)left : 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		ssize_t got = read(fd, buf + len, size - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		len += (size_t)got;
	}
	return (ssize_t)len;
}

/* The first line, if it is one that can stand in a login. */
static char *first_line(const char *buf, size_t len, struct error *e)
{
	size_t n = 0;

	while (n < len && buf[n] > ' ' && buf[n] < 0x7f)
		n++;
	if (n == 0) {
		error_set(e, ERROR_IO, "token_command printed nothing");
		return NULL;
	}
	if (n < len && buf[n] != '\n' && buf[n] != '\r') {
		error_set(e, ERROR_IO,
			"token_command printed something that is no token (its first line must be one)");
		return NULL;
	}
	return xstrndup(buf, n);
}

/* Waits for the child until the deadline; past it, ends it and whatever it started. */
static bool wait_for_end(pid_t pid, int64_t deadline, int *status)
{
	const struct timespec nap = {0, 5000000};

	for (;;) {
		pid_t rc = waitpid(pid, status, WNOHANG);
		if (rc == pid)
			return true;
		if (clock_mono_ms() > deadline)
			break;
		nanosleep(&nap, NULL);
	}
	kill(-pid, SIGKILL);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	return false;
}

static bool ended_well(pid_t pid, int64_t deadline, struct error *e)
{
	int status = 0;

	if (!wait_for_end(pid, deadline, &status))
		return error_set(e, ERROR_IO, "token_command did not end in time");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	return error_set(e, ERROR_IO, "token_command failed with %s %d",
		WIFEXITED(status) ? "exit code" : "signal",
		WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

/* What the child prints before it ends. It may print more than is read: then it has a closed pipe.
 */
static char *hear_out(pid_t pid, int fd, int64_t deadline, struct error *e)
{
	char *buf = xmalloc(TOKEN_SIZE), *token = NULL;
	ssize_t n = read_all(fd, buf, TOKEN_SIZE, deadline);

	close(fd);
	bool ok = ended_well(pid, n >= 0 ? deadline : 0, e);
	if (n == TOKEN_SIZE)
		error_set(e, ERROR_IO, "token_command printed more than a token can be");
	else if (ok && n >= 0)
		token = first_line(buf, (size_t)n, e);
	explicit_bzero(buf, TOKEN_SIZE);
	free(buf);
	return token;
}

char *token_fetch(const char *command, int timeout_ms, struct error *e)
{
	int64_t deadline = clock_mono_ms() + timeout_ms;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0) {
		error_set(e, ERROR_IO, "token_command cannot be run: %s", strerror(errno));
		return NULL;
	}
	pid_t pid = start(command, fds[1]);
	int failure = errno;
	close(fds[1]);
	if (pid > 0)
		return hear_out(pid, fds[0], deadline, e);
	error_set(e, ERROR_IO, "token_command cannot be run: %s", strerror(failure));
	close(fds[0]);
	return NULL;
}
