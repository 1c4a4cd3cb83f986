/* Where on the site a file's post stands. */
#ifndef SOURCE_PLACE_H
#define SOURCE_PLACE_H

#include "front.h"
#include "hubmail/source_file.h"

/* The absolute address, or NULL if there is no base or the file says something that is none. The
 * caller's. */
char *place_url(const struct source_file *f, const struct front *front);

/* The date in a name like "2026-11-24-hello.md", or 0. */
int64_t place_date(const char *path);

/* Jekyll keeps drafts in a folder "_drafts". */
bool place_is_of_drafts(const char *path);

#endif
