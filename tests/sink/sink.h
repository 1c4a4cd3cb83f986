/* What all sessions of the sink share. */
#ifndef SINK_SINK_H
#define SINK_SINK_H

#include "faults.h"
#include "ledger.h"
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sink {
	const char *hello; /* the name in the greeting */
	size_t size_max;   /* of a message, offered as SIZE (RFC 1870) */
	bool chunking;     /* offer CHUNKING (RFC 3030) */
	bool pipelining, enhanced;
	bool strict;       /* no command may follow DATA, EHLO and the like unasked */
	bool one_by_one;   /* … nor any other */
	bool forgetful;    /* what comes with the end of a text is not read */
	bool discard;      /* texts are not needed */
	const char *login; /* "USER:PASSWORD" to ask for, or NULL */
	SSL_CTX *tls;      /* NULL: no TLS */
	bool implicit;     /* TLS from the first byte on (RFC 8314) */
	int delay_ms;      /* before each flight of answers */
	bool verbose;      /* shows the conversation on standard error */
	struct faults *faults;
	struct ledger *ledger;
};

/* Serves one connection to its end; closes fd. */
void session_serve(struct sink *sink, int fd, int64_t number);

/* Certificate chain and key in PEM. max_version: 0, or TLS1_VERSION for a server that has not been
 * mended since 2008. NULL on error. */
SSL_CTX *tls_context(
	const char *certificate_file, const char *key_file, int max_version, struct error *e);

#endif
