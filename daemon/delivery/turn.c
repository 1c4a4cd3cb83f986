/* Turns: one at a time for each session, posted when a message is settled and waited for before the
 * next one's text is sent. Meanwhile MAIL and RCPT of the next message are on their way, so that at
 * full speed nobody waits for the disk. */
#include "turn.h"

#include "hubmail/base_clock.h"
#include "hubmail/base_log.h"
#include <stdio.h>

void turns_init(
	struct turns *t, struct store_writer *w, struct ready *q, int place, const char *relay)
{
	*t = (struct turns){.writer = w, .ready = q, .place = place, .relay = relay};
	sem_init(&t->ended, 0, 0);
}

void turns_destroy(struct turns *t)
{
	sem_destroy(&t->ended);
}

static bool run(struct store *s, void *arg, struct error *e)
{
	struct turns *t = arg;

	return store_delivery_turn(s, &t->turn, &t->go, e);
}

static void done(void *arg, const struct error *failure)
{
	struct turns *t = arg;

	if (failure != NULL)
		log_error("result not recorded", "reason=%s", log_quote(failure->text));
	t->failed = failure != NULL;
	sem_post(&t->ended);
}

static void copy_result(struct turns *t, const struct store_result *r)
{
	t->result = *r;
	snprintf(t->enhanced, sizeof(t->enhanced), "%s", r->enhanced != NULL ? r->enhanced : "");
	snprintf(t->text, sizeof(t->text), "%s", r->text != NULL ? r->text : "");
	t->result.relay = t->relay;
	t->result.enhanced = t->enhanced[0] != '\0' ? t->enhanced : NULL;
	t->result.text = t->text;
}

void turns_post(struct turns *t, const struct store_result *result, struct ready_item *settled,
	const struct ready_item *next)
{
	turns_wait(t);
	if (result != NULL)
		copy_result(t, result);
	if (next != NULL)
		t->next = next->delivery.key;
	t->settled = settled;
	t->turn = (struct store_turn){
		.session = t->place,
		.result = result != NULL ? &t->result : NULL,
		.next = next != NULL ? &t->next : NULL,
		.at = clock_now(),
	};
	t->running = true;
	store_writer_submit(t->writer, run, done, t, STORE_JOB_RETRY | STORE_JOB_TURN);
}

enum store_go turns_wait(struct turns *t)
{
	if (t->running)
		while (sem_wait(&t->ended) != 0)
			; /* a signal came */
	t->running = false;
	if (t->settled != NULL && t->failed)
		ready_abandon(t->ready, t->settled);
	else if (t->settled != NULL)
		ready_done(t->ready, t->settled);
	t->settled = NULL;
	return t->failed ? STORE_NOT_NOW : t->go;
}
