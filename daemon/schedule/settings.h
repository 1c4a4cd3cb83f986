/* A list's settings as the work under way sees them: a copy, so that a reload of the configuration
 * takes nothing away from a thread that composes. */
#ifndef HUBMAIL_SCHEDULE_SETTINGS_H
#define HUBMAIL_SCHEDULE_SETTINGS_H

#include "hubmail/base_zone.h"
#include "hubmail/config.h"

struct settings {
	struct config_list list;
	struct config config; /* only what composing needs: web_url */
	struct zone *zone;    /* NULL: it cannot be read (logged), and no edition falls due */
	int refs;             /* the loop's thread only */
};

struct settings *settings_new(const struct config *c, const struct config_list *list);
struct settings *settings_ref(struct settings *s);
void settings_unref(struct settings *s); /* NULL is fine */

/* True if the list has such an edition: its own, or one that readers may choose. */
bool settings_has_edition(const struct settings *s, enum edition edition);

#endif
