/* What becomes of one reader of a file: added, found, or kept as one who has left. The transaction
 * is the caller's. */
#include "import_keep.h"

#include "hubmail/base_clock.h"
#include "hubmail/store_subscriber.h"

/* The state of a reader's subscription, or -1 if there is none. *id is the reader's, or 0. */
static bool state_now(struct import_keep *k, const char *email, int64_t list, int64_t *id,
	int *state, struct error *e)
{
	struct store_subscriber sub;
	struct error why = {0};
	enum subscription_state found;

	*id = 0;
	*state = -1;
	if (!store_subscriber_get(k->store, email, &sub, &why)) {
		if (why.code != ERROR_NOT_FOUND)
			*e = why;
		return why.code == ERROR_NOT_FOUND;
	}
	*id = sub.id;
	store_subscriber_free(&sub);
	if (list != 0 && store_subscription_state(k->store, *id, list, &found, &why))
		*state = (int)found;
	return true;
}

static void count(struct import_counts *c, enum store_add_result result)
{
	switch (result) {
	case STORE_ADDED:
		c->added++;
		break;
	case STORE_ALREADY:
		c->already++;
		break;
	case STORE_RESUBSCRIBED:
		c->resubscribed++;
		break;
	case STORE_CONFIRMED:
		c->confirmed++;
		break;
	}
}

static enum subscription_state wanted(const struct import_keep *k, const struct import_row *row)
{
	/* --state pending holds for those, too, that were active elsewhere. */
	if (!row->has_state || row->state == SUBSCRIPTION_CONFIRMED)
		return k->state;
	return row->state;
}

/* What store_subscriber_add() would say to a reader in that state (-1: a new one). */
static int64_t *foreseen(struct import_counts *c, int now, enum subscription_state state)
{
	if (state >= SUBSCRIPTION_UNSUBSCRIBED)
		return now >= SUBSCRIPTION_UNSUBSCRIBED ? &c->already : &c->ended;
	switch (now) {
	case SUBSCRIPTION_PENDING:
		return state == SUBSCRIPTION_CONFIRMED ? &c->confirmed : &c->already;
	case SUBSCRIPTION_CONFIRMED:
		return &c->already;
	case SUBSCRIPTION_UNSUBSCRIBED:
		return &c->left_alone;
	case SUBSCRIPTION_REMOVED:
		return &c->resubscribed;
	default:
		return &c->added;
	}
}

static bool foresee(
	struct import_keep *k, const struct import_row *row, int64_t list, struct error *e)
{
	int64_t id;
	int now;

	if (!state_now(k, row->email, list, &id, &now, e))
		return false;
	++*foreseen(&k->counts, now, wanted(k, row));
	return true;
}

static bool add(struct import_keep *k, const struct import_row *row, int64_t list,
	enum subscription_state state, enum store_add_result *result, struct error *e)
{
	struct store_subscriber_new n = {
		.email = row->email,
		.name = row->name,
		.list_id = list,
		.state = state,
		.edition = row->edition,
		.tags = &row->tags,
		.attributes = row->attributes,
		.n_attributes = row->n_attributes,
		.origin = row->origin != NULL ? row->origin : k->origin,
	};

	return store_subscriber_add(
		k->store, &n, row->created_at > 0 ? row->created_at : clock_now(), result, e);
}

/* A reader who left elsewhere is kept as one who left, so that nobody adds the address again
 * without knowing. */
static bool keep_ended(
	struct import_keep *k, const struct import_row *row, int64_t list, struct error *e)
{
	enum store_add_result result;
	int64_t id;
	int now, ended;

	if (!state_now(k, row->email, list, &id, &now, e))
		return false;
	if (now >= SUBSCRIPTION_UNSUBSCRIBED) {
		k->counts.already++;
		return true;
	}
	if (now < 0 && (!add(k, row, list, SUBSCRIPTION_PENDING, &result, e) ||
			       !state_now(k, row->email, list, &id, &now, e)))
		return false;
	k->counts.ended++;
	return store_subscription_end(k->store, id, list, row->state,
		row->ended_at > 0 ? row->ended_at : clock_now(), &ended, e);
}

bool import_keep(struct import_keep *k, const struct import_row *row, int64_t list, struct error *e)
{
	enum subscription_state state = wanted(k, row);
	enum store_add_result result;
	struct error why = {0};

	if (k->dry_run)
		return foresee(k, row, list, e);
	if (state >= SUBSCRIPTION_UNSUBSCRIBED)
		return keep_ended(k, row, list, e);
	if (add(k, row, list, state, &result, &why)) {
		count(&k->counts, result);
		return true;
	}
	if (why.code == ERROR_REFUSED) {
		k->counts.left_alone++;
		return true;
	}
	*e = why;
	return false;
}
