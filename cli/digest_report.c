/* The sentence about a digest that the daemon holds back: what the relay said, and what a person
 * does about it. */
#include "digest_report.h"

#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include <stdlib.h>

static bool is_held_back(const struct store_digest *d)
{
	return d->state == DIGEST_PAUSED && d->reason != NULL;
}

char *digest_report_state(const struct store_digest *d)
{
	if (!is_held_back(d))
		return xstrdup(digest_state_name(d->state));
	char *reason = text_one_line(d->reason);
	char *state = xasprintf(
		"paused: %s: mend it, then `hubmailctl resume %lld`", reason, (long long)d->id);
	free(reason);
	return state;
}

void digest_report_reason(struct report *r, const struct store_digest *d)
{
	if (!is_held_back(d))
		return;
	char *state = digest_report_state(d);
	report_say(r, "  digest %lld: %s", (long long)d->id, state);
	free(state);
}
