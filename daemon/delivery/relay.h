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
void relay_forget_tls(struct relay *r); /* certificates are read anew at the next call */
/* The TLS session to resume, with one reference for the caller, or NULL. */
SSL_SESSION *relay_tls_session(struct relay *r);
void relay_forget_tls_session(struct relay *r); /* a handshake with it failed */
bool relay_same(const struct relay *r, const struct config_relay *c);

/* The configuration no longer has it: its sessions take no further message. */
void relay_retire(struct relay *r);
bool relay_retired(struct relay *r);

/* What the relay took before the daemon started, for its window: asked for once, if it has one. */
bool relay_wants_history(struct relay *r);
void relay_add_history(struct relay *r, int64_t at, int64_t n);

/* How it could serve now: RELAY_OPEN; RELAY_ON_TRIAL: it failed, and one session may find out
 * whether it works again; RELAY_CLOSED: it failed lately or has used up its window (until
 * relay_open_at()). */
enum relay_state { RELAY_OPEN, RELAY_ON_TRIAL, RELAY_CLOSED };
enum relay_state relay_state(struct relay *r, int64_t now);
int64_t relay_open_at(struct relay *r, int64_t now);

/* Counts a session in, if the relay may have one more now. */
bool relay_enter(struct relay *r, int64_t now);
void relay_leave(struct relay *r);
bool relay_has_place(struct relay *r); /* fewer sessions than it may have */
/* Sessions in proportion to the relay's weight: the smaller is to have the next. */
double relay_load(struct relay *r);

/* The relay failed us (connection, TLS, login, an answer that is about it): no new sessions for a
 * pause that grows from 5 s to 5 min. */
void relay_failed(struct relay *r, int64_t now, const char *reason);
/* A person wants it tried now. */
void relay_try_now(struct relay *r);
/* It took a message. */
void relay_worked(struct relay *r, int64_t now);
/* It offers PIPELINING and did not answer what was sent with the end of a text: from now on, until
 * it is configured anew, it is taken for one that does not offer it. */
void relay_doubt_pipelining(struct relay *r);
bool relay_pipelines(const struct relay *r); /* by the settings, and not doubted */
enum relay_event { RELAY_SENT, RELAY_DEFERRED, RELAY_FAILED };
void relay_count(struct relay *r, enum relay_event what);

/* The next message's place in the relay's rate and window: how long to wait before it is sent, or
 * -1 if that is more than max_wait_us or the window is used up; then nothing is taken. */
int64_t relay_reserve(struct relay *r, int64_t max_wait_us);
void relay_unreserve(struct relay *r);  /* the relay did not get it after all */
int64_t relay_wait_us(struct relay *r); /* until the rate allows another */

/* The stretch of time that a message taken at `at` is counted in for the window; 0: no window. */
int64_t relay_use_slot(const struct relay *r, int64_t at);

json_t *relay_status(struct relay *r, int64_t now);

#endif
