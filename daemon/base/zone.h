/* What the zone reader's files share: the rule in the footer of a TZif file, and loading from
 * another folder than the system's, for the tests. */
#ifndef DAEMON_BASE_ZONE_H
#define DAEMON_BASE_ZONE_H

#include "hubmail/base_error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZONE_OFFSET_MAX 93599 /* seconds on either side of UTC (RFC 8536, 3.2) */

/* When in a year a change of clocks falls: POSIX's Jn, n and Mm.w.d, and the seconds after the
 * start of that day. */
struct zone_rule_date {
	enum { ZONE_DAY_WITHOUT_LEAP, ZONE_DAY, ZONE_MONTH_WEEK_DAY } kind;
	int month, week, day;
	int time;
};

struct zone_rule {
	int standard; /* seconds to add to UTC */
	bool has_summer;
	int summer;
	struct zone_rule_date summer_from, summer_to;
};

/* Reads the text of a TZ variable (POSIX.1-2017, 8.3, with the wider hours of RFC 8536, 3.3.1).
 * False if it is not one. */
bool zone_rule_parse(const char *text, size_t len, struct zone_rule *out);

/* The offset at a moment. *next (may be NULL) is when the next change follows; INT64_MAX: never. */
int zone_rule_offset(const struct zone_rule *r, int64_t at, int64_t *next);

/* A zone from the bytes of its file. NULL: ERROR_IO, it is damaged; ERROR_CONFIG, it counts leap
 * seconds. */
struct zone *zone_read(const void *data, size_t len, struct error *e);

/* zone_load() from `folder` instead of the system's. */
struct zone *zone_load_from(const char *folder, const char *name, struct error *e);

#endif
