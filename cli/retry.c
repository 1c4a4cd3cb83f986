/* `retry`: deferred and held deliveries are tried again now. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include "hubmail/base_clock.h"
#include "hubmail/store_delivery.h"
#include "hubmail/store_digest.h"

static bool make_due(struct cli *cli, int64_t id, int64_t *n, struct error *e)
{
	struct store_digest d;

	/* Asked first, so that a wrong number is told as such. */
	if (id != 0 && !store_digest_get(cli->store, id, &d, e))
		return false;
	if (id != 0)
		store_digest_free(&d);
	if (!store_begin(cli->store, e))
		return false;
	if (store_delivery_retry(cli->store, id, clock_now(), n, e) && store_commit(cli->store, e))
		return true;
	store_rollback(cli->store);
	return false;
}

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	int64_t id = 0, n = 0;

	if ((a->n_words > 0 && !cli_id(a->words[0], "the number of a digest", &id, e)) ||
		!cli_store(cli, STORE_WRITE, e) || !make_due(cli, id, &n, e))
		return false;
	cli_wake(cli);
	report_say(cli->report, "%lld deliver%s tried again now", (long long)n,
		n == 1 ? "y is" : "ies are");
	if (report_style(cli->report) != REPORT_TERMINAL)
		report_field(cli->report, "due", "", cell_number(n));
	return true;
}

const struct command command_retry = {
	.name = "retry",
	.group = GROUP_DIGESTS,
	.arguments = "[ID]",
	.max_words = 1,
	.summary = "tries deferred and held deliveries again now",
	.help = "Those of one digest, or of all.",
	.run = run,
};
