/* `cancel`: ends a digest; who has not got it will not. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include "digest_change.h"
#include "hubmail/base_clock.h"
#include "hubmail/store_digest.h"

#define STEP 1000 /* deliveries in one transaction */

static bool change(struct store *s, int64_t id, bool *more, struct error *e)
{
	return store_digest_cancel(s, id, STEP, clock_now(), more, e);
}

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	return digest_change(cli, a->words[0], "cancelled", change, e);
}

const struct command command_cancel = {
	.name = "cancel",
	.group = GROUP_DIGESTS,
	.arguments = "ID|LIST",
	.min_words = 1,
	.max_words = 1,
	.complete = COMPLETE_LIST,
	.summary = "ends a digest for those who have not got it yet",
	.help = "That cannot be undone; `pause` can. With a LIST, all its digests that have not ended.",
	.bears_errors = true,
	.run = run,
};
