/* `add`: puts subscribers on lists. All addresses are looked at before the first is stored, so that
 * a typing error in one leaves nothing half done. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include "hubmail/base_address.h"
#include "hubmail/base_clock.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "hubmail/store_subscriber.h"
#include "hubmail/store_suppression.h"
#include "reader.h"
#include <stdlib.h>
#include <string.h>

static const struct option_spec options[] = {
	{.name = "list",
		.letter = 'l',
		.value = "LIST",
		.many = true,
		.complete = COMPLETE_LIST,
		.help = "to this list; without it, to the only one there is"},
	{.name = "name", .value = "NAME", .help = "the person's name (with one EMAIL)"},
	{.name = "tag", .value = "TAG", .many = true, .help = "a word to find the person by"},
	{.name = "set",
		.value = "KEY=VALUE",
		.many = true,
		.help = "something else that is known of the person"},
	{.name = "edition",
		.value = "EDITION",
		.choices = READER_EDITIONS,
		.complete = COMPLETE_CHOICES,
		.help = "how often, instead of the list's own schedule"},
	{.name = "force", .help = "also people who unsubscribed, or are suppressed"},
	{.name = "hour", .value = "H", .later = true, .help = ""},
	{.name = "timezone", .value = "TZ", .later = true, .help = ""},
	{.name = "confirm", .later = true, .help = ""},
	{0},
};

static const struct column columns[] = {
	{"email", "EMAIL", 0},
	{"list", "LIST", 0},
	{"result", "RESULT", 0},
	{"reason", "REASON", 0},
};
static const struct table results = {TABLE_COLUMNS(columns)};

/* The command line, checked. */
struct work {
	struct strlist emails; /* normal form */
	struct strlist lists;  /* their names */
	struct strlist tags;
	struct store_key_value *attributes;
	size_t n_attributes;
	int edition; /* or -1 */
	char *name;  /* on one line, or NULL */
	bool force;
};

static void work_free(struct work *w)
{
	strlist_free(&w->emails);
	strlist_free(&w->lists);
	free(w->name);
	strlist_free(&w->tags);
	reader_attributes_free(w->attributes, w->n_attributes);
}

static bool take_list(struct cli *cli, struct work *w, const char *name, struct error *e)
{
	const struct config_list *list = cli_list(cli, name, e);

	if (list == NULL)
		return false;
	if (!strlist_has(&w->lists, list->name))
		strlist_add(&w->lists, list->name);
	return w->edition < 0 || reader_edition_offered(list, (enum edition)w->edition, e);
}

static bool take_lists(struct cli *cli, const struct args *a, struct work *w, struct error *e)
{
	struct strlist names = {0};
	bool good = true;

	args_values(a, "list", &names);
	if (names.n == 0)
		good = take_list(cli, w, NULL, e);
	for (size_t i = 0; i < names.n && good; i++)
		good = take_list(cli, w, names.items[i], e);
	strlist_free(&names);
	return good;
}

static bool take_options(const struct args *a, struct work *w, struct error *e)
{
	const char *edition = args_value(a, "edition");
	enum edition chosen = EDITION_EACH;

	w->edition = edition != NULL && edition_from_name(edition, &chosen) ? (int)chosen : -1;
	w->name = text_one_line(args_value(a, "name"));
	w->force = args_has(a, "force");
	if (w->name != NULL && a->n_words > 1)
		return error_set(
			e, ERROR_USAGE, "add: --name goes with one EMAIL, not with %d", a->n_words);
	args_values(a, "tag", &w->tags);
	for (size_t i = 0; i < w->tags.n; i++)
		if (!reader_tag_check(w->tags.items[i], e))
			return false;
	return reader_attributes(a, "set", &w->attributes, &w->n_attributes, e);
}

/* Each bad address is told; then none is stored. */
static bool take_emails(struct cli *cli, const struct args *a, struct work *w, struct error *e)
{
	bool good = true;

	for (int i = 0; i < a->n_words; i++) {
		char email[ADDRESS_MAX + 1];
		struct error why = {0};
		if (address_normalise(a->words[i], email, &why)) {
			strlist_add(&w->emails, email);
			continue;
		}
		why.code = ERROR_REFUSED;
		report_failure(cli->report, &why);
		good = false;
	}
	if (good)
		return true;
	error_set(e, ERROR_REFUSED, "nothing was added");
	if (a->n_words == 1)
		e->text[0] = '\0';
	return false;
}

static const char *in_words(enum store_add_result result)
{
	switch (result) {
	case STORE_ADDED:
		return "added";
	case STORE_ALREADY:
		return "already";
	case STORE_RESUBSCRIBED:
		return "resubscribed";
	case STORE_CONFIRMED:
		return "confirmed";
	case STORE_REFUSED:
	case STORE_SUPPRESSED:
		return "refused";
	}
	return "?";
}

/* lifted: the address was suppressed until now. */
static void tell(struct cli *cli, const char *email, const char *list, enum store_add_result result,
	bool lifted)
{
	struct buf sentence = {0};

	switch (result) {
	case STORE_ADDED:
		buf_addf(&sentence, "%s: added to %s", email, list);
		break;
	case STORE_ALREADY:
		buf_addf(&sentence, "%s: is on %s already", email, list);
		break;
	case STORE_RESUBSCRIBED:
		buf_addf(&sentence, "%s: subscribed to %s again", email, list);
		break;
	case STORE_CONFIRMED:
		buf_addf(&sentence, "%s: was waiting for confirmation on %s and is confirmed now",
			email, list);
		break;
	case STORE_REFUSED: /* is told as an error */
	case STORE_SUPPRESSED:
		return;
	}
	if (lifted)
		buf_adds(&sentence, ", and is not suppressed any more");
	REPORT_ROW_SAID(cli->report, buf_str(&sentence), cell_text(email), cell_text(list),
		cell_text(in_words(result)), cell_text(lifted ? "unsuppressed" : NULL));
	buf_free(&sentence);
}

static void refuse(
	struct cli *cli, const char *email, const char *list, enum store_add_result result)
{
	struct error why = {0};
	bool suppressed = result == STORE_SUPPRESSED;

	if (suppressed)
		error_set(&why, ERROR_REFUSED,
			"%s: is suppressed (`hubmailctl show` says why); --force lifts that and subscribes the address",
			email);
	else
		error_set(&why, ERROR_REFUSED,
			"%s: unsubscribed from %s; --force subscribes the address again", email,
			list);
	report_failure(cli->report, &why);
	if (report_style(cli->report) != REPORT_TERMINAL)
		REPORT_ROW(cli->report, cell_text(email), cell_text(list),
			cell_text(in_words(result)),
			cell_text(suppressed ? "suppressed" : "unsubscribed"));
}

static bool add_to(struct cli *cli, const struct work *w, const char *email, const char *list,
	bool lifted, struct error *e)
{
	struct error why = {0};
	enum store_add_result result;
	struct store_subscriber_new n = {
		.email = email,
		.name = w->name,
		.list_id = store_list_ensure(cli->store, list, e),
		.state = SUBSCRIPTION_CONFIRMED,
		.edition = w->edition,
		.tags = &w->tags,
		.attributes = w->attributes,
		.n_attributes = w->n_attributes,
		.origin = "hubmailctl add",
		.force = w->force,
	};

	if (n.list_id == 0)
		return false;
	if (store_subscriber_add(cli->store, &n, clock_now(), &result, &why)) {
		tell(cli, email, list, result, lifted);
		return true;
	}
	if (why.code != ERROR_REFUSED) {
		*e = why;
		return false;
	}
	refuse(cli, email, list, result);
	return true;
}

static bool add_one(struct cli *cli, const struct work *w, const char *email, struct error *e)
{
	bool lifted = false;

	if (w->force && !store_suppression_lift(cli->store, email, &lifted, e))
		return false;
	for (size_t i = 0; i < w->lists.n; i++)
		if (!add_to(cli, w, email, w->lists.items[i], lifted, e))
			return false;
	return true;
}

static bool add_all(struct cli *cli, const struct work *w, struct error *e)
{
	if (!cli_store(cli, STORE_WRITE, e) || !cli_secret(cli, e) || !store_begin(cli->store, e))
		return false;
	report_table(cli->report, &results);
	for (size_t i = 0; i < w->emails.n; i++)
		if (!add_one(cli, w, w->emails.items[i], e)) {
			store_rollback(cli->store);
			return error_prefix(e, "nothing was added");
		}
	if (store_commit(cli->store, e))
		return true;
	store_rollback(cli->store);
	return error_prefix(e, "nothing was added");
}

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	struct work w = {0};
	bool done = take_options(a, &w, e) && cli_config(cli, e) && take_lists(cli, a, &w, e) &&
		    take_emails(cli, a, &w, e) && add_all(cli, &w, e);

	work_free(&w);
	return done;
}

const struct command command_add = {
	.name = "add",
	.group = GROUP_READERS,
	.arguments = "EMAIL...",
	.min_words = 1,
	.max_words = -1,
	.summary = "adds subscribers",
	.help = "If one of the addresses cannot be one, none is added. Adding somebody twice is no\n"
		"error: name, tags and the rest are brought up to date. An address that\n"
		"unsubscribed or is suppressed is refused unless --force is given, which lifts the\n"
		"suppression.",
	.options = options,
	.run = run,
};
