/* One connection, plain or under TLS: lines and chunks in, buffered text out. */
#ifndef SINK_STREAM_H
#define SINK_STREAM_H

#include "hubmail/base_buf.h"
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#define STREAM_LINE_MAX 4096

struct stream {
	int fd;
	SSL *tls;     /* NULL: plain */
	int delay_ms; /* before each flight of answers: a relay that is far away */
	bool broken;  /* nothing can be read or written any more */
	struct buf out;
	size_t start, end; /* what is unread in in[] */
	char in[65536];
};

void stream_init(struct stream *s, int fd, int delay_ms);

/* The server's side of the handshake. False: it failed, and the stream is broken. */
bool stream_start_tls(struct stream *s, SSL_CTX *context);

/* Answers wait until the client's next words are needed (RFC 2920), or for stream_flush(). */
void stream_put(struct stream *s, const void *data, size_t len);
bool stream_flush(struct stream *s);

/* One line without its line end. False at the end of the connection, or if it is longer than
 * STREAM_LINE_MAX. */
bool stream_line(struct stream *s, struct buf *line);
/* Some bytes, at least 1 and at most max; borrowed until the next call. 0: the end. */
size_t stream_chunk(struct stream *s, size_t max, const char **data);
/* Gives back the last n bytes of the last chunk. */
void stream_unread(struct stream *s, size_t n);
/* Something is here that has not been read. */
bool stream_has_input(const struct stream *s);
/* Forgets what was sent ahead of a TLS handshake (RFC 3207, 5). */
void stream_forget_input(struct stream *s);

void stream_close(struct stream *s);
void stream_reset(struct stream *s); /* with a TCP reset */

#endif
