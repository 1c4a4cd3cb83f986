/* The connection under a libesmtp session. libesmtp 1.1.0 sets no option on its socket, waits for
 * connect() as long as the kernel likes, throws away what it could not write in time and goes on,
 * and its TLS is not to be trusted. So it gets a connection that is ours: opened, encrypted and
 * logged in before libesmtp sees it, buffered, and broken for good when anything on it fails.
 * interpose.c brings libesmtp's calls here. Private to daemon/delivery. */
#ifndef HUBMAIL_DELIVERY_WIRE_H
#define HUBMAIL_DELIVERY_WIRE_H

#include "ahead.h"
#include "discard.h"
#include "hubmail/base_error.h"
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define WIRE_IN 4096
#define WIRE_OUT 32768 /* sixteen of libesmtp's writes become one */
#define WIRE_PRETEND 512
#define WIRE_PLACE_HOLDER "127.0.0.1:1" /* what libesmtp believes to connect to */

struct wire;

/* Opens the connection when libesmtp asks for one: wire_connect(), TLS, the dialogue up to the
 * login, wire_pretend(). False: it failed, and whoever gave the function knows why. */
typedef bool wire_open_fn(struct wire *w, void *arg);

struct wire {
	int connect_timeout_ms;
	int user_timeout_ms; /* TCP_USER_TIMEOUT: unacknowledged data ends the connection then */
	wire_open_fn *open;
	void *arg;
	pthread_mutex_t lock;   /* fd and cut: wire_shut_down() comes from other threads */
	int fd;                 /* the connection, or -1 */
	bool cut;               /* shut down from outside */
	SSL *ssl;               /* NULL: plain text */
	struct discard discard; /* if on, it stands in for the relay */
	bool broken;            /* something failed: nothing more is sent */
	char in[WIRE_IN];
	size_t in_at, in_end; /* what was received and not read yet */
	char out[WIRE_OUT];
	size_t out_len;  /* what was written and not sent yet */
	bool pipelining; /* the relay offers it */
	struct ahead ahead;
	bool ahead_ignored; /* no answer to it came in time */
	bool pretending;
	char ehlo_reply[WIRE_PRETEND]; /* given for libesmtp's EHLO, which is not sent */
};

void wire_init(
	struct wire *w, int connect_timeout_ms, int user_timeout_ms, wire_open_fn *open, void *arg);
void wire_destroy(struct wire *w);

/* ---- While it is being opened ---- */

/* Connects to the first address of `host` (a name, an IPv4 or an IPv6 literal) that answers within
 * the time-out, with TCP_NODELAY, keep-alive and TCP_USER_TIMEOUT. ERROR_IO says what failed. */
bool wire_connect(struct wire *w, const char *host, int port, struct error *e);

/* In its place: nothing is connected, and what is sent is thrown away (discard.h). */
bool wire_discard(struct wire *w, struct error *e);

/* Encrypts from here on. `resume` (may be NULL) is an earlier session with that relay; borrowed.
 * ERROR_IO if the handshake fails, with the reason if it is the certificate; also if something
 * that was received in plain text has not been read (RFC 3207, 6). */
bool wire_encrypt(
	struct wire *w, SSL_CTX *ctx, SSL_SESSION *resume, int timeout_ms, struct error *e);

/* Sends all of it, or fails. */
bool wire_say(struct wire *w, const char *data, size_t len, int timeout_ms, struct error *e);

/* A line without its end, NUL-terminated. ERROR_IO: none came in time, the connection was lost, or
 * the line does not fit. */
bool wire_hear(struct wire *w, char *line, size_t size, int timeout_ms, struct error *e);

/* What libesmtp is to believe: this greeting (a line with its end), and this answer to its EHLO. */
void wire_pretend(struct wire *w, const char *greeting, const char *ehlo_reply);

/* ---- While libesmtp uses it ---- */

/* To be called when a message's text is over and its final dot about to be written: the message
 * after it has this envelope, which goes with the dot if the relay offers PIPELINING. */
void wire_announce_next(struct wire *w, const char *from, const char *to);

/* ---- libesmtp's calls. As connect(2), read(2), write(2), poll(2), close(2) of the descriptor ----
 */

int wire_on_connect(struct wire *w, int fd);
ssize_t wire_on_read(struct wire *w, void *buf, size_t len);
ssize_t wire_on_write(struct wire *w, const void *buf, size_t len);
int wire_on_poll(struct wire *w, struct pollfd *fds, nfds_t n, int timeout_ms);
void wire_on_close(struct wire *w); /* before the descriptor is closed */

/* ---- */

/* Between these two the calling thread's calls on the connection's descriptor are ours. */
void wire_enter(struct wire *w);
void wire_leave(void);
struct wire *wire_current(void); /* NULL outside of them */

/* False if what is written now reaches nobody: something failed, or the peer has closed. */
bool wire_is_alive(struct wire *w);

/* Takes leave of the relay between two messages and ends the connection. The session's thread. */
void wire_quit(struct wire *w);

/* Ends the connection, or the attempt to make one, from another thread: libesmtp sees it as lost.
 */
void wire_shut_down(struct wire *w);

#endif
