/* `status`: how everything fares, on one page. What the running daemon alone knows (relays, its
 * disk) is asked over the control socket; the rest is read from the database, so that the page is
 * of use when the daemon is down. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include "digest_report.h"
#include "hubmail/base_clock.h"
#include "hubmail/base_mem.h"
#include "hubmail/store_digest.h"
#include "hubmail/store_post.h"
#include "hubmail/store_subscriber.h"
#include <stdlib.h>
#include <string.h>

static const struct column relay_columns[] = {
	{"relay", "RELAY", 0},
	{"host", "HOST", 0},
	{"port", "PORT", COLUMN_RIGHT},
	{"state", "STATE", 0},
	{"sessions", "SESSIONS", COLUMN_RIGHT},
	{"rate", "PER SECOND", COLUMN_RIGHT},
	{"sent", "SENT", COLUMN_RIGHT},
	{"deferred", "DEFERRED", COLUMN_RIGHT},
	{"failed", "FAILED", COLUMN_RIGHT},
	{"retry_at", "NEXT TRY", 0},
	{"error", "LAST ERROR", COLUMN_DETAIL},
	{"limit", "LIMIT", COLUMN_RIGHT | COLUMN_DETAIL},
	{"limit_used", "USED", COLUMN_RIGHT | COLUMN_DETAIL},
};
static const struct column domain_columns[] = {
	{"domain", "DOMAIN", 0},
	{"state", "STATE", 0},
	{"waiting", "WAITING", COLUMN_RIGHT},
	{"busy", "ON THE WIRE", COLUMN_RIGHT},
	{"rate", "PER SECOND", COLUMN_RIGHT},
	{"until", "UNTIL", 0},
	{"reason", "REASON", COLUMN_DETAIL},
};
static const struct column digest_columns[] = {
	{"id", "ID", COLUMN_RIGHT},
	{"list", "LIST", 0},
	{"state", "STATE", 0},
	{"audience", "READERS", COLUMN_RIGHT},
	{"sent", "SENT", COLUMN_RIGHT},
	{"queued", "QUEUED", COLUMN_RIGHT | COLUMN_DETAIL},
	{"deferred", "DEFERRED", COLUMN_RIGHT},
	{"failed", "FAILED", COLUMN_RIGHT},
	{"held", "HELD", COLUMN_RIGHT | COLUMN_DETAIL},
	{"percent", "DONE %", COLUMN_RIGHT},
	{"left", "TIME LEFT", COLUMN_RIGHT},
	{"subject", "SUBJECT", COLUMN_CUT},
	{"reason", "REASON", COLUMN_DETAIL},
};
static const struct column source_columns[] = {
	{"list", "LIST", 0},
	{"location", "SOURCE", COLUMN_CUT},
	{"checked_at", "LOOKED", 0},
	{"next_at", "NEXT LOOK", 0},
	{"failing_since", "FAILING SINCE", 0},
	{"error", "ERROR", COLUMN_DETAIL},
};
static const struct column list_columns[] = {
	{"name", "LIST", 0},
	{"confirmed", "READERS", COLUMN_RIGHT},
	{"pending", "PENDING", COLUMN_RIGHT},
	{"last_digest_at", "LAST DIGEST", 0},
};
static const struct table relays_table = {
	.key = "relays", .title = "Relays", .empty = "none", TABLE_COLUMNS(relay_columns)};
static const struct table domains_table = {.key = "domains",
	.title = "Readers' mail providers that are limited or slowed down",
	TABLE_COLUMNS(domain_columns)};
static const struct table digests_table = {.key = "digests",
	.title = "Digests under way",
	.empty = "none",
	TABLE_COLUMNS(digest_columns)};
static const struct table sources_table = {.key = "sources_in_trouble",
	.title = "Sources in trouble",
	.empty = "none",
	TABLE_COLUMNS(source_columns)};
static const struct table lists_table = {
	.key = "lists", .title = "Lists", .empty = "none", TABLE_COLUMNS(list_columns)};

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static int64_t number_of(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* Errors are whole sentences: on a terminal they stand below the table, where nothing cuts them. */
static void error_line(struct report *r, const char *what, const char *error)
{
	if (error != NULL)
		report_say(r, "  %s: %s", what, error);
}

/* ---- The daemon ---- */

static void daemon_part(struct cli *cli, const json_t *status, const struct error *unreachable)
{
	struct report *r = cli->report;
	const json_t *database = json_object_get(status, "database");
	const char *trouble = text_of(database, "trouble");

	/* Not being let in, or no answer in time, does not say that it does not run. */
	bool known = status != NULL || unreachable->code == ERROR_UNAVAILABLE;
	report_field(r, "running", "Daemon runs", known ? cell_bool(status != NULL) : cell_none());
	report_field(r, "version", "Version", cell_text(text_of(status, "version")));
	if (status != NULL)
		report_field(r, "pid", "Process", cell_number(number_of(status, "pid")));
	report_field(r, "started_at", "Started", cell_time(number_of(status, "started_at")));
	report_field(r, "config", "Configuration", cell_text(cli->config->file));
	if (text_of(status, "config_trouble") != NULL)
		report_field(r, "config_trouble", "  not in force",
			cell_text(text_of(status, "config_trouble")));
	report_field(r, "database", "Database", cell_text(cli->config->database));
	report_field(r, "database_trouble", "  in trouble", cell_text(trouble));
}

static struct cell number_or_none(const json_t *o, const char *key)
{
	const json_t *number = json_object_get(o, key);

	return json_is_integer(number) ? cell_number(json_integer_value(number)) : cell_none();
}

/* How much of what the relay may be given in a stretch of time is used up. */
static void limit_line(struct report *r, const json_t *relay)
{
	struct buf text = {0};

	if (number_of(relay, "limit") == 0)
		return;
	text_count(&text, number_of(relay, "limit_used"));
	buf_adds(&text, " of the ");
	text_count(&text, number_of(relay, "limit"));
	buf_adds(&text, " mails that `limit` allows are sent");
	report_say(r, "  %s: %s", text_of(relay, "relay"), buf_str(&text));
	buf_free(&text);
}

static double relays_part(struct report *r, const json_t *status)
{
	const json_t *relays = json_object_get(status, "relays"), *one;
	double rate = 0;
	size_t i;

	report_table(r, &relays_table);
	json_array_foreach(relays, i, one)
	{
		double mine = json_number_value(json_object_get(one, "rate"));
		rate += mine;
		REPORT_ROW(r, cell_text(text_of(one, "relay")), cell_text(text_of(one, "host")),
			cell_number(number_of(one, "port")), cell_text(text_of(one, "state")),
			cell_number(number_of(one, "sessions")), cell_decimal(mine),
			cell_number(number_of(one, "sent")),
			cell_number(number_of(one, "deferred")),
			cell_number(number_of(one, "failed")),
			cell_time(number_of(one, "retry_at")), cell_text(text_of(one, "error")),
			number_or_none(one, "limit"), number_or_none(one, "limit_used"));
	}
	json_array_foreach(relays, i, one)
	{
		limit_line(r, one);
		error_line(r, text_of(one, "relay"), text_of(one, "error"));
	}
	return rate;
}

/* Few have any: on a terminal there is no empty table of them. */
static void domains_part(struct report *r, const json_t *status)
{
	const json_t *domains = json_object_get(status, "domains"), *one;
	size_t i;

	if (json_array_size(domains) == 0 && report_style(r) != REPORT_JSON)
		return;
	report_table(r, &domains_table);
	json_array_foreach(domains, i, one)
	{
		double rate = json_number_value(json_object_get(one, "rate"));
		REPORT_ROW(r, cell_text(text_of(one, "domain")), cell_text(text_of(one, "state")),
			cell_number(number_of(one, "waiting")), cell_number(number_of(one, "busy")),
			rate > 0 ? cell_decimal(rate) : cell_none(),
			cell_time(number_of(one, "until")), cell_text(text_of(one, "reason")));
	}
	json_array_foreach(domains, i, one)
	{
		error_line(r, text_of(one, "domain"), text_of(one, "reason"));
	}
}

/* ---- Digests ---- */

static void digest_row(struct report *r, const struct store_digest *d, double rate)
{
	int64_t all = d->audience > d->total ? d->audience : d->total;
	int64_t done = d->sent + d->failed + d->cancelled + d->held;
	char left[32] = "";

	if (rate > 0 && d->state != DIGEST_PAUSED && all > done)
		clock_duration_text((int64_t)((double)(all - done) / rate) + 1, left);
	REPORT_ROW(r, cell_number(d->id), cell_text(d->list),
		cell_text(digest_state_name(d->state)), cell_number(all), cell_number(d->sent),
		cell_number(d->queued), cell_number(d->deferred), cell_number(d->failed),
		cell_number(d->held),
		all > 0 ? cell_decimal(100.0 * (double)done / (double)all) : cell_none(),
		left[0] != '\0' ? cell_text(left) : cell_none(), cell_text(d->subject),
		cell_text(d->reason));
}

static bool digests_part(struct cli *cli, double rate, struct error *e)
{
	struct store_digest *all = NULL;
	size_t n = 0;

	if (!store_digest_unfinished(cli->store, &all, &n, e))
		return false;
	report_table(cli->report, &digests_table);
	for (size_t i = 0; i < n; i++)
		digest_row(cli->report, &all[i], rate);
	for (size_t i = 0; i < n; i++) {
		digest_report_trouble(cli->report, &all[i]);
		store_digest_free(&all[i]);
	}
	free(all);
	return true;
}

static bool queue_part(struct cli *cli, struct error *e)
{
	struct store_digest *all = NULL;
	int64_t queued = 0, deferred = 0, held = 0;
	size_t n = 0;

	if (!store_digest_list(cli->store, 0, 0, &all, &n, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		queued += all[i].queued;
		deferred += all[i].deferred;
		held += all[i].held;
		store_digest_free(&all[i]);
	}
	free(all);
	report_field(cli->report, "queued", "Queued mails", cell_number(queued));
	report_field(cli->report, "deferred", "  deferred", cell_number(deferred));
	report_field(cli->report, "held", "  held", cell_number(held));
	return true;
}

/* ---- Sources and lists ---- */

/* When the daemon will look again; 0 if it does not say. */
static int64_t next_look(const json_t *status, const struct store_source *s)
{
	const json_t *sources = json_object_get(status, "sources"), *one;
	size_t i;

	json_array_foreach(sources, i, one)
	{
		const char *list = text_of(one, "list"), *location = text_of(one, "location");
		if (list != NULL && location != NULL && strcmp(list, s->list) == 0 &&
			strcmp(location, s->location) == 0)
			return number_of(one, "next_at");
	}
	return 0;
}

static bool is_declared(const struct config *c, const struct store_source *s)
{
	const struct config_list *list = config_find_list(c, s->list);

	for (size_t i = 0; list != NULL && i < list->n_sources; i++)
		if (strcmp(list->sources[i].location, s->location) == 0)
			return true;
	return false;
}

static bool sources_part(struct cli *cli, const json_t *status, struct error *e)
{
	struct store_source *all = NULL;
	size_t n = 0;

	if (!store_source_list(cli->store, 0, &all, &n, e))
		return false;
	report_table(cli->report, &sources_table);
	for (size_t i = 0; i < n; i++)
		if (all[i].error != NULL && is_declared(cli->config, &all[i]))
			REPORT_ROW(cli->report, cell_text(all[i].list), cell_text(all[i].location),
				cell_time(all[i].checked_at), cell_time(next_look(status, &all[i])),
				cell_time(all[i].failing_since), cell_text(all[i].error));
	for (size_t i = 0; i < n; i++) {
		if (is_declared(cli->config, &all[i]))
			error_line(cli->report, all[i].location, all[i].error);
		store_source_free(&all[i]);
	}
	free(all);
	return true;
}

static bool lists_part(struct cli *cli, struct error *e)
{
	report_table(cli->report, &lists_table);
	for (size_t i = 0; i < cli->config->n_lists; i++) {
		const char *name = cli->config->lists[i].name;
		struct store_list_counts counts = {0};
		int64_t id = 0;
		if (!cli_list_id(cli, name, &id, e) ||
			(id != 0 && !store_list_counts(cli->store, id, &counts, e)))
			return false;
		REPORT_ROW(cli->report, cell_text(name), cell_number(counts.confirmed),
			cell_number(counts.pending), cell_time(counts.last_digest_at));
	}
	return true;
}

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	struct error unreachable = {0};
	double rate = 0;

	(void)a;
	if (!cli_store(cli, STORE_READ, e))
		return false;
	json_t *status = cli_ask(cli, json_pack("{s:s}", "command", "status"), &unreachable);
	daemon_part(cli, status, &unreachable);
	bool done = queue_part(cli, e);
	if (status != NULL) {
		rate = relays_part(cli->report, status);
		domains_part(cli->report, status);
	}
	done = done && digests_part(cli, rate, e) && sources_part(cli, status, e) &&
	       lists_part(cli, e);
	json_decref(status);
	if (done && unreachable.code != ERROR_NONE) {
		*e = unreachable;
		return false;
	}
	return done;
}

const struct command command_status = {
	.name = "status",
	.group = GROUP_SERVICE,
	.summary = "shows how the daemon, the relays, digests and sources fare",
	.help = "If the daemon does not run: what the database knows, and exit code 69.",
	.bears_errors = true,
	.run = run,
};
