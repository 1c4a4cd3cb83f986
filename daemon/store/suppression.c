/* Suppressions: which addresses must never be mailed again. What they have to do with subscribing
 * is in subscriber.c, and ending subscriptions in subscription.c. */
#include "hubmail/store_suppression.h"

#include "hubmail/base_address.h"
#include "hubmail/base_text.h"
#include "hubmail/store_subscriber.h"
#include "sql.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define HASH_LEN 32

static const char SQL_ANY[] = "SELECT EXISTS (SELECT 1 FROM suppression)";
static const char SQL_GET[] = "SELECT at, reason FROM suppression WHERE hash = ?1";
static const char SQL_ADD[] =
	"INSERT INTO suppression (hash, reason, at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
static const char SQL_REASON[] = "UPDATE suppression SET reason = ?2 WHERE hash = ?1";
static const char SQL_LIFT[] = "DELETE FROM suppression WHERE hash = ?1";
static const char SQL_EMAIL[] = "SELECT email FROM subscriber WHERE id = ?1";
static const char SQL_SUBSCRIBER[] = "SELECT id FROM subscriber WHERE email = ?1";

/* Two spellings that are one subscriber (NOCASE folds the letters of ASCII) have one hash. */
static void hash_of(struct store *s, const char *email, unsigned char out[HASH_LEN])
{
	char folded[ADDRESS_MAX + 1];
	size_t len = strlen(email);

	assert(s->hasher != NULL && len < sizeof(folded));
	for (size_t i = 0; i < len; i++)
		folded[i] = text_lower(email[i]);
	deriver_run(s->hasher, folded, len, out);
}

void store_suppression_free(struct store_suppression *sup)
{
	free(sup->reason);
	*sup = (struct store_suppression){0};
}

bool store_suppression_any(struct store *s, bool *any, struct error *e)
{
	int64_t n = 0;

	assert(s->hasher != NULL);
	if (!sql_number(s, e, &n, SQL_ANY, ""))
		return false;
	*any = n > 0;
	return true;
}

bool store_suppression_get(
	struct store *s, const char *email, struct store_suppression *out, struct error *e)
{
	unsigned char hash[HASH_LEN];

	*out = (struct store_suppression){0};
	hash_of(s, email, hash);
	sqlite3_stmt *st = sql_start(s, e, SQL_GET, "b", hash, sizeof(hash));
	int rc = st == NULL ? -1 : sql_step(s, st, e);
	if (rc != 1)
		return rc == 0;
	*out = (struct store_suppression){sqlite3_column_int64(st, 0), sql_text(st, 1)};
	sql_end(st);
	return true;
}

bool store_suppression_add(struct store *s, const char *email, const char *reason, int64_t now,
	struct store_suppressed *out, struct error *e)
{
	unsigned char hash[HASH_LEN];
	int64_t id = 0;

	*out = (struct store_suppressed){0};
	hash_of(s, email, hash);
	if (!sql_run(s, e, SQL_ADD, "bti", hash, sizeof(hash), reason, now))
		return false;
	out->already = sqlite3_changes(s->db) == 0;
	if (out->already && reason != NULL &&
		!sql_run(s, e, SQL_REASON, "bt", hash, sizeof(hash), reason))
		return false;
	return sql_number(s, e, &id, SQL_SUBSCRIBER, "t", email) &&
	       (id == 0 || subscription_end_all(s, id, now, &out->ended, e));
}

bool suppression_forget_reason(struct store *s, int64_t subscriber_id, struct error *e)
{
	sqlite3_stmt *st = sql_start(s, e, SQL_EMAIL, "i", subscriber_id);
	int rc = st == NULL ? -1 : sql_step(s, st, e);
	unsigned char hash[HASH_LEN];

	if (rc != 1)
		return rc == 0;
	hash_of(s, (const char *)sqlite3_column_text(st, 0), hash);
	sql_end(st);
	return sql_run(s, e, SQL_REASON, "bt", hash, sizeof(hash), NULL);
}

bool store_suppression_lift(struct store *s, const char *email, bool *was, struct error *e)
{
	unsigned char hash[HASH_LEN];

	hash_of(s, email, hash);
	if (!sql_run(s, e, SQL_LIFT, "b", hash, sizeof(hash)))
		return false;
	*was = sqlite3_changes(s->db) > 0;
	return true;
}
