/* Readers of a file on their way into the database: collected, sorted, and stored in short
 * transactions. */
#ifndef CLI_IMPORT_BATCH_H
#define CLI_IMPORT_BATCH_H

#include "import_keep.h"

typedef void import_tick_fn(void *arg);

/* All zero, with keep filled, is an empty one. */
struct import_batch {
	struct import_keep keep;
	struct import_counts stored; /* the counts as of the last commit */
	import_tick_fn *tick;        /* called often while readers are stored */
	void *tick_arg;
	struct import_reader *readers;
	size_t n, cap, done; /* done: of these, while they are stored */
	size_t bytes;        /* of their lines */
	int64_t began_ms;    /* 0: no transaction is open */
	int64_t commit_ms;   /* what a commit may take: a slow one is forgotten slowly */
};

/* Takes the row over; bytes is the length of its line. */
void import_batch_add(
	struct import_batch *b, struct import_row *row, struct import_list *list, size_t bytes);
bool import_batch_full(const struct import_batch *b);

/* Stores who is in it, and empties it. No transaction is open afterwards. False: what
 * b->stored counts is stored, and nothing else. */
bool import_batch_store(struct import_batch *b, struct error *e);

double import_batch_part(const struct import_batch *b); /* stored so far, 0 to 1 */
void import_batch_free(struct import_batch *b);

#endif
