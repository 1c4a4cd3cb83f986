/* One SMTP session (RFC 5321, with PIPELINING, 8BITMIME, ENHANCEDSTATUSCODES, SIZE, and if asked
 * for CHUNKING, STARTTLS, AUTH). It does what is right, except where the rules of faults.h say
 * otherwise. */
#include "login.h"
#include "sink.h"
#include "stream.h"

#include "hubmail/base_json.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define TEXT_PROBE 1000 /* bytes of a text after which a fault in its middle happens */
#define LONG_LINE 100000

enum ending { STAYS, CLOSES, RESETS };

struct session {
	struct sink *sink;
	int64_t number;
	struct stream stream;
	enum ending ending;
	bool greeted, logged_in, has_mail, too_big, bdat;
	char *mail;
	struct strlist to;
	struct fault asked; /* by a recipient, for a later phase */
	struct buf line, text;
};

/* ---- Answers and faults ---- */

static void answer(struct session *c, const char *text)
{
	if (c->sink->verbose)
		fprintf(stderr, "%lld < %s\n", (long long)c->number, text);
	stream_put(&c->stream, text, strlen(text));
	stream_put(&c->stream, "\r\n", 2);
	if (strncmp(text, "421", 3) == 0)
		c->ending = CLOSES;
}

static void stall(struct session *c, double seconds)
{
	struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};

	stream_flush(&c->stream);
	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		;
}

static void long_answer(struct session *c)
{
	char *text = xmalloc(LONG_LINE + 1);

	memset(text, 'x', LONG_LINE);
	memcpy(text, "250 ", 4);
	text[LONG_LINE] = '\0';
	answer(c, text);
	free(text);
}

static void note_fault(struct session *c, const struct fault *f)
{
	ledger_event(c->sink->ledger,
		json_pack("{s:s, s:I, s:s, s:s, s:o}", "event", "fault", "session",
			(json_int_t)c->number, "phase", fault_phase_name(f->phase), "action",
			fault_action_name(f->action), "reply", json_text(f->reply)));
}

/* True: this is all that happens here. False: go on with what is right. */
static bool commit(struct session *c, const struct fault *f)
{
	if (f->action != ACT_NONE)
		note_fault(c, f);
	switch (f->action) {
	case ACT_REPLY:
		answer(c, f->reply);
		return true;
	case ACT_DROP:
		c->ending = CLOSES;
		return true;
	case ACT_RESET:
		stream_flush(&c->stream);
		c->ending = RESETS;
		return true;
	case ACT_GARBAGE:
		answer(c, "\x01\xfe\xff what is this? \x80");
		return true;
	case ACT_LONG:
		long_answer(c);
		return true;
	case ACT_STALL:
		stall(c, f->seconds);
		return false;
	default:
		return false;
	}
}

static bool goes_wrong(struct session *c, enum phase phase)
{
	struct fault f = faults_at(c->sink->faults, phase);

	if (f.action == ACT_NONE && c->asked.action != ACT_NONE && c->asked.phase == phase) {
		f = c->asked;
		c->asked.action = ACT_NONE;
	}
	return commit(c, &f);
}

/* The handshake, noted with what the client made of it. */
static bool start_tls(struct session *c)
{
	char reason[256] = "";

	if (goes_wrong(c, AT_TLS))
		return false;
	bool ok = stream_start_tls(&c->stream, c->sink->tls);
	if (!ok)
		ERR_error_string_n(ERR_get_error(), reason, sizeof(reason));
	ledger_event(c->sink->ledger,
		json_pack("{s:s, s:I, s:b, s:s, s:b, s:s}", "event", "tls", "session",
			(json_int_t)c->number, "ok", ok, "version",
			c->stream.tls != NULL ? SSL_get_version(c->stream.tls) : "", "resumed",
			c->stream.tls != NULL && SSL_session_reused(c->stream.tls), "error",
			reason));
	return ok;
}

/* ---- Transactions ---- */

static void forget_transaction(struct session *c)
{
	c->has_mail = c->too_big = c->bdat = false;
	free(c->mail);
	c->mail = NULL;
	strlist_free(&c->to);
	c->asked.action = ACT_NONE;
	buf_truncate(&c->text, 0);
}

static void record(struct session *c, int code, bool answered)
{
	struct ledger_message m = {.session = c->number,
		.mail = c->mail,
		.to = &c->to,
		.text = &c->text,
		.code = code,
		.answered = answered,
		.tls = c->stream.tls != NULL};

	ledger_message(c->sink->ledger, &m);
}

/* The code of the answer that a fault at the dot gives instead of 250; 0: none. */
static int code_instead(const struct session *c, size_t out_before)
{
	return c->stream.out.len > out_before
		       ? (int)strtol(c->stream.out.data + out_before, NULL, 10)
		       : 0;
}

static void end_of_text(struct session *c)
{
	size_t before = c->stream.out.len;

	if (c->too_big) {
		answer(c, "552 5.3.4 message is too big");
	} else if (goes_wrong(c, AT_DOT)) {
		record(c, code_instead(c, before), c->ending == STAYS);
	} else {
		struct fault f = faults_at(c->sink->faults, AT_KEPT);
		if (f.action == ACT_NONE && c->asked.phase == AT_KEPT)
			f = c->asked;
		record(c, 250, f.action == ACT_NONE || f.action == ACT_STALL);
		if (!commit(c, &f))
			answer(c, "250 2.0.0 kept");
		goes_wrong(c, AT_ANSWERED);
	}
	if (c->sink->forgetful)
		stream_forget_input(&c->stream);
	forget_transaction(c);
}

static void take_text(struct session *c, const char *data, size_t len)
{
	if (c->text.len + len > c->sink->size_max)
		c->too_big = true;
	else
		buf_add(&c->text, data, len);
}

/* Where the text ends in what was read of it: after the CRLF before the final dot. The first
 * `old` bytes were searched before. NULL: not yet. */
static const char *find_end(const struct buf *text, size_t old)
{
	static const char end[] = "\r\n.\r\n";
	size_t from = old < sizeof(end) ? 0 : old - sizeof(end);

	if (text->len >= 3 && memcmp(text->data, ".\r\n", 3) == 0)
		return text->data;
	const char *p = memmem(text->data + from, text->len - from, end, sizeof(end) - 1);
	return p != NULL ? p + 2 : NULL;
}

static void undo_dot_stuffing(struct buf *text)
{
	char *from = text->data, *to = text->data, *end = text->data + text->len, *p;

	if (from < end && *from == '.')
		from++;
	while ((p = memmem(from, (size_t)(end - from), "\r\n.", 3)) != NULL) {
		memmove(to, from, (size_t)(p + 2 - from));
		to += p + 2 - from;
		from = p + 3;
	}
	memmove(to, from, (size_t)(end - from));
	buf_truncate(text, (size_t)(to + (end - from) - text->data));
}

/* A text that is too big is read to its end all the same, in a window that slides. */
static void slide(struct session *c)
{
	if (c->text.len <= c->sink->size_max)
		return;
	c->too_big = true;
	memmove(c->text.data, c->text.data + c->text.len - 8, 8);
	buf_truncate(&c->text, 8);
}

static void read_text(struct session *c)
{
	const char *data, *end = NULL;
	size_t n, old = 0, limit = TEXT_PROBE;

	while (end == NULL && (n = stream_chunk(&c->stream, limit, &data)) > 0) {
		buf_add(&c->text, data, n);
		end = find_end(&c->text, old);
		if (limit == TEXT_PROBE && end == NULL && goes_wrong(c, AT_TEXT))
			return;
		limit = sizeof(c->stream.in);
		if (end == NULL)
			slide(c);
		old = c->text.len;
	}
	if (end == NULL)
		return;
	size_t len = (size_t)(end - c->text.data);
	stream_unread(&c->stream, c->text.len - len - strlen(".\r\n"));
	buf_truncate(&c->text, len);
	if (!c->sink->discard)
		undo_dot_stuffing(&c->text);
	end_of_text(c);
}

static bool refuse_text(struct session *c)
{
	if (!c->has_mail || c->to.n == 0) {
		answer(c, c->has_mail ? "554 5.5.1 no valid recipients" : "503 5.5.1 MAIL first");
		return true;
	}
	return false;
}

static void cmd_data(struct session *c, const char *arguments)
{
	(void)arguments;
	if (refuse_text(c) || goes_wrong(c, AT_DATA))
		return;
	answer(c, "354 go ahead");
	read_text(c);
}

static void cmd_bdat(struct session *c, const char *arguments)
{
	char *rest;
	unsigned long size = strtoul(arguments, &rest, 10);
	bool last = strcasestr(rest, "LAST") != NULL, refused = refuse_text(c);
	bool first = !c->bdat;
	const char *data;
	size_t n;

	c->bdat = true;
	while (size > 0 && (n = stream_chunk(&c->stream, size, &data)) > 0) {
		if (!refused)
			take_text(c, data, n);
		size -= n;
	}
	if (refused || (first && goes_wrong(c, AT_DATA)) || (first && goes_wrong(c, AT_TEXT)))
		return;
	if (last)
		end_of_text(c);
	else
		answer(c, "250 2.0.0 more");
}

/* ---- Commands ---- */

static void cmd_helo(struct session *c, const char *arguments)
{
	(void)arguments;
	if (goes_wrong(c, AT_EHLO))
		return;
	c->greeted = true;
	forget_transaction(c);
	answer(c, "250 hello");
}

static void cmd_ehlo(struct session *c, const char *arguments)
{
	const struct sink *k = c->sink;
	struct buf b = {0};

	(void)arguments;
	if (goes_wrong(c, AT_EHLO))
		return;
	c->greeted = true;
	forget_transaction(c);
	buf_addf(&b, "250-%s\r\n%s%s%s%s", k->hello, k->pipelining ? "250-PIPELINING\r\n" : "",
		k->enhanced ? "250-ENHANCEDSTATUSCODES\r\n" : "",
		k->chunking ? "250-CHUNKING\r\n" : "",
		k->tls != NULL && c->stream.tls == NULL ? "250-STARTTLS\r\n" : "");
	if (k->login != NULL)
		buf_adds(&b, "250-AUTH " LOGIN_MECHANISMS "\r\n");
	buf_addf(&b, "250-8BITMIME\r\n250 SIZE %zu", k->size_max);
	answer(c, buf_str(&b));
	buf_free(&b);
}

static void cmd_starttls(struct session *c, const char *arguments)
{
	(void)arguments;
	if (c->sink->tls == NULL || c->stream.tls != NULL) {
		answer(c, "502 5.5.1 not here");
		return;
	}
	struct fault f = faults_at(c->sink->faults, AT_STARTTLS);
	if (commit(c, &f))
		return;
	answer(c, f.action == ACT_INJECT ? "220 2.0.0 go\r\n250-evil.example\r\n250 AUTH PLAIN"
					 : "220 2.0.0 go");
	stream_flush(&c->stream);
	stream_forget_input(&c->stream);
	if (!start_tls(c))
		return;
	c->greeted = c->logged_in = false;
	forget_transaction(c);
}

static void cmd_auth(struct session *c, const char *arguments)
{
	if (c->sink->login == NULL) {
		answer(c, "502 5.5.1 no login here");
		return;
	}
	if (goes_wrong(c, AT_AUTH))
		return;
	enum login_result result = login(&c->stream, arguments, c->sink->login);
	c->logged_in = result == LOGIN_OK;
	ledger_event(c->sink->ledger,
		json_pack("{s:s, s:I, s:s%, s:b, s:b}", "event", "login", "session",
			(json_int_t)c->number, "mechanism", arguments, strcspn(arguments, " "),
			"ok", c->logged_in, "tls", c->stream.tls != NULL));
	answer(c, result == LOGIN_OK      ? "235 2.7.0 welcome"
		  : result == LOGIN_WRONG ? "535 5.7.8 wrong user or password"
					  : "504 5.5.4 no such mechanism");
}

/* The address of "FROM:<a@b> SIZE=…"; the caller's. NULL: there is none. */
static char *path_of(const char *arguments, const char *keyword)
{
	size_t n = strlen(keyword);

	if (strncasecmp(arguments, keyword, n) != 0)
		return NULL;
	const char *from = arguments + n + strspn(arguments + n, " ");
	const char *end = strchr(from, '>');
	if (*from != '<' || end == NULL)
		return NULL;
	return utf8_clean(from + 1, (size_t)(end - from - 1));
}

static void note_refusal(struct session *c, const char *at, const char *address, const char *reply)
{
	ledger_event(c->sink->ledger, json_pack("{s:s, s:I, s:s, s:s, s:o}", "event", "refused",
					      "session", (json_int_t)c->number, "at", at, "address",
					      address, "reply", json_text(reply)));
}

static void cmd_mail(struct session *c, const char *arguments)
{
	char *mail = path_of(arguments, "FROM:");
	const char *size = strcasestr(arguments, " SIZE=");

	if (mail == NULL) {
		answer(c, "501 5.5.4 MAIL FROM:<address> is expected");
	} else if (c->has_mail || !c->greeted) {
		answer(c, c->has_mail ? "503 5.5.1 MAIL was there" : "503 5.5.1 EHLO first");
	} else if (c->sink->login != NULL && !c->logged_in) {
		answer(c, "530 5.7.0 log in first");
	} else if (size != NULL && strtoul(size + 6, NULL, 10) > c->sink->size_max) {
		answer(c, "552 5.3.4 message is too big");
	} else if (!goes_wrong(c, AT_MAIL)) {
		c->has_mail = true;
		c->mail = mail;
		answer(c, "250 2.1.0 ok");
		return;
	}
	free(mail);
}

/* What the address or the greylist wants of this attempt. */
static void ask_address(struct session *c, const char *address)
{
	struct fault f = fault_of_address(address);
	long greylist = faults_greylist(c->sink->faults);

	if (f.action == ACT_NONE && greylist > 0) {
		f = (struct fault){AT_RCPT, ACT_REPLY, 0, greylist, 0, "450 4.7.1 greylisted"};
	}
	if (f.action == ACT_NONE)
		return;
	long tries = ledger_tries(c->sink->ledger, address);
	if (f.times < 0 || tries < f.times)
		c->asked = f;
}

static void cmd_rcpt(struct session *c, const char *arguments)
{
	char *to = path_of(arguments, "TO:");
	size_t before = c->stream.out.len;

	if (to == NULL) {
		answer(c, "501 5.5.4 RCPT TO:<address> is expected");
	} else if (!c->has_mail) {
		answer(c, "503 5.5.1 MAIL first");
	} else {
		ask_address(c, to);
		if (!goes_wrong(c, AT_RCPT)) {
			answer(c, "250 2.1.5 ok");
			strlist_take(&c->to, to);
			return;
		}
		char *reply = utf8_clean(
			buf_str(&c->stream.out) + (c->stream.out.len > before ? before : 0),
			c->stream.out.len > before ? c->stream.out.len - before : 0);
		note_refusal(c, "rcpt", to, text_trim(reply));
		free(reply);
	}
	free(to);
}

static void cmd_rset(struct session *c, const char *arguments)
{
	(void)arguments;
	forget_transaction(c);
	answer(c, "250 2.0.0 ok");
}

static void cmd_noop(struct session *c, const char *arguments)
{
	(void)arguments;
	answer(c, "250 2.0.0 ok");
}

static void cmd_quit(struct session *c, const char *arguments)
{
	(void)arguments;
	if (!goes_wrong(c, AT_QUIT))
		answer(c, "221 2.0.0 bye");
	if (c->ending == STAYS)
		c->ending = CLOSES;
}

struct command {
	const char *name;
	void (*run)(struct session *c, const char *arguments);
	bool ends_group; /* the client has to wait for its answer (RFC 2920, 3.1) */
};

static bool waited(struct session *c, const struct command *command)
{
	bool must = c->sink->one_by_one || (c->sink->strict && command->ends_group);

	if (!must || !stream_has_input(&c->stream))
		return true;
	ledger_event(c->sink->ledger, json_pack("{s:s, s:I, s:s}", "event", "impatient", "session",
					      (json_int_t)c->number, "at", command->name));
	answer(c, "554 5.5.0 wait for my answer");
	c->ending = CLOSES;
	return false;
}

static void obey(struct session *c)
{
	static const struct command commands[] = {{"MAIL", cmd_mail, false},
		{"RCPT", cmd_rcpt, false}, {"DATA", cmd_data, true}, {"BDAT", cmd_bdat, false},
		{"RSET", cmd_rset, false}, {"EHLO", cmd_ehlo, true}, {"HELO", cmd_helo, true},
		{"STARTTLS", cmd_starttls, true}, {"AUTH", cmd_auth, true},
		{"NOOP", cmd_noop, true}, {"QUIT", cmd_quit, true}};
	const char *line = buf_str(&c->line);
	size_t len = strcspn(line, " ");

	if (c->sink->verbose)
		fprintf(stderr, "%lld > %s\n", (long long)c->number, line);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strlen(commands[i].name) == len &&
			strncasecmp(line, commands[i].name, len) == 0) {
			if (waited(c, &commands[i]))
				commands[i].run(c, line + len + strspn(line + len, " "));
			return;
		}
	answer(c, "500 5.5.2 no such command");
}

/* ---- The session ---- */

static bool greet(struct session *c)
{
	char greeting[300];

	if (c->sink->implicit && !start_tls(c))
		return false;
	if (!goes_wrong(c, AT_GREETING)) {
		snprintf(greeting, sizeof(greeting), "220 %s ESMTP", c->sink->hello);
		answer(c, greeting);
	}
	return c->ending == STAYS;
}

void session_serve(struct sink *sink, int fd, int64_t number)
{
	struct session *c = xcalloc(1, sizeof(*c));

	c->sink = sink;
	c->number = number;
	stream_init(&c->stream, fd, sink->delay_ms);
	ledger_session(sink->ledger);
	if (greet(c))
		while (c->ending == STAYS && !c->stream.broken && stream_line(&c->stream, &c->line))
			obey(c);
	if (c->ending == RESETS)
		stream_reset(&c->stream);
	else
		stream_close(&c->stream);
	forget_transaction(c);
	buf_free(&c->line);
	buf_free(&c->text);
	free(c);
}
