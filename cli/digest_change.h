/* What pause, resume and cancel have in common: one change made to a digest, or to all of a list's
 * that have not ended. */
#ifndef CLI_DIGEST_CHANGE_H
#define CLI_DIGEST_CHANGE_H

#include "cli.h"

/* Makes the change to one digest, inside a transaction. With *more set it is called again. */
typedef bool digest_change_fn(struct store *s, int64_t id, bool *more, struct error *e);

/* `done` is how the result is called in words ("paused"). The daemon is told. */
bool digest_change(struct cli *cli, const char *word, const char *done, digest_change_fn *change,
	struct error *e);

#endif
