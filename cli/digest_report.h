/* Why a digest is held back, as several commands tell it. */
#ifndef CLI_DIGEST_REPORT_H
#define CLI_DIGEST_REPORT_H

#include "hubmail/store_digest.h"
#include "report.h"

/* "paused: 554 5.7.1 …: mend it, then `hubmailctl resume 7`" for a digest that the daemon holds
 * back; the name of the state for any other. The caller's. */
char *digest_report_state(const struct store_digest *d);

/* The same as a line below a table on a terminal; nothing for a digest that nothing holds back. */
void digest_report_reason(struct report *r, const struct store_digest *d);

#endif
