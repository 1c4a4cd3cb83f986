/* `pause`: holds a digest back. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include "digest_change.h"
#include "hubmail/store_digest.h"

static bool change(struct store *s, int64_t id, bool *more, struct error *e)
{
	*more = false;
	return store_digest_pause(s, id, e);
}

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	return digest_change(cli, a->words[0], "paused", change, e);
}

const struct command command_pause = {
	.name = "pause",
	.group = GROUP_DIGESTS,
	.arguments = "ID|LIST",
	.min_words = 1,
	.max_words = 1,
	.complete = COMPLETE_LIST,
	.summary = "holds a digest back",
	.help = "What is on the wire ends, nothing more is given out until it is resumed. With a LIST,\n"
		"all its digests that have not ended.",
	.bears_errors = true,
	.run = run,
};
