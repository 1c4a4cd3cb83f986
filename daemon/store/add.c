/* Putting readers in, many in a call. What is known of them is asked first; then new ones are
 * written by a statement for many rows, for in a file of a million readers nearly all are new, and
 * a statement costs more than its row. */
#include "hubmail/store_subscriber.h"

#include "hubmail/base_address.h"
#include "hubmail/store_suppression.h"
#include "sql.h"

#define NO_SUBSCRIPTION (-1)

/* Rows of parameters; the parameter after them all says how many of the first are given. */
#define ROWS 64
#define FOUR_TIMES(row) row ", " row ", " row ", " row
#define GIVEN(row) "(VALUES " FOUR_TIMES(FOUR_TIMES(FOUR_TIMES(row))) ") LIMIT ?"
#define GIVEN_4 GIVEN("(?, ?, ?, ?)")
#define GIVEN_6 GIVEN("(?, ?, ?, ?, ?, ?)")

static const char SQL_KNOWN[] =
	"SELECT given.column1, r.id, s.state, given.column4 IS NOT NULL AND given.column4 IS NOT r.name"
	" FROM (SELECT * FROM " GIVEN_4 ") given CROSS JOIN subscriber r ON r.email = given.column2"
	" LEFT JOIN subscription s ON s.list_id = given.column3 AND s.subscriber_id = r.id";
static const char SQL_LAST_ID[] = "SELECT seq FROM sqlite_sequence WHERE name = 'subscriber'";
static const char SQL_PERSONS[] =
	"INSERT INTO subscriber (id, email, name, created_at) SELECT * FROM " GIVEN_4;
static const char SQL_SUBSCRIPTIONS[] =
	"INSERT INTO subscription (list_id, subscriber_id, state, edition, origin, created_at, confirmed_at)"
	" SELECT *, iif(column3 = 1, column6, NULL) FROM " GIVEN_6;
static const char SQL_NAME[] = "UPDATE subscriber SET name = ?2 WHERE id = ?1";
static const char SQL_TAG[] =
	"INSERT INTO subscriber_tag (subscriber_id, tag) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
static const char SQL_SET[] =
	"INSERT INTO subscriber_attribute (subscriber_id, key, value) VALUES (?1, ?2, ?3)"
	" ON CONFLICT (subscriber_id, key) DO UPDATE SET value = excluded.value";
static const char SQL_RENEW[] =
	"UPDATE subscription SET state = ?3, edition = iif(?4 < 0, edition, ?4), origin = ?5,"
	" confirmed_at = iif(?3 = 1, ?6, confirmed_at), ended_at = NULL WHERE list_id = ?1 AND subscriber_id = ?2";
static const char SQL_EDITION[] =
	"UPDATE subscription SET edition = ?3 WHERE list_id = ?1 AND subscriber_id = ?2";

/* A reader, and what the database has of it. */
struct arrival {
	const struct store_subscriber_new *n;
	int64_t at;   /* since when */
	int64_t id;   /* 0: nobody has that address */
	int state;    /* enum subscription_state, or NO_SUBSCRIPTION */
	bool renamed; /* the name given is another one */
	bool suppressed;
};

static void bind_text(sqlite3_stmt *st, int at, const char *text)
{
	sqlite3_bind_text(st, at, text, -1, SQLITE_STATIC);
}

static bool look_up(struct store *s, struct arrival *all, size_t n, struct error *e)
{
	sqlite3_stmt *st = sql_start(s, e, SQL_KNOWN, "");
	int at = 0, rc = -1;

	if (st == NULL)
		return false;
	for (size_t i = 0; i < n; i++) {
		sqlite3_bind_int64(st, ++at, (int64_t)i);
		bind_text(st, ++at, all[i].n->email);
		sqlite3_bind_int64(st, ++at, all[i].n->list_id);
		bind_text(st, ++at, all[i].n->name);
	}
	sqlite3_bind_int64(st, 4 * ROWS + 1, (int64_t)n);
	while ((rc = sql_step(s, st, e)) == 1) {
		struct arrival *a = &all[sqlite3_column_int64(st, 0)];
		a->id = sqlite3_column_int64(st, 1);
		if (sqlite3_column_type(st, 2) != SQLITE_NULL)
			a->state = sqlite3_column_int(st, 2);
		a->renamed = sqlite3_column_int(st, 3) != 0;
	}
	return rc == 0;
}

static bool put_details(struct store *s, const struct arrival *a, struct error *e)
{
	const struct store_subscriber_new *n = a->n;

	for (size_t i = 0; n->tags != NULL && i < n->tags->n; i++)
		if (!sql_run(s, e, SQL_TAG, "it", a->id, n->tags->items[i]))
			return false;
	for (size_t i = 0; i < n->n_attributes; i++)
		if (!sql_run(s, e, SQL_SET, "itt", a->id, n->attributes[i].key,
			    n->attributes[i].value))
			return false;
	return true;
}

/* ---- New subscriptions ---- */

/* Gives the new persons their ids, which AUTOINCREMENT has not given to anybody. */
static bool put_persons(struct store *s, struct arrival **all, size_t n, struct error *e)
{
	sqlite3_stmt *st = sql_start(s, e, SQL_PERSONS, "");
	int64_t id = 0, persons = 0;
	int at = 0;

	if (st == NULL || !sql_number(s, e, &id, SQL_LAST_ID, ""))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct arrival *a = all[i];
		if (a->id != 0)
			continue;
		a->id = id + ++persons;
		sqlite3_bind_int64(st, ++at, a->id);
		bind_text(st, ++at, a->n->email);
		bind_text(st, ++at, a->n->name);
		sqlite3_bind_int64(st, ++at, a->at);
	}
	sqlite3_bind_int64(st, 4 * ROWS + 1, persons);
	return sql_step(s, st, e) == 0;
}

static void bind_edition(sqlite3_stmt *st, int at, int edition)
{
	if (edition >= 0)
		sqlite3_bind_int(st, at, edition);
}

static bool put_subscriptions(struct store *s, struct arrival **all, size_t n, struct error *e)
{
	sqlite3_stmt *st = sql_start(s, e, SQL_SUBSCRIPTIONS, "");
	int at = 0;

	if (st == NULL)
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct arrival *a = all[i];
		sqlite3_bind_int64(st, ++at, a->n->list_id);
		sqlite3_bind_int64(st, ++at, a->id);
		sqlite3_bind_int(st, ++at, (int)a->n->state);
		bind_edition(st, ++at, a->n->edition);
		bind_text(st, ++at, a->n->origin);
		sqlite3_bind_int64(st, ++at, a->at);
	}
	sqlite3_bind_int64(st, 6 * ROWS + 1, (int64_t)n);
	return sql_step(s, st, e) == 0;
}

static bool put_new(struct store *s, struct arrival **all, size_t n, struct error *e)
{
	if (n == 0)
		return true;
	if (!put_persons(s, all, n, e) || !put_subscriptions(s, all, n, e))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!put_details(s, all[i], e))
			return false;
	return true;
}

/* ---- Subscriptions that are there ---- */

static bool renew(
	struct store *s, const struct arrival *a, enum store_add_result *result, struct error *e)
{
	const struct store_subscriber_new *n = a->n;

	if (a->state == SUBSCRIPTION_CONFIRMED ||
		(a->state == SUBSCRIPTION_PENDING && n->state == SUBSCRIPTION_PENDING)) {
		*result = STORE_ALREADY;
		return n->edition < 0 ||
		       sql_run(s, e, SQL_EDITION, "iid", n->list_id, a->id, n->edition);
	}
	*result = a->state == SUBSCRIPTION_PENDING ? STORE_CONFIRMED : STORE_RESUBSCRIBED;
	return sql_run(s, e, SQL_RENEW, "iiddti", n->list_id, a->id, (int)n->state, n->edition,
		n->origin, a->at);
}

/* ---- All ---- */

/* Who has an active subscription is not asked for: no suppression leaves one. */
static bool find_suppressed(struct store *s, struct arrival *all, size_t n, struct error *e)
{
	struct store_suppression sup;
	bool any = false;

	if (!store_suppression_any(s, &any, e))
		return false;
	for (size_t i = 0; any && i < n; i++) {
		if (all[i].state == SUBSCRIPTION_PENDING || all[i].state == SUBSCRIPTION_CONFIRMED)
			continue;
		if (!store_suppression_get(s, all[i].n->email, &sup, e))
			return false;
		all[i].suppressed = sup.at != 0;
		store_suppression_free(&sup);
	}
	return true;
}

/* Nothing is written of a reader who may not be added. */
static bool is_refused(const struct arrival *a, enum store_add_result *result)
{
	if (a->suppressed)
		*result = STORE_SUPPRESSED;
	else if (a->state == SUBSCRIPTION_UNSUBSCRIBED && !a->n->force)
		*result = STORE_REFUSED;
	else
		return false;
	return true;
}

/* Those that are looked up together have different addresses, for none sees what the one before it
 * leaves. */
static size_t count_together(const struct store_subscriber_new *all, size_t n)
{
	size_t i = 1;

	while (i < n && i < ROWS && address_compare(all[i - 1].email, all[i].email) != 0)
		i++;
	return i;
}

/* Brings those up to date that are there, and puts in the others. */
static bool add(struct store *s, struct arrival *all, size_t n, enum store_add_result *results,
	struct error *e)
{
	struct arrival *arrived[ROWS];
	size_t n_arrived = 0;

	for (size_t i = 0; i < n; i++) {
		struct arrival *a = &all[i];
		if (is_refused(a, &results[i]))
			continue;
		results[i] = STORE_ADDED;
		if (a->renamed && !sql_run(s, e, SQL_NAME, "it", a->id, a->n->name))
			return false;
		if (a->state == NO_SUBSCRIPTION)
			arrived[n_arrived++] = a;
		else if (!put_details(s, a, e) || !renew(s, a, &results[i], e))
			return false;
	}
	return put_new(s, arrived, n_arrived, e);
}

bool store_subscribers_add(struct store *s, const struct store_subscriber_new *all, size_t n,
	int64_t now, enum store_add_result *results, struct error *e)
{
	struct arrival arrivals[ROWS];
	size_t together = 0;

	for (size_t done = 0; done < n; done += together) {
		const struct store_subscriber_new *some = all + done;
		together = count_together(some, n - done);
		for (size_t i = 0; i < together; i++)
			arrivals[i] = (struct arrival){.n = &some[i],
				.at = some[i].at > 0 ? some[i].at : now,
				.state = NO_SUBSCRIPTION};
		if (!look_up(s, arrivals, together, e) ||
			!find_suppressed(s, arrivals, together, e) ||
			!add(s, arrivals, together, results + done, e))
			return false;
	}
	return true;
}

bool store_subscriber_add(struct store *s, const struct store_subscriber_new *n, int64_t now,
	enum store_add_result *result, struct error *e)
{
	if (!store_subscribers_add(s, n, 1, now, result, e))
		return false;
	if (*result == STORE_SUPPRESSED)
		return error_set(e, ERROR_REFUSED, "%s: is suppressed", n->email);
	return *result != STORE_REFUSED ||
	       error_set(e, ERROR_REFUSED,
		       "%s: unsubscribed from this list; --force subscribes again", n->email);
}
