/* Opening and reading what is imported, in a way that Ctrl-C can end between two lines, and writing
 * down the lines that were bad. The first bytes tell whether it is CSV or JSON. */
#include "import_file.h"

#include "hubmail/base_mem.h"
#include "import_json.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE ((size_t)64 << 10) /* bytes read at once while it is not known what it is */

struct import_file {
	char *name;
	int fd, signals;
	int64_t size;    /* of a regular file, or -1 */
	struct buf head; /* read to find out what it is */
	size_t head_used;
	struct csv_reader *reader; /* one of these, after the first look at it */
	struct import_json *json;
	import_wait_fn *wait;
	void *wait_arg;
	FILE *rejects;
	char *rejects_name;
	size_t n_rejects;
};

static ssize_t read_some(void *arg, void *out, size_t max)
{
	struct import_file *f = arg;
	struct pollfd fds[2] = {{f->signals, POLLIN, 0}, {f->fd, POLLIN, 0}};

	if (poll(fds, 2, 0) == 0 && f->wait != NULL && !f->wait(f->wait_arg)) {
		errno = ECANCELED;
		return -1;
	}
	while (poll(fds, 2, -1) < 0)
		if (errno != EINTR)
			return -1;
	if (fds[0].revents != 0) {
		errno = EINTR;
		return -1;
	}
	return read(f->fd, out, max);
}

static ssize_t read_csv(void *arg, void *out, size_t max)
{
	struct import_file *f = arg;
	size_t n = f->head.len - f->head_used;

	if (n == 0)
		return read_some(f, out, max);
	n = n < max ? n : max;
	memcpy(out, f->head.data + f->head_used, n);
	f->head_used += n;
	return (ssize_t)n;
}

/* ---- CSV or JSON ---- */

/* Reads on into f->head. 0 at the end, -1 with errno. */
static ssize_t read_head(struct import_file *f)
{
	buf_reserve(&f->head, PIECE);
	ssize_t n = read_some(f, f->head.data + f->head.len, PIECE);
	f->head.len += n > 0 ? (size_t)n : 0;
	f->head.data[f->head.len] = '\0';
	return n;
}

static bool too_large(const struct import_file *f, struct error *e)
{
	return error_set(e, ERROR_DATA,
		"%s: is JSON of more than %zu MB: a CSV file (`hubmailctl export`) may have any size",
		f->name, IMPORT_JSON_MAX >> 20);
}

/* False without an error: errno tells. */
static bool begin_json(struct import_file *f, struct error *e)
{
	struct error why = {0};
	ssize_t n = 1;

	if (f->size > (int64_t)IMPORT_JSON_MAX)
		return too_large(f, e);
	while (n > 0 && f->head.len <= IMPORT_JSON_MAX)
		n = read_head(f);
	if (n < 0)
		return false;
	if (n > 0)
		return too_large(f, e);
	f->json = import_json_new(&f->head, &why);
	return f->json != NULL || error_set(e, why.code, "%s:%s", f->name, why.text);
}

static bool begin(struct import_file *f, struct error *e)
{
	ssize_t n = 1;

	while (n > 0 && strspn(buf_str(&f->head), " \t\r\n\xef\xbb\xbf") == f->head.len)
		n = read_head(f);
	if (n < 0)
		return false;
	if (import_json_is_meant(buf_str(&f->head), f->head.len))
		return begin_json(f, e);
	f->reader = csv_reader_new(read_csv, f);
	return true;
}

static int catch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool open_input(struct import_file *f, const char *path, struct error *e)
{
	struct stat st;

	f->fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	if (f->fd < 0 || fstat(f->fd, &st) != 0)
		return error_set(e, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_IO, "%s: %s", f->name,
			strerror(errno));
	if (S_ISDIR(st.st_mode))
		return error_set(e, ERROR_IO, "%s: is a folder", f->name);
	f->size = S_ISREG(st.st_mode) ? (int64_t)st.st_size : -1;
	return true;
}

/* Bad lines have addresses in them: nobody else reads the file. */
static bool open_rejects(struct import_file *f, const char *path, struct error *e)
{
	struct stat in, out;

	if (fstat(f->fd, &in) == 0 && stat(path, &out) == 0 && in.st_dev == out.st_dev &&
		in.st_ino == out.st_ino)
		return error_set(
			e, ERROR_REFUSED, "%s: is the file that is imported: name another", path);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	f->rejects = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (f->rejects == NULL)
		return error_set(e, ERROR_IO, "%s: %s", path, strerror(errno));
	f->rejects_name = xstrdup(path);
	return true;
}

struct import_file *import_file_open(const char *path, const char *rejects, struct error *e)
{
	struct import_file *f = xcalloc(1, sizeof(*f));

	f->signals = -1;
	f->name = xstrdup(strcmp(path, "-") == 0 ? "standard input" : path);
	if (!open_input(f, path, e) || (rejects != NULL && !open_rejects(f, rejects, e))) {
		import_file_close(f);
		return NULL;
	}
	f->signals = catch_signals();
	return f;
}

void import_file_close(struct import_file *f)
{
	if (f == NULL)
		return;
	csv_reader_free(f->reader);
	import_json_free(f->json);
	buf_free(&f->head);
	if (f->rejects != NULL)
		fclose(f->rejects);
	if (f->fd >= 0)
		close(f->fd);
	if (f->signals >= 0)
		close(f->signals);
	free(f->rejects_name);
	free(f->name);
	free(f);
}

const char *import_file_name(const struct import_file *f)
{
	return f->name;
}

bool import_file_is_json(const struct import_file *f)
{
	return f->json != NULL;
}

/* A signal that came while nothing was read: read_some() sees those of a CSV file. */
static bool interrupted(const struct import_file *f)
{
	struct signalfd_siginfo info;

	if (f->signals < 0 || read(f->signals, &info, sizeof(info)) < 0)
		return false;
	errno = EINTR;
	return true;
}

static enum csv_next next_record(struct import_file *f, struct csv_record *out, struct error *e)
{
	if (f->reader == NULL && f->json == NULL && !begin(f, e))
		return CSV_NEXT_FAILED;
	if (f->json == NULL)
		return csv_reader_next(f->reader, out);
	return interrupted(f) ? CSV_NEXT_FAILED : import_json_next(f->json, out);
}

enum csv_next import_file_next(struct import_file *f, struct csv_record *out, struct error *e)
{
	enum csv_next next = next_record(f, out, e);

	if (next != CSV_NEXT_FAILED || e->code != ERROR_NONE)
		return next;
	if (errno == EINTR)
		error_set(e, ERROR_AGAIN, "interrupted");
	else if (errno != ECANCELED)
		error_set(e, ERROR_IO, "%s: %s", f->name, strerror(errno));
	return CSV_NEXT_FAILED;
}

void import_file_split(struct import_file *f, struct csv_record *record)
{
	if (f->reader != NULL)
		csv_reader_split(f->reader, record);
}

void import_file_on_wait(struct import_file *f, import_wait_fn *fn, void *arg)
{
	f->wait = fn;
	f->wait_arg = arg;
}

double import_file_part(const struct import_file *f)
{
	if (f->json != NULL)
		return import_json_part(f->json);
	if (f->size <= 0)
		return -1;
	return (double)csv_reader_offset(f->reader) / (double)f->size;
}

/* ---- Bad lines ---- */

static void cell(struct import_file *f, const char *text)
{
	fputc('"', f->rejects);
	for (; *text != '\0'; text++) {
		if (*text == '"')
			fputc('"', f->rejects);
		fputc(*text, f->rejects);
	}
	fputc('"', f->rejects);
}

static void raw(struct import_file *f, const struct csv_record *record)
{
	fwrite(record->raw, 1, record->raw_len, f->rejects);
	if (record->raw_len == 0 || strchr("\r\n", record->raw[record->raw_len - 1]) == NULL)
		fputc('\n', f->rejects);
}

void import_file_keep_header(struct import_file *f, const struct csv_record *header)
{
	if (f->rejects == NULL || f->json != NULL)
		return;
	char delimiter = csv_reader_delimiter(f->reader);
	fprintf(f->rejects, "line%creason%c", delimiter, delimiter);
	raw(f, header);
}

void import_file_reject(struct import_file *f, const struct csv_record *record, const char *reason)
{
	if (f->rejects == NULL)
		return;
	f->n_rejects++;
	if (f->json != NULL) {
		fputs(f->n_rejects == 1 ? "[\n" : ",\n", f->rejects);
		import_json_reject(f->rejects, record, reason);
		return;
	}
	char delimiter = csv_reader_delimiter(f->reader);
	fprintf(f->rejects, "%zu%c", record->line, delimiter);
	cell(f, reason);
	fputc(delimiter, f->rejects);
	raw(f, record);
}

bool import_file_has_rejects(const struct import_file *f)
{
	return f->rejects != NULL;
}

bool import_file_end(struct import_file *f, struct error *e)
{
	if (f->rejects == NULL)
		return true;
	if (f->json != NULL)
		fputs(f->n_rejects == 0 ? "[]\n" : "\n]\n", f->rejects);
	bool good = fflush(f->rejects) == 0 && !ferror(f->rejects);
	return good || error_set(e, ERROR_IO, "%s: %s", f->rejects_name, strerror(errno));
}
