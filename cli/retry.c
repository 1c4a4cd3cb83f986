/* `retry`: deferred and held deliveries are tried again now. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include "hubmail/base_clock.h"
#include "hubmail/store_delivery.h"
#include "hubmail/store_digest.h"
#include <unistd.h>

#define STEP 1000     /* deliveries in one transaction */
#define PAUSE_US 2000 /* after each: the daemon's writer gets its turn */

static bool make_due(struct cli *cli, int64_t id, int64_t *all, struct error *e)
{
	int n = STEP;

	/* Each step takes those that are not due yet. */
	while (n == STEP) {
		if (!store_begin(cli->store, e))
			return false;
		if (!store_delivery_retry(cli->store, id, STEP, clock_now(), &n, e) ||
			!store_commit(cli->store, e)) {
			store_rollback(cli->store);
			return false;
		}
		*all += n;
		usleep(PAUSE_US);
	}
	return true;
}

static bool is_digest(struct cli *cli, int64_t id, struct error *e)
{
	struct store_digest d;

	if (id == 0)
		return true;
	if (!store_digest_get(cli->store, id, &d, e))
		return false;
	store_digest_free(&d);
	return true;
}

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	int64_t id = 0, n = 0;

	if ((a->n_words > 0 && !cli_id(a->words[0], "the number of a digest", &id, e)) ||
		!cli_store(cli, STORE_WRITE, e) || !is_digest(cli, id, e) ||
		!make_due(cli, id, &n, e))
		return false;
	cli_wake(cli);
	if (n == 0)
		report_say(cli->report, "nothing is deferred or held");
	else
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
