/* Reads the dates that feeds, front matter and mail contain: RFC 3339 and its looser ISO 8601
 * relatives, and RFC 5322 with what is obsolete in it. A date that is wrong is refused as a whole,
 * so that a typing error never becomes another day. */
#include "hubmail/base_clock.h"

#include <string.h>
#include <strings.h>

struct moment {
	int year, month, day, hour, minute, second;
	int offset; /* minutes east of UTC */
};

static const char months[12][4] = {
	"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};

static bool parse_offset(const char **s, int *minutes);
static bool parse_time_of_day(const char **s, struct moment *m);
static bool moment_to_unix(const struct moment *m, int64_t *at);

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_space(const char **s)
{
	while (is_space(**s))
		(*s)++;
}

/* Takes between min and max digits, and no digit may follow. Returns their number, or 0. */
static int take_number(const char **s, int min, int max, int *out)
{
	int n = 0;
	int value = 0;
	while (n < max && is_digit((*s)[n])) {
		value = value * 10 + ((*s)[n] - '0');
		n++;
	}
	if (n < min || is_digit((*s)[n]))
		return 0;
	*s += n;
	*out = value;
	return n;
}

static bool take(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

bool clock_parse_iso(const char *s, int64_t *at)
{
	struct moment m = {0};
	skip_space(&s);
	if (take_number(&s, 4, 4, &m.year) == 0 || !take(&s, '-') ||
		take_number(&s, 2, 2, &m.month) == 0 || !take(&s, '-') ||
		take_number(&s, 2, 2, &m.day) == 0)
		return false;
	if ((*s == 'T' || *s == 't' || *s == ' ') && is_digit(s[1])) {
		s++;
		if (!parse_time_of_day(&s, &m))
			return false;
		skip_space(&s);
		if ((*s == '+' || *s == '-') && !parse_offset(&s, &m.offset))
			return false;
		if (*s == 'Z' || *s == 'z')
			s++;
	}
	skip_space(&s);
	return *s == '\0' && moment_to_unix(&m, at);
}

/* HH:MM, HH:MM:SS or HH:MM:SS.fraction. */
static bool parse_time_of_day(const char **s, struct moment *m)
{
	if (take_number(s, 2, 2, &m->hour) == 0 || !take(s, ':') ||
		take_number(s, 2, 2, &m->minute) == 0)
		return false;
	if (!take(s, ':'))
		return true;
	if (take_number(s, 2, 2, &m->second) == 0)
		return false;
	if ((**s == '.' || **s == ',') && is_digit((*s)[1])) {
		(*s)++;
		while (is_digit(**s))
			(*s)++;
	}
	return true;
}

/* +HHMM, +HH:MM or +HH. */
static bool parse_offset(const char **s, int *minutes)
{
	int sign = **s == '-' ? -1 : 1;
	int hour = 0;
	int minute = 0;
	(*s)++;
	size_t digits = strspn(*s, "0123456789");
	if (digits == 4) {
		int both = 0;
		take_number(s, 4, 4, &both);
		hour = both / 100;
		minute = both % 100;
	} else if (digits == 2) {
		take_number(s, 2, 2, &hour);
		if (take(s, ':') && take_number(s, 2, 2, &minute) == 0)
			return false;
	} else {
		return false;
	}
	*minutes = sign * (hour * 60 + minute);
	return hour < 24 && minute < 60;
}

static int days_in_month(int year, int month)
{
	static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return month == 2 && leap ? 29 : days[month - 1];
}

/* A leap second counts as the first second of the next minute. */
static bool moment_to_unix(const struct moment *m, int64_t *at)
{
	if (m->month < 1 || m->month > 12 || m->day < 1 ||
		m->day > days_in_month(m->year, m->month) || m->hour > 23 || m->minute > 59 ||
		m->second > 60)
		return false;
	int64_t minutes = (int64_t)m->hour * 60 + m->minute - m->offset;
	*at = clock_days(m->year, m->month, m->day) * 86400 + minutes * 60 + m->second;
	return true;
}

/* White space and comments, which may be nested (RFC 5322, 3.2.2). */
static void skip_comments(const char **s)
{
	int depth = 0;
	while (**s != '\0' && (depth > 0 || is_space(**s) || **s == '(')) {
		if (**s == '(')
			depth++;
		else if (**s == ')')
			depth--;
		else if (**s == '\\' && (*s)[1] != '\0')
			(*s)++;
		(*s)++;
	}
}

static size_t word_length(const char *s)
{
	size_t n = 0;
	while (is_letter(s[n]))
		n++;
	return n;
}

/* "Nov", and also "November" or "Sept", as hand-written feeds have it. */
static bool take_month(const char **s, int *month)
{
	size_t n = word_length(*s);
	if (n < 3)
		return false;
	for (int i = 0; i < 12; i++) {
		if (strncasecmp(*s, months[i], 3) == 0) {
			*month = i + 1;
			*s += n;
			return true;
		}
	}
	return false;
}

/* Two and three digits: RFC 5322, 4.3. */
static bool take_year(const char **s, int *year)
{
	int digits = take_number(s, 2, 4, year);
	if (digits == 2)
		*year += *year < 50 ? 2000 : 1900;
	else if (digits == 3)
		*year += 1900;
	return digits > 0;
}

/* RFC 5322, 4.3: names outside this table, the military letters among them, tell nothing and count
 * as UTC. */
static int zone_offset(const char *name, size_t len)
{
	static const struct {
		char name[4];
		int hours;
	} zones[] = {{"EST", -5}, {"EDT", -4}, {"CST", -6}, {"CDT", -5}, {"MST", -7}, {"MDT", -6},
		{"PST", -8}, {"PDT", -7}};
	for (size_t i = 0; len == 3 && i < sizeof(zones) / sizeof(zones[0]); i++) {
		if (strncasecmp(name, zones[i].name, 3) == 0)
			return zones[i].hours * 60;
	}
	return 0;
}

static bool take_zone(const char **s, int *minutes)
{
	if (**s == '+' || **s == '-')
		return parse_offset(s, minutes);
	size_t n = word_length(*s);
	*minutes = zone_offset(*s, n);
	*s += n;
	return true;
}

/* "14:26" or "14:26:24"; the single digit in "8:05" stands in old mail. */
static bool take_old_time(const char **s, struct moment *m)
{
	return take_number(s, 1, 2, &m->hour) > 0 && take(s, ':') &&
	       take_number(s, 2, 2, &m->minute) > 0 &&
	       (!take(s, ':') || take_number(s, 2, 2, &m->second) > 0);
}

/* "Tue," or "Tuesday" or nothing. What it says is not compared with the date: feeds are often wrong
 * there. */
static bool skip_day_name(const char **s)
{
	size_t n = word_length(*s);
	*s += n;
	skip_comments(s);
	if (n > 0)
		take(s, ',');
	skip_comments(s);
	return n == 0 || n >= 3;
}

bool clock_parse_rfc5322(const char *s, int64_t *at)
{
	struct moment m = {0};
	skip_comments(&s);
	if (!skip_day_name(&s) || take_number(&s, 1, 2, &m.day) == 0)
		return false;
	skip_comments(&s);
	if (!take_month(&s, &m.month))
		return false;
	skip_comments(&s);
	if (!take_year(&s, &m.year))
		return false;
	skip_comments(&s);
	if (*s != '\0') {
		if (!take_old_time(&s, &m))
			return false;
		skip_comments(&s);
		if (!take_zone(&s, &m.offset))
			return false;
		skip_comments(&s);
	}
	return *s == '\0' && moment_to_unix(&m, at);
}
