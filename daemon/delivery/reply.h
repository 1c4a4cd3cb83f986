/* Replies of an SMTP server (RFC 5321, 4.2) as the opening of a session reads them. Private to
 * daemon/delivery. */
#ifndef HUBMAIL_DELIVERY_REPLY_H
#define HUBMAIL_DELIVERY_REPLY_H

#include "hubmail/base_error.h"
#include "wire.h"
#include <stdbool.h>
#include <stddef.h>

#define REPLY_LINE_MAX 1024
#define REPLY_LINES_MAX 100

struct reply {
	int code;
	char text[REPLY_LINE_MAX]; /* the last line, without the code: for people */
};

/* Called for each line of a reply of several, without the code. May be NULL. */
typedef void reply_line_fn(const char *text, void *arg);

/* ERROR_IO: it did not come in time, or it is no SMTP. */
bool reply_read(struct wire *w, int timeout_ms, struct reply *out, reply_line_fn *fn, void *arg,
	struct error *e);

/* "554 5.7.1 go away", for messages: printable, cut at a sensible length. out has room for 300. */
void reply_words(const struct reply *r, char out[300]);

#endif
