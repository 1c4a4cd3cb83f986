/* What is said on a connection outside of messages: libesmtp keeps the answers to the greeting,
 * EHLO, STARTTLS and AUTH to itself, only its monitor shows them. Private to daemon/delivery. */
#ifndef HUBMAIL_DELIVERY_TALK_H
#define HUBMAIL_DELIVERY_TALK_H

#include <stdbool.h>
#include <stddef.h>

struct talk {
	bool logged_in; /* 235 came (RFC 4954, 4) */
	bool injected;  /* something followed the answer to STARTTLS in plain text (RFC 3207, 6) */
	bool tls;       /* from here on it is encrypted */
	bool said_starttls, said_auth;
	int code;          /* of the last answer that refused something */
	char refusal[256]; /* its text */
	char line[512];    /* the answer that is being read */
	size_t len;
};

/* A chunk as the monitor gives it: writing is true for what we say. */
void talk_hear(struct talk *t, const char *data, size_t len, bool writing);

#endif
