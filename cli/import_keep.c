/* What becomes of the readers of a file: added, found, or kept as ones who have left. Many are
 * added at once; who has left is looked at alone. The transaction is the caller's. */
#include "import_keep.h"

#include "hubmail/base_clock.h"
#include "hubmail/base_text.h"
#include "hubmail/store_subscriber.h"
#include "hubmail/store_suppression.h"

#define NO_SUBSCRIPTION (-1)
#define TOGETHER 64 /* readers in one call to the store: some tenths of a millisecond */

/* The reader of a line as the database has it. */
struct known {
	int64_t id;           /* 0: nobody has that address */
	int state;            /* enum subscription_state, or NO_SUBSCRIPTION */
	int64_t confirmed_at; /* 0: not, or not known */
	bool suppressed;      /* set by look_up_left() if there is no subscription */
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

/* The same for one who has left elsewhere. */
static bool look_up_left(struct import_keep *k, const char *email, int64_t list,
	struct known *known, struct error *e)
{
	struct store_suppression sup;

	if (!look_up(k, email, list, known, e))
		return false;
	if (known->state != NO_SUBSCRIPTION)
		return true;
	if (!store_suppression_get(k->store, email, &sup, e))
		return false;
	known->suppressed = sup.at != 0;
	store_suppression_free(&sup);
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
	case STORE_REFUSED:
	case STORE_SUPPRESSED:
		c->left_alone++;
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
	/* What would be kept of such a reader is known already: to be left alone. */
	if (known->state == NO_SUBSCRIPTION)
		return known->suppressed ? &c->left_alone : &c->ended;
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

/* The list's id. 0 in a dry run: the database does not know that list yet. */
static bool list_id(struct import_keep *k, struct import_list *list, int64_t *id, struct error *e)
{
	if (list->id == 0)
		list->id = k->dry_run ? store_list_id(k->store, list->name, NULL)
				      : store_list_ensure(k->store, list->name, e);
	*id = list->id;
	return list->id != 0 || k->dry_run;
}

static bool describe(struct import_keep *k, const struct import_reader *r,
	enum subscription_state state, struct store_subscriber_new *out, struct error *e)
{
	const struct import_row *row = &r->row;

	*out = (struct store_subscriber_new){
		.email = row->email,
		.name = row->name,
		.state = state,
		.edition = row->edition,
		.tags = &row->tags,
		.attributes = row->attributes,
		.n_attributes = row->n_attributes,
		.origin = row->origin != NULL ? row->origin : k->origin,
		.at = row->created_at,
	};
	return list_id(k, r->list, &out->list_id, e);
}

static bool foresee(struct import_keep *k, const struct import_reader *r, struct error *e)
{
	enum subscription_state state = wanted(k, &r->row);
	struct known known;
	int64_t list;

	if (!list_id(k, r->list, &list, e))
		return false;
	if (state >= SUBSCRIPTION_UNSUBSCRIBED) {
		if (!look_up_left(k, r->row.email, list, &known, e))
			return false;
		++*ending(&k->counts, &known, &r->row);
	} else {
		if (!look_up(k, r->row.email, list, &known, e))
			return false;
		++*adding(&k->counts, known.state, state);
	}
	return true;
}

/* A reader who left elsewhere is kept as one who left, so that nobody adds the address again
 * without knowing. */
static bool keep_ended(struct import_keep *k, const struct import_reader *r, struct error *e)
{
	const struct import_row *row = &r->row;
	struct store_subscriber_new n;
	enum store_add_result result;
	struct known known;
	int ended;

	if (!describe(k, r, SUBSCRIPTION_PENDING, &n, e) ||
		!look_up_left(k, row->email, n.list_id, &known, e))
		return false;
	int64_t *count = ending(&k->counts, &known, row);
	++*count;
	if (count != &k->counts.ended && count != &k->counts.ended_here)
		return true;
	if (known.state == NO_SUBSCRIPTION &&
		(!store_subscriber_add(k->store, &n, clock_now(), &result, e) ||
			!look_up(k, row->email, n.list_id, &known, e)))
		return false;
	return store_subscription_end(k->store, known.id, n.list_id, row->state,
		row->ended_at > 0 ? row->ended_at : clock_now(), &ended, e);
}

/* As many of the first as are active. */
static bool keep_active(struct import_keep *k, const struct import_reader *readers, size_t n,
	size_t *kept, struct error *e)
{
	struct store_subscriber_new all[TOGETHER];
	enum store_add_result results[TOGETHER];
	size_t i = 0;

	for (; i < n && i < TOGETHER; i++) {
		enum subscription_state state = wanted(k, &readers[i].row);
		if (state >= SUBSCRIPTION_UNSUBSCRIBED)
			break;
		if (!describe(k, &readers[i], state, &all[i], e))
			return false;
	}
	*kept = i;
	if (!store_subscribers_add(k->store, all, i, clock_now(), results, e))
		return false;
	for (i = 0; i < *kept; i++)
		count(&k->counts, results[i]);
	return true;
}

bool import_keep(struct import_keep *k, const struct import_reader *readers, size_t n, size_t *kept,
	struct error *e)
{
	bool good;

	*kept = 1;
	if (k->dry_run)
		good = foresee(k, readers, e);
	else if (wanted(k, &readers->row) >= SUBSCRIPTION_UNSUBSCRIBED)
		good = keep_ended(k, readers, e);
	else
		good = keep_active(k, readers, n, kept, e);
	k->counts.readers += (int64_t)*kept;
	return good;
}
