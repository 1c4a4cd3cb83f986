/* `erase`: takes people out of the database, with everything that names them. It cannot be undone,
 * so whoever types it is asked first, and a script has to say that it means it. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include "hubmail/base_clock.h"
#include "hubmail/base_mem.h"
#include "hubmail/store_subscriber.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct option_spec options[] = {
	{.name = "yes", .letter = 'y', .help = "do not ask"},
	{0},
};

static const struct column columns[] = {
	{"email", "EMAIL", 0},
	{"deliveries", "DELIVERIES", COLUMN_RIGHT},
};
static const struct table results = {TABLE_COLUMNS(columns)};

/* ---- Asking ---- */

static bool is_yes(const char *answer)
{
	return strcmp(answer, "y\n") == 0 || strcmp(answer, "Y\n") == 0 ||
	       strcmp(answer, "yes\n") == 0;
}

static void ask(const struct args *a)
{
	struct buf text = {0};

	buf_adds(&text, "Erase everything that is known of");
	for (int i = 0; i < a->n_words; i++) {
		buf_adds(&text, i == 0 ? " " : ", ");
		text_visible(&text, a->words[i]);
	}
	fprintf(stderr, "%s? This cannot be undone. [y/N] ", buf_str(&text));
	buf_free(&text);
}

static bool can_ask(struct error *e)
{
	return (isatty(STDIN_FILENO) && isatty(STDERR_FILENO)) ||
	       error_set(e, ERROR_USAGE,
		       "erase: this cannot be undone, and there is no terminal to ask on: add --yes");
}

static bool confirmed(const struct args *a, struct error *e)
{
	char *answer = NULL;
	size_t size = 0;

	ask(a);
	bool yes = getline(&answer, &size, stdin) > 0 && is_yes(answer);
	free(answer);
	return yes || error_set(e, ERROR_REFUSED, "nobody was erased");
}

/* ---- Erasing ---- */

struct work {
	int64_t subscriber_id;
	struct store_erasure last; /* step */
	int64_t deliveries;
	bool any;
};

static bool step(struct store *s, void *arg, bool *more, struct error *e)
{
	struct work *w = arg;

	if (!store_subscriber_erase(s, w->subscriber_id, w->last.upto, clock_now(), &w->last, e))
		return false;
	w->deliveries += w->last.deliveries;
	*more = !w->last.done;
	return true;
}

static bool erase_one(struct cli *cli, const char *email, void *arg, struct error *e)
{
	struct work *w = arg;
	struct store_subscriber sub;
	struct buf sentence = {0};

	if (!store_subscriber_get(cli->store, email, &sub, e))
		return false;
	*w = (struct work){.subscriber_id = sub.id, .any = w->any};
	store_subscriber_free(&sub);
	if (!cli_in_steps(cli, step, w, e))
		return error_prefix(
			e, "%s: not all is erased yet, it is safe to erase again", email);
	w->any = true;
	buf_addf(&sentence, "%s: erased, with %lld deliver%s", email, (long long)w->deliveries,
		w->deliveries == 1 ? "y" : "ies");
	REPORT_ROW_SAID(
		cli->report, buf_str(&sentence), cell_text(email), cell_number(w->deliveries));
	buf_free(&sentence);
	return true;
}

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	struct work w = {0};
	bool asks = !args_has(a, "yes");

	if ((asks && !can_ask(e)) || !cli_store(cli, STORE_WRITE, e) || !cli_secret(cli, e) ||
		(asks && !confirmed(a, e)))
		return false;
	report_table(cli->report, &results);
	cli_each_address(cli, a, erase_one, &w);
	if (w.any && !store_empty_log(cli->store))
		report_note(cli->report,
			"%s-wal is in use and still has what was erased, until it is written over",
			cli->config->database);
	return true;
}

const struct command command_erase = {
	.name = "erase",
	.group = GROUP_READERS,
	.arguments = "EMAIL...",
	.min_words = 1,
	.max_words = -1,
	.summary = "erases people, with everything that is known of them",
	.help = "That is name, tags and the rest, the subscriptions, and every delivery with what the\n"
		"relay said. The counts of digests stay; what was still queued counts there as\n"
		"cancelled. If the address is suppressed, it stays so; if not, nothing is left that would\n"
		"keep an old file from bringing it back: suppress it first. Backups, the copies made at\n"
		"an upgrade (DATABASE.v1.bak), exported files and the log of hubmaild are left alone.",
	.options = options,
	.run = run,
};
