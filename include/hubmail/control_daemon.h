/* What the running daemon answers on its control socket. The loop's thread only. */
#ifndef HUBMAIL_CONTROL_DAEMON_H
#define HUBMAIL_CONTROL_DAEMON_H

#include "hubmail/config.h"
#include "hubmail/control.h"
#include "hubmail/delivery.h"
#include "hubmail/schedule.h"
#include "hubmail/store.h"
#include "hubmail/store_writer.h"
#include <stdint.h>

/* The parts of the daemon that commands act on; borrowed. */
struct control_daemon {
	const struct config *config;
	struct store *store; /* a STORE_READ connection for status */
	struct store_writer *writer;
	struct schedule *schedule;
	struct delivery *delivery;
	int64_t started_at;
	char config_trouble[512]; /* why the last reload was refused; "" if it was not */
};

/* A control_fn; arg is the struct control_daemon. Commands: status, poll, send, wake,
 * retry. */
bool control_daemon_handle(
	const char *command, const json_t *request, struct control_request *r, void *arg);

#endif
