/* A session's turns with the writer: the result of one message and the taking of the next,
 * committed together while the dialogue with the relay goes on. Private to daemon/delivery. */
#ifndef HUBMAIL_DELIVERY_TURN_H
#define HUBMAIL_DELIVERY_TURN_H

#include "hubmail/store_delivery.h"
#include "hubmail/store_writer.h"
#include "ready.h"
#include <semaphore.h>
#include <stdbool.h>

struct turns {
	struct store_writer *writer;
	struct ready *ready;
	int place;
	bool running; /* a turn is with the writer, or ended and not waited for yet */
	sem_t ended;
	/* What the writer says before it ends. */
	bool failed; /* it was given up */
	enum store_go go;
	/* What the writer reads while it runs. */
	struct store_turn turn;
	struct store_result result;
	struct delivery_key next;
	char enhanced[16], text[400];
	const char *relay;
	struct ready_item *settled; /* whose result it is: done with after the commit */
};

void turns_init(
	struct turns *t, struct store_writer *w, struct ready *q, int place, const char *relay);
void turns_destroy(struct turns *t);

/* Hands a turn to the writer, after waiting for the one before. result (NULL: none) is copied;
 * `settled` is the item it is about. next NULL: none. */
void turns_post(struct turns *t, const struct store_result *result, struct ready_item *settled,
	const struct ready_item *next);

/* Waits for the commit. What the store said of `next`; STORE_NOT_NOW if the turn could not be
 * recorded. */
enum store_go turns_wait(struct turns *t);

#endif
