/* Whether a post that a source shows is one that the store has. Private to daemon/store. */
#ifndef HUBMAIL_STORE_KNOWN_H
#define HUBMAIL_STORE_KNOWN_H

#include "hubmail/store_post.h"
#include "sql.h"

/* What a link leads to, as far as its form tells: without http or https, "www.", the port that goes
 * without saying, the slashes at the end of its path, and parameters that only count visitors
 * (utm_…). A fragment stays, for a page may have many posts. The caller's; NULL for NULL. */
char *link_key(const char *url);

enum known {
	KNOWN_ERROR = -1,
	KNOWN_NOT,  /* it is new */
	KNOWN_POST, /* it is the post *id */
	KNOWN_TWIN, /* it is the post *id, which the source shows a second time in this look under
		       the guid that we know: nothing is to be done */
};
enum known known_find(struct store *s, const struct store_look *look, const struct post *p,
	const char *link, int64_t *id, struct error *e);

/* Whether another source of its list has a new post: one with its guid, if that is unique by its
 * form, or with its link. */
bool known_elsewhere(struct store *s, const struct store_look *look, const struct post *p,
	const char *link, bool *is_known, struct error *e);

#endif
