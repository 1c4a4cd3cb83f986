/* Subscribers: who they are, and finding them. They are put in in add.c, and taken out in erase.c;
 * what they subscribed to is changed in subscription.c. */
#include "hubmail/store_subscriber.h"

#include "hubmail/base_mem.h"
#include "sql.h"
#include <stdlib.h>
#include <string.h>

#define PAGE 256

static const char SQL_BY_EMAIL[] =
	"SELECT id, email, name, created_at FROM subscriber WHERE email = ?1";
static const char SQL_BY_ID[] = "SELECT id, email, name, created_at FROM subscriber WHERE id = ?1";
static const char SQL_TAGS[] =
	"SELECT tag FROM subscriber_tag WHERE subscriber_id = ?1 ORDER BY tag";
static const char SQL_ATTRIBUTES[] =
	"SELECT key, value FROM subscriber_attribute WHERE subscriber_id = ?1 ORDER BY key";
static const char SQL_SUBSCRIPTIONS[] =
	"SELECT s.list_id, l.name, s.state, s.edition, s.origin, s.created_at, s.confirmed_at, s.ended_at"
	" FROM subscription s JOIN list l ON l.id = s.list_id"
	" WHERE s.subscriber_id = ?1 AND (?2 IS NULL OR s.list_id = ?2) ORDER BY l.name";
/* For hubmailctl alone: a person asked to see everybody, so everybody is looked at, in the order of
 * the index on the address. */
static const char SQL_EACH[] =
	"SELECT r.id, r.email, r.name, r.created_at FROM subscriber r WHERE"
	" (?1 IS NULL AND ?2 = -1 OR EXISTS (SELECT 1 FROM subscription s WHERE s.subscriber_id = r.id"
	"   AND (?1 IS NULL OR s.list_id = ?1) AND (?2 = -1 OR s.state = ?2)))"
	" AND (?3 IS NULL OR EXISTS (SELECT 1 FROM subscriber_tag t WHERE t.subscriber_id = r.id AND t.tag = ?3))"
	" AND (?4 IS NULL OR EXISTS (SELECT 1 FROM subscriber_attribute a"
	"   WHERE a.subscriber_id = r.id AND a.key = ?4 AND a.value = ?5))"
	" AND (?6 IS NULL OR instr(lower(r.email), lower(?6)) OR instr(lower(r.name), lower(?6)))"
	" AND r.email > ?7 ORDER BY r.email LIMIT ?8";

static bool load_tags(struct store *s, struct store_subscriber *sub, struct error *e)
{
	sqlite3_stmt *st = sql_start(s, e, SQL_TAGS, "i", sub->id);
	int rc = -1;

	while (st != NULL && (rc = sql_step(s, st, e)) == 1)
		strlist_take(&sub->tags, sql_text(st, 0));
	return rc == 0;
}

static bool load_attributes(struct store *s, struct store_subscriber *sub, struct error *e)
{
	sqlite3_stmt *st = sql_start(s, e, SQL_ATTRIBUTES, "i", sub->id);
	int rc = -1;

	while (st != NULL && (rc = sql_step(s, st, e)) == 1) {
		sub->attributes = xreallocarray(
			sub->attributes, sub->n_attributes + 1, sizeof(*sub->attributes));
		sub->attributes[sub->n_attributes++] =
			(struct store_key_value){sql_text(st, 0), sql_text(st, 1)};
	}
	return rc == 0;
}

static bool load_subscriptions(
	struct store *s, struct store_subscriber *sub, int64_t list_id, struct error *e)
{
	sqlite3_stmt *st = sql_start(s, e, SQL_SUBSCRIPTIONS, "iz", sub->id, list_id);
	int rc = -1;

	while (st != NULL && (rc = sql_step(s, st, e)) == 1) {
		sub->subscriptions = xreallocarray(
			sub->subscriptions, sub->n_subscriptions + 1, sizeof(*sub->subscriptions));
		sub->subscriptions[sub->n_subscriptions++] = (struct store_subscription){
			.list_id = sqlite3_column_int64(st, 0),
			.list = sql_text(st, 1),
			.state = (enum subscription_state)sqlite3_column_int(st, 2),
			.edition = sqlite3_column_type(st, 3) == SQLITE_NULL
					   ? -1
					   : sqlite3_column_int(st, 3),
			.origin = sql_text(st, 4),
			.created_at = sqlite3_column_int64(st, 5),
			.confirmed_at = sqlite3_column_int64(st, 6),
			.ended_at = sqlite3_column_int64(st, 7),
		};
	}
	return rc == 0;
}

/* The person of the row the statement stands on, with everything that belongs to it. */
static bool load(struct store *s, sqlite3_stmt *st, int64_t list_id, struct store_subscriber *out,
	struct error *e)
{
	*out = (struct store_subscriber){
		.id = sqlite3_column_int64(st, 0),
		.email = sql_text(st, 1),
		.name = sql_text(st, 2),
		.created_at = sqlite3_column_int64(st, 3),
	};
	if (load_tags(s, out, e) && load_attributes(s, out, e) &&
		load_subscriptions(s, out, list_id, e))
		return true;
	store_subscriber_free(out);
	return false;
}

static bool get(struct store *s, sqlite3_stmt *st, const char *what, struct store_subscriber *out,
	struct error *e)
{
	int rc = st == NULL ? -1 : sql_step(s, st, e);

	*out = (struct store_subscriber){0};
	if (rc == 0)
		return error_set(e, ERROR_NOT_FOUND, "%s: no such subscriber", what);
	if (rc < 0)
		return false;
	bool ok = load(s, st, 0, out, e);
	sql_end(st);
	return ok;
}

bool store_subscriber_get(
	struct store *s, const char *email, struct store_subscriber *out, struct error *e)
{
	return get(s, sql_start(s, e, SQL_BY_EMAIL, "t", email), email, out, e);
}

bool store_subscriber_get_by_id(
	struct store *s, int64_t id, struct store_subscriber *out, struct error *e)
{
	return get(s, sql_start(s, e, SQL_BY_ID, "i", id), "this number", out, e);
}

static bool read_page(struct store *s, const struct store_subscriber_filter *f, const char *after,
	struct store_subscriber page[PAGE], size_t *n, struct error *e)
{
	sqlite3_stmt *st = sql_start(s, e, SQL_EACH, "zdtttttd", f->list_id, f->state, f->tag,
		f->key, f->value, f->search, after, PAGE);
	int rc = -1;

	*n = 0;
	while (st != NULL && *n < PAGE && (rc = sql_step(s, st, e)) == 1) {
		if (!load(s, st, f->list_id, &page[*n], e)) {
			rc = -1;
			break;
		}
		++*n;
	}
	if (st != NULL)
		sql_end(st);
	return st != NULL && rc >= 0;
}

/* A page at a time: while fn waits for somebody who reads what it prints, no reading transaction is
 * open, which would let the WAL grow. */
bool store_subscriber_each(struct store *s, const struct store_subscriber_filter *f,
	store_subscriber_fn *fn, void *arg, struct error *e)
{
	struct store_subscriber page[PAGE];
	char *after = xstrdup("");
	bool ok, go_on = true;
	size_t n;

	do {
		ok = read_page(s, f, after, page, &n, e);
		if (n > 0) {
			free(after);
			after = xstrdup(page[n - 1].email);
		}
		for (size_t i = 0; i < n; i++) {
			go_on = go_on && ok && fn(&page[i], arg);
			store_subscriber_free(&page[i]);
		}
	} while (ok && go_on && n == PAGE);
	free(after);
	return ok;
}

void store_subscriber_free(struct store_subscriber *sub)
{
	free(sub->email);
	free(sub->name);
	strlist_free(&sub->tags);
	for (size_t i = 0; i < sub->n_attributes; i++) {
		free(sub->attributes[i].key);
		free(sub->attributes[i].value);
	}
	free(sub->attributes);
	for (size_t i = 0; i < sub->n_subscriptions; i++) {
		free(sub->subscriptions[i].list);
		free(sub->subscriptions[i].origin);
	}
	free(sub->subscriptions);
	*sub = (struct store_subscriber){0};
}
