/* From the TCP connection to a session that may send mail. libesmtp then sees a relay that offers
 * no TLS, no login and no CHUNKING: the first two are done, and with the third it would have to be
 * guessed whether a lost message had been taken. */
#include "opening.h"

#include "hubmail/base_buf.h"
#include "hubmail/config.h"
#include "login.h"
#include "reply.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct opening {
	struct wire *w;
	struct relay *relay;
	const struct config_relay *settings;
	int timeout_ms;
	/* What the last EHLO brought. */
	bool starttls, pipelining, enhanced, eightbit, dsn;
	unsigned long long size;
	struct login_offer login;
};

static bool says(const char *line, const char *keyword)
{
	size_t len = strlen(keyword);

	return strncasecmp(line, keyword, len) == 0 &&
	       (line[len] == '\0' || line[len] == ' ' || line[len] == '=');
}

static void note_line(const char *line, void *arg)
{
	struct opening *o = arg;

	o->starttls = o->starttls || says(line, "STARTTLS");
	o->pipelining = o->pipelining || (relay_pipelines(o->relay) && says(line, "PIPELINING"));
	o->enhanced = o->enhanced || says(line, "ENHANCEDSTATUSCODES");
	o->eightbit = o->eightbit || says(line, "8BITMIME");
	o->dsn = o->dsn || says(line, "DSN");
	if (says(line, "SIZE"))
		o->size = strtoull(line + strlen("SIZE"), NULL, 10);
	if (says(line, "AUTH"))
		login_note_offer(&o->login, line);
}

static bool refused(const char *what, const struct reply *r, struct error *e)
{
	char words[300];

	reply_words(r, words);
	return error_set(e, ERROR_IO, "%s: %s", what, words);
}

static bool ask(
	struct opening *o, const char *command, struct reply *r, reply_line_fn *fn, struct error *e)
{
	return wire_say(o->w, command, strlen(command), o->timeout_ms, e) &&
	       reply_read(o->w, o->timeout_ms, r, fn, o, e);
}

static void our_name(const struct opening *o, char *out, size_t size)
{
	if (o->settings->hello != NULL)
		snprintf(out, size, "%s", o->settings->hello);
	else if (gethostname(out, size) != 0 || out[0] == '\0')
		snprintf(out, size, "localhost");
	out[size - 1] = '\0';
}

static bool greet(struct opening *o, struct error *e)
{
	char name[256], command[300];
	struct reply r;

	our_name(o, name, sizeof(name));
	o->starttls = o->pipelining = o->enhanced = o->eightbit = o->dsn = false;
	o->size = 0;
	o->login = (struct login_offer){0};
	snprintf(command, sizeof(command), "EHLO %s\r\n", name);
	if (!ask(o, command, &r, note_line, e))
		return false;
	if (r.code / 100 == 5) {
		snprintf(command, sizeof(command), "HELO %s\r\n", name);
		if (!ask(o, command, &r, NULL, e))
			return false;
	}
	return r.code == 250 || refused("relay refused our greeting", &r, e);
}

static bool encrypt(struct opening *o, struct error *e)
{
	SSL_CTX *ctx = relay_tls(o->relay, e);

	if (ctx == NULL)
		return false;
	SSL_SESSION *resume = relay_tls_session(o->relay);
	bool ok = wire_encrypt(o->w, ctx, resume, o->timeout_ms, e);
	if (!ok && resume != NULL)
		relay_forget_tls_session(o->relay);
	SSL_SESSION_free(resume);
	SSL_CTX_free(ctx);
	return ok;
}

static bool start_tls(struct opening *o, struct error *e)
{
	struct reply r;

	if (!o->starttls)
		return error_set(e, ERROR_IO,
			"the relay offers no STARTTLS, and this relay's tls setting asks for it");
	if (!ask(o, "STARTTLS\r\n", &r, NULL, e))
		return false;
	if (r.code != 220)
		return refused("relay refused STARTTLS", &r, e);
	return encrypt(o, e) && greet(o, e);
}

/* The relay's greeting and its offer as libesmtp is to see them. */
static void hand_over(struct opening *o)
{
	char offer[WIRE_PRETEND], size[32] = "";

	if (o->size > 0)
		snprintf(size, sizeof(size), "250-SIZE %llu\r\n", o->size);
	snprintf(offer, sizeof(offer), "250-relay\r\n%s%s%s%s%s250 HELP\r\n",
		o->pipelining ? "250-PIPELINING\r\n" : "",
		o->enhanced ? "250-ENHANCEDSTATUSCODES\r\n" : "",
		o->eightbit ? "250-8BITMIME\r\n" : "", o->dsn ? "250-DSN\r\n" : "", size);
	wire_pretend(o->w, "220 relay\r\n", offer);
}

static bool talk(struct opening *o, struct error *e)
{
	enum config_tls tls = o->settings->tls;
	struct reply r;

	if (tls == TLS_IMPLICIT && !encrypt(o, e))
		return false;
	if (!reply_read(o->w, o->timeout_ms, &r, NULL, NULL, e))
		return false;
	if (r.code != 220)
		return refused("relay refused the connection", &r, e);
	if (!greet(o, e) || (tls == TLS_STARTTLS && !start_tls(o, e)))
		return false;
	return o->settings->username == NULL || login_run(o->w, o->settings, &o->login, e);
}

bool opening_run(struct wire *w, struct relay *relay, struct error *e)
{
	struct opening o = {.w = w, .relay = relay, .settings = relay_settings(relay)};

	o.timeout_ms = o.settings->greeting_timeout * 1000;
	o.enhanced = o.settings->discard;
	bool ok = o.settings->discard
			  ? wire_discard(w, e)
			  : wire_connect(w, o.settings->host, o.settings->port, e) && talk(&o, e);
	if (ok)
		hand_over(&o);
	return ok;
}
