/* `send`: a digest now. The daemon composes and sends it; --dry-run asks the database alone who
 * would get what. Watching it go out (--wait) is in send_wait.c. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include "hubmail/base_address.h"
#include "hubmail/base_clock.h"
#include "hubmail/base_mem.h"
#include "hubmail/schedule.h"
#include "hubmail/store_subscriber.h"
#include "reader.h"
#include "send_wait.h"
#include <stdlib.h>

#define READERS_SHOWN 20 /* on a terminal, by --dry-run */

static const struct option_spec options[] = {
	{.name = "edition",
		.value = "EDITION",
		.choices = READER_EDITIONS,
		.complete = COMPLETE_CHOICES,
		.help = "for the readers of this edition; without it, the list's own"},
	{.name = "post", .value = "ID", .many = true, .help = "of this post (`posts` shows them)"},
	{.name = "last", .letter = 'n', .value = "N", .help = "of the newest N posts"},
	{.name = "to", .value = "EMAIL", .many = true, .help = "to this reader alone"},
	{.name = "dry-run", .help = "say who would get what; send nothing"},
	{.name = "wait", .help = "show the progress until the last delivery"},
	{0},
};

/* The command line, checked. */
struct work {
	const struct config_list *list;
	struct strlist to; /* normal form */
	int64_t *post_ids;
	struct schedule_send what; /* points into the above */
};

static void work_free(struct work *w)
{
	strlist_free(&w->to);
	free(w->post_ids);
}

static bool take_posts(const struct args *a, struct work *w, struct error *e)
{
	struct strlist words = {0};

	args_values(a, "post", &words);
	w->post_ids = xcalloc(words.n + 1, sizeof(*w->post_ids));
	for (size_t i = 0; i < words.n && e->code == ERROR_NONE; i++)
		cli_id(words.items[i], "the number of a post (`hubmailctl posts` shows them)",
			&w->post_ids[i], e);
	w->what.post_ids = words.n > 0 ? w->post_ids : NULL;
	w->what.n_posts = words.n;
	strlist_free(&words);
	return e->code == ERROR_NONE;
}

static bool take_readers(const struct args *a, struct work *w, struct error *e)
{
	struct strlist words = {0};

	args_values(a, "to", &words);
	for (size_t i = 0; i < words.n && e->code == ERROR_NONE; i++) {
		char email[ADDRESS_MAX + 1];
		if (address_normalise(words.items[i], email, e))
			strlist_add(&w->to, email);
		else
			e->code = ERROR_REFUSED;
	}
	strlist_free(&words);
	w->what.to = w->to.n > 0 ? (const char *const *)w->to.items : NULL;
	w->what.n_to = w->to.n;
	return e->code == ERROR_NONE;
}

static bool take(struct cli *cli, const struct args *a, struct work *w, struct error *e)
{
	const char *name = args_value(a, "edition");
	enum edition edition;
	int64_t last = 0;

	if (args_has(a, "dry-run") && args_has(a, "wait"))
		return error_set(
			e, ERROR_USAGE, "send: --wait has nothing to wait for with --dry-run");
	if (args_has(a, "post") && args_has(a, "last"))
		return error_set(e, ERROR_USAGE, "send: --post and --last exclude each other");
	if (!args_number(a, "last", 1, 1000, 0, &last, e) || !take_posts(a, w, e) ||
		!take_readers(a, w, e) || !cli_config(cli, e))
		return false;
	w->list = cli_list(cli, a->words[0], e);
	if (w->list == NULL)
		return false;
	w->what.list = w->list->name;
	w->what.last = (int)last;
	w->what.edition = name != NULL && edition_from_name(name, &edition) ? (int)edition : -1;
	return w->what.edition < 0 ||
	       reader_edition_offered(w->list, (enum edition)w->what.edition, e);
}

/* ---- Who would get what ---- */

static const struct column post_columns[] = {
	{"id", "ID", COLUMN_RIGHT},
	{"published", "PUBLISHED", 0},
	{"title", "TITLE", COLUMN_CUT},
	{"url", "LINK", COLUMN_CUT},
};
static const struct column reader_columns[] = {
	{"email", "EMAIL", 0},
	{"name", "NAME", COLUMN_CUT},
};
static const struct table posts_table = {
	.key = "posts", .title = "Posts", TABLE_COLUMNS(post_columns)};
static const struct table readers_table = {
	.key = "to", .title = "To", .empty = "nobody", TABLE_COLUMNS(reader_columns)};

struct audience {
	struct report *report;
	int64_t n;
};

static bool reader(int64_t id, const char *email, const char *name, void *arg)
{
	struct audience *au = arg;

	(void)id;
	au->n++;
	if (report_style(au->report) == REPORT_TERMINAL && au->n > READERS_SHOWN)
		return false;
	REPORT_ROW(au->report, cell_text(email), cell_text(name));
	return !report_broken(au->report);
}

/* Those who are named, and who would get it. */
struct named {
	struct strlist emails, names;
	struct error refusal; /* why the first of the others would not */
};

static bool would_get(struct cli *cli, const struct work *w, int64_t list_id,
	const struct store_subscriber *sub, struct error *e)
{
	enum subscription_state state;

	if (!store_subscription_state(cli->store, sub->id, list_id, &state, e))
		return e->code == ERROR_NOT_FOUND
			       ? error_set(e, ERROR_NOT_FOUND, "%s: is not on %s", sub->email,
					 w->what.list)
			       : false;
	return state == SUBSCRIPTION_CONFIRMED ||
	       error_set(e, ERROR_REFUSED, "%s: is %s on %s and would get nothing", sub->email,
		       subscription_state_name(state), w->what.list);
}

static void find_named(struct cli *cli, const struct work *w, int64_t list_id, struct named *named)
{
	for (size_t i = 0; i < w->to.n; i++) {
		struct store_subscriber sub;
		struct error why = {0};
		if (strlist_has(&named->emails, w->to.items[i]))
			continue;
		if (store_subscriber_get(cli->store, w->to.items[i], &sub, &why)) {
			if (would_get(cli, w, list_id, &sub, &why)) {
				strlist_add(&named->emails, sub.email);
				strlist_add(&named->names, sub.name != NULL ? sub.name : "");
			}
			store_subscriber_free(&sub);
		}
		if (why.code != ERROR_NONE && named->refusal.code == ERROR_NONE)
			named->refusal = why;
	}
}

static bool named_readers(struct report *r, const struct named *named, struct error *e)
{
	for (size_t i = 0; i < named->emails.n; i++) {
		const char *name = named->names.items[i];
		REPORT_ROW(r, cell_text(named->emails.items[i]),
			name[0] != '\0' ? cell_text(name) : cell_none());
	}
	if (named->refusal.code == ERROR_NONE)
		return true;
	*e = named->refusal;
	return false;
}

static bool all_readers(struct cli *cli, const struct work *w, int64_t list_id, int64_t n,
	enum edition edition, struct error *e)
{
	struct audience au = {cli->report, 0};
	bool is_default = edition == w->list->schedule.edition;

	if (!store_audience_each(cli->store, list_id, edition, is_default, reader, &au, e))
		return false;
	if (report_style(cli->report) == REPORT_TERMINAL && n > READERS_SHOWN)
		report_say(cli->report, "… and %lld more (in a pipe: all)",
			(long long)(n - READERS_SHOWN));
	return true;
}

static void show_posts(struct report *r, const struct post_list *posts)
{
	report_table(r, &posts_table);
	for (size_t i = 0; i < posts->n; i++) {
		const struct post *p = &posts->items[i];
		REPORT_ROW(r, cell_number(p->id), cell_time(p->published_at), cell_text(p->title),
			cell_text(p->url));
	}
}

static bool show(struct cli *cli, const struct work *w, int64_t list_id,
	const struct post_list *posts, const struct named *named, struct error *e)
{
	struct report *r = cli->report;
	enum edition edition =
		w->what.edition >= 0 ? (enum edition)w->what.edition : w->list->schedule.edition;
	struct compose_plan *plan = schedule_compose(cli->config, w->list, posts, clock_now(), e);
	int64_t n = (int64_t)named->emails.n;

	if (plan == NULL)
		return false;
	report_field(r, "list", "List", cell_text(w->list->name));
	report_field(r, "edition", "Edition", cell_text(edition_name(edition)));
	report_field(r, "subject", "Subject", cell_text(compose_plan_subject(plan)));
	compose_plan_free(plan);
	if (w->to.n == 0 && !store_audience_count(cli->store, list_id, edition,
				    edition == w->list->schedule.edition, &n, e))
		return false;
	report_field(r, "readers", "Readers", cell_number(n));
	show_posts(r, posts);
	report_table(r, &readers_table);
	if (w->to.n > 0)
		return named_readers(r, named, e);
	if (n == 0)
		return error_set(e, ERROR_REFUSED,
			"%s has no confirmed readers for this edition: nothing would be sent",
			w->list->name);
	return all_readers(cli, w, list_id, n, edition, e);
}

static bool foresee(struct cli *cli, const struct work *w, int64_t list_id,
	const struct post_list *posts, struct error *e)
{
	struct named named = {0};

	find_named(cli, w, list_id, &named);
	bool done = show(cli, w, list_id, posts, &named, e);
	strlist_free(&named.emails);
	strlist_free(&named.names);
	return done;
}

static bool dry_run(struct cli *cli, const struct work *w, struct error *e)
{
	struct post_list posts = {0};
	int64_t list_id = 0;

	if (!cli_store(cli, STORE_READ, e) || !cli_list_id(cli, w->list->name, &list_id, e))
		return false;
	if (list_id == 0)
		return error_set(e, ERROR_NOT_FOUND, "%s: nothing is pending", w->list->name);
	bool done = schedule_choose_posts(
			    cli->store, w->list, list_id, &w->what, clock_now(), &posts, e) &&
		    foresee(cli, w, list_id, &posts, e);
	post_list_free(&posts);
	return done;
}

/* ---- The real thing ---- */

static json_t *request(const struct work *w)
{
	json_t *q = json_pack("{s:s, s:s}", "command", "send", "list", w->list->name);

	if (w->what.edition >= 0)
		json_object_set_new(
			q, "edition", json_string(edition_name((enum edition)w->what.edition)));
	if (w->what.last > 0)
		json_object_set_new(q, "last", json_integer(w->what.last));
	if (w->what.n_posts > 0) {
		json_t *posts = json_array();
		for (size_t i = 0; i < w->what.n_posts; i++)
			json_array_append_new(posts, json_integer(w->post_ids[i]));
		json_object_set_new(q, "posts", posts);
	}
	if (w->to.n > 0) {
		json_t *to = json_array();
		for (size_t i = 0; i < w->to.n; i++)
			json_array_append_new(to, json_string(w->to.items[i]));
		json_object_set_new(q, "to", to);
	}
	return q;
}

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	struct work w = {0};
	bool done = take(cli, a, &w, e) && w.list != NULL;

	if (done && args_has(a, "dry-run")) {
		done = dry_run(cli, &w, e);
	} else if (done) {
		json_t *answer = cli_ask(cli, request(&w), e);
		int64_t id = json_integer_value(json_object_get(answer, "digest"));
		done = answer != NULL;
		json_decref(answer);
		if (done && args_has(a, "wait")) {
			done = send_wait(cli, id, e);
		} else if (done) {
			report_say(cli->report,
				"digest %lld is on its way (`hubmailctl digests %lld` shows how far)",
				(long long)id, (long long)id);
			if (report_style(cli->report) != REPORT_TERMINAL)
				report_field(cli->report, "digest", "", cell_number(id));
		}
	}
	work_free(&w);
	return done;
}

const struct command command_send = {
	.name = "send",
	.group = GROUP_DIGESTS,
	.arguments = "LIST",
	.min_words = 1,
	.max_words = 1,
	.complete = COMPLETE_LIST,
	.summary = "sends a digest now",
	.help = "It has the posts that are pending, or those that are named. Nothing pending, or nobody\n"
		"who would get it: says so, exit code 1. Needs the daemon, except with --dry-run.\n"
		"With --wait the exit code is 0 only if every reader's mail was taken by the relay;\n"
		"ending the command early does not end the sending.",
	.options = options,
	.run = run,
};
