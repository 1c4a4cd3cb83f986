/* The relay that takes every mail and throws it away, answering from memory. Private to
 * daemon/delivery. */
#ifndef HUBMAIL_DELIVERY_DISCARD_H
#define HUBMAIL_DELIVERY_DISCARD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define DISCARD_END 5 /* bytes of "\r\n.\r\n" */

struct discard {
	bool on;
	bool in_text;
	char tail[DISCARD_END]; /* what the text ended with so far */
	const char *answer;     /* what is left of it; NULL: none is due */
};

void discard_begin(struct discard *d);

/* As write(2) and read(2) on a connection to it: takes all of it, and answers at once (or sets
 * errno to EAGAIN). The client must wait for each answer before it goes on: no PIPELINING. */
ssize_t discard_write(struct discard *d, const void *data, size_t len);
ssize_t discard_read(struct discard *d, void *buf, size_t len);

#endif
