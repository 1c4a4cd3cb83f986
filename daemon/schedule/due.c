/* When editions fall due. The calendar runs in the list's time zone, day by day; clocks that change
 * are the zone's business. */
#include "due.h"

#include "hubmail/base_clock.h"
#include "hubmail/schedule.h"

#define DAY INT64_C(86400)
#define LONGEST_GAP_DAYS INT64_C(32) /* between two due times of any edition */
#define DEFAULT_AT (8 * 60)
#define MONDAY 1

struct config_schedule schedule_of_edition(const struct config_list *list, enum edition edition)
{
	const struct config_schedule *own = &list->schedule;
	struct config_schedule when = {
		.edition = edition, .at = DEFAULT_AT, .weekday = MONDAY, .monthday = 1};

	if (own->edition == edition)
		return *own;
	if (own->edition == EDITION_DAILY || own->edition == EDITION_WEEKLY ||
		own->edition == EDITION_MONTHLY)
		when.at = own->at;
	return when;
}

int64_t schedule_next_due(const struct config_schedule *when, const char *zone_name, int64_t after)
{
	struct zone *z = zone_load(zone_name, NULL);
	int64_t at = z != NULL ? due_next(when, z, after) : 0;

	zone_free(z);
	return at;
}

static int days_in_month(int year, int month)
{
	int next_year = month == 12 ? year + 1 : year, next_month = month == 12 ? 1 : month + 1;

	return (int)(clock_days(next_year, next_month, 1) - clock_days(year, month, 1));
}

/* Is there an edition on that day (counted since 1970)? */
static bool falls_on(const struct config_schedule *when, int64_t days)
{
	int year, month, day, weekday;

	clock_civil(days * DAY, &year, &month, &day, NULL, NULL, NULL, &weekday);
	switch (when->edition) {
	case EDITION_DAILY:
		return true;
	case EDITION_WEEKLY:
		return weekday == when->weekday;
	case EDITION_MONTHLY: {
		int last = days_in_month(year, month);
		return day == (when->monthday < last ? when->monthday : last);
	}
	default:
		return false;
	}
}

static int64_t moment_on(const struct config_schedule *when, const struct zone *z, int64_t days)
{
	int year, month, day;

	clock_civil(days * DAY, &year, &month, &day, NULL, NULL, NULL, NULL);
	return zone_to_utc(z, year, month, day, when->at);
}

int64_t due_next(const struct config_schedule *when, const struct zone *z, int64_t after)
{
	int64_t local = after + zone_offset(z, after);
	int64_t today = local / DAY - (local % DAY < 0 ? 1 : 0);

	/* Yesterday's may be still to come: where a change of clocks skips its time, it is the
	 * moment after the gap. */
	for (int64_t d = today - 1; d <= today + LONGEST_GAP_DAYS + 1; d++) {
		if (!falls_on(when, d))
			continue;
		int64_t at = moment_on(when, z, d);
		if (at > after)
			return at;
	}
	return 0;
}

/* What was handled, as far as it can be believed. */
static int64_t believed(
	const struct config_schedule *when, const struct zone *z, int64_t handled, int64_t now)
{
	return handled > due_next(when, z, now) ? now : handled;
}

int64_t due_now(
	const struct config_schedule *when, const struct zone *z, int64_t handled, int64_t now)
{
	int64_t long_ago = now - 2 * LONGEST_GAP_DAYS * DAY, due = 0;
	int64_t at = believed(when, z, handled, now);

	for (at = at > long_ago ? at : long_ago; (at = due_next(when, z, at)) != 0 && at <= now;)
		due = at;
	return due;
}

int64_t due_following(
	const struct config_schedule *when, const struct zone *z, int64_t handled, int64_t now)
{
	int64_t after = believed(when, z, handled, now);

	return due_next(when, z, after > now ? after : now);
}
