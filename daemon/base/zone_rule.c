/* The rule by which clocks change after the last transition that a zone's file lists, for example
 * "CET-1CEST,M3.5.0,M10.5.0/3": two names, their offsets (positive west of Greenwich, as POSIX has
 * it) and the two days of the year. */
#include "zone.h"

#include "hubmail/base_clock.h"

#define DAY INT64_C(86400)
#define HOURS_MAX                                                                                  \
	167 /* RFC 8536, 3.3.1: a change may lie days away from the day it is named by             \
	     */

struct text {
	const char *at, *end;
};

static bool take(struct text *t, char c)
{
	if (t->at == t->end || *t->at != c)
		return false;
	t->at++;
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool take_number(struct text *t, int min, int max, int *out)
{
	int value = 0;

	if (t->at == t->end || !is_digit(*t->at))
		return false;
	for (; t->at < t->end && is_digit(*t->at); t->at++) {
		value = value * 10 + (*t->at - '0');
		if (value > max)
			return false;
	}
	*out = value;
	return value >= min;
}

/* A name is only passed over: "CET" or "<+0330>". */
static bool take_name(struct text *t)
{
	const char *from = t->at;

	if (take(t, '<')) {
		while (t->at < t->end &&
			(is_letter(*t->at) || is_digit(*t->at) || *t->at == '+' || *t->at == '-'))
			t->at++;
		return t->at > from + 1 && take(t, '>');
	}
	while (t->at < t->end && is_letter(*t->at))
		t->at++;
	return t->at - from >= 3;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool take_time(struct text *t, int max_hours, int *out)
{
	int hours = 0, minutes = 0, seconds = 0;
	bool minus = take(t, '-');

	if (!minus)
		take(t, '+');
	if (!take_number(t, 0, max_hours, &hours))
		return false;
	if (take(t, ':') && (!take_number(t, 0, 59, &minutes) ||
				    (take(t, ':') && !take_number(t, 0, 59, &seconds))))
		return false;
	*out = (hours * 60 + minutes) * 60 + seconds;
	if (minus)
		*out = -*out;
	return true;
}

static bool take_offset(struct text *t, int *out)
{
	int west = 0;

	if (!take_time(t, 24, &west))
		return false;
	*out = -west;
	return true;
}

static bool take_day(struct text *t, struct zone_rule_date *d)
{
	if (take(t, 'M')) {
		d->kind = ZONE_MONTH_WEEK_DAY;
		return take_number(t, 1, 12, &d->month) && take(t, '.') &&
		       take_number(t, 1, 5, &d->week) && take(t, '.') &&
		       take_number(t, 0, 6, &d->day);
	}
	if (take(t, 'J')) {
		d->kind = ZONE_DAY_WITHOUT_LEAP;
		return take_number(t, 1, 365, &d->day);
	}
	d->kind = ZONE_DAY;
	return take_number(t, 0, 365, &d->day);
}

static bool take_date(struct text *t, struct zone_rule_date *d)
{
	d->time = 2 * 3600;
	return take(t, ',') && take_day(t, d) &&
	       (!take(t, '/') || take_time(t, HOURS_MAX, &d->time));
}

bool zone_rule_parse(const char *text, size_t len, struct zone_rule *out)
{
	struct text t = {text, text + len};

	*out = (struct zone_rule){0};
	if (!take_name(&t) || !take_offset(&t, &out->standard))
		return false;
	if (t.at == t.end)
		return true;
	out->has_summer = true;
	if (!take_name(&t))
		return false;
	out->summer = out->standard + 3600;
	if (t.at < t.end && *t.at != ',' && !take_offset(&t, &out->summer))
		return false;
	return take_date(&t, &out->summer_from) && take_date(&t, &out->summer_to) && t.at == t.end;
}

static bool is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t month_week_day(const struct zone_rule_date *d, int year)
{
	int64_t first = clock_days(year, d->month, 1);
	int64_t after =
		d->month == 12 ? clock_days(year + 1, 1, 1) : clock_days(year, d->month + 1, 1);
	int weekday = (int)(((first + 4) % 7 + 7) % 7); /* the epoch was a Thursday */
	int64_t day = first + (d->day - weekday + 7) % 7 + (int64_t)(d->week - 1) * 7;

	return day < after ? day : day - 7;
}

/* The change in local time, as if the clocks did not change. */
static int64_t date_in_year(const struct zone_rule_date *d, int year)
{
	int64_t days = clock_days(year, 1, 1);

	if (d->kind == ZONE_MONTH_WEEK_DAY)
		days = month_week_day(d, year);
	else if (d->kind == ZONE_DAY)
		days += d->day;
	else
		days += d->day - (is_leap(year) && d->day >= 60 ? 0 : 1);
	return days * DAY + d->time;
}

/* The latest change at or before `at`, and the first after it. Where summer ends at the moment at
 * which it begins again (a zone that has it all year), the beginning counts. */
struct change {
	int64_t at;
	int offset;
	bool known;
};

static void consider(struct change *latest, int64_t *next, int64_t at, int64_t change, int offset)
{
	if (change > at) {
		if (change < *next)
			*next = change;
	} else if (!latest->known || change >= latest->at) {
		*latest = (struct change){change, offset, true};
	}
}

int zone_rule_offset(const struct zone_rule *r, int64_t at, int64_t *next)
{
	const int64_t far = INT64_C(1) << 40; /* some 35,000 years: past that nobody asks */
	struct change latest = {.offset = r->standard};
	int64_t following = INT64_MAX;
	int year = 0;

	at = at < -far ? -far : at;
	at = at > far ? far : at;
	if (r->has_summer) {
		clock_civil(at, &year, NULL, NULL, NULL, NULL, NULL, NULL);
		for (int y = year - 2; y <= year + 2; y++) {
			consider(&latest, &following, at,
				date_in_year(&r->summer_to, y) - r->summer, r->standard);
			consider(&latest, &following, at,
				date_in_year(&r->summer_from, y) - r->standard, r->summer);
		}
	}
	if (next != NULL)
		*next = following;
	return latest.offset;
}
