/* Subscriptions: their states, ending them (with what is queued for them), and who a digest
 * reaches. */
#include "hubmail/store_subscriber.h"

#include "hubmail/store_delivery.h"
#include "sql.h"
#include <string.h>

static const char SQL_ACTIVE[] =
	"SELECT list_id FROM subscription WHERE subscriber_id = ?1 AND (?2 IS NULL OR list_id = ?2) AND state IN (0, 1)";
static const char SQL_ANY[] =
	"SELECT count(*) FROM subscription WHERE subscriber_id = ?1 AND (?2 IS NULL OR list_id = ?2)";
static const char SQL_END[] =
	"UPDATE subscription SET state = ?3, ended_at = ?4 WHERE list_id = ?1 AND subscriber_id = ?2";
static const char SQL_END_AGAIN[] =
	"UPDATE subscription SET state = ?3 WHERE subscriber_id = ?1 AND (?2 IS NULL OR list_id = ?2) AND state = 3";
static const char SQL_QUEUED[] =
	"SELECT d.digest_id, d.state FROM digest g JOIN delivery d ON d.digest_id = g.id AND d.subscriber_id = ?2"
	" WHERE g.list_id = ?1 AND g.state IN (0, 1, 2) AND d.state IN (0, 1, 5) LIMIT 1";
static const char SQL_CANCEL[] =
	"UPDATE delivery SET state = 4, due_at = NULL WHERE digest_id = ?1 AND subscriber_id = ?2";
static const char SQL_STATE[] =
	"SELECT state FROM subscription WHERE list_id = ?1 AND subscriber_id = ?2";
static const char SQL_AUDIENCE_COUNT[] = "SELECT count(*) FROM subscription s WHERE " SQL_AUDIENCE;
static const char SQL_AUDIENCE_EACH[] =
	"SELECT s.subscriber_id, r.email, r.name FROM subscription s JOIN subscriber r ON r.id = s.subscriber_id"
	" WHERE " SQL_AUDIENCE " ORDER BY s.subscriber_id";

static const char *const names[] = {"pending", "confirmed", "unsubscribed", "removed"};

const char *subscription_state_name(enum subscription_state s)
{
	return (size_t)s < sizeof(names) / sizeof(names[0]) ? names[s] : "?";
}

bool subscription_state_from_name(const char *name, enum subscription_state *s)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0) {
			*s = (enum subscription_state)i;
			return true;
		}
	}
	return false;
}

/* What is queued for this reader in the digests of a list that still go out. What is cancelled is
 * not found again. */
static bool cancel_queued(
	struct store *s, int64_t list_id, int64_t subscriber_id, int64_t now, struct error *e)
{
	for (;;) {
		sqlite3_stmt *st = sql_start(s, e, SQL_QUEUED, "ii", list_id, subscriber_id);
		int rc = st == NULL ? -1 : sql_step(s, st, e);
		if (rc <= 0)
			return rc == 0;
		int64_t digest_id = sqlite3_column_int64(st, 0);
		int state = sqlite3_column_int(st, 1);
		sql_end(st);
		if (!sql_run(s, e, SQL_CANCEL, "ii", digest_id, subscriber_id) ||
			!digest_count(s, digest_id, state, DELIVERY_CANCELLED, 1, now, e))
			return false;
	}
}

/* Of one list, or with 0 of all. */
static bool end_active(struct store *s, int64_t subscriber_id, int64_t list_id,
	enum subscription_state state, int64_t now, int *ended, struct error *e)
{
	*ended = 0;
	for (;;) {
		int64_t list = 0;
		if (!sql_number(s, e, &list, SQL_ACTIVE, "iz", subscriber_id, list_id))
			return false;
		if (list == 0)
			return true;
		if (!sql_run(s, e, SQL_END, "iidi", list, subscriber_id, (int)state, now) ||
			!cancel_queued(s, list, subscriber_id, now, e))
			return false;
		++*ended;
	}
}

bool subscription_end_all(
	struct store *s, int64_t subscriber_id, int64_t now, int *ended, struct error *e)
{
	return end_active(s, subscriber_id, 0, SUBSCRIPTION_REMOVED, now, ended, e);
}

bool store_subscription_end(struct store *s, int64_t subscriber_id, int64_t list_id,
	enum subscription_state state, int64_t now, int *ended, struct error *e)
{
	int64_t known = 0;

	*ended = 0;
	if (!sql_number(s, e, &known, SQL_ANY, "iz", subscriber_id, list_id))
		return false;
	if (known == 0)
		return error_set(e, ERROR_NOT_FOUND, "there is no such subscription");
	/* What the operator ended and the reader ends too is the reader's will from then on. */
	if (state == SUBSCRIPTION_UNSUBSCRIBED &&
		!sql_run(s, e, SQL_END_AGAIN, "izd", subscriber_id, list_id, (int)state))
		return false;
	return end_active(s, subscriber_id, list_id, state, now, ended, e);
}

bool store_subscription_state(struct store *s, int64_t subscriber_id, int64_t list_id,
	enum subscription_state *out, struct error *e)
{
	int64_t state = -1;

	if (!sql_number(s, e, &state, SQL_STATE, "ii", list_id, subscriber_id))
		return false;
	if (state < 0)
		return error_set(e, ERROR_NOT_FOUND, "there is no such subscription");
	*out = (enum subscription_state)state;
	return true;
}

bool store_audience_count(struct store *s, int64_t list_id, enum edition edition, bool is_default,
	int64_t *out, struct error *e)
{
	*out = 0;
	return sql_number(
		s, e, out, SQL_AUDIENCE_COUNT, "idd", list_id, (int)edition, is_default ? 1 : 0);
}

bool store_audience_each(struct store *s, int64_t list_id, enum edition edition, bool is_default,
	store_audience_fn *fn, void *arg, struct error *e)
{
	sqlite3_stmt *st = sql_start(
		s, e, SQL_AUDIENCE_EACH, "idd", list_id, (int)edition, is_default ? 1 : 0);
	bool go_on = true;
	int rc = -1;

	while (st != NULL && go_on && (rc = sql_step(s, st, e)) == 1)
		go_on = fn(sqlite3_column_int64(st, 0), (const char *)sqlite3_column_text(st, 1),
			(const char *)sqlite3_column_text(st, 2), arg);
	if (st != NULL)
		sql_end(st);
	return st != NULL && rc >= 0;
}
