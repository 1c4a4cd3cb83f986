/* The other side of an SMTP dialogue without a network, so that a send can be rehearsed, and
 * everything but the wire be measured. Since its client waits for every answer, what is written is
 * either one command or a part of a text that ends where the writing does. */
#include "discard.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

void discard_begin(struct discard *d)
{
	*d = (struct discard){.on = true};
}

static bool ends_text(struct discard *d, const char *data, size_t len)
{
	size_t n = len < DISCARD_END ? len : DISCARD_END;

	memmove(d->tail, d->tail + n, DISCARD_END - n);
	memcpy(d->tail + DISCARD_END - n, data + len - n, n);
	return memcmp(d->tail, "\r\n.\r\n", DISCARD_END) == 0;
}

ssize_t discard_write(struct discard *d, const void *data, size_t len)
{
	if (d->in_text) {
		d->in_text = !ends_text(d, data, len);
		d->answer = d->in_text ? NULL : "250 2.0.0 discarded\r\n";
	} else {
		d->in_text = len >= 4 && strncasecmp(data, "DATA", 4) == 0;
		d->answer = d->in_text ? "354 go ahead\r\n" : "250 2.0.0 ok\r\n";
	}
	return (ssize_t)len;
}

ssize_t discard_read(struct discard *d, void *buf, size_t len)
{
	if (d->answer == NULL) {
		errno = EAGAIN;
		return -1;
	}
	size_t left = strlen(d->answer), n = left < len ? left : len;
	memcpy(buf, d->answer, n);
	d->answer = n < left ? d->answer + n : NULL;
	return (ssize_t)n;
}
