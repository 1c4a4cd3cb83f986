/* What of a digest needs a person, as several commands tell it. */
#ifndef CLI_DIGEST_REPORT_H
#define CLI_DIGEST_REPORT_H

#include "hubmail/store_digest.h"
#include "report.h"

/* "paused: 554 5.7.1 …: mend it, then `hubmailctl resume 7`" for a digest that the daemon holds
 * back; the name of the state for any other. The caller's. */
char *digest_report_state(const struct store_digest *d);

/* On a terminal, below a table: why the digest is held back, and how many of its deliveries are
 * held. Nothing if there is no such trouble. */
void digest_report_trouble(struct report *r, const struct store_digest *d);

/* On a terminal: what `held` means and what can be done about it. */
void digest_report_held(struct report *r);

#endif
