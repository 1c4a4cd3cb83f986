/* The TLS side of a relay. Private to daemon/delivery. */
#ifndef HUBMAIL_DELIVERY_TLS_H
#define HUBMAIL_DELIVERY_TLS_H

#include "hubmail/base_error.h"
#include <openssl/ssl.h>

/* The context for connections to `host`: TLS 1.2 or later, the chain and the name checked (RFC
 * 9525). ca_file NULL: the system's authorities. The caller's; any number of threads may use it.
 * NULL on error. */
SSL_CTX *tls_context_new(const char *host, const char *ca_file, struct error *e);

#endif
