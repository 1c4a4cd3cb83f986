/* `show`: everything known of one subscriber: the person, the subscriptions, and each delivery with
 * what the relay said to every attempt. Of an address that nobody has any more it may still be
 * known that it is suppressed. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include "digest_report.h"
#include "hubmail/base_address.h"
#include "hubmail/base_mem.h"
#include "hubmail/store_delivery.h"
#include "hubmail/store_subscriber.h"
#include "hubmail/store_suppression.h"
#include "reader.h"
#include <stdlib.h>

static const struct column subscription_columns[] = {
	{"list", "LIST", 0},
	{"state", "STATE", 0},
	{"edition", "EDITION", 0},
	{"created_at", "SINCE", 0},
	{"confirmed_at", "CONFIRMED", 0},
	{"ended_at", "ENDED", 0},
	{"origin", "ORIGIN", COLUMN_WRAP},
};
static const struct column attribute_columns[] = {
	{"key", "KEY", 0},
	{"value", "VALUE", COLUMN_WRAP},
};
static const struct column delivery_columns[] = {
	{"digest", "DIGEST", COLUMN_RIGHT},
	{"list", "LIST", 0},
	{"state", "STATE", 0},
	{"attempts", "ATTEMPTS", COLUMN_RIGHT},
	{"due_at", "DUE", 0},
};
static const struct column attempt_columns[] = {
	{"digest", "DIGEST", COLUMN_RIGHT},
	{"at", "AT", 0},
	{"outcome", "OUTCOME", 0},
	{"relay", "RELAY", 0},
	{"code", "CODE", COLUMN_RIGHT},
	{"enhanced", "STATUS", 0},
	{"text", "ANSWER", COLUMN_WRAP},
};

static const struct table subscriptions = {.key = "subscriptions",
	.title = "Subscriptions",
	.empty = "none",
	TABLE_COLUMNS(subscription_columns)};
static const struct table attributes = {
	.key = "attributes", .title = "Attributes", TABLE_COLUMNS(attribute_columns)};
static const struct table deliveries = {.key = "deliveries",
	.title = "Deliveries",
	.empty = "none yet",
	TABLE_COLUMNS(delivery_columns)};
static const struct table attempts = {
	.key = "attempts", .title = "Attempts", TABLE_COLUMNS(attempt_columns)};

static void person(
	struct report *r, const struct store_subscriber *sub, const struct store_suppression *sup)
{
	report_field(r, "email", "Address", cell_text(sub->email));
	report_field(r, "name", "Name", cell_text(sub->name));
	report_field(r, "id", "Number", sub->id != 0 ? cell_number(sub->id) : cell_none());
	report_field(r, "created_at", "Known since", cell_time(sub->created_at));
	report_field(r, "suppressed_at", "Suppressed since", cell_time(sup->at));
	report_field(r, "suppression_reason", "because of", cell_text(sup->reason));
	if (sub->tags.n > 0 || report_style(r) != REPORT_TERMINAL)
		report_field(r, "tags", "Tags", cell_list(&sub->tags));
	if (report_style(r) == REPORT_JSON) {
		json_t *known = reader_attributes_json(sub->attributes, sub->n_attributes);
		report_field(r, "attributes", "", cell_json(known));
		json_decref(known);
	} else if (sub->n_attributes > 0) {
		report_table(r, &attributes);
	}
	for (size_t i = 0; i < sub->n_attributes && report_style(r) != REPORT_JSON; i++)
		REPORT_ROW(
			r, cell_text(sub->attributes[i].key), cell_text(sub->attributes[i].value));
	report_table(r, &subscriptions);
	for (size_t i = 0; i < sub->n_subscriptions; i++) {
		const struct store_subscription *s = &sub->subscriptions[i];
		REPORT_ROW(r, cell_text(s->list), cell_text(subscription_state_name(s->state)),
			cell_text(reader_edition_name(s->edition)), cell_time(s->created_at),
			cell_time(s->confirmed_at), cell_time(s->ended_at), cell_text(s->origin));
	}
}

/* The deliveries whose attempts are shown after them. */
struct history {
	struct report *report;
	struct delivery_key *keys;
	size_t n;
	bool held;
};

static bool delivery(const struct store_delivery *d, void *arg)
{
	struct history *h = arg;

	REPORT_ROW(h->report, cell_number(d->key.digest_id), cell_text(d->list),
		cell_text(delivery_state_name(d->state)), cell_number(d->attempts),
		cell_time(d->due_at));
	h->held = h->held || d->state == DELIVERY_HELD;
	h->keys = xreallocarray(h->keys, h->n + 1, sizeof(*h->keys));
	h->keys[h->n++] = d->key;
	return !report_broken(h->report);
}

struct one_delivery {
	struct report *report;
	bool *begun; /* the table of attempts */
	int64_t digest_id;
};

static bool attempt(const struct store_attempt *a, void *arg)
{
	struct one_delivery *d = arg;

	if (!*d->begun)
		report_table(d->report, &attempts);
	*d->begun = true;
	REPORT_ROW(d->report, cell_number(d->digest_id), cell_time(a->at), cell_text(a->outcome),
		cell_text(a->relay), a->code != 0 ? cell_number(a->code) : cell_none(),
		cell_text(a->enhanced), cell_text(a->text));
	return !report_broken(d->report);
}

static bool history(struct cli *cli, int64_t subscriber_id, struct error *e)
{
	struct history h = {.report = cli->report};
	struct store_delivery_filter f = {.subscriber_id = subscriber_id, .state = -2};
	bool done;

	report_table(cli->report, &deliveries);
	done = subscriber_id == 0 || store_delivery_each(cli->store, &f, delivery, &h, e);
	if (h.held)
		digest_report_held(cli->report);
	/* A page of JSON always has the same names; elsewhere no attempts need no heading. */
	bool begun = report_style(cli->report) == REPORT_JSON;
	if (begun)
		report_table(cli->report, &attempts);
	for (size_t i = 0; done && i < h.n; i++) {
		struct one_delivery d = {cli->report, &begun, h.keys[i].digest_id};
		done = store_attempt_each(cli->store, &h.keys[i], attempt, &d, e);
	}
	free(h.keys);
	return done;
}

static bool show(
	struct cli *cli, const char *email, const struct store_suppression *sup, struct error *e)
{
	struct store_subscriber sub;
	struct error why = {0};

	if (!store_subscriber_get(cli->store, email, &sub, &why)) {
		if (why.code != ERROR_NOT_FOUND || sup->at == 0) {
			*e = why;
			return false;
		}
		sub.email = xstrdup(email); /* all that there is of a page */
	}
	person(cli->report, &sub, sup);
	bool done = history(cli, sub.id, e);
	store_subscriber_free(&sub);
	return done;
}

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	char email[ADDRESS_MAX + 1];
	struct store_suppression sup;

	if (!address_normalise(a->words[0], email, e)) {
		e->code = ERROR_REFUSED;
		return false;
	}
	if (!cli_store(cli, STORE_READ, e) || !cli_secret(cli, e) ||
		!store_suppression_get(cli->store, email, &sup, e))
		return false;
	bool done = show(cli, email, &sup, e);
	store_suppression_free(&sup);
	return done;
}

const struct command command_show = {
	.name = "show",
	.group = GROUP_READERS,
	.arguments = "EMAIL",
	.min_words = 1,
	.max_words = 1,
	.summary = "shows everything known of one subscriber",
	.help = "That is the person, the subscriptions, and every delivery with what the relay said.\n"
		"An address that is suppressed is known as such even if nobody has it any more.",
	.run = run,
};
