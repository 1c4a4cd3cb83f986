/* The queue runner: takes deliveries from the store, sends them over sessions on threads, and hands
 * the results back. */
#ifndef HUBMAIL_DELIVERY_H
#define HUBMAIL_DELIVERY_H

#include "hubmail/base_crypto.h"
#include "hubmail/base_error.h"
#include "hubmail/config.h"
#include "hubmail/store_writer.h"
#include <jansson.h>
#include <stdbool.h>

struct delivery;

/* Call once in main() before any thread starts: what libesmtp needs of the process (SIGPIPE
 * ignored, XDG_CONFIG_DIR out of the way). */
void delivery_prepare_process(void);

/* What config_load() cannot judge: whether the keys that sign mails are usable. Appends a line for
 * each that is not; true if all are. */
bool delivery_check(const struct config *c, struct strlist *errors);

/* Records what a crash left open, then starts the runner. The config must outlive it (or the next
 * delivery_reconfigure()). NULL on error. */
struct delivery *delivery_start(const struct config *c, const struct secret *secret,
	struct store_writer *w, struct error *e);

/* There may be new work (a digest, a retry, a resumed digest): look now. Any thread. */
void delivery_wake(struct delivery *d);
/* The same, and relays that wait after a failure are tried at once. */
void delivery_try_now(struct delivery *d);

/* A new configuration: sessions that run finish their current message under the old one. The old
 * config may be freed when this returns. */
void delivery_reconfigure(struct delivery *d, const struct config *c);

/* Relays and sessions for `status`:
 * [{"relay","host","port","state","sessions","sent","deferred","failed","rate","error","retry_at"}],
 * and "limit" and "limit_used" if the relay has a window; state is "idle", "sending", "discarding",
 * "failing" or "limited". The caller's. Any thread. */
json_t *delivery_status(struct delivery *d);

/* Recipient domains that are limited or slowed down, for `status`:
 * [{"domain","state","waiting","busy","rate","until","reason"}]; state is "limited", "slowed" or
 * "paused". The caller's. Any thread. */
json_t *delivery_domains(struct delivery *d);

/* Ends every session: with `now` false after its current message, else at once by shutting its
 * socket down. Returns at once; delivery_stopped() tells when none is left. */
void delivery_stop(struct delivery *d, bool now);
bool delivery_stopped(struct delivery *d);

/* Waits for the sessions and frees. After delivery_stop(). */
void delivery_free(struct delivery *d);

#endif
