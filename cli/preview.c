/* `preview`: the mail as a reader would get it. Composed here from the database, by the same code
 * as the daemon's; nothing is stored or sent. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include "hubmail/base_address.h"
#include "hubmail/base_clock.h"
#include "hubmail/base_crypto.h"
#include "hubmail/base_file.h"
#include "hubmail/base_mem.h"
#include "hubmail/compose.h"
#include "hubmail/schedule.h"
#include "hubmail/store_post.h"
#include "hubmail/store_subscriber.h"
#include <stdlib.h>
#include <string.h>

#define SOMEBODY "reader@example.org"

static const struct option_spec options[] = {
	{.name = "for", .value = "EMAIL", .help = "as this reader would get it"},
	{.name = "last", .letter = 'n', .value = "N", .help = "of the newest N posts"},
	{.name = "text", .help = "the text part (the default)"},
	{.name = "html", .help = "the HTML part"},
	{.name = "eml", .help = "the whole message with its headers"},
	{.name = "output",
		.letter = 'o',
		.value = "FILE",
		.complete = COMPLETE_FILE,
		.help = "into this file"},
	{0},
};

/* Whose mail it is. */
struct reader {
	char email[ADDRESS_MAX + 1];
	char *name;
	int64_t id;
	char token[TOKEN_MAX];
	char message_id[MESSAGE_ID_MAX];
};

static bool find_reader(struct cli *cli, const struct args *a, struct reader *out, struct error *e)
{
	const char *word = args_value(a, "for");
	struct store_subscriber sub;
	struct error why = {0};

	if (!address_normalise(word != NULL ? word : SOMEBODY, out->email, e)) {
		e->code = ERROR_REFUSED;
		return false;
	}
	if (word == NULL)
		return true;
	if (store_subscriber_get(cli->store, out->email, &sub, &why)) {
		out->name = xstrdup(sub.name);
		out->id = sub.id;
		store_subscriber_free(&sub);
		return true;
	}
	if (why.code != ERROR_NOT_FOUND) {
		*e = why;
		return false;
	}
	report_note(cli->report, "%s: no such subscriber; shown as somebody without a name",
		out->email);
	return true;
}

/* Links that work need a known reader and the secret; otherwise they show what they would look
 * like. */
static void make_links(
	struct cli *cli, const struct config_list *list, int64_t list_id, struct reader *out)
{
	struct secret secret = {0};
	struct error why = {0};

	if (out->id == 0) {
		snprintf(out->token, sizeof(out->token), "PREVIEW");
	} else if (!secret_load(cli->config->secret_file, false, &secret, &why)) {
		report_note(cli->report, "the links are none that work: %s", why.text);
		snprintf(out->token, sizeof(out->token), "PREVIEW");
	} else {
		token_make(&secret, list_id, out->id, out->token);
	}
	message_id_make(&secret, 0, out->id, address_domain(list->from_address), out->message_id);
	explicit_bzero(&secret, sizeof(secret));
}

static bool choose(struct cli *cli, const struct args *a, const struct config_list *list,
	int64_t list_id, struct post_list *posts, struct error *e)
{
	struct schedule_send what = {.list = list->name, .edition = -1};
	struct error why = {0};
	int64_t last = 0;

	if (!args_number(a, "last", 1, 1000, 0, &last, e))
		return false;
	what.last = (int)last;
	if (list_id != 0 &&
		schedule_choose_posts(cli->store, list, list_id, &what, clock_now(), posts, &why))
		return true;
	if (list_id != 0 && (last > 0 || why.code != ERROR_NOT_FOUND)) {
		*e = why;
		return false;
	}
	size_t n = list->max_posts > 0 && list->max_posts < 5 ? (size_t)list->max_posts : 5;
	if (list_id != 0 && !store_post_last(cli->store, list_id, n, clock_now(), posts, e))
		return false;
	if (posts->n == 0)
		return error_set(e, ERROR_NOT_FOUND,
			"%s: no post is known yet (`hubmailctl sources` shows what is watched)",
			list->name);
	report_note(cli->report, "nothing is pending: this is made of the newest %zu post%s",
		posts->n, posts->n == 1 ? "" : "s");
	return true;
}

/* ---- What is printed ---- */

static void render(const struct compose_plan *plan, const struct compose_reader *who,
	const char *form, struct buf *out)
{
	if (strcmp(form, "eml") == 0) {
		compose_render_flat(plan, who, out);
		return;
	}
	char *part = compose_render_part(plan, who, strcmp(form, "html") == 0);
	buf_adds(out, part);
	free(part);
}

static json_t *as_json(const struct compose_plan *plan, const struct compose_reader *who)
{
	static const char *const forms[] = {"text", "html", "eml"};
	json_t *o =
		json_pack("{s:s, s:s}", "subject", compose_plan_subject(plan), "to", who->email);

	for (size_t i = 0; i < 3; i++) {
		struct buf out = {0};
		render(plan, who, forms[i], &out);
		json_object_set_new(o, forms[i], json_string(buf_str(&out)));
		buf_free(&out);
	}
	return o;
}

static bool put_out(struct cli *cli, const struct args *a, const struct compose_plan *plan,
	const struct reader *reader, struct error *e)
{
	const char *file = args_value(a, "output");
	const char *form = args_has(a, "html") ? "html" : args_has(a, "eml") ? "eml" : "text";
	struct compose_reader who = {
		reader->email, reader->name, reader->token, reader->message_id};
	struct buf out = {0};
	bool done = true;

	if (report_style(cli->report) == REPORT_JSON && file == NULL) {
		report_json(cli->report, as_json(plan, &who));
		return true;
	}
	if (strcmp(form, "text") == 0 && report_style(cli->report) == REPORT_TERMINAL &&
		file == NULL) {
		report_say(cli->report, "Subject: %s", compose_plan_subject(plan));
		report_say(cli->report, "%s", "");
	}
	render(plan, &who, form, &out);
	if (out.len > 0 && out.data[out.len - 1] != '\n')
		buf_addc(&out, '\n');
	if (file != NULL) {
		done = file_write(file, buf_str(&out), out.len, 0600, e);
		if (done)
			report_say(cli->report, "%s: written", file);
	} else {
		report_raw(cli->report, buf_str(&out), out.len);
	}
	buf_free(&out);
	return done;
}

static bool preview(struct cli *cli, const struct args *a, const struct config_list *list,
	int64_t list_id, struct error *e)
{
	struct post_list posts = {0};
	struct reader reader = {0};
	struct compose_plan *plan = NULL;
	bool done = choose(cli, a, list, list_id, &posts, e) && find_reader(cli, a, &reader, e);

	if (done) {
		plan = schedule_compose(cli->config, list, &posts, clock_now(), e);
		done = plan != NULL;
	}
	if (done) {
		make_links(cli, list, list_id, &reader);
		done = put_out(cli, a, plan, &reader, e);
	}
	compose_plan_free(plan);
	post_list_free(&posts);
	free(reader.name);
	return done;
}

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	int64_t list_id = 0;

	if (args_has(a, "html") + args_has(a, "text") + args_has(a, "eml") > 1)
		return error_set(
			e, ERROR_USAGE, "preview: --text, --html and --eml exclude each other");
	if (!cli_store(cli, STORE_READ, e))
		return false;
	const struct config_list *list = cli_list(cli, a->words[0], e);
	return list != NULL && cli_list_id(cli, list->name, &list_id, e) &&
	       preview(cli, a, list, list_id, e);
}

const struct command command_preview = {
	.name = "preview",
	.group = GROUP_DIGESTS,
	.arguments = "LIST",
	.min_words = 1,
	.max_words = 1,
	.complete = COMPLETE_LIST,
	.summary = "shows the mail as a reader would get it",
	.help = "It has the posts that are pending; if none are, the newest.",
	.options = options,
	.run = run,
};
