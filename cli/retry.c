/* `retry`: deferred and held deliveries are tried again now. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include "hubmail/base_clock.h"
#include "hubmail/store_delivery.h"
#include "hubmail/store_digest.h"
#include <stdlib.h>

#define STEP 1000 /* deliveries in one transaction */

struct work {
	int64_t digest_id; /* 0: of all */
	int64_t n;         /* made due by the steps that are committed, and by this one */
};

/* Each step takes those that are not due yet. */
static bool make_due(struct store *s, void *arg, bool *more, struct error *e)
{
	struct work *w = arg;
	int n = 0;

	if (!store_delivery_retry(s, w->digest_id, STEP, clock_now(), &n, e))
		return false;
	w->n += n;
	*more = n == STEP;
	return true;
}

/* What waits in that digest, or in all with 0. */
struct waiting {
	int64_t held, deferred;
};

static bool count_waiting(struct cli *cli, int64_t id, struct waiting *w, struct error *e)
{
	struct store_digest *all = NULL;
	size_t n = 0;

	if (id != 0) {
		struct store_digest d;
		if (!store_digest_get(cli->store, id, &d, e))
			return false;
		*w = (struct waiting){d.held, d.deferred};
		store_digest_free(&d);
		return true;
	}
	if (!store_digest_list(cli->store, 0, 0, &all, &n, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (all[i].state != DIGEST_CANCELLED) {
			w->held += all[i].held;
			w->deferred += all[i].deferred;
		}
		store_digest_free(&all[i]);
	}
	free(all);
	return true;
}

static void tell(struct report *r, int64_t n, const struct waiting *w)
{
	int64_t held = w->held > n ? n : w->held;

	if (n == 0 && w->deferred > 0)
		report_say(r,
			"%lld due already and not sent yet: `hubmailctl status` shows what holds them up",
			(long long)w->deferred);
	else if (n == 0)
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
	struct work w = {0};
	struct waiting waiting = {0};

	if ((a->n_words > 0 && !cli_id(a->words[0], "the number of a digest", &w.digest_id, e)) ||
		!cli_store(cli, STORE_WRITE, e) || !count_waiting(cli, w.digest_id, &waiting, e) ||
		!cli_in_steps(cli, make_due, &w, e))
		return false;
	cli_tell(cli, "retry");
	tell(cli->report, w.n, &waiting);
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
