/* Dates as feeds write them: the standard forms first, then whatever has a day, a month and a year
 * in it in one of the usual orders, in digits or words. What cannot be told is no date. */
#include "feed_date.h"

#include "hubmail/base_clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define LENGTH_MAX 100 /* bytes of anything that is a date */
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* 0 is: not said; so is -1 for the hour. */
struct reading {
	const char *at;
	int year, month, day;
	int hour, minute, second;
	bool afternoon, morning;
	int offset; /* minutes east of Greenwich */
};

struct number {
	int64_t value;
	size_t digits;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static struct number take_number(struct reading *r)
{
	struct number n = {0};
	for (; is_digit(*r->at); r->at++) {
		n.digits++;
		if (n.digits <= 14)
			n.value = n.value * 10 + (*r->at - '0');
	}
	return n;
}

static bool take(struct reading *r, const char *what)
{
	size_t n = strlen(what);
	if (strncmp(r->at, what, n) != 0)
		return false;
	r->at += n;
	return true;
}

/* Behind the hour: ":26", ":26:24", ":26:24.123". */
static bool take_time(struct reading *r, struct number hour)
{
	r->hour = (int)hour.value;
	r->at++;
	r->minute = (int)take_number(r).value;
	if (*r->at == ':' && is_digit(r->at[1])) {
		r->at++;
		r->second = (int)take_number(r).value;
	}
	if ((*r->at == '.' || *r->at == ',') && is_digit(r->at[1])) {
		r->at++;
		take_number(r);
	}
	return hour.digits <= 2;
}

/* 2026-11-24, 2026/11/24, 2026.11.24, 2026-11; the separator is at r->at. */
static void take_year_first(struct reading *r, struct number year)
{
	r->year = (int)year.value;
	r->at++;
	r->month = (int)take_number(r).value;
	if (strchr("-/.", *r->at) != NULL && is_digit(r->at[1])) {
		r->at++;
		r->day = (int)take_number(r).value;
	}
}

static int full_year(struct number n)
{
	if (n.digits > 2)
		return (int)n.value;
	return (int)n.value + (n.value < 70 ? 2000 : 1900);
}

/* 24.11.2026 is the day first; 11/24/2026 the month, unless there is no such month. */
static bool take_year_last(struct reading *r, struct number first)
{
	bool american = *r->at == '/' && first.value <= 12;
	r->at++;
	struct number second = take_number(r);
	if (strchr("-/.", *r->at) == NULL || !is_digit(r->at[1]))
		return false;
	r->at++;
	struct number year = take_number(r);
	if (american && second.value > 12) {
		r->month = (int)first.value;
		r->day = (int)second.value;
	} else {
		r->month = (int)(american ? first.value : second.value);
		r->day = (int)(american ? second.value : first.value);
	}
	r->year = full_year(year);
	return true;
}

/* 20261124, 20261124T142624, 20261124142624. */
static void take_compact(struct reading *r, struct number n)
{
	int64_t date = n.digits == 14 ? n.value / 1000000 : n.value;
	r->year = (int)(date / 10000);
	r->month = (int)(date / 100 % 100);
	r->day = (int)(date % 100);
	int64_t clock = n.value % 1000000;
	if (n.digits == 8) {
		if ((*r->at != 'T' && *r->at != ' ') || !is_digit(r->at[1]))
			return;
		r->at++;
		struct number time = take_number(r);
		clock = time.digits == 4 ? time.value * 100 : time.value;
	}
	r->hour = (int)(clock / 10000);
	r->minute = (int)(clock / 100 % 100);
	r->second = (int)(clock % 100);
}

/* "24." "24th" "2026年": what stands behind a number may say what it is. */
static bool take_number_alone(struct reading *r, struct number n)
{
	bool year = take(r, "\xE5\xB9\xB4") || take(r, "\xEB\x85\x84");
	bool month = take(r, "\xE6\x9C\x88") || take(r, "\xEC\x9B\x94");
	bool day = take(r, "\xE6\x97\xA5") || take(r, "\xEC\x9D\xBC");
	if (month)
		r->month = (int)n.value;
	else if (year || (!day && n.digits == 4 && r->year == 0))
		r->year = (int)n.value;
	else if (day || (n.digits <= 2 && r->day == 0))
		r->day = (int)n.value;
	else if (n.digits == 2 && r->year == 0)
		r->year = full_year(n);
	else if (n.digits <= 2 && r->hour < 0)
		r->hour = (int)n.value;
	else
		return false;
	return true;
}

static bool take_offset(struct reading *r)
{
	int sign = *r->at == '-' ? -1 : 1;
	r->at++;
	struct number n = take_number(r);
	int minutes = n.digits > 2 ? (int)(n.value / 100 * 60 + n.value % 100) : (int)n.value * 60;
	if (n.digits <= 2 && *r->at == ':' && is_digit(r->at[1])) {
		r->at++;
		minutes += (int)take_number(r).value;
	}
	r->offset = sign * minutes;
	return n.digits >= 1 && n.digits <= 4 && minutes <= 15 * 60;
}

static bool take_digits(struct reading *r)
{
	struct number n = take_number(r);
	bool joined = *r->at != '\0' && strchr("-/.", *r->at) != NULL && is_digit(r->at[1]);
	if (n.digits > 14)
		return false;
	if (*r->at == ':' && r->hour < 0 && is_digit(r->at[1]))
		return take_time(r, n);
	if (n.digits == 4 && joined && r->year == 0) {
		take_year_first(r, n);
		return true;
	}
	if (n.digits <= 2 && joined && r->year == 0)
		return take_year_last(r, n);
	if (n.digits == 8 || n.digits == 14) {
		take_compact(r, n);
		return true;
	}
	return take_number_alone(r, n);
}

/* By the first letters, in the languages whose blogs write dates in words. The longer ones come
 * first where shorter ones are part of them. */
static int month_of(const char *word, size_t len)
{
	static const struct {
		const char *start;
		int month;
	} months[] = {{"jan", 1}, {"ene", 1}, {"gen", 1}, {"feb", 2}, {"fev", 2}, {"f\xC3\xA9v", 2},
		{"mar", 3}, {"m\xC3\xA4r", 3}, {"mrz", 3}, {"maart", 3}, {"apr", 4}, {"avr", 4},
		{"abr", 4}, {"may", 5}, {"mai", 5}, {"mag", 5}, {"mei", 5}, {"maj", 5}, {"juil", 7},
		{"juin", 6}, {"jun", 6}, {"giu", 6}, {"jul", 7}, {"lug", 7}, {"aug", 8}, {"ago", 8},
		{"ao\xC3\xBB", 8}, {"aou", 8}, {"sep", 9}, {"set", 9}, {"oct", 10}, {"okt", 10},
		{"ott", 10}, {"out", 10}, {"nov", 11}, {"dec", 12}, {"dez", 12}, {"dic", 12},
		{"d\xC3\xA9"
		 "c",
			12},
		{"\xD1\x8F\xD0\xBD\xD0\xB2", 1}, {"\xD1\x84\xD0\xB5\xD0\xB2", 2},
		{"\xD0\xBC\xD0\xB0\xD1\x80", 3}, {"\xD0\xB0\xD0\xBF\xD1\x80", 4},
		{"\xD0\xBC\xD0\xB0", 5}, {"\xD0\xB8\xD1\x8E\xD0\xBD", 6},
		{"\xD0\xB8\xD1\x8E\xD0\xBB", 7}, {"\xD0\xB0\xD0\xB2\xD0\xB3", 8},
		{"\xD1\x81\xD0\xB5\xD0\xBD", 9}, {"\xD0\xBE\xD0\xBA\xD1\x82", 10},
		{"\xD0\xBD\xD0\xBE\xD1\x8F", 11}, {"\xD0\xB4\xD0\xB5\xD0\xBA", 12}};
	for (size_t i = 0; i < COUNT(months); i++) {
		size_t n = strlen(months[i].start);
		if (len >= n && strncasecmp(word, months[i].start, n) == 0)
			return months[i].month;
	}
	return 0;
}

/* Zones by their letters, in minutes; those that mean several things are taken as most feeds mean
 * them. */
static bool zone_of(const char *word, size_t len, int *offset)
{
	static const struct {
		char name[5];
		int minutes;
	} zones[] = {{"Z", 0}, {"UT", 0}, {"UTC", 0}, {"GMT", 0}, {"EST", -300}, {"EDT", -240},
		{"CST", -360}, {"CDT", -300}, {"MST", -420}, {"MDT", -360}, {"PST", -480},
		{"PDT", -420}, {"AKST", -540}, {"AKDT", -480}, {"HST", -600}, {"WET", 0},
		{"WEST", 60}, {"BST", 60}, {"CET", 60}, {"MEZ", 60}, {"CEST", 120}, {"MESZ", 120},
		{"EET", 120}, {"EEST", 180}, {"MSK", 180}, {"IST", 330}, {"HKT", 480}, {"SGT", 480},
		{"AWST", 480}, {"JST", 540}, {"KST", 540}, {"AEST", 600}, {"AEDT", 660},
		{"NZST", 720}, {"NZDT", 780}};
	for (size_t i = 0; i < COUNT(zones); i++) {
		if (strlen(zones[i].name) == len && strncasecmp(word, zones[i].name, len) == 0) {
			*offset = zones[i].minutes;
			return true;
		}
	}
	return false;
}

static bool is_one_of(const char *word, size_t len, const char *a, const char *b)
{
	return (strlen(a) == len && strncasecmp(word, a, len) == 0) ||
	       (strlen(b) == len && strncasecmp(word, b, len) == 0);
}

/* Of two words that may be months the last is one: "mar, 24 nov" began with a Tuesday. Words that
 * say nothing (days, "of", "um") are passed over. */
static void take_word(struct reading *r)
{
	const char *word = r->at;
	while (is_word_byte(*r->at))
		r->at++;
	size_t len = (size_t)(r->at - word);
	int month = month_of(word, len);
	if (is_one_of(word, len, "pm", "\xE4\xB8\x8B\xE5\x8D\x88") ||
		is_one_of(word, len, "p", "\xEC\x98\xA4\xED\x9B\x84"))
		r->afternoon = true;
	else if (is_one_of(word, len, "am", "\xE4\xB8\x8A\xE5\x8D\x88") ||
		 is_one_of(word, len, "a", "\xEC\x98\xA4\xEC\xA0\x84"))
		r->morning = true;
	else if (month > 0)
		r->month = month;
	else
		zone_of(word, len, &r->offset);
}

static void skip_comment(struct reading *r)
{
	const char *close = strchr(r->at, ')');
	r->at = close != NULL ? close + 1 : r->at + strlen(r->at);
}

static bool read_all(struct reading *r)
{
	while (*r->at != '\0') {
		bool sign = (*r->at == '+' || *r->at == '-') && is_digit(r->at[1]);
		if (is_digit(*r->at)) {
			if (!take_digits(r))
				return false;
		} else if (is_word_byte(*r->at)) {
			take_word(r);
		} else if (sign && r->hour >= 0) {
			if (!take_offset(r))
				return false;
		} else if (*r->at == '(') {
			skip_comment(r);
		} else {
			r->at++;
		}
	}
	return true;
}

static int days_in_month(int year, int month)
{
	static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return month == 2 && leap ? 29 : days[month - 1];
}

static int64_t to_unix(struct reading *r)
{
	if (r->hour < 0)
		r->hour = 0;
	if (r->afternoon && r->hour < 12)
		r->hour += 12;
	if (r->morning && r->hour == 12)
		r->hour = 0;
	if (r->day == 0)
		r->day = 1;
	if (r->year < 1970 || r->year > 9999 || r->month < 1 || r->month > 12 ||
		r->day > days_in_month(r->year, r->month) || r->hour > 24 || r->minute > 59 ||
		r->second > 60)
		return 0;
	int64_t minutes = (int64_t)r->hour * 60 + r->minute - r->offset;
	return clock_days(r->year, r->month, r->day) * 86400 + minutes * 60 + r->second;
}

/* Seconds or milliseconds since 1970, and nothing else. */
static int64_t from_count(const char *s)
{
	size_t digits = strspn(s, "0123456789");
	struct reading r = {.at = s};
	if ((digits != 10 && digits != 13) || s[digits] != '\0')
		return 0;
	int64_t value = take_number(&r).value;
	return digits == 13 ? value / 1000 : value;
}

int64_t feed_date(const char *s)
{
	int64_t at = 0;
	struct reading r = {.at = s, .hour = -1};
	if (s == NULL || strlen(s) > LENGTH_MAX)
		return 0;
	at = from_count(s);
	if (at == 0 && !clock_parse_iso(s, &at) && read_all(&r))
		at = to_unix(&r);
	return at > 0 ? at : 0;
}
