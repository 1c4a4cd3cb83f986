/* Time. Wall-clock times are Unix seconds in UTC (int64_t, 0 = none); pauses use the monotonic
 * clock. */
#ifndef HUBMAIL_BASE_CLOCK_H
#define HUBMAIL_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int64_t clock_now(void);     /* Unix seconds */
int64_t clock_mono_ms(void); /* milliseconds since some fixed moment */
int64_t clock_mono_us(void);

/* Days since 1970-01-01 of a proleptic Gregorian date; month 1..12, day 1..31 (may overflow into
 * the next). */
int64_t clock_days(int year, int month, int day);
/* Broken-down UTC of a Unix time. weekday: 0 = Sunday. Any pointer may be NULL. */
void clock_civil(int64_t at, int *year, int *month, int *day, int *hour, int *minute, int *second,
	int *weekday);

/* "Tue, 24 Nov 2026 14:26:24 +0000" (RFC 5322, 3.3), whatever the locale. out has room for 40. */
void clock_rfc5322(int64_t at, char out[40]);
/* "2026-11-24T14:26:24Z" (RFC 3339). out has room for 32. */
void clock_rfc3339(int64_t at, char out[32]);
/* Reads an RFC 3339 / ISO 8601 date or date and time ("2026-11-24", "2026-11-24T14:26+08:00",
 * "2026-11-24 14:26:24.5 +0800", "…Z"; without an offset it is UTC). False if it is not one. */
bool clock_parse_iso(const char *s, int64_t *at);
/* Reads an RFC 5322 / RFC 822 date, obsolete zones and two-digit years included. */
bool clock_parse_rfc5322(const char *s, int64_t *at);

/* Parses a duration: "90s", "5m", "2h", "1d", "1w", or a bare number of seconds. False if it is not
 * one or does not fit; a negative one is not one. */
bool clock_parse_duration(const char *s, int64_t *seconds);
/* "3 s", "5 min", "2 h", "4 d": the largest unit that says it, rounded. out has room for 32. */
void clock_duration_text(int64_t seconds, char out[32]);

#endif
