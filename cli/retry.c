/* `retry`: deferred and held deliveries are tried again now. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include "hubmail/base_clock.h"
#include "hubmail/store_delivery.h"
#include "hubmail/store_digest.h"
#include <stdlib.h>
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

/* How many deliveries are held: of that digest, or of all with 0. */
static bool count_held(struct cli *cli, int64_t id, int64_t *held, struct error *e)
{
	struct store_digest *all = NULL;
	size_t n = 0;

	if (id != 0) {
		struct store_digest d;
		if (!store_digest_get(cli->store, id, &d, e))
			return false;
		*held = d.held;
		store_digest_free(&d);
		return true;
	}
	if (!store_digest_list(cli->store, 0, 0, &all, &n, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (all[i].state != DIGEST_CANCELLED)
			*held += all[i].held;
		store_digest_free(&all[i]);
	}
	free(all);
	return true;
}

static void tell(struct report *r, int64_t n, int64_t held)
{
	if (n == 0)
		report_say(r, "nothing is deferred or held");
	else
		report_say(r, "%lld deliver%s tried again now", (long long)n,
			n == 1 ? "y is" : "ies are");
	if (held > 0)
		report_say(r,
			"%lld of them %s held: whoever had that mail all the same gets it twice",
			(long long)held, held == 1 ? "was" : "were");
	if (report_style(r) != REPORT_TERMINAL) {
		report_field(r, "due", "", cell_number(n));
		report_field(r, "held", "", cell_number(held));
	}
}

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	int64_t id = 0, n = 0, held = 0;

	if ((a->n_words > 0 && !cli_id(a->words[0], "the number of a digest", &id, e)) ||
		!cli_store(cli, STORE_WRITE, e) || !count_held(cli, id, &held, e) ||
		!make_due(cli, id, &n, e))
		return false;
	cli_tell(cli, "retry");
	tell(cli->report, n, held > n ? n : held);
	return true;
}

const struct command command_retry = {
	.name = "retry",
	.group = GROUP_DIGESTS,
	.arguments = "[ID]",
	.max_words = 1,
	.summary = "tries deferred and held deliveries again now",
	.help = "Those of one digest, or of all. A digest that is paused sends them once it is resumed;\n"
		"one that ended with something held goes on.",
	.bears_errors = true,
	.run = run,
};
