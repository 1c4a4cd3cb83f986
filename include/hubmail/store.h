/* The database: opening it, its schema, and what every part of the store shares. A struct store is
 * one SQLite connection: one thread at a time. The functions of the other store_*.h say what
 * happens in hubmail's words; none of them shows SQL. */
#ifndef HUBMAIL_STORE_H
#define HUBMAIL_STORE_H

#include "hubmail/base_crypto.h"
#include "hubmail/base_error.h"
#include <stdbool.h>
#include <stdint.h>

struct store;

enum store_mode {
	STORE_READ,   /* reads only; the database must exist and have this program's schema */
	STORE_WRITE,  /* short transactions from a tool: each is on disk (fsync) when the function
			 returns */
	STORE_DAEMON, /* the daemon's writer: commits survive the process; power loss may lose the
			 last second unless asked otherwise */
};

/* Opens the database. STORE_WRITE and STORE_DAEMON make it if it does not exist (mode 0640, owned
 * by the owner of its folder when root makes it) and migrate an older schema: a copy
 * DATABASE.v<N>.bak is written first, then all steps are one transaction. ERROR_CONFIG: the
 * database is of a newer hubmail, or no hubmail database; ERROR_IO, ERROR_AGAIN (locked for over 10
 * s). NULL on error. */
struct store *store_open(const char *path, enum store_mode mode, struct error *e);
void store_close(struct store *s); /* NULL is fine */

/* Gives a connection the daemon's secret, by which suppressed addresses are known: under another
 * one none of them would be found. */
void store_set_secret(struct store *s, const struct secret *secret);

/* Holds the daemon's lock on a database: DATABASE.lock, flock(2), with the process id inside.
 * ERROR_REFUSED names the process that has it. Returns the descriptor, to be kept open for as long
 * as the daemon runs, or -1. */
int store_lock(const char *path, struct error *e);

/* One transaction around several calls on a STORE_WRITE connection. A failure in between must be
 * followed by rollback. In the writer's jobs the transaction is the writer's: do not call these
 * there. */
bool store_begin(struct store *s, struct error *e);
bool store_commit(struct store *s, struct error *e);
void store_rollback(struct store *s);

/* From here to store_rollback() all that is read is of one moment, and many small reads cost less.
 * On any connection. */
bool store_begin_reading(struct store *s, struct error *e);

/* Moves what is in the write-ahead log into the database and empties the log, so that what was
 * erased is not to be read there any more. False if that could not be, for others read or write
 * all the time: nobody is kept waiting longer than the disk takes. Not in a transaction. Up to some
 * 2 s. */
bool store_empty_log(struct store *s);

/* Copies the whole database to `path` while others go on using it. ERROR_REFUSED if the file is
 * there; a new one is its owner's alone (0600), and gone again if the copy fails. */
bool store_backup(struct store *s, const char *path, struct error *e);

#endif
