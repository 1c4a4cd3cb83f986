/* Dates as feeds write them: the standard forms first, then what programs and people make of
 * them. */
#include "feed_date.h"

#include "hubmail/base_clock.h"

#include <stddef.h>

int64_t feed_date(const char *s)
{
	int64_t at = 0;
	if (s == NULL)
		return 0;
	if (clock_parse_iso(s, &at) || clock_parse_rfc5322(s, &at))
		return at;
	return 0;
}
