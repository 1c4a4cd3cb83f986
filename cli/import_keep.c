/* What becomes of one reader of a file: added, found, or kept as one who has left. The transaction
 * is the caller's. */
#include "import_keep.h"

#include "hubmail/base_clock.h"
#include "hubmail/base_text.h"
#include "hubmail/store_subscriber.h"

#define NO_SUBSCRIPTION (-1)

/* The reader of a line as the database has it. */
struct known {
	int64_t id;           /* 0: nobody has that address */
	int state;            /* enum subscription_state, or NO_SUBSCRIPTION */
	int64_t confirmed_at; /* 0: not, or not known */
};

/* An import knows of no confirmation here: its time is that of the import, or the file's. */
static int64_t confirmed_here(const struct store_subscription *s)
{
	return s->origin != NULL && text_starts(s->origin, IMPORT_ORIGIN) ? 0 : s->confirmed_at;
}

static bool look_up(struct import_keep *k, const char *email, int64_t list, struct known *known,
	struct error *e)
{
	struct store_subscriber sub;
	struct error why = {0};

	*known = (struct known){.state = NO_SUBSCRIPTION};
	if (!store_subscriber_get(k->store, email, &sub, &why)) {
		if (why.code != ERROR_NOT_FOUND)
			*e = why;
		return why.code == ERROR_NOT_FOUND;
	}
	known->id = sub.id;
	for (size_t i = 0; i < sub.n_subscriptions; i++) {
		const struct store_subscription *s = &sub.subscriptions[i];
		if (s->list_id != list)
			continue;
		known->state = (int)s->state;
		known->confirmed_at = confirmed_here(s);
	}
	store_subscriber_free(&sub);
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

/* Which count a reader who left elsewhere belongs to. */
static int64_t *ending(
	struct import_counts *c, const struct known *known, const struct import_row *row)
{
	if (known->state == NO_SUBSCRIPTION)
		return &c->ended;
	if (known->state >= SUBSCRIPTION_UNSUBSCRIBED)
		return &c->already;
	if (row->ended_at > 0 && row->ended_at < known->confirmed_at)
		return &c->came_back;
	return &c->ended_here;
}

/* What store_subscriber_add() would say to a reader in that state. */
static int64_t *adding(struct import_counts *c, int now, enum subscription_state state)
{
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
	enum subscription_state state = wanted(k, row);
	struct known known;

	if (!look_up(k, row->email, list, &known, e))
		return false;
	++*(state >= SUBSCRIPTION_UNSUBSCRIBED ? ending(&k->counts, &known, row)
					       : adding(&k->counts, known.state, state));
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
	struct known known;
	int ended;

	if (!look_up(k, row->email, list, &known, e))
		return false;
	int64_t *count = ending(&k->counts, &known, row);
	++*count;
	if (count == &k->counts.already || count == &k->counts.came_back)
		return true;
	if (known.state == NO_SUBSCRIPTION &&
		(!add(k, row, list, SUBSCRIPTION_PENDING, &result, e) ||
			!look_up(k, row->email, list, &known, e)))
		return false;
	return store_subscription_end(k->store, known.id, list, row->state,
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
