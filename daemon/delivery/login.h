/* Logging in to a relay (RFC 4954). Private to daemon/delivery. */
#ifndef HUBMAIL_DELIVERY_LOGIN_H
#define HUBMAIL_DELIVERY_LOGIN_H

#include "hubmail/base_error.h"
#include "hubmail/config.h"
#include "wire.h"
#include <stdbool.h>

/* The SASL mechanisms a relay offers that we know. */
struct login_offer {
	bool plain, login, xoauth2;
	char all[200]; /* the offer in the relay's words, for messages */
};

/* Takes the text of an EHLO line that begins with AUTH. */
void login_note_offer(struct login_offer *o, const char *text);

/* Logs in with the best mechanism that is offered. ERROR_IO with the relay's words if it refuses.
 * Neither the password nor what is made of it is in any message. */
bool login_run(struct wire *w, const struct config_relay *relay, const struct login_offer *o,
	struct error *e);

#endif
