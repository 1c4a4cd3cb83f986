/* Tokens that take the place of a password, from a command of the operator's. Private to
 * daemon/delivery. */
#ifndef HUBMAIL_DELIVERY_TOKEN_H
#define HUBMAIL_DELIVERY_TOKEN_H

#include "hubmail/base_error.h"

/* Runs the command by /bin/sh and returns the first line it prints (the caller's, to be wiped).
 * ERROR_IO: it failed, printed nothing, something with a control character in it or more than
 * 16 KiB, or did not end in time; then it is killed. Blocks. */
char *token_fetch(const char *command, int timeout_ms, struct error *e);

#endif
