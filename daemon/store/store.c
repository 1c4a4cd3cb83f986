/* Opening and closing a database, transactions of tools, backup, and the daemon's lock. What is in
 * the tables is the business of the other files. */
#include "hubmail/store.h"

#include "hubmail/base_file.h"
#include "hubmail/base_mem.h"
#include "sql.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define BUSY_MAX_MS 10000
#define BUSY_NAP_US 500
#define EMPTY_MAX_MS 20 /* so long an attempt to empty the log may keep others waiting */
#define EMPTY_TRIES 30
#define EMPTY_NAP_US 50000
#define WAL_PAGES 4000
#define WAL_LOOK_PAGES 250
#define SCARCE_BYTES (64u << 20)

/* SQLite's own waiting grows to 100 ms a nap, in which the daemon's writer has come and gone a
 * hundred times: a short even nap gets a tool its turn. */
static int nap(int naps, int max_ms)
{
	if (naps > max_ms * 1000 / BUSY_NAP_US)
		return 0;
	usleep(BUSY_NAP_US);
	return 1;
}

static int wait_turn(void *arg, int naps)
{
	(void)arg;
	return nap(naps, BUSY_MAX_MS);
}

static int wait_briefly(void *arg, int naps)
{
	(void)arg;
	return nap(naps, EMPTY_MAX_MS);
}

static bool not_permitted(const char *path, struct error *e)
{
	return error_set(e, ERROR_IO,
		"%s: permission denied: use sudo, or become the user that hubmaild runs as", path);
}

static bool make_file(const char *path, struct error *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

	if (fd < 0) {
		if (errno == EEXIST)
			return true;
		if (errno == EACCES)
			return not_permitted(path, e);
		return error_set(e, ERROR_IO, "%s: cannot be made: %s", path, strerror(errno));
	}
	bool ok = file_give_to_folder(fd, path) ||
		  error_set(e, ERROR_IO, "%s: its owner cannot be set: %s", path, strerror(errno));
	close(fd);
	return ok;
}

/* Why a database cannot be read, in errno: true if it could be made. */
static bool not_there(const char *path, enum store_mode mode, struct error *e)
{
	if (errno == EACCES)
		return not_permitted(path, e);
	if (mode != STORE_READ)
		return make_file(path, e);
	return error_set(e, ERROR_NOT_FOUND,
		"%s: there is no database yet: start hubmaild or add a subscriber", path);
}

/* SQLite does not ask the busy handler when two processes change the journal mode of a new database
 * at once. */
static bool use_wal(struct store *s)
{
	int rc, naps = 0;

	do
		rc = sqlite3_exec(s->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
	while ((rc & 0xff) == SQLITE_BUSY && wait_turn(NULL, naps++));
	return rc == SQLITE_OK;
}

static bool is_scarce(const char *path)
{
	struct statvfs v;

	return statvfs(path, &v) == 0 && (uint64_t)v.f_bavail * v.f_frsize < SCARCE_BYTES;
}

/* A checkpoint costs two waits for the disk: there is one for every 16 MB of what is written.
 * Where there is little room that would be too late, for on a full disk none can be made. Nobody
 * is waited for; what a reader still needs is left to the next one. */
static int after_commit(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct store *s = arg;

	if (pages < s->wal_looked_at)
		s->wal_looked_at = 0; /* it has begun anew */
	if (pages < s->wal_looked_at + WAL_LOOK_PAGES)
		return SQLITE_OK;
	s->wal_looked_at = pages;
	if (pages >= WAL_PAGES || is_scarce(s->path))
		sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return SQLITE_OK;
}

static bool set_up(struct store *s, struct error *e)
{
	/* What is erased is overwritten, as Debian builds SQLite. */
	static const char common[] =
		"PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
		"PRAGMA secure_delete = ON;";
	static const char *const by_mode[] = {
		[STORE_READ] = "PRAGMA query_only = ON; PRAGMA cache_size = -4000",
		[STORE_WRITE] = "PRAGMA cache_size = -16000",
		[STORE_DAEMON] = "PRAGMA cache_size = -8000; PRAGMA journal_size_limit = 67108864",
	};

	sqlite3_busy_handler(s->db, wait_turn, NULL);
	sqlite3_extended_result_codes(s->db, 1);
	if (s->mode == STORE_READ) {
		if (!schema_is_current(s->db, s->path, schema_current(), e))
			return false;
	} else {
		/* Not ours? Then nothing in it may change, the journal mode included. */
		if (!schema_check(s->db, s->path, schema_current(), e))
			return false;
		if (!use_wal(s))
			return sql_error(s, e);
		if (!schema_migrate(s->db, s->path, schema_current(), e))
			return false;
	}
	if (sqlite3_exec(s->db, common, NULL, NULL, NULL) != SQLITE_OK ||
		sqlite3_exec(s->db, by_mode[s->mode], NULL, NULL, NULL) != SQLITE_OK)
		return sql_error(s, e);
	if (s->mode != STORE_READ)
		sqlite3_wal_hook(s->db, after_commit, s);
	/* Made different first, so that it is set whatever SQLite was built with. */
	s->durable = s->mode != STORE_WRITE;
	return sql_set_durable(s, s->mode == STORE_WRITE, e);
}

struct store *store_open(const char *path, enum store_mode mode, struct error *e)
{
	struct store *s = xcalloc(1, sizeof(*s));

	s->path = xstrdup(path);
	s->mode = mode;
	if (access(path, R_OK) != 0 && !not_there(path, mode, e))
		goto fail;
	if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
		SQLITE_OK) {
		sql_error(s, e);
		goto fail;
	}
	if (!set_up(s, e))
		goto fail;
	return s;
fail:
	store_close(s);
	return NULL;
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	sql_free(s);
	deriver_free(s->hasher);
	sqlite3_close(s->db);
	free(s->path);
	free(s);
}

void store_set_secret(struct store *s, const struct secret *secret)
{
	deriver_free(s->hasher);
	s->hasher = deriver_new(secret, "hubmail suppression 1");
}

int store_lock(const char *path, struct error *e)
{
	char *name = xasprintf("%s.lock", path);
	char pid[32] = "";
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0640);

	if (fd < 0) {
		error_set(e, ERROR_IO, "%s: cannot be made: %s", name, strerror(errno));
	} else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);
		pid[n > 0 ? n : 0] = '\0';
		pid[strspn(pid, "0123456789")] = '\0';
		error_set(e, ERROR_REFUSED,
			"%s: another hubmaild (process %s) already works on this database", path,
			pid[0] != '\0' ? pid : "unknown");
		close(fd);
		fd = -1;
	} else {
		/* A lock whose process id cannot be written (disk full) is a lock all the same. */
		int n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
		if (!file_give_to_folder(fd, name) || ftruncate(fd, 0) != 0 ||
			pwrite(fd, pid, (size_t)n, 0) != n)
			errno = 0;
	}
	free(name);
	return fd;
}

bool store_begin(struct store *s, struct error *e)
{
	return sql_run(s, e, "BEGIN IMMEDIATE", "");
}

bool store_commit(struct store *s, struct error *e)
{
	return digest_settle(s, e) && sql_run(s, e, "COMMIT", "");
}

void store_rollback(struct store *s)
{
	s->n_changes = 0;
	if (!sqlite3_get_autocommit(s->db))
		sql_run(s, NULL, "ROLLBACK", "");
}

bool store_begin_reading(struct store *s, struct error *e)
{
	return sql_run(s, e, "BEGIN", "");
}

bool store_empty_log(struct store *s)
{
	int rc = SQLITE_BUSY;

	for (int i = 0; i < EMPTY_TRIES && (rc & 0xff) == SQLITE_BUSY; i++) {
		if (i > 0)
			usleep(EMPTY_NAP_US);
		/* This does most of it while others write; for the rest they have to wait. */
		sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
		sqlite3_busy_handler(s->db, wait_briefly, NULL);
		rc = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
		sqlite3_busy_handler(s->db, wait_turn, NULL);
	}
	return rc == SQLITE_OK;
}

/* The addresses of all readers will be in it: nobody else may look, not even while it grows. */
static bool make_backup_file(const char *path, struct error *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 && errno == EEXIST)
		return error_set(e, ERROR_REFUSED, "%s: exists already: name a new file", path);
	if (fd < 0)
		return error_set(e, ERROR_IO, "%s: cannot be made: %s", path, strerror(errno));
	bool ok = file_give_to_folder(fd, path) ||
		  error_set(e, ERROR_IO, "%s: its owner cannot be set: %s", path, strerror(errno));
	close(fd);
	if (!ok)
		unlink(path);
	return ok;
}

bool store_backup(struct store *s, const char *path, struct error *e)
{
	struct error why = {0};

	if (!make_backup_file(path, e))
		return false;
	/* ":memory:" and "file:" mean something else to SQLite; with a folder they are names. */
	char *name = xasprintf("%s%s", path[0] == '/' ? "" : "./", path);
	bool ok = sql_run(s, &why, "VACUUM INTO ?1", "t", name);
	if (!ok) {
		sql_error_db(s->db, path, e);
		unlink(path);
	}
	free(name);
	return ok;
}
