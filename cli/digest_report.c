/* The sentences about a digest that the daemon holds back and about deliveries that are held: what
 * happened, and what a person does about it. */
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

void digest_report_trouble(struct report *r, const struct store_digest *d)
{
	if (is_held_back(d)) {
		char *state = digest_report_state(d);
		report_say(r, "  digest %lld: %s", (long long)d->id, state);
		free(state);
	}
	if (d->held > 0)
		report_say(r,
			"  digest %lld: %lld held: whether the relay took them is not known "
			"(`hubmailctl queue --digest %lld --state held`)",
			(long long)d->id, (long long)d->held, (long long)d->id);
}

void digest_report_held(struct report *r)
{
	report_say(r,
		"held: the relay's answer was lost, so the reader may or may not have the mail.");
	report_say(r,
		"`hubmailctl retry DIGEST` sends it, perhaps for the second time; else it stays "
		"as it is.");
}
