/* Readers of a file into the database. */
#ifndef CLI_IMPORT_KEEP_H
#define CLI_IMPORT_KEEP_H

#include "hubmail/store.h"
#include "import_row.h"

#define IMPORT_ORIGIN "import " /* and the file's name: where a reader came from */

struct import_counts {
	int64_t readers; /* all that were kept or left alone */
	int64_t added, already, resubscribed, confirmed, left_alone;
	int64_t ended;      /* new here, and kept as one who has left */
	int64_t ended_here; /* active here until the file said that the reader has left */
	int64_t came_back;  /* … but before the reader subscribed here: left alone */
};

struct import_list {
	const char *name;
	int64_t id; /* 0: not asked yet */
};

struct import_reader {
	struct import_row row;
	struct import_list *list; /* the one to be added to */
	size_t place;             /* in the file: what comes later counts later */
};

struct import_keep {
	struct store *store;
	enum subscription_state state; /* of readers whose line says none */
	char *origin;                  /* where from, if the line does not say */
	bool dry_run;                  /* only count what would become of the reader */
	struct import_counts counts;
};

/* Adds the first of n readers to their lists, or keeps that they have left; *kept is how many went
 * together, at least one. Whoever unsubscribed here is left alone, and so is whoever subscribed
 * here after the end that the line tells. Counts what became of them. Those with the same address
 * stand beside each other, in the order of the file. */
bool import_keep(struct import_keep *k, const struct import_reader *readers, size_t n, size_t *kept,
	struct error *e);

#endif
