/* A relay as the running daemon knows it: its settings, whether it can be used, and what went
 * through it. Shared by its sessions and the runner; each function locks for itself. Private to
 * daemon/delivery. */
#ifndef HUBMAIL_DELIVERY_RELAY_H
#define HUBMAIL_DELIVERY_RELAY_H

#include "hubmail/base_error.h"
#include "hubmail/config.h"
#include <jansson.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

struct relay;

struct relay *relay_new(const struct config_relay *c); /* copies the settings; one reference */
struct relay *relay_ref(struct relay *r);
void relay_unref(struct relay *r);

const struct config_relay *relay_settings(const struct relay *r);
/* The TLS context, made at the first call, with one reference for the caller; NULL on error. */
SSL_CTX *relay_tls(struct relay *r, struct error *e);
/* The TLS session to resume, with one reference for the caller, or NULL. */
SSL_SESSION *relay_tls_session(struct relay *r);
void relay_forget_tls_session(struct relay *r); /* a handshake with it failed */
bool relay_same(const struct relay *r, const struct config_relay *c);

/* The configuration no longer has it: its sessions take no further message. */
void relay_retire(struct relay *r);
bool relay_retired(struct relay *r);

/* Counts a session in, if the relay may have one more now. */
bool relay_enter(struct relay *r, int64_t now);
void relay_leave(struct relay *r);
int relay_sessions(struct relay *r);

/* The relay failed us (connection, TLS, login, an answer that is about it): no new sessions for a
 * pause that grows from 5 s to 5 min. */
void relay_failed(struct relay *r, int64_t now, const char *reason);
/* It took a message. */
void relay_worked(struct relay *r, int64_t now);
enum relay_event { RELAY_SENT, RELAY_DEFERRED, RELAY_FAILED };
void relay_count(struct relay *r, enum relay_event what);

/* When it may be tried again; 0: now. */
int64_t relay_retry_at(struct relay *r, int64_t now);
json_t *relay_status(struct relay *r, int64_t now);

#endif
