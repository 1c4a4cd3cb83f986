/* `sources`: what is watched, and how the last look went. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include "hubmail/base_clock.h"
#include "hubmail/base_mem.h"
#include "hubmail/store_post.h"
#include <stdlib.h>
#include <string.h>

static const struct option_spec options[] = {
	{.name = "list",
		.letter = 'l',
		.value = "LIST",
		.complete = COMPLETE_LIST,
		.help = "of this list; without it, of all"},
	{.name = "hooks",
		.help = "with the URL to which each one's site can say (POST) that there is news"},
	{0},
};

static const struct column columns[] = {
	{"list", "LIST", 0},
	{"kind", "KIND", 0},
	{"location", "LOCATION", COLUMN_CUT},
	{"state", "STATE", 0},
	{"posts", "POSTS", COLUMN_RIGHT},
	{"checked_at", "LOOKED", 0},
	{"changed_at", "CHANGED", 0},
	{"failures", "FAILURES", COLUMN_RIGHT | COLUMN_DETAIL},
	{"push_until", "TELLS UNTIL", COLUMN_DETAIL}, /* its hub */
	{"held", "HELD", COLUMN_RIGHT | COLUMN_DETAIL},
	{"failing_since", "FAILING SINCE", COLUMN_DETAIL},
	{"error", "ERROR", COLUMN_DETAIL}, /* these stand below the table on a terminal */
	{"moved_to", "MOVED TO", COLUMN_DETAIL},
};
static const struct column hook_columns[] = {
	{"list", "LIST", 0}, {"location", "LOCATION", COLUMN_CUT}, {"hook", "HOOK", 0}};
static const struct table hooks = {.empty = "no source is declared", TABLE_COLUMNS(hook_columns)};
static const struct table sources = {.empty = "no source is declared", TABLE_COLUMNS(columns)};

/* The sources as the database knows them; a row is taken out once it is shown. */
struct known {
	struct store_source *items;
	size_t n;
};

static void known_free(struct known *k)
{
	for (size_t i = 0; i < k->n; i++)
		store_source_free(&k->items[i]);
	free(k->items);
}

static const char *kind_name(enum config_source_kind kind)
{
	static const char *const names[] = {
		[SOURCE_FEED] = "feed",
		[SOURCE_WORDPRESS] = "wordpress",
		[SOURCE_DIRECTORY] = "directory",
	};

	return names[kind];
}

static const char *state_of(const struct store_source *s)
{
	if (s->error != NULL)
		return s->stopped ? "gone" : "failing";
	return s->first_look_at == 0 ? "new" : "ok";
}

static void known_row(struct report *r, const struct store_source *s, const char *state)
{
	REPORT_ROW(r, cell_text(s->list), cell_text(s->kind), cell_text(s->location),
		cell_text(state), cell_number(s->posts), cell_time(s->checked_at),
		cell_time(s->changed_at), cell_number(s->failures), cell_time(s->lease_until),
		cell_number(s->held), cell_time(s->failing_since), cell_text(s->error),
		cell_text(s->moved_to));
}

/* What does not fit into a table. */
static void remark(const struct store_source *s, struct strlist *remarks)
{
	char since[32];

	clock_rfc3339(s->failing_since, since);
	if (s->error != NULL)
		strlist_take(
			remarks, xasprintf("  %s: since %s: %s", s->location, since, s->error));
	if (s->held > 0)
		strlist_take(remarks,
			xasprintf("  %s: %lld posts seemed to be its past and were not mailed: "
				  "`hubmailctl posts --held` shows them, `send --post` mails them",
				s->location, (long long)s->held));
	if (s->moved_to != NULL)
		strlist_take(remarks, xasprintf("  %s: is asked at %s, where it was "
						"found",
					      s->location, s->moved_to));
}

static void declared(struct report *r, const struct config_list *list,
	const struct config_source *source, struct known *k, struct strlist *remarks)
{
	for (size_t i = 0; i < k->n; i++) {
		struct store_source *s = &k->items[i];
		if (s->list == NULL || strcmp(s->list, list->name) != 0 ||
			strcmp(s->kind, kind_name(source->kind)) != 0 ||
			strcmp(s->location, source->location) != 0)
			continue;
		known_row(r, s, state_of(s));
		remark(s, remarks);
		store_source_free(s);
		*s = (struct store_source){0};
		return;
	}
	REPORT_ROW(r, cell_text(list->name), cell_text(kind_name(source->kind)),
		cell_text(source->location), cell_text("new"), cell_number(0), cell_none(),
		cell_none(), cell_number(0), cell_none(), cell_number(0), cell_none(), cell_none(),
		cell_none());
}

/* The daemon alone has the secret. */
static bool show_hooks(struct cli *cli, const char *only, struct error *e)
{
	json_t *status = cli_ask(cli, json_pack("{s:s}", "command", "status"), e);
	json_t *all = json_object_get(status, "sources"), *one;
	size_t i;

	if (status == NULL)
		return false;
	report_table(cli->report, &hooks);
	json_array_foreach(all, i, one)
	{
		const char *list = json_string_value(json_object_get(one, "list"));
		if (only != NULL && (list == NULL || strcmp(only, list) != 0))
			continue;
		REPORT_ROW(cli->report, cell_text(list),
			cell_text(json_string_value(json_object_get(one, "location"))),
			cell_text(json_string_value(json_object_get(one, "hook"))));
	}
	json_decref(status);
	return true;
}

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	const char *only = args_value(a, "list");
	struct known k = {0};
	struct strlist remarks = {0};
	int64_t list_id = 0;

	if (args_has(a, "hooks"))
		return show_hooks(cli, only, e);
	if (!cli_store(cli, STORE_READ, e) ||
		(only != NULL && !cli_list_id(cli, only, &list_id, e)) ||
		!store_source_list(cli->store, list_id, &k.items, &k.n, e))
		return false;
	report_table(cli->report, &sources);
	for (size_t i = 0; i < cli->config->n_lists; i++) {
		const struct config_list *list = &cli->config->lists[i];
		for (size_t s = 0; s < list->n_sources; s++)
			if (only == NULL || strcmp(only, list->name) == 0)
				declared(cli->report, list, &list->sources[s], &k, &remarks);
	}
	/* What is left is in the database alone. */
	for (size_t i = 0; i < k.n; i++)
		if (k.items[i].list != NULL && (only == NULL || strcmp(only, k.items[i].list) == 0))
			known_row(cli->report, &k.items[i], "removed");
	for (size_t i = 0; i < remarks.n; i++)
		report_say(cli->report, "%s", remarks.items[i]);
	strlist_free(&remarks);
	known_free(&k);
	return true;
}

const struct command command_sources = {
	.name = "sources",
	.group = GROUP_POSTS,
	.summary = "lists the sources that are watched, and how they fare",
	.help = "STATE is ok, failing (ERROR says why, FAILING SINCE since when), gone (its server says\n"
		"so: it is looked at again after a poll or a reload), new (not looked at yet), or\n"
		"removed (not in the configuration any more).\n"
		"A site or a build that has its HOOK can have its source looked at at once, with a POST;\n"
		"the secret in it may also come as a bearer token, or sign the body as GitHub does.\n"
		"--hooks needs the daemon.",
	.options = options,
	.run = run,
};
