/* What the sink received: kept in a folder, or only counted.
 *
 * The folder holds log.jsonl, a line of JSON for each thing that happened (a message, a refusal, a
 * login, new rules), and messages.raw, the texts one after the other as they were sent,
 * dot-stuffing undone; a message's line says where its text begins and how long it is. Both are
 * written before the client gets its answer. */
#ifndef SINK_LEDGER_H
#define SINK_LEDGER_H

#include "hubmail/base_buf.h"
#include "hubmail/base_error.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct ledger;

/* folder NULL: count only. eml: besides, each message becomes a file of its own, 000001.eml and so
 * on. */
struct ledger *ledger_open(const char *folder, bool eml, struct error *e);

struct ledger_message {
	int64_t session;
	const char *mail;         /* the reverse-path */
	const struct strlist *to; /* recipients that were not refused */
	const struct buf *text;
	int code;      /* the answer to the final dot; 0: there was none */
	bool answered; /* the client was to be told */
	bool tls;
};

/* Any thread. */
void ledger_message(struct ledger *l, const struct ledger_message *m);
void ledger_event(struct ledger *l, json_t *event); /* takes over event */
void ledger_session(struct ledger *l);              /* counts one */

/* How often this address was tried before; counts this one. */
long ledger_tries(struct ledger *l, const char *key);

/* {"messages","bytes","sessions","first_ns","last_ns"} of what was accepted; the caller's. */
json_t *ledger_totals(struct ledger *l);

/* Writes counts.tsv into the folder: address, messages accepted for it. */
void ledger_write_counts(struct ledger *l);

#endif
