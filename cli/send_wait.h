/* Watching a digest go out. */
#ifndef CLI_SEND_WAIT_H
#define CLI_SEND_WAIT_H

#include "cli.h"

/* Shows the progress of a digest until it has ended, then what became of it. ERROR_REFUSED if not
 * everybody's mail was taken; ERROR_UNAVAILABLE if the daemon stops meanwhile. */
bool send_wait(struct cli *cli, int64_t digest_id, struct error *e);

#endif
