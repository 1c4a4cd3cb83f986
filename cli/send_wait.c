/* `send --wait`: reads the digest's counters from the database now and then, and asks the daemon
 * from time to time whether it is still there. */
#include "send_wait.h"

#include "digest_report.h"
#include "hubmail/base_clock.h"
#include "hubmail/store_digest.h"
#include "progress.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_EVERY_US 150000
#define PIPE_LINE_MS 5000
#define ASK_EVERY_MS 5000

static bool ended(const struct store_digest *d)
{
	return d->state == DIGEST_DONE || d->state == DIGEST_CANCELLED;
}

static int64_t final(const struct store_digest *d)
{
	return d->sent + d->failed + d->cancelled + d->held;
}

static void show(struct progress *p, const struct store_digest *d, int64_t started_ms)
{
	int64_t all = d->audience > d->total ? d->audience : d->total, done = final(d);
	double seconds = (double)(clock_mono_ms() - started_ms) / 1000;
	double rate = seconds > 0 ? (double)done / seconds : 0;
	struct buf text = {0};

	text_count(&text, d->sent);
	buf_adds(&text, " of ");
	text_count(&text, all);
	buf_adds(&text, " sent");
	if (rate > 0 && d->state != DIGEST_PAUSED) {
		char left[32];
		clock_duration_text((int64_t)((double)(all - done) / rate), left);
		buf_addf(&text, ", %.0f/s, %s left", rate, left);
	}
	if (d->deferred > 0)
		buf_addf(&text, ", %lld deferred", (long long)d->deferred);
	if (d->failed > 0)
		buf_addf(&text, ", %lld failed", (long long)d->failed);
	if (d->state == DIGEST_PAUSED)
		buf_adds(&text, ", paused");
	progress_show(p, all > 0 ? (double)done / (double)all : 0, buf_str(&text));
	buf_free(&text);
}

/* Somebody has to do something, or this waits for ever: that is told each time it happens. */
static void tell_held_back(
	struct cli *cli, struct progress *p, const struct store_digest *d, bool *told)
{
	bool held_back = d->state == DIGEST_PAUSED && d->reason != NULL;

	if (held_back && !*told) {
		char *state = digest_report_state(d);
		progress_clear(p);
		report_note(cli->report, "digest %lld: %s", (long long)d->id, state);
		free(state);
	}
	*told = held_back;
}

/* What the daemon said last, and whether it has been passed on. */
struct watch {
	int64_t ask_at_ms;
	bool told_held_back;
	char told[300]; /* of the relays' trouble */
};

/* NULL as long as one relay can be used. */
static const char *relay_trouble(const json_t *status, const char **name)
{
	const json_t *relays = json_object_get(status, "relays"), *relay;
	const char *trouble = NULL;
	size_t i;

	json_array_foreach(relays, i, relay)
	{
		const char *error = json_string_value(json_object_get(relay, "error"));
		if (error == NULL)
			return NULL;
		if (trouble == NULL)
			*name = json_string_value(json_object_get(relay, "relay"));
		trouble = trouble != NULL ? trouble : error;
	}
	return trouble;
}

static void tell_relay_trouble(
	struct cli *cli, struct progress *p, struct watch *w, const json_t *status)
{
	const char *name = "";
	const char *trouble = relay_trouble(status, &name);

	if (trouble != NULL && strcmp(trouble, w->told) != 0) {
		progress_clear(p);
		report_note(cli->report, "relay %s: %s (it is tried again)", name, trouble);
	}
	snprintf(w->told, sizeof(w->told), "%s", trouble != NULL ? trouble : "");
}

static bool daemon_is_there(struct cli *cli, struct progress *p, struct watch *w, struct error *e)
{
	if (clock_mono_ms() < w->ask_at_ms)
		return true;
	w->ask_at_ms = clock_mono_ms() + ASK_EVERY_MS;
	json_t *answer = cli_ask(cli, json_pack("{s:s}", "command", "status"), e);
	tell_relay_trouble(cli, p, w, answer);
	json_decref(answer);
	if (answer != NULL || e->code != ERROR_UNAVAILABLE) {
		*e = (struct error){0};
		return true;
	}
	return error_set(e, ERROR_UNAVAILABLE,
		"the daemon has stopped; what is left stays queued and goes out when it runs again");
}

static bool summary(
	struct cli *cli, const struct store_digest *d, int64_t started_ms, struct error *e)
{
	struct report *r = cli->report;
	struct buf counts = {0};
	char took[32];

	clock_duration_text((clock_mono_ms() - started_ms + 500) / 1000, took);
	text_count(&counts, d->sent);
	report_say(r, "digest %lld (%s): %s sent, %lld failed, %lld cancelled, %lld held, in %s",
		(long long)d->id, d->subject, buf_str(&counts), (long long)d->failed,
		(long long)d->cancelled, (long long)d->held, took);
	buf_free(&counts);
	if (report_style(r) != REPORT_TERMINAL) {
		report_field(r, "digest", "", cell_number(d->id));
		report_field(r, "state", "", cell_text(digest_state_name(d->state)));
		report_field(r, "total", "", cell_number(d->total));
		report_field(r, "sent", "", cell_number(d->sent));
		report_field(r, "failed", "", cell_number(d->failed));
		report_field(r, "cancelled", "", cell_number(d->cancelled));
		report_field(r, "held", "", cell_number(d->held));
	}
	if (d->state == DIGEST_CANCELLED)
		return error_set(e, ERROR_REFUSED, "digest %lld was cancelled", (long long)d->id);
	if (d->failed + d->held > 0)
		return error_set(e, ERROR_REFUSED,
			"digest %lld: %lld of %lld readers did not get it (`hubmailctl queue --digest "
			"%lld --state failed` shows why)",
			(long long)d->id, (long long)d->failed + (long long)d->held,
			(long long)d->total, (long long)d->id);
	return true;
}

bool send_wait(struct cli *cli, int64_t digest_id, struct error *e)
{
	int64_t started_ms = clock_mono_ms();
	struct watch w = {.ask_at_ms = started_ms + ASK_EVERY_MS};
	struct store_digest d = {0};
	struct progress p;

	if (!cli_store(cli, STORE_READ, e))
		return false;
	progress_begin(&p, cli->report, PIPE_LINE_MS);
	bool there = true;
	while (there && store_digest_get(cli->store, digest_id, &d, e) && !ended(&d)) {
		tell_held_back(cli, &p, &d, &w.told_held_back);
		if (progress_due(&p))
			show(&p, &d, started_ms);
		store_digest_free(&d);
		usleep(LOOK_EVERY_US);
		there = daemon_is_there(cli, &p, &w, e);
	}
	progress_clear(&p);
	bool done = e->code == ERROR_NONE && summary(cli, &d, started_ms, e);
	store_digest_free(&d);
	return done;
}
