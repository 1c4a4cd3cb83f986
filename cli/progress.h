/* A line on standard error that shows how far something long has come: drawn over and over on a
 * terminal, a line now and then elsewhere. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "report.h"
#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool terminal, silent, drawn;
	int64_t next_ms;    /* not drawn again before */
	int64_t pipe_every; /* ms between two lines in a pipe; 0: none */
};

/* Nothing is shown with -q. */
void progress_begin(struct progress *p, const struct report *r, int64_t pipe_every_ms);

/* True if it is time to show something: then the caller makes the text and calls progress_show().
 */
bool progress_due(const struct progress *p);
/* part is from 0 to 1, below 0 if not known. */
void progress_show(struct progress *p, double part, const char *text);
void progress_clear(struct progress *p); /* before something else is printed, and at the end */

#endif
