/* One SMTP connection: a thread's walk through libesmtp. Private to daemon/delivery. */
#ifndef HUBMAIL_DELIVERY_SESSION_H
#define HUBMAIL_DELIVERY_SESSION_H

#include "hubmail/base_crypto.h"
#include "hubmail/config.h"
#include "hubmail/store_writer.h"
#include "ready.h"
#include "relay.h"
#include "wire.h"
#include <stdatomic.h>

/* How tries are repeated; copied, so that a reload does not pull it away. */
struct retry_settings {
	int first, longest, give_up; /* seconds */
	bool hold_unknown;
	int pause_after;
};

/* What a session works with. Borrowed from the runner, who outlives it. */
struct session_world {
	struct ready *ready;
	struct store_writer *writer;
	const struct secret *secret;
	atomic_bool *stopping;
};

struct session {
	struct session_world world;
	struct relay *relay; /* its own reference */
	struct retry_settings retry;
	int place; /* from 0; no two open sessions have the same */
	struct wire wire;
	struct error opening_error; /* why the last connection could not be opened */
	atomic_bool over;
};

/* The rest of a session whose world, relay, retry and place are set. */
void session_init(struct session *s);
void session_destroy(struct session *s);

/* Sends what is ready over as many connections in a row as it takes, until nothing is left, the
 * relay fails or the daemon stops. Blocks; called on the session's thread. */
void session_run(struct session *s);

#endif
