/* The names of the editions, as configuration, database and commands write them. */
#include "hubmail/edition.h"

#include <stddef.h>
#include <string.h>

static const char *const names[] = {
	[EDITION_MANUAL] = "manual",
	[EDITION_EACH] = "each",
	[EDITION_DAILY] = "daily",
	[EDITION_WEEKLY] = "weekly",
	[EDITION_MONTHLY] = "monthly",
};

const char *edition_name(enum edition e)
{
	return (size_t)e < sizeof(names) / sizeof(names[0]) ? names[e] : "unknown";
}

bool edition_from_name(const char *name, enum edition *e)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0) {
			*e = (enum edition)i;
			return true;
		}
	}
	return false;
}
