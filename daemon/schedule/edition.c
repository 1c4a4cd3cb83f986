/* The editions of a list: which it has, when each falls due, and what comes after a digest was made
 * or not made. */
#include "room.h"

#include "due.h"
#include "hubmail/base_clock.h"
#include "hubmail/base_log.h"
#include "hubmail/base_mem.h"
#include "hubmail/store_digest.h"
#include <stdlib.h>
#include <string.h>

#define RETRY_FIRST_S 60 /* after a failure; then twice as long each time */
#define RETRY_LONGEST_S 3600

static bool is_scheduled(const struct edition_state *ed)
{
	return ed->when.edition != EDITION_EACH && ed->when.edition != EDITION_MANUAL;
}

/* ---- Configuration ---- */

static bool same_schedule(const struct config_schedule *a, const struct config_schedule *b)
{
	return a->edition == b->edition && a->at == b->at && a->weekday == b->weekday &&
	       a->monthday == b->monthday;
}

/* A due time that only the new schedule has in the past was not missed. */
static void reschedule(struct list *l, struct edition_state *ed, const struct config_schedule *when,
	const struct settings *before)
{
	bool moved = !same_schedule(&ed->when, when) ||
		     strcmp(before->list.timezone, l->settings->list.timezone) != 0;
	int64_t now = clock_now();

	if (moved && ed->known && is_scheduled(ed) && before->zone != NULL &&
		due_now(&ed->when, before->zone, ed->handled, now) == 0) {
		ed->handled = now;
		ed->note = true;
	}
	ed->when = *when;
}

void editions_configure(struct list *l, const struct settings *before)
{
	for (int i = EDITION_EACH; i < EDITIONS; i++) {
		struct edition_state *ed = &l->editions[i];
		enum edition edition = (enum edition)i;
		struct config_schedule when = schedule_of_edition(&l->settings->list, edition);
		bool active = settings_has_edition(l->settings, edition);

		if (active && ed->active) {
			reschedule(l, ed, &when, before);
			continue;
		}
		ed->active = active;
		ed->known = false;
		ed->when = when;
		ed->look_at = edition == EDITION_EACH ? 1 : 0;
		ed->failures = 0;
		ed->retry_ms = 0;
	}
}

/* ---- Falling due ---- */

static void check(struct list *l, enum edition edition, int64_t now)
{
	struct edition_state *ed = &l->editions[edition];
	const struct zone *zone = l->settings->zone;

	if (!ed->active || !ed->known || ed->running)
		return;
	if (ed->retry_ms > clock_mono_ms())
		return;
	if (!is_scheduled(ed)) {
		if (ed->look_at == 0 || ed->look_at > now)
			return;
		ed->look_at = 0;
		ed->running = true;
		digest_make(l, edition, 0);
		return;
	}
	int64_t due = zone != NULL ? due_now(&ed->when, zone, ed->handled, now) : 0;
	if (due == 0)
		return;
	ed->running = true;
	digest_make(l, edition, due);
}

void editions_check(struct list *l, int64_t now)
{
	for (int i = EDITION_EACH; i < EDITIONS; i++)
		check(l, (enum edition)i, now);
}

int64_t editions_next(const struct list *l, int64_t now)
{
	int64_t next = 0;

	for (int i = EDITION_EACH; i < EDITIONS; i++) {
		const struct edition_state *ed = &l->editions[i];
		int64_t at = ed->look_at, pause_ms = ed->retry_ms - clock_mono_ms();
		if (!ed->active || !ed->known || ed->running)
			continue;
		if (pause_ms > 0)
			at = now + pause_ms / 1000 + 1;
		else if (is_scheduled(ed) && l->settings->zone != NULL)
			at = due_following(&ed->when, l->settings->zone, ed->handled, now);
		if (at != 0 && (next == 0 || at < next))
			next = at;
	}
	return next;
}

void editions_posts_changed(struct list *l)
{
	struct edition_state *ed = &l->editions[EDITION_EACH];

	if (!ed->active)
		return;
	if (ed->running)
		ed->again = true;
	else
		ed->look_at = 1;
	check(l, EDITION_EACH, clock_now());
}

/* ---- After a digest ---- */

static void take_pause(struct edition_state *ed)
{
	int64_t seconds = RETRY_FIRST_S;

	for (int i = 0; i < ed->failures && seconds < RETRY_LONGEST_S; i++)
		seconds *= 2;
	ed->failures++;
	seconds = seconds < RETRY_LONGEST_S ? seconds : RETRY_LONGEST_S;
	ed->retry_ms = clock_mono_ms() + seconds * 1000;
}

void edition_made(
	struct list *l, enum edition edition, enum made what, int64_t due_at, int64_t next_post_at)
{
	struct edition_state *ed = &l->editions[edition];

	ed->running = false;
	if (what == MADE_FAILED) {
		take_pause(ed);
		ed->look_at = edition == EDITION_EACH ? 1 : 0;
	} else {
		ed->failures = 0;
		ed->retry_ms = 0;
		/* A reload in between may have moved it on. */
		if (due_at != 0 && (due_at > ed->handled || ed->handled > clock_now()))
			ed->handled = due_at;
		if (edition == EDITION_EACH)
			ed->look_at = what == MADE_DIGEST || ed->again ? 1 : next_post_at;
	}
	ed->again = false;
	if (!l->gone && !l->schedule->closed) {
		check(l, edition, clock_now());
		schedule_rearm(l->schedule);
	}
}

/* ---- Beginning ---- */

static bool comes_before(const struct post *a, const struct post *b)
{
	return a->published_at != b->published_at ? a->published_at < b->published_at
						  : a->id < b->id;
}

/* Which of `mine` went out in another edition: those that are not among what that one has waiting.
 * Both are in the store's order. */
static void mark_mailed(const struct post_list *mine, const struct post_list *theirs, bool *mailed)
{
	size_t k = 0;

	for (size_t i = 0; i < mine->n; i++) {
		while (k < theirs->n && comes_before(&theirs->items[k], &mine->items[i]))
			k++;
		if (k == theirs->n || theirs->items[k].id != mine->items[i].id)
			mailed[i] = true;
	}
}

/* Posts that are not to go out in an edition are those of a digest that was cancelled: the list of
 * digests shows what happened to them. */
bool edition_skip(struct store *store, int64_t list_id, enum edition edition, const char *why,
	const int64_t *ids, size_t n, int64_t now, struct error *e)
{
	struct store_digest_new d = {.list_id = list_id,
		.edition = edition,
		.subject = why,
		.message = "",
		.post_ids = ids,
		.n_posts = n};
	int64_t id;
	bool more;

	return store_digest_create(store, &d, now, &id, e) &&
	       store_digest_cancel(store, id, 1, now, &more, e);
}

static bool skip_mailed(struct store *store, int64_t list_id, enum edition edition,
	const struct post_list *waiting, const bool *mailed, int64_t now, struct error *e)
{
	int64_t *ids = xcalloc(waiting->n, sizeof(*ids));
	size_t n = 0;

	for (size_t i = 0; i < waiting->n; i++)
		if (mailed[i])
			ids[n++] = waiting->items[i].id;
	bool ok = n == 0 || edition_skip(store, list_id, edition,
				    "Posts from before this edition was offered", ids, n, now, e);
	free(ids);
	return ok;
}

/* A list that always had this edition has nothing waiting when it begins. */
static bool leave_out_mailed(
	struct store *store, int64_t list_id, enum edition edition, int64_t now, struct error *e)
{
	struct post_list waiting = {0}, theirs = {0};
	bool ok = store_post_pending(store, list_id, edition, now, 0, &waiting, NULL, e);
	bool *mailed = xcalloc(waiting.n, sizeof(*mailed));

	for (int i = 0; ok && waiting.n > 0 && i < EDITIONS; i++) {
		if (i == (int)edition)
			continue;
		ok = store_post_pending(store, list_id, (enum edition)i, now, 0, &theirs, NULL, e);
		mark_mailed(&waiting, &theirs, mailed);
		post_list_free(&theirs);
	}
	ok = ok && skip_mailed(store, list_id, edition, &waiting, mailed, now, e);
	free(mailed);
	post_list_free(&waiting);
	return ok;
}

bool edition_take_up(struct store *store, int64_t list_id, enum edition edition, int64_t now,
	int64_t *handled, struct error *e)
{
	if (!store_schedule_get(store, list_id, edition, handled, e))
		return false;
	if (*handled != 0)
		return true;
	*handled = now;
	return leave_out_mailed(store, list_id, edition, now, e) &&
	       store_schedule_set(store, list_id, edition, now, e);
}
