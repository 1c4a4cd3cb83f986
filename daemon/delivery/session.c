/* A session: one relay, one thread, one connection after the other, as libesmtp wants it. The next
 * message is added while the current one is under way (the only moment at which libesmtp takes
 * one), so a connection lasts as long as there is work. What libesmtp shows of each message is
 * collected in its facts and judged in outcome.c; results go to the store through turn.c. */
#include "session.h"

#include "hubmail/base_clock.h"
#include "hubmail/base_log.h"
#include "outcome.h"
#include "talk.h"
#include "tls.h"
#include "turn.h"
#include <auth-client.h>
#include <errno.h>
#include <libesmtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One message on this connection. */
struct outgoing {
	struct connection *connection;
	struct ready_item *item; /* NULL: this place is free */
	smtp_message_t message;
	smtp_recipient_t recipient;
	struct attempt_facts facts;
	bool later; /* unwanted only for now */
	int64_t started_ms;
	size_t piece;
};

struct connection {
	struct session *s;
	const struct config_relay *relay;
	smtp_session_t smtp;
	auth_context_t auth;
	SSL_CTX *tls;
	struct talk talk;
	struct turns turns;
	struct compose_message rendered; /* of the message being sent */
	struct outgoing places[2];       /* the current one and the one ahead */
	struct outgoing *current, *ahead;
	int taken;       /* messages, on this connection */
	int settled;     /* … that the relay answered */
	char fault[400]; /* why the relay is not to be used for now; "" if it is */
	bool closing;    /* the relay said 421 */
};

/* How a connection ended. */
enum ending {
	ENDING_WORKED, /* another one may follow */
	ENDING_NO_WORK,
	ENDING_FAULT,
};

static void fault(struct connection *c, const char *what, const char *detail)
{
	if (c->fault[0] == '\0')
		snprintf(c->fault, sizeof(c->fault), "%s%s%s", what, detail[0] != '\0' ? ": " : "",
			detail);
}

/* The relay's words without line ends. */
static void status_text(const smtp_status_t *st, char *out, size_t size)
{
	snprintf(out, size, "%s", st != NULL && st->text != NULL ? st->text : "");
	for (char *p = out; *p != '\0'; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
	for (size_t len = strlen(out); len > 0 && out[len - 1] == ' '; len--)
		out[len - 1] = '\0';
}

/* ---- The message's text ---- */

static void start_text(struct outgoing *o)
{
	struct connection *c = o->connection;
	const struct store_ready *d = &o->item->delivery;
	char token[TOKEN_MAX], message_id[MESSAGE_ID_MAX];

	/* Entered first: whatever happens from here on, the relay is waiting for text. */
	o->facts.entered = true;
	o->piece = 0;
	enum store_go go = turns_wait(&c->turns);
	if (go != STORE_GO) {
		o->facts.unwanted = o->facts.aborted = true;
		o->later = go == STORE_NOT_NOW;
		return;
	}
	token_make(c->s->world.secret, o->item->digest->list_id, d->key.subscriber_id, token);
	message_id_make(c->s->world.secret, d->key.digest_id, d->key.subscriber_id,
		address_domain(o->item->digest->from), message_id);
	struct compose_reader reader = {d->email, d->name, token, message_id};
	compose_render(o->item->digest->plan, &reader, &c->rendered);
	o->started_ms = clock_mono_ms();
}

/* libesmtp throws away what it could not write in time and goes on with what follows: a relay that
 * stalled and came back would accept a message with a hole. Its time-out for one write cannot have
 * passed if the whole text took less. */
static int why_not_finish(struct outgoing *o)
{
	struct connection *c = o->connection;

	if (clock_mono_ms() - o->started_ms >= (int64_t)c->relay->transfer_timeout * 900)
		return ETIMEDOUT;
	return wire_is_alive(&c->s->wire) ? 0 : ECONNRESET;
}

/* smtp_messagecb_t: the pieces one after the other. libesmtp takes any errno but 0 at the end for a
 * reason to drop the connection, which is how a message is broken off before its final dot. */
static const char *next_piece(void **unused, int *len, void *arg)
{
	struct outgoing *o = arg;
	struct connection *c = o->connection;

	(void)unused;
	if (len == NULL) {
		start_text(o);
		errno = 0;
		return NULL;
	}
	*len = 0;
	if (!o->facts.aborted && o->piece < c->rendered.n_pieces) {
		const struct iovec *piece = &c->rendered.pieces[o->piece++];
		*len = (int)piece->iov_len;
		errno = 0;
		return piece->iov_base;
	}
	int error = o->facts.aborted ? ECANCELED : o->facts.at_end ? 0 : why_not_finish(o);
	o->facts.aborted = error != 0;
	o->facts.at_end = error == 0;
	errno = error;
	return NULL;
}

/* ---- Taking messages and settling them ---- */

static struct outgoing *free_place(struct connection *c)
{
	return c->places[0].item == NULL ? &c->places[0] : &c->places[1];
}

/* The next delivery becomes the session's next message. NULL: there is none, or it is not to take
 * any more. */
static struct outgoing *take(struct connection *c)
{
	if (atomic_load(c->s->world.stopping) || relay_retired(c->s->relay) ||
		c->taken >= c->relay->messages_per_connection)
		return NULL;
	struct ready_item *item = ready_take(c->s->world.ready);
	if (item == NULL)
		return NULL;
	struct outgoing *o = free_place(c);
	*o = (struct outgoing){.connection = c, .item = item};
	o->message = smtp_add_message(c->smtp);
	if (o->message != NULL && smtp_set_reverse_path(o->message, item->digest->from))
		o->recipient = smtp_add_recipient(o->message, item->delivery.email);
	if (o->recipient == NULL || !smtp_set_messagecb(o->message, next_piece, o)) {
		fault(c, "libesmtp has no memory for another message", "");
		ready_return(c->s->world.ready, item);
		o->item = NULL;
		return NULL;
	}
	smtp_message_set_application_data_release(o->message, o, NULL);
	c->taken++;
	return o;
}

static void collect(struct connection *c, struct outgoing *o)
{
	struct attempt_facts *f = &o->facts;

	f->mail_code = smtp_reverse_path_status(o->message)->code;
	f->rcpt_code = smtp_recipient_status(o->recipient)->code;
	f->data_code = smtp_message_transfer_status(o->message)->code;
	f->complete = smtp_recipient_check_complete(o->recipient) != 0;
	f->logged_in = c->relay->username == NULL || c->talk.logged_in;
}

/* The answer that decided. */
static const smtp_status_t *deciding_status(const struct outgoing *o)
{
	switch (attempt_step(&o->facts)) {
	case STEP_MAIL:
		return smtp_reverse_path_status(o->message);
	case STEP_RCPT:
		return smtp_recipient_status(o->recipient);
	default:
		return smtp_message_transfer_status(o->message);
	}
}

static void log_result(
	const struct connection *c, const struct outgoing *o, const struct store_result *r)
{
	static const char *const what[] = {
		"delivery sent", "delivery deferred", "delivery failed", "delivery unknown"};
	enum log_level level = r->outcome == OUTCOME_ACCEPTED ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;

	if (level == LOG_LEVEL_DEBUG && !log_debugging())
		return;
	log_at(level, what[r->outcome],
		"delivery=%lld.%lld to=%s relay=%s session=%d code=%d enhanced=%s text=%s",
		(long long)r->key.digest_id, (long long)r->key.subscriber_id,
		o->item->delivery.email, c->relay->name, c->s->place, r->code,
		r->enhanced != NULL ? r->enhanced : "-", log_quote(r->text));
}

/* A temporary refusal becomes a final one when the reader has been tried for long enough. */
static void plan_retry(const struct connection *c, const struct outgoing *o, struct store_result *r)
{
	const struct retry_settings *retry = &c->s->retry;
	const struct store_ready *d = &o->item->delivery;
	int64_t first_at = d->first_attempt_at != 0 ? d->first_attempt_at : r->at;

	r->retry_at = r->at + retry_pause(d->attempts + 1, retry->first, retry->longest,
				      random_below(1000000));
	if (r->outcome == OUTCOME_DEFERRED && r->retry_at - first_at > retry->give_up)
		r->outcome = OUTCOME_FAILED;
	r->hold = retry->hold_unknown;
}

/* Where no answer decided, our own words stand in its place. */
static const char *words_for(enum attempt_class class)
{
	switch (class) {
	case ATTEMPT_UNKNOWN:
		return "the connection was lost between the message and the relay's answer";
	case ATTEMPT_BROKEN:
		return "the connection was lost in the middle of the message";
	default:
		return NULL;
	}
}

static void record(struct connection *c, struct outgoing *o, enum attempt_class class,
	const struct outgoing *next)
{
	static const enum delivery_outcome outcomes[] = {
		[ATTEMPT_ACCEPTED] = OUTCOME_ACCEPTED,
		[ATTEMPT_REJECTED_NOW] = OUTCOME_DEFERRED,
		[ATTEMPT_REJECTED_FOREVER] = OUTCOME_FAILED,
		[ATTEMPT_BROKEN] = OUTCOME_DEFERRED,
		[ATTEMPT_UNKNOWN] = OUTCOME_UNKNOWN,
	};
	char enhanced[16] = "", text[400];
	const smtp_status_t *st = deciding_status(o);
	struct store_result r = {.key = o->item->delivery.key,
		.outcome = outcomes[class],
		.at = clock_now(),
		.text = words_for(class)};

	if (r.text == NULL) {
		r.code = attempt_code(&o->facts);
		status_text(st, text, sizeof(text));
		r.text = text;
		if (st->enh_class > 0)
			snprintf(enhanced, sizeof(enhanced), "%d.%d.%d", st->enh_class,
				st->enh_subject % 1000, st->enh_detail % 1000);
	}
	r.enhanced = enhanced[0] != '\0' ? enhanced : NULL;
	plan_retry(c, o, &r);
	log_result(c, o, &r);
	if (r.outcome == OUTCOME_ACCEPTED)
		relay_worked(c->s->relay, r.at);
	else
		relay_count(
			c->s->relay, r.outcome == OUTCOME_FAILED ? RELAY_FAILED : RELAY_DEFERRED);
	turns_post(&c->turns, &r, o->item, next != NULL ? next->item : NULL);
}

static void note_refusal(struct connection *c, const struct outgoing *o)
{
	char text[300], what[40];
	int code = attempt_code(&o->facts);

	if (!o->facts.logged_in) {
		fault(c, "login refused", c->talk.refusal);
		return;
	}
	status_text(deciding_status(o), text, sizeof(text));
	snprintf(what, sizeof(what), "relay answered %d", code);
	fault(c, what, text);
}

/* One that the store held back lies before what is fetched next: fetching begins anew. */
static void give_up(struct connection *c, struct outgoing *o)
{
	struct outgoing_digest *digest = outgoing_digest_ref(o->item->digest);

	ready_done(c->s->world.ready, o->item);
	if (o->later)
		outgoing_digest_rewind(digest);
	outgoing_digest_unref(digest);
}

/* Broken off because we are stopping: nobody is to blame, and it is the next one after the start.
 */
static bool stopped_by_us(const struct connection *c, enum attempt_class class)
{
	return class == ATTEMPT_BROKEN && atomic_load(c->s->world.stopping);
}

/* The message is over, one way or the other; `next` is the one that follows on this connection. */
static void settle(struct connection *c, struct outgoing *o, const struct outgoing *next)
{
	if (o == NULL || o->item == NULL)
		return;
	collect(c, o);
	enum attempt_class class = attempt_classify(&o->facts);
	/* 421 ends the connection (RFC 5321, 3.8). */
	c->closing = c->closing || attempt_code(&o->facts) == 421;
	if (class == ATTEMPT_RELAY_FAULT || class == ATTEMPT_NOT_TRIED || stopped_by_us(c, class)) {
		if (class == ATTEMPT_RELAY_FAULT)
			note_refusal(c, o);
		/* Its trace goes with this turn; in the store it is queued as before. */
		turns_post(&c->turns, NULL, NULL, next != NULL ? next->item : NULL);
		if (o->facts.unwanted)
			give_up(c, o);
		else
			ready_return(c->s->world.ready, o->item);
	} else {
		record(c, o, class, next);
		c->settled += class != ATTEMPT_BROKEN && class != ATTEMPT_UNKNOWN;
	}
	o->item = NULL;
}

/* ---- What libesmtp tells ---- */

static void mail_answered(struct connection *c, struct outgoing *o)
{
	/* Only a message whose MAIL was answered without a login, or refused without an end of its
	 * own, is still here. */
	if (c->current != NULL && c->current != o)
		settle(c, c->current, o);
	c->current = o;
	c->ahead = NULL;
	if (c->relay->username != NULL && !c->talk.logged_in) {
		fault(c, "login refused", c->talk.refusal);
		wire_shut_down(&c->s->wire);
		return;
	}
	if (smtp_reverse_path_status(o->message)->code / 100 == 2)
		c->ahead = take(c);
}

static void message_ended(struct connection *c, struct outgoing *o)
{
	o->facts.sent_event = true;
	settle(c, o, c->ahead);
	if (c->current == o)
		c->current = NULL;
}

static void tls_started(struct connection *c)
{
	if (c->talk.injected) {
		fault(c,
			"something was slipped in before TLS: the connection is being tampered with",
			"");
		wire_shut_down(&c->s->wire);
	}
}

static void on_event(smtp_session_t smtp, int event, void *arg, ...)
{
	struct connection *c = arg;
	va_list ap;

	(void)smtp;
	va_start(ap, arg);
	switch (event) {
	case SMTP_EV_MAILSTATUS:
		(void)va_arg(ap, const char *);
		mail_answered(c, smtp_message_get_application_data(va_arg(ap, smtp_message_t)));
		break;
	case SMTP_EV_MESSAGESENT:
		message_ended(c, smtp_message_get_application_data(va_arg(ap, smtp_message_t)));
		break;
	case SMTP_EV_DISCONNECT:
		wire_forget(&c->s->wire);
		break;
	case SMTP_EV_STARTTLS_OK:
		tls_started(c);
		break;
	case SMTP_EV_EXTNA_STARTTLS:
		fault(c, "the relay offers no STARTTLS, and this relay's tls setting asks for it",
			"");
		break;
	case SMTP_EV_WRONG_PEER_CERTIFICATE:
		/* libesmtp compares with the name that DNS gave; OpenSSL has checked the one that
		 * was configured. */
		*va_arg(ap, int *) = 1;
		break;
	default:
		break;
	}
	va_end(ap);
}

static void on_talk(const char *data, int len, int writing, void *arg)
{
	struct connection *c = arg;

	if (len > 0)
		talk_hear(&c->talk, data, (size_t)len, writing != 0);
}

static int on_login(auth_client_request_t request, char **result, int fields, void *arg)
{
	const struct config_relay *relay = arg;

	for (int i = 0; i < fields; i++) {
		if ((request[i].flags & AUTH_USER) != 0)
			result[i] = relay->username;
		else if ((request[i].flags & AUTH_PASS) != 0)
			result[i] = relay->password;
		else
			return 0;
	}
	return 1;
}

/* ---- One connection ---- */

static void set_timeouts(struct connection *c)
{
	const struct config_relay *r = c->relay;
	const long ms[] = {
		[Timeout_GREETING] = r->greeting_timeout * 1000L,
		[Timeout_ENVELOPE] = r->envelope_timeout * 1000L,
		[Timeout_DATA] = r->envelope_timeout * 1000L,
		[Timeout_TRANSFER] = r->transfer_timeout * 1000L,
		[Timeout_DATA2] = r->answer_timeout * 1000L,
	};

	for (int which = Timeout_GREETING; which <= Timeout_DATA2; which++)
		smtp_set_timeout(c->smtp, which | Timeout_OVERRIDE_RFC2822_MINIMUM, ms[which]);
}

static bool set_up_login(struct connection *c)
{
	if (c->relay->username == NULL)
		return true;
	c->auth = auth_create_context();
	return c->auth != NULL && auth_set_mechanism_flags(c->auth, AUTH_PLUGIN_PLAIN, 0) &&
	       auth_set_interact_cb(c->auth, on_login, (void *)c->relay) &&
	       smtp_auth_set_context(c->smtp, c->auth);
}

static bool set_up_tls(struct connection *c)
{
	struct error e = {0};

	c->tls = relay_tls(c->s->relay, &e);
	if (e.code != ERROR_NONE) {
		fault(c, e.text, "");
		return false;
	}
	return c->tls == NULL || (smtp_starttls_enable(c->smtp, Starttls_REQUIRED) &&
					 smtp_starttls_set_ctx(c->smtp, c->tls));
}

static bool set_up(struct connection *c)
{
	char server[300];

	c->smtp = smtp_create_session();
	if (c->smtp == NULL)
		return false;
	snprintf(server, sizeof(server), "%s:%d", c->relay->host, c->relay->port);
	if (!smtp_set_server(c->smtp, server) || !smtp_set_eventcb(c->smtp, on_event, c) ||
		!smtp_set_monitorcb(c->smtp, on_talk, c, 0))
		return false;
	if (c->relay->hello != NULL && !smtp_set_hostname(c->smtp, c->relay->hello))
		return false;
	set_timeouts(c);
	return set_up_login(c) && set_up_tls(c);
}

/* Why a connection brought nothing. libesmtp's error number may be an old one, so it comes last. */
static void explain(struct connection *c, bool started)
{
	char text[200];
	int error = smtp_errno();

	if (tls_verify_reason() != NULL)
		fault(c, "the relay's certificate is not good", tls_verify_reason());
	if (c->talk.refusal[0] != '\0')
		fault(c, "relay refused", c->talk.refusal);
	if (!started && error != 0 && smtp_strerror(error, text, sizeof(text)) != NULL)
		fault(c, "cannot connect", text);
	fault(c, "the connection was lost before a message was answered", "");
}

static void tear_down(struct connection *c)
{
	if (c->smtp != NULL)
		smtp_destroy_session(c->smtp);
	if (c->auth != NULL)
		auth_destroy_context(c->auth);
	SSL_CTX_free(c->tls);
	compose_message_free(&c->rendered);
	turns_destroy(&c->turns);
}

static enum ending run_connection(struct session *s)
{
	struct connection c = {.s = s, .relay = relay_settings(s->relay)};
	enum ending ending = ENDING_NO_WORK;
	struct outgoing *first = NULL;

	turns_init(&c.turns, s->world.writer, s->world.ready, s->place, c.relay->name);
	if (!set_up(&c)) {
		fault(&c, "the session cannot be set up: too little memory", "");
	} else if ((first = take(&c)) != NULL) {
		c.ahead = first;
		turns_post(&c.turns, NULL, NULL, first->item);
		tls_verify_clear();
		wire_enter(&s->wire);
		bool started = smtp_start_session(c.smtp) != 0;
		wire_leave();
		wire_forget(&s->wire);
		settle(&c, c.current, NULL);
		settle(&c, c.ahead, NULL);
		if (c.settled == 0 && !atomic_load(s->world.stopping) && !first->facts.unwanted)
			explain(&c, started);
		turns_post(&c.turns, NULL, NULL, NULL);
		turns_wait(&c.turns);
		ending = ENDING_WORKED;
	}
	/* A relay that takes some messages and then closes with 421 wants a new connection, no
	 * rest. */
	if (c.fault[0] != '\0' && !(c.closing && c.settled > 0)) {
		relay_failed(s->relay, clock_now(), c.fault);
		ending = ENDING_FAULT;
	}
	tear_down(&c);
	return ending;
}

void session_init(struct session *s)
{
	const struct config_relay *relay = relay_settings(s->relay);

	atomic_init(&s->over, false);
	wire_init(&s->wire, relay->connect_timeout * 1000, relay->transfer_timeout * 800);
}

void session_destroy(struct session *s)
{
	wire_destroy(&s->wire);
}

void session_run(struct session *s)
{
	while (!atomic_load(s->world.stopping) && !relay_retired(s->relay) &&
		run_connection(s) == ENDING_WORKED)
		;
}
