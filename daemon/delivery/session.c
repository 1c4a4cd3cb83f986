/* A session: one relay, one thread, one connection after the other, as libesmtp wants it. The next
 * message is added while the current one is under way (the only moment at which libesmtp takes
 * one), so a connection lasts as long as there is work. What libesmtp shows of each message is
 * collected in its facts and judged in outcome.c; results go to the store through turn.c. */
#include "session.h"

#include "hubmail/base_clock.h"
#include "hubmail/base_log.h"
#include "opening.h"
#include "outcome.h"
#include "policy.h"
#include "turn.h"
#include <errno.h>
#include <libesmtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDLE_MS 2000 /* an open connection waits so long for more work */

/* One message on this connection. */
struct outgoing {
	struct connection *connection;
	struct ready_item *item; /* NULL: this place is free */
	smtp_message_t message;
	smtp_recipient_t recipient;
	struct attempt_facts facts;
	bool later; /* unwanted only for now */
	size_t piece;
};

struct connection {
	struct session *s;
	const struct config_relay *relay;
	smtp_session_t smtp;
	struct turns turns;
	struct deriver *tokens, *message_ids;
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

/* "" if there is none. */
static void enhanced_code(const smtp_status_t *st, char out[16])
{
	out[0] = '\0';
	if (st != NULL && st->enh_class > 0)
		snprintf(out, 16, "%d.%d.%d", st->enh_class, st->enh_subject % 1000,
			st->enh_detail % 1000);
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
	token_make_by(c->tokens, o->item->digest->list_id, d->key.subscriber_id, token);
	message_id_make_by(c->message_ids, d->key.digest_id, d->key.subscriber_id,
		address_domain(o->item->digest->from), message_id);
	struct compose_reader reader = {d->email, d->name, token, message_id};
	compose_render(o->item->digest->plan, &reader, &c->rendered);
	/* Made while the disk is waited for; sent only if it may be. */
	enum store_go go = turns_wait(&c->turns);
	if (go != STORE_GO) {
		o->facts.unwanted = o->facts.aborted = true;
		o->later = go == STORE_NOT_NOW;
	}
}

static void end_text(struct outgoing *o)
{
	struct connection *c = o->connection;
	struct wire *w = &c->s->wire;

	/* A connection on which something failed gets no final dot. */
	o->facts.aborted = o->facts.aborted || !wire_is_alive(w);
	o->facts.at_end = !o->facts.aborted;
	if (o->facts.at_end && c->ahead != NULL && !atomic_load(c->s->world.stopping))
		wire_announce_next(w, c->ahead->item->digest->from, c->ahead->item->delivery.email);
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
	/* libesmtp asks again after the end. */
	if (!o->facts.at_end)
		end_text(o);
	errno = o->facts.aborted ? ECANCELED : 0;
	return NULL;
}

/* ---- Taking messages and settling them ---- */

static struct outgoing *free_place(struct connection *c)
{
	return c->places[0].item == NULL ? &c->places[0] : &c->places[1];
}

/* The next delivery whose time has come: at once, or within wait_ms. */
static struct ready_item *next_item(struct connection *c, int wait_ms)
{
	struct ready *q = c->s->world.ready;
	struct ready_item *item = ready_take(q, wait_ms);

	if (item == NULL)
		return NULL;
	/* A reload may have come while it waited. */
	if (relay_retired(c->s->relay)) {
		ready_return(q, item, false);
		return NULL;
	}
	int64_t wait_us = relay_reserve(c->s->relay, wait_ms * 1000LL);
	if (wait_us == 0 || (wait_us > 0 && ready_sleep(q, wait_us)))
		return item;
	if (wait_us > 0)
		relay_unreserve(c->s->relay);
	ready_return(q, item, false);
	return NULL;
}

/* The next delivery becomes the session's next message. NULL: there is none, or it is not to take
 * any more. */
static struct outgoing *take(struct connection *c, int wait_ms)
{
	if (atomic_load(c->s->world.stopping) || relay_retired(c->s->relay) ||
		c->taken >= c->relay->messages_per_connection)
		return NULL;
	struct ready_item *item = next_item(c, wait_ms);
	if (item == NULL)
		return NULL;
	struct outgoing *o = free_place(c);
	*o = (struct outgoing){.connection = c, .item = item};
	o->message = smtp_add_message(c->smtp);
	if (o->message != NULL && smtp_set_reverse_path(o->message, item->digest->from))
		o->recipient = smtp_add_recipient(o->message, item->delivery.email);
	if (o->recipient == NULL || !smtp_set_messagecb(o->message, next_piece, o)) {
		fault(c, "libesmtp has no memory for another message", "");
		relay_unreserve(c->s->relay);
		ready_return(c->s->world.ready, item, false);
		o->item = NULL;
		return NULL;
	}
	smtp_message_set_application_data_release(o->message, o, NULL);
	c->taken++;
	return o;
}

static void collect(struct outgoing *o)
{
	struct attempt_facts *f = &o->facts;

	f->mail_code = smtp_reverse_path_status(o->message)->code;
	f->rcpt_code = smtp_recipient_status(o->recipient)->code;
	f->data_code = smtp_message_transfer_status(o->message)->code;
	f->complete = smtp_recipient_check_complete(o->recipient) != 0;
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

	if (r->outcome == OUTCOME_ACCEPTED)
		return;
	r->retry_at = r->at + retry_pause(d->attempts + 1, retry->first, retry->longest,
				      random_below(1000000));
	if (r->outcome == OUTCOME_DEFERRED && r->retry_at - first_at > retry->give_up)
		r->outcome = OUTCOME_FAILED;
	/* Each try of one whose answer never comes may be one more copy: that has an end, too. A
	 * person can have it sent again. */
	r->hold = retry->hold_unknown || r->retry_at - first_at > retry->give_up;
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

/* A stranger is put off once, whoever it is for (RFC 6647): that is no word on how much we send. */
static bool is_greylisting(const struct outgoing *o, const struct store_result *r)
{
	return o->item->delivery.attempts == 0 && (r->code == 450 || r->code == 451) &&
	       r->enhanced != NULL && strcmp(r->enhanced, "4.7.1") == 0;
}

/* What the answer says of others than this reader: that the domain has had enough for now, or that
 * the mail is not wanted from us at all. */
static void judge(const struct connection *c, struct outgoing *o, const struct store_result *r)
{
	bool soft = r->code == 421 || (r->enhanced != NULL && strncmp(r->enhanced, "4.7.", 4) == 0);
	enum ready_verdict verdict = r->outcome == OUTCOME_ACCEPTED  ? READY_CONTENT
				     : soft && !is_greylisting(o, r) ? READY_COMPLAINED
								     : READY_NO_WORD;

	if (verdict != READY_NO_WORD)
		ready_judge(c->s->world.ready, o->item, verdict, r->text);
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
		enhanced_code(st, enhanced);
	}
	r.enhanced = enhanced[0] != '\0' ? enhanced : NULL;
	plan_retry(c, o, &r);
	if (r.outcome == OUTCOME_ACCEPTED || r.outcome == OUTCOME_UNKNOWN)
		r.use_slot = relay_use_slot(c->s->relay, r.at);
	log_result(c, o, &r);
	judge(c, o, &r);
	if (r.outcome == OUTCOME_ACCEPTED)
		relay_worked(c->s->relay, r.at);
	else
		relay_count(
			c->s->relay, r.outcome == OUTCOME_FAILED ? RELAY_FAILED : RELAY_DEFERRED);
	struct outgoing_digest *digest = outgoing_digest_ref(o->item->digest);
	turns_post(&c->turns, &r, o->item, next != NULL ? next->item : NULL);
	policy_note(digest, c->s->world.ready, c->s->world.writer, &r, c->s->retry.pause_after);
	outgoing_digest_unref(digest);
}

/* MAIL was refused. */
static void note_refusal(struct connection *c, const struct outgoing *o)
{
	const smtp_status_t *st = deciding_status(o);
	char text[300], enhanced[16], answer[340];

	status_text(st, text, sizeof(text));
	enhanced_code(st, enhanced);
	snprintf(answer, sizeof(answer), "%d %s%s%s", attempt_code(&o->facts), enhanced,
		enhanced[0] != '\0' ? " " : "", text);
	fault(c, "relay refused the sender", answer);
}

/* One that the store held back lies before what is fetched next: fetching begins anew. */
static void give_up(struct connection *c, struct outgoing *o)
{
	if (o->later)
		ready_give_up(c->s->world.ready, o->item);
	else
		ready_done(c->s->world.ready, o->item);
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
	collect(o);
	enum attempt_class class = attempt_classify(&o->facts);
	/* 421 ends the connection (RFC 5321, 3.8). */
	c->closing = c->closing || attempt_code(&o->facts) == 421;
	if (class == ATTEMPT_RELAY_FAULT || class == ATTEMPT_NOT_TRIED || stopped_by_us(c, class)) {
		if (class == ATTEMPT_RELAY_FAULT)
			note_refusal(c, o);
		/* Its trace goes with this turn; in the store it is queued as before. */
		turns_post(&c->turns, NULL, NULL, next != NULL ? next->item : NULL);
		relay_unreserve(c->s->relay);
		/* Whose sender the relay refuses must not be in front of all others again. */
		if (o->facts.unwanted)
			give_up(c, o);
		else
			ready_return(c->s->world.ready, o->item, o->facts.mail_code != 0);
	} else {
		record(c, o, class, next);
		c->settled += class != ATTEMPT_BROKEN && class != ATTEMPT_UNKNOWN;
	}
	o->item = NULL;
}

/* ---- What libesmtp tells ---- */

static void mail_answered(struct connection *c, struct outgoing *o)
{
	/* Only a message whose MAIL was refused without an end of its own is still here. */
	if (c->current != NULL && c->current != o)
		settle(c, c->current, o);
	c->current = o;
	c->ahead = NULL;
	if (smtp_reverse_path_status(o->message)->code / 100 == 2)
		c->ahead = take(c, 0);
}

/* A refused recipient is followed by the next without a text being asked for, which is where else
 * it is seen that the digest is held back. */
static void look_whether_held(struct connection *c)
{
	enum store_go go = c->ahead != NULL ? turns_wait(&c->turns) : STORE_GO;

	if (go == STORE_GO)
		return;
	c->ahead->facts.unwanted = true;
	c->ahead->later = go == STORE_NOT_NOW;
	wire_quit(&c->s->wire);
}

static void message_ended(struct connection *c, struct outgoing *o)
{
	o->facts.sent_event = true;
	settle(c, o, c->ahead);
	if (!o->facts.entered)
		look_whether_held(c);
	if (c->current == o)
		c->current = NULL;
	if (atomic_load(c->s->world.stopping))
		wire_quit(&c->s->wire);
	if (c->ahead != NULL || c->closing)
		return;
	/* Nothing was there in time: the connection is kept for a while for what comes. */
	c->ahead = take(c, IDLE_MS);
	if (c->ahead != NULL)
		turns_post(&c->turns, NULL, NULL, c->ahead->item);
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
	default:
		break;
	}
	va_end(ap);
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

/* wire_open_fn: libesmtp wants its connection. */
static bool open_connection(struct wire *w, void *arg)
{
	struct session *s = arg;
	struct error e = {0};

	if (opening_run(w, s->relay, &e))
		return true;
	s->opening_error = e;
	return false;
}

static bool set_up(struct connection *c)
{
	c->smtp = smtp_create_session();
	if (c->smtp == NULL || !smtp_set_server(c->smtp, WIRE_PLACE_HOLDER) ||
		!smtp_set_hostname(c->smtp, "localhost") || !smtp_set_eventcb(c->smtp, on_event, c))
		return false;
	set_timeouts(c);
	c->tokens = deriver_new(c->s->world.secret, TOKEN_PURPOSE);
	c->message_ids = deriver_new(c->s->world.secret, MESSAGE_ID_PURPOSE);
	return true;
}

static void tear_down(struct connection *c)
{
	if (c->smtp != NULL)
		smtp_destroy_session(c->smtp);
	compose_message_free(&c->rendered);
	deriver_free(c->tokens);
	deriver_free(c->message_ids);
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
	} else if ((first = take(&c, 0)) != NULL) {
		c.ahead = first;
		turns_post(&c.turns, NULL, NULL, first->item);
		s->opening_error = (struct error){0};
		wire_enter(&s->wire);
		smtp_start_session(c.smtp);
		wire_leave();
		if (s->wire.ahead_ignored)
			relay_doubt_pipelining(s->relay);
		settle(&c, c.current, NULL);
		settle(&c, c.ahead, NULL);
		if (c.settled == 0 && !atomic_load(s->world.stopping) && !first->facts.unwanted)
			fault(&c,
				s->opening_error.code != ERROR_NONE
					? s->opening_error.text
					: "the connection was lost before a message was answered",
				"");
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
	wire_init(&s->wire, relay->connect_timeout * 1000, relay->transfer_timeout * 800,
		open_connection, s);
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
