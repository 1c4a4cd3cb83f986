/* Erasing a person: step by step through all digests, for there is no index by reader on deliveries
 * (it would cost every delivery that is made). The person's own row goes last, so that a step which
 * never came can be made up for. */
#include "hubmail/store_subscriber.h"

#include "hubmail/base_clock.h"
#include "hubmail/store_delivery.h"
#include "sql.h"

#define STEP_MS 15          /* writing what it changed to the disk takes about as long again */
#define DIGESTS_AT_ONCE 200 /* looked through between two looks at the clock */

static const char SQL_KNOWN[] = "SELECT EXISTS (SELECT 1 FROM subscriber WHERE id = ?1)";
static const char SQL_LAST_DIGEST[] = "SELECT max(id) FROM digest";
static const char SQL_NEXT[] =
	"SELECT g.id, d.state FROM digest g CROSS JOIN delivery d ON d.digest_id = g.id AND d.subscriber_id = ?1"
	" WHERE g.id > ?2 AND g.id <= ?3 ORDER BY g.id LIMIT 1";
static const char SQL_DELIVERY[] =
	"DELETE FROM delivery WHERE digest_id = ?1 AND subscriber_id = ?2";
static const char SQL_ATTEMPTS[] =
	"DELETE FROM attempt WHERE digest_id = ?1 AND subscriber_id = ?2";
static const char SQL_UNTAKE[] =
	"UPDATE session SET digest_id = NULL, subscriber_id = NULL WHERE subscriber_id = ?1";
/* One mention of the address in each. */
static const char SQL_REASONS[] =
	"UPDATE digest SET reason = substr(reason, 1, instr(lower(reason), lower(r.email)) - 1) || '…'"
	" || substr(reason, instr(lower(reason), lower(r.email)) + length(r.email))"
	" FROM subscriber r WHERE r.id = ?1 AND instr(lower(reason), lower(r.email)) > 0";
/* Tags, attributes and subscriptions go with it. */
static const char SQL_PERSON[] = "DELETE FROM subscriber WHERE id = ?1";

static bool erase_delivery(
	struct store *s, const struct delivery_key *key, int state, int64_t now, struct error *e)
{
	bool open =
		state == DELIVERY_QUEUED || state == DELIVERY_DEFERRED || state == DELIVERY_HELD;

	return (!open || digest_count(s, key->digest_id, state, DELIVERY_CANCELLED, 1, now, e)) &&
	       sql_run(s, e, SQL_ATTEMPTS, "ii", key->digest_id, key->subscriber_id) &&
	       sql_run(s, e, SQL_DELIVERY, "ii", key->digest_id, key->subscriber_id);
}

/* The next delivery, or some digests without one. */
static bool erase_next(struct store *s, int64_t subscriber_id, int64_t now,
	struct store_erasure *out, struct error *e)
{
	int64_t end = out->upto + DIGESTS_AT_ONCE;
	sqlite3_stmt *st = sql_start(s, e, SQL_NEXT, "iii", subscriber_id, out->upto, end);
	int rc = st == NULL ? -1 : sql_step(s, st, e);

	if (rc == 0)
		out->upto = end;
	if (rc <= 0)
		return rc == 0;
	struct delivery_key key = {sqlite3_column_int64(st, 0), subscriber_id};
	int state = sqlite3_column_int(st, 1);
	sql_end(st);
	out->upto = key.digest_id;
	out->deliveries++;
	return erase_delivery(s, &key, state, now, e);
}

/* The relay's words for which a digest is held back may quote the address, and more than once. */
static bool erase_quotes(struct store *s, int64_t subscriber_id, struct error *e)
{
	do {
		if (!sql_run(s, e, SQL_REASONS, "i", subscriber_id))
			return false;
	} while (sqlite3_changes(s->db) > 0);
	return true;
}

static bool erase_person(struct store *s, int64_t subscriber_id, struct error *e)
{
	return sql_run(s, e, SQL_UNTAKE, "i", subscriber_id) && erase_quotes(s, subscriber_id, e) &&
	       suppression_forget_reason(s, subscriber_id, e) &&
	       sql_run(s, e, SQL_PERSON, "i", subscriber_id);
}

bool store_subscriber_erase(struct store *s, int64_t subscriber_id, int64_t after, int64_t now,
	struct store_erasure *out, struct error *e)
{
	int64_t start = clock_mono_ms(), known = 0, last = 0;
	int ended = 0;

	*out = (struct store_erasure){.upto = after};
	if (!sql_number(s, e, &known, SQL_KNOWN, "i", subscriber_id))
		return false;
	if (known == 0)
		return error_set(e, ERROR_NOT_FOUND, "there is no such subscriber");
	if (!subscription_end_all(s, subscriber_id, now, &ended, e) ||
		!sql_number(s, e, &last, SQL_LAST_DIGEST, ""))
		return false;
	/* Somebody has subscribed the person again between two steps: there may be deliveries in
	 * any digest. */
	if (ended > 0)
		out->upto = 0;
	while (out->upto < last) {
		if (!erase_next(s, subscriber_id, now, out, e))
			return false;
		if (clock_mono_ms() - start >= STEP_MS)
			return true;
	}
	out->done = true;
	return erase_person(s, subscriber_id, e);
}
