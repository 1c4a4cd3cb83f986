/* `resume`: lets a paused digest go on. */
#include "args.h"
#include "cli.h"
#include "command.h"
#include "digest_change.h"
#include "hubmail/base_clock.h"
#include "hubmail/store_digest.h"

static bool change(struct store *s, int64_t id, bool *more, struct error *e)
{
	*more = false;
	return store_digest_resume(s, id, clock_now(), e);
}

static bool run(struct cli *cli, const struct args *a, struct error *e)
{
	return digest_change(cli, a->words[0], "goes on", change, e);
}

const struct command command_resume = {
	.name = "resume",
	.group = GROUP_DIGESTS,
	.arguments = "ID|LIST",
	.min_words = 1,
	.max_words = 1,
	.complete = COMPLETE_LIST,
	.summary = "lets a paused digest go on",
	.help = "With a LIST, all its digests that are paused.",
	.bears_errors = true,
	.run = run,
};
