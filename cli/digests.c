/* `digests`: what was and is being sent; with a number, one of them. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include "digest_report.h"
#include "hubmail/base_mem.h"
#include "hubmail/store_digest.h"
#include "hubmail/store_post.h"
#include <stdlib.h>

#define SHOWN 100

static const struct option_spec options[] = {
	{.name = "list",
		.letter = 'l',
		.value = "LIST",
		.complete = COMPLETE_LIST,
		.help = "of this list; without it, of all"},
	{.name = "last", .letter = 'n', .value = "N", .help = "the newest N (default 100)"},
	{0},
};

static const struct column columns[] = {
	{"id", "ID", COLUMN_RIGHT},
	{"list", "LIST", 0},
	{"edition", "EDITION", 0},
	{"state", "STATE", 0},
	{"created_at", "CREATED", 0},
	{"finished_at", "FINISHED", COLUMN_DETAIL},
	{"audience", "READERS", COLUMN_RIGHT},
	{"total", "TOTAL", COLUMN_RIGHT | COLUMN_DETAIL},
	{"sent", "SENT", COLUMN_RIGHT},
	{"queued", "QUEUED", COLUMN_RIGHT},
	{"deferred", "DEFERRED", COLUMN_RIGHT},
	{"failed", "FAILED", COLUMN_RIGHT},
	{"cancelled", "CANCELLED", COLUMN_RIGHT | COLUMN_DETAIL},
	{"held", "HELD", COLUMN_RIGHT | COLUMN_DETAIL},
	{"subject", "SUBJECT", COLUMN_CUT},
	{"reason", "REASON", COLUMN_DETAIL},
};
static const struct table digests = {.empty = "no digest was made yet", TABLE_COLUMNS(columns)};

static bool show_all(struct cli *cli, const struct args *a, struct error *e)
{
	const char *list = args_value(a, "list");
	struct store_digest *all = NULL;
	int64_t list_id = 0, last = 0;
	size_t n = 0;

	if (!args_number(a, "last", 1, 1000000, SHOWN, &last, e) ||
		(list != NULL && !cli_list_id(cli, list, &list_id, e)))
		return false;
	if ((list == NULL || list_id != 0) &&
		!store_digest_list(cli->store, list_id, (size_t)last, &all, &n, e))
		return false;
	report_table(cli->report, &digests);
	for (size_t i = 0; i < n; i++) {
		struct store_digest *d = &all[i];
		REPORT_ROW(cli->report, cell_number(d->id), cell_text(d->list),
			cell_text(edition_name(d->edition)), cell_text(digest_state_name(d->state)),
			cell_time(d->created_at), cell_time(d->finished_at),
			cell_number(d->audience), cell_number(d->total), cell_number(d->sent),
			cell_number(d->queued), cell_number(d->deferred), cell_number(d->failed),
			cell_number(d->cancelled), cell_number(d->held), cell_text(d->subject),
			cell_text(d->reason));
	}
	for (size_t i = 0; i < n; i++) {
		digest_report_trouble(cli->report, &all[i]);
		store_digest_free(&all[i]);
	}
	free(all);
	return true;
}

/* ---- One of them ---- */

static const struct column post_columns[] = {
	{"id", "ID", COLUMN_RIGHT},
	{"published", "PUBLISHED", 0},
	{"title", "TITLE", COLUMN_CUT},
	{"url", "LINK", COLUMN_CUT},
};
static const struct table posts_table = {
	.key = "posts", .title = "Posts", TABLE_COLUMNS(post_columns)};

static void fields(struct report *r, const struct store_digest *d)
{
	char *state = report_style(r) == REPORT_TERMINAL ? digest_report_state(d) : NULL;

	report_field(r, "id", "Digest", cell_number(d->id));
	report_field(r, "list", "List", cell_text(d->list));
	report_field(r, "edition", "Edition", cell_text(edition_name(d->edition)));
	report_field(r, "subject", "Subject", cell_text(d->subject));
	report_field(r, "state", "State",
		cell_text(state != NULL ? state : digest_state_name(d->state)));
	if (state == NULL)
		report_field(r, "reason", "", cell_text(d->reason));
	free(state);
	report_field(r, "created_at", "Created", cell_time(d->created_at));
	report_field(r, "finished_at", "Finished", cell_time(d->finished_at));
	report_field(r, "audience", "Readers", cell_number(d->audience));
	report_field(r, "total", "Deliveries", cell_number(d->total));
	report_field(r, "sent", "  sent", cell_number(d->sent));
	report_field(r, "queued", "  queued", cell_number(d->queued));
	report_field(r, "deferred", "  deferred", cell_number(d->deferred));
	report_field(r, "failed", "  failed", cell_number(d->failed));
	report_field(r, "cancelled", "  cancelled", cell_number(d->cancelled));
	report_field(r, "held", "  held", cell_number(d->held));
}

static bool show_posts(struct cli *cli, const struct store_digest *d, struct error *e)
{
	struct post_list posts = {0};
	int64_t *ids = NULL;
	size_t n = 0;

	bool done = store_digest_posts(cli->store, d->id, &ids, &n, e) &&
		    store_post_by_ids(cli->store, d->list_id, ids, n, &posts, e);
	report_table(cli->report, &posts_table);
	for (size_t i = 0; done && i < posts.n; i++) {
		const struct post *p = &posts.items[i];
		REPORT_ROW(cli->report, cell_number(p->id), cell_time(p->published_at),
			cell_text(p->title), cell_text(p->url));
	}
	post_list_free(&posts);
	free(ids);
	return done;
}

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	struct store_digest d;
	int64_t id = 0;

	if (!cli_store(cli, STORE_READ, e))
		return false;
	if (a->n_words == 0)
		return show_all(cli, a, e);
	if (!cli_id(a->words[0], "the number of a digest", &id, e) ||
		!store_digest_get(cli->store, id, &d, e))
		return false;
	fields(cli->report, &d);
	bool done = show_posts(cli, &d, e);
	store_digest_free(&d);
	return done;
}

const struct command command_digests = {
	.name = "digests",
	.group = GROUP_DIGESTS,
	.arguments = "[ID]",
	.max_words = 1,
	.summary = "lists the digests, newest first, or shows one",
	.help = "`queue --digest ID` shows who got it and who did not.",
	.options = options,
	.bears_errors = true,
	.run = run,
};
