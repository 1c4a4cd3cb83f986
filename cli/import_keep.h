/* One reader of a file into the database. */
#ifndef CLI_IMPORT_KEEP_H
#define CLI_IMPORT_KEEP_H

#include "hubmail/store.h"
#include "import_row.h"

#define IMPORT_ORIGIN "import " /* and the file's name: where a reader came from */

struct import_counts {
	int64_t readers; /* good lines */
	int64_t added, already, resubscribed, confirmed, left_alone, bad;
	int64_t ended;      /* new here, and kept as one who has left */
	int64_t ended_here; /* active here until the file said that the reader has left */
	int64_t came_back;  /* … but before the reader subscribed here: left alone */
	int64_t converted, dates_unread;
};

struct import_keep {
	struct store *store;
	enum subscription_state state; /* of readers whose line says none */
	char *origin;                  /* where from, if the line does not say */
	bool dry_run;                  /* only count what would become of the reader */
	struct import_counts counts;
};

/* Adds the reader to the list, or keeps that the reader has left. Whoever unsubscribed here is left
 * alone, and so is whoever subscribed here after the end that the line tells. Counts what became of
 * it. In a dry run list_id may be 0: a list that nobody is on yet. */
bool import_keep(
	struct import_keep *k, const struct import_row *row, int64_t list_id, struct error *e);

#endif
