/* Time: the two clocks, the calendar, and the texts in which feeds and mail write dates. The
 * calendar is computed here and not by libc, which knows only the process's own time zone and
 * locale. */
#include "hubmail/base_clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define DAY INT64_C(86400)

static const char month_names[12][4] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char day_names[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

int64_t clock_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec;
}

int64_t clock_mono_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}

/* Counts in years that begin in March, so that the leap day comes last, and in eras of 400 years,
 * which all have the same length. */
int64_t clock_days(int year, int month, int day)
{
	int64_t y = (int64_t)year - (month <= 2 ? 1 : 0);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t month_of_year = (month + 9) % 12;
	int64_t day_of_year = (153 * month_of_year + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

static void put(int *where, int64_t value)
{
	if (where != NULL)
		*where = (int)value;
}

void clock_civil(int64_t at, int *year, int *month, int *day, int *hour, int *minute, int *second,
	int *weekday)
{
	int64_t days = at / DAY - (at % DAY < 0 ? 1 : 0);
	int64_t in_day = at - days * DAY;
	int64_t shifted = days + 719468;
	int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	int64_t day_of_era = shifted - era * 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month_of_year = (5 * day_of_year + 2) / 153;
	int64_t civil_month = month_of_year < 10 ? month_of_year + 3 : month_of_year - 9;

	put(year, year_of_era + era * 400 + (civil_month <= 2 ? 1 : 0));
	put(month, civil_month);
	put(day, day_of_year - (153 * month_of_year + 2) / 5 + 1);
	put(hour, in_day / 3600);
	put(minute, in_day / 60 % 60);
	put(second, in_day % 60);
	put(weekday, ((days + 4) % 7 + 7) % 7);
}

void clock_rfc5322(int64_t at, char out[40])
{
	int y, mo, d, h, mi, s, wd;
	clock_civil(at, &y, &mo, &d, &h, &mi, &s, &wd);
	snprintf(out, 40, "%s, %02d %s %04d %02d:%02d:%02d +0000", day_names[wd], d,
		month_names[mo - 1], y, h, mi, s);
}

void clock_rfc3339(int64_t at, char out[32])
{
	int y, mo, d, h, mi, s;
	clock_civil(at, &y, &mo, &d, &h, &mi, &s, NULL);
	snprintf(out, 32, "%04d-%02d-%02dT%02d:%02d:%02dZ", y, mo, d, h, mi, s);
}

bool clock_parse_duration(const char *s, int64_t *seconds)
{
	static const char units[] = "smhdw";
	static const int64_t factors[] = {1, 60, 3600, DAY, 7 * DAY};
	int64_t value = 0;
	size_t n = strspn(s, "0123456789");
	if (n == 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (value > (INT64_MAX - 9) / 10)
			return false;
		value = value * 10 + (s[i] - '0');
	}
	int64_t factor = 1;
	if (s[n] != '\0') {
		const char *unit = strchr(units, s[n]);
		if (unit == NULL || s[n + 1] != '\0')
			return false;
		factor = factors[unit - units];
	}
	if (value > INT64_MAX / factor)
		return false;
	*seconds = value * factor;
	return true;
}

void clock_duration_text(int64_t seconds, char out[32])
{
	int64_t s = seconds > 0 ? seconds : 0;
	/* The limits are where rounding reaches one of the next unit: nothing reads "60 min". */
	if (s < 60)
		snprintf(out, 32, "%d s", (int)s);
	else if (s < 3600 - 30)
		snprintf(out, 32, "%d min", (int)((s + 30) / 60));
	else if (s < DAY - 1800)
		snprintf(out, 32, "%d h", (int)((s + 1800) / 3600));
	else
		snprintf(out, 32, "%" PRId64 " d", s / DAY + (s % DAY >= DAY / 2 ? 1 : 0));
}
