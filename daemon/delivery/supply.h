/* From the store into the ready queue: which digests go out, and which of their deliveries come
 * next. The runner's thread only. Private to daemon/delivery. */
#ifndef HUBMAIL_DELIVERY_SUPPLY_H
#define HUBMAIL_DELIVERY_SUPPLY_H

#include "hubmail/store_writer.h"
#include "ready.h"
#include "relay.h"
#include "sender.h"

struct supply;

struct supply *supply_new(
	const char *database, struct store_writer *w, struct ready *q, struct error *e);
void supply_free(struct supply *s);

/* Tops the ready queue up. *next_due: when the next deferred delivery falls due (0: none). False if
 * the store could not be read. */
bool supply_more(
	struct supply *s, struct senders *senders, int64_t now, int64_t *next_due, struct error *e);

/* Tells the relay what it took before the start, as far as its window reaches. */
void supply_relay_history(struct supply *s, struct relay *relay, int64_t now);

#endif
