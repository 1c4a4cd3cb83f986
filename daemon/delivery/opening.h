/* The dialogue with a relay from its greeting to the login: what libesmtp does not show, or does
 * not do. Private to daemon/delivery. */
#ifndef HUBMAIL_DELIVERY_OPENING_H
#define HUBMAIL_DELIVERY_OPENING_H

#include "hubmail/base_error.h"
#include "relay.h"
#include "wire.h"
#include <stdbool.h>

/* Connects to the relay, reads its greeting, says EHLO (RFC 5321, 4.1.1.1; HELO if the relay knows
 * no EHLO), encrypts as its settings want (RFC 3207, RFC 8314), logs in (RFC 4954), and leaves the
 * wire for libesmtp to go on with MAIL. ERROR_IO with the relay's own words where it said any: the
 * relay is not to be used for now, and no reader is to blame. */
bool opening_run(struct wire *w, struct relay *relay, struct error *e);

#endif
