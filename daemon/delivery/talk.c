/* Listening to the SMTP dialogue for what decides about a whole session: was the login accepted,
 * did anything slip in before TLS, and what were the relay's words when it refused us. Nothing that
 * we say is kept: it may be the password. */
#include "talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Only the words that matter, never what follows them. */
static void hear_us(struct talk *t, const char *data, size_t len)
{
	t->said_starttls = len >= 8 && strncasecmp(data, "STARTTLS", 8) == 0;
	if (len >= 4 && strncasecmp(data, "AUTH", 4) == 0)
		t->said_auth = true;
}

static void hear_line(struct talk *t)
{
	long code = strtol(t->line, NULL, 10);

	if (code == 235 && t->said_auth)
		t->logged_in = true;
	if (code >= 400 && code <= 599) {
		t->code = (int)code;
		snprintf(t->refusal, sizeof(t->refusal), "%s", t->line);
	}
}

static void hear_relay(struct talk *t, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] != '\n') {
			if (t->len < sizeof(t->line) - 1 && data[i] != '\r')
				t->line[t->len++] = data[i];
			continue;
		}
		t->line[t->len] = '\0';
		t->len = 0;
		hear_line(t);
		/* libesmtp would take what follows for the answer to its EHLO over TLS. */
		if (t->said_starttls && !t->tls && strncmp(t->line, "220", 3) == 0) {
			t->injected = i + 1 < len;
			t->tls = true;
			return;
		}
	}
}

void talk_hear(struct talk *t, const char *data, size_t len, bool writing)
{
	if (writing)
		hear_us(t, data, len);
	else
		hear_relay(t, data, len);
}
