/* The TLS side of a relay. Private to daemon/delivery. */
#ifndef HUBMAIL_DELIVERY_TLS_H
#define HUBMAIL_DELIVERY_TLS_H

#include "hubmail/base_error.h"
#include <openssl/ssl.h>

/* The context for sessions with `host`: TLS 1.2 or later, the chain and the name checked (RFC 6125,
 * 9525), SNI said. ca_file NULL: the system's authorities. The caller's; any number of threads may
 * use it. NULL on error. */
SSL_CTX *tls_context_new(const char *host, const char *ca_file, struct error *e);

/* Why the last handshake of the calling thread found the certificate wrong; NULL if it did not.
 * tls_verify_clear() before each session. */
const char *tls_verify_reason(void);
void tls_verify_clear(void);

#endif
