/* How often a reader wants to be written to. */
#ifndef HUBMAIL_EDITION_H
#define HUBMAIL_EDITION_H

#include <stdbool.h>

enum edition {
	EDITION_MANUAL = 0, /* only when somebody says `hubmailctl send` */
	EDITION_EACH = 1,   /* each post, at once */
	EDITION_DAILY = 2,
	EDITION_WEEKLY = 3,
	EDITION_MONTHLY = 4,
};

const char *edition_name(enum edition e);                  /* "each" …; borrowed */
bool edition_from_name(const char *name, enum edition *e); /* false if there is none of that name */

#endif
