/* PLAIN (RFC 4616), LOGIN, and XOAUTH2 as Google and Microsoft describe it. What is sent holds the
 * password, so it is wiped after use and never part of an error. */
#include "login.h"

#include "hubmail/base_mem.h"
#include "reply.h"
#include "token.h"
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TOKEN_TIMEOUT_MS 30000

typedef bool login_fn(struct wire *w, const struct config_relay *relay, int timeout_ms,
	struct reply *answer, struct error *e);

void login_note_offer(struct login_offer *o, const char *text)
{
	char words[sizeof(o->all)];
	char *rest = words;

	/* "AUTH PLAIN LOGIN"; old servers say "AUTH=PLAIN LOGIN" beside it. */
	snprintf(words, sizeof(words), "%s", text + strlen("AUTH"));
	if (o->all[0] == '\0')
		snprintf(o->all, sizeof(o->all), "%.*s", (int)sizeof(o->all) - 1,
			words + strspn(words, " ="));
	for (char *word; (word = strtok_r(rest, " =", &rest)) != NULL;) {
		o->plain = o->plain || strcasecmp(word, "PLAIN") == 0;
		o->login = o->login || strcasecmp(word, "LOGIN") == 0;
		o->xoauth2 = o->xoauth2 || strcasecmp(word, "XOAUTH2") == 0;
	}
}

/* Sends prefix and the base64 of the secret, and reads the answer. */
static bool say_secret(struct wire *w, const char *prefix, const void *secret, size_t len,
	int timeout_ms, struct reply *answer, struct error *e)
{
	size_t size = strlen(prefix) + 4 * ((len + 2) / 3) + 3;
	char *line = xmalloc(size);
	size_t at = (size_t)snprintf(line, size, "%s", prefix);

	at += (size_t)EVP_EncodeBlock((unsigned char *)line + at, secret, (int)len);
	line[at++] = '\r';
	line[at++] = '\n';
	bool ok = wire_say(w, line, at, timeout_ms, e) &&
		  reply_read(w, timeout_ms, answer, NULL, NULL, e);
	explicit_bzero(line, size);
	free(line);
	return ok;
}

static bool plain(struct wire *w, const struct config_relay *relay, int ms, struct reply *answer,
	struct error *e)
{
	size_t user = strlen(relay->username), password = strlen(relay->password);
	size_t len = user + password + 2;
	char *secret = xcalloc(1, len);

	memcpy(secret + 1, relay->username, user);
	memcpy(secret + 2 + user, relay->password, password);
	bool ok = say_secret(w, "AUTH PLAIN ", secret, len, ms, answer, e);
	explicit_bzero(secret, len);
	free(secret);
	return ok;
}

static bool login(struct wire *w, const struct config_relay *relay, int ms, struct reply *answer,
	struct error *e)
{
	static const char command[] = "AUTH LOGIN\r\n";

	if (!wire_say(w, command, sizeof(command) - 1, ms, e) ||
		!reply_read(w, ms, answer, NULL, NULL, e))
		return false;
	if (answer->code != 334)
		return true;
	if (!say_secret(w, "", relay->username, strlen(relay->username), ms, answer, e))
		return false;
	return answer->code != 334 ||
	       say_secret(w, "", relay->password, strlen(relay->password), ms, answer, e);
}

/* A refusal comes as 334 with the reason in base64, and the code after an empty answer to that. */
static bool xoauth2(struct wire *w, const struct config_relay *relay, int ms, struct reply *answer,
	struct error *e)
{
	char *token = token_fetch(relay->token_command, TOKEN_TIMEOUT_MS, e);

	if (token == NULL)
		return false;
	char *secret = xasprintf("user=%s\001auth=Bearer %s\001\001", relay->username, token);
	bool ok = say_secret(w, "AUTH XOAUTH2 ", secret, strlen(secret), ms, answer, e);
	explicit_bzero(secret, strlen(secret));
	explicit_bzero(token, strlen(token));
	free(secret);
	free(token);
	if (ok && answer->code == 334)
		ok = wire_say(w, "\r\n", 2, ms, e) && reply_read(w, ms, answer, NULL, NULL, e);
	return ok;
}

/* The mechanism, or NULL with *e. */
static login_fn *choose(
	const struct config_relay *relay, const struct login_offer *o, struct error *e)
{
	const char *known = relay->token_command != NULL ? "XOAUTH2" : "PLAIN and LOGIN";

	if (relay->token_command != NULL && o->xoauth2)
		return xoauth2;
	if (relay->token_command == NULL && o->plain)
		return plain;
	if (relay->token_command == NULL && o->login)
		return login;
	error_set(e, ERROR_IO, "login impossible: the relay offers %s, and hubmail would use %s",
		o->all[0] != '\0' ? o->all : "none here (does it want another tls setting?)",
		known);
	return NULL;
}

bool login_run(struct wire *w, const struct config_relay *relay, const struct login_offer *o,
	struct error *e)
{
	int ms = relay->greeting_timeout * 1000;
	struct reply answer = {0};
	char words[300];

	login_fn *run = choose(relay, o, e);
	if (run == NULL)
		return false;
	if (!run(w, relay, ms, &answer, e))
		return error_prefix(e, "login");
	if (answer.code == 235)
		return true;
	reply_words(&answer, words);
	return error_set(e, ERROR_IO, "login refused: %s", words);
}
