/* Dates as feeds write them. */
#ifndef SOURCE_FEED_DATE_H
#define SOURCE_FEED_DATE_H

#include <stdint.h>

/* Unix seconds, or 0 if s (may be NULL) is no date that could be understood. */
int64_t feed_date(const char *s);

#endif
