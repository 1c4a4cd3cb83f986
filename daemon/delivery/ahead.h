/* The next message's MAIL, RCPT and DATA, sent together with the end of the text before them, as
 * PIPELINING allows (RFC 2920, 3.1): one round trip for each message in place of libesmtp's three.
 * libesmtp knows nothing of it: it writes the same commands when their turn has come, and they are
 * not sent again. Private to daemon/delivery. */
#ifndef HUBMAIL_DELIVERY_AHEAD_H
#define HUBMAIL_DELIVERY_AHEAD_H

#include <stdbool.h>
#include <stddef.h>

#define AHEAD_MAX 640 /* two addresses of 254 bytes, and what stands around them */

struct ahead {
	char commands[AHEAD_MAX];
	size_t len;     /* 0: there are none */
	size_t claimed; /* so much of them libesmtp has written, too */
	bool sent;
};

/* Makes the commands, as libesmtp writes them. They are to go with the text that ends now. */
void ahead_prepare(struct ahead *a, const char *from, const char *to);

/* Appends them to `out`, of which *len of `size` bytes are used, if a text's end is the last thing
 * in there and they fit. They are forgotten if not: this is their only moment. */
void ahead_join(struct ahead *a, char *out, size_t *len, size_t size);

/* How many of the `len` bytes that libesmtp writes have been sent already, from the first one on;
 * 0: it writes something else. */
size_t ahead_claim(struct ahead *a, const char *data, size_t len);

#endif
