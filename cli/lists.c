/* `lists`: the lists of the configuration with their readers, and when the next digest is due. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include "hubmail/base_clock.h"
#include "hubmail/schedule.h"
#include "hubmail/store_subscriber.h"

static const struct column columns[] = {
	{"name", "LIST", 0},
	{"title", "TITLE", COLUMN_CUT},
	{"confirmed", "READERS", COLUMN_RIGHT},
	{"pending", "PENDING", COLUMN_RIGHT},
	{"unsubscribed", "UNSUBSCRIBED", COLUMN_RIGHT},
	{"removed", "REMOVED", COLUMN_RIGHT | COLUMN_DETAIL},
	{"schedule", "SCHEDULE", 0},
	{"next_digest_at", "NEXT DIGEST", 0},
	{"last_digest_at", "LAST DIGEST", 0},
};
static const struct table lists = {
	.empty = "no list is declared in the configuration", TABLE_COLUMNS(columns)};

static void schedule_text(const struct config_schedule *s, struct buf *out)
{
	static const char *const days[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

	buf_adds(out, edition_name(s->edition));
	if (s->edition == EDITION_WEEKLY)
		buf_addf(out, " %s", days[(unsigned)s->weekday % 7]);
	if (s->edition == EDITION_MONTHLY)
		buf_addf(out, " %d", s->monthday);
	if (s->edition >= EDITION_DAILY)
		buf_addf(out, " %02d:%02d", s->at / 60, s->at % 60);
}

static bool list_row(struct cli *cli, const struct config_list *list, struct error *e)
{
	struct store_list_counts counts = {0};
	struct buf schedule = {0};
	int64_t id = 0;

	if (!cli_list_id(cli, list->name, &id, e))
		return false;
	if (id != 0 && !store_list_counts(cli->store, id, &counts, e))
		return false;
	schedule_text(&list->schedule, &schedule);
	REPORT_ROW(cli->report, cell_text(list->name), cell_text(list->title),
		cell_number(counts.confirmed), cell_number(counts.pending),
		cell_number(counts.unsubscribed), cell_number(counts.removed),
		cell_text(buf_str(&schedule)),
		cell_time(schedule_next_due(&list->schedule, list->timezone, clock_now())),
		cell_time(counts.last_digest_at));
	buf_free(&schedule);
	return true;
}

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	(void)a;
	if (!cli_store(cli, STORE_READ, e))
		return false;
	report_table(cli->report, &lists);
	for (size_t i = 0; i < cli->config->n_lists; i++)
		if (!list_row(cli, &cli->config->lists[i], e))
			return false;
	return true;
}

const struct command command_lists = {
	.name = "lists",
	.group = GROUP_POSTS,
	.summary = "lists the lists, with their readers and next digest",
	.help = "A schedule's time is in the list's own time zone; `each` and `manual` have no next "
		"digest.",
	.run = run,
};
