/* `posts`: the posts that are known, or those that wait for the next digest. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include "hubmail/base_clock.h"
#include "hubmail/store_post.h"
#include "post_report.h"

#define SHOWN 100

static const struct option_spec options[] = {
	{.name = "list",
		.letter = 'l',
		.value = "LIST",
		.complete = COMPLETE_LIST,
		.help = "of this list; without it, of all"},
	{.name = "pending", .help = "only those that no digest has had"},
	{.name = "held",
		.help = "only those that seemed to be a source's past, and were not mailed"},
	{.name = "last",
		.letter = 'n',
		.value = "N",
		.help = "the newest N of each list (default 100)"},
	{0},
};

static const struct column columns[] = {
	{"id", "ID", COLUMN_RIGHT},
	{"list", "LIST", 0},
	{"published", "PUBLISHED", 0},
	{"title", "TITLE", COLUMN_CUT},
	{"author", "AUTHOR", COLUMN_CUT},
	{"url", "LINK", COLUMN_CUT},
};
static const struct table table = {TABLE_COLUMNS(columns), .empty = "no posts"};

static bool find(struct cli *cli, const struct args *a, const struct config_list *list,
	struct post_list *out, struct error *e)
{
	int64_t id = 0, last = 0;

	if (!args_number(a, "last", 1, 1000000, SHOWN, &last, e) ||
		!cli_list_id(cli, list->name, &id, e))
		return false;
	if (id == 0)
		return true;
	if (args_has(a, "held"))
		return store_post_held(cli->store, id, out, e);
	if (args_has(a, "pending"))
		return store_post_pending(cli->store, id, list->schedule.edition, clock_now(),
			args_has(a, "last") ? (size_t)last : 0, out, NULL, e);
	return store_post_last(cli->store, id, (size_t)last, INT64_MAX, out, e);
}

static bool show(struct cli *cli, const struct args *a, const struct config_list *list,
	json_t *json, struct error *e)
{
	struct post_list posts = {0};
	bool done = find(cli, a, list, &posts, e);

	if (done && json != NULL)
		post_report_json(json, &posts, list->name);
	for (size_t i = 0; done && json == NULL && i < posts.n; i++) {
		const struct post *p = &posts.items[i];
		REPORT_ROW(cli->report, cell_number(p->id), cell_text(list->name),
			cell_time(p->published_at), cell_text(p->title), cell_text(p->author),
			cell_text(p->url));
	}
	post_list_free(&posts);
	return done;
}

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	const char *only = NULL;
	json_t *json = report_style(cli->report) == REPORT_JSON ? json_array() : NULL;
	bool done = args_list(a, &only, e) && cli_store(cli, STORE_READ, e);
	const struct config_list *list = NULL;

	if (done && only != NULL)
		done = (list = cli_list(cli, only, e)) != NULL;
	if (done && json == NULL)
		report_table(cli->report, &table);
	for (size_t i = 0; done && i < cli->config->n_lists; i++)
		if (list == NULL || list == &cli->config->lists[i])
			done = show(cli, a, &cli->config->lists[i], json, e);
	if (done && json != NULL)
		report_json(cli->report, json);
	else
		json_decref(json);
	return done;
}

const struct command command_posts = {
	.name = "posts",
	.group = GROUP_POSTS,
	.arguments = "[LIST]",
	.max_words = 1,
	.complete = COMPLETE_LIST,
	.summary = "lists the posts that are known, oldest first",
	.help = "With --pending only those that the next digest of the list will have. `send --post`\n"
		"takes the ID.\n"
		"A post that several sources of a list have is listed once, and one that was withdrawn\n"
		"is not.\n"
		"Held posts turned up together, older than what was known already, or when a source\n"
		"gave new names to all its posts.",
	.options = options,
	.run = run,
};
