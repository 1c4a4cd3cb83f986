/* When: looks at sources at their intervals, sees which edition is due, and turns waiting posts
 * into a digest and its deliveries. Runs on the loop's thread; what it writes goes through the
 * writer. */
#ifndef HUBMAIL_SCHEDULE_H
#define HUBMAIL_SCHEDULE_H

#include "hubmail/base_error.h"
#include "hubmail/base_loop.h"
#include "hubmail/compose.h"
#include "hubmail/config.h"
#include "hubmail/post.h"
#include "hubmail/store_writer.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct schedule;

/* queued(arg) is called when there are new deliveries. The config must outlive it (or the next
 * schedule_reconfigure()). NULL on error. */
struct schedule *schedule_start(struct loop *loop, const struct config *c, struct store_writer *w,
	void (*queued)(void *arg), void *arg, struct error *e);
void schedule_reconfigure(struct schedule *s, const struct config *c);
void schedule_free(struct schedule *s);

/* Looks at sources now: all of them, or those whose location or list is `which`. Returns how many;
 * 0: there is none such. */
int schedule_poll(struct schedule *s, const char *which);

struct schedule_send {
	const char *list;
	int edition;             /* enum edition, or -1: the list's own */
	const int64_t *post_ids; /* these posts, or NULL */
	size_t n_posts;
	int last;              /* the newest so many posts; 0: no */
	const char *const *to; /* only these addresses (normal form); NULL: everybody */
	size_t n_to;
};
/* done(digest id or 0, failure or NULL, arg), on the loop's thread, after the digest is kept.
 * ERROR_NOT_FOUND: nothing is pending. */
typedef void schedule_send_fn(int64_t digest_id, const struct error *failure, void *arg);
void schedule_send(
	struct schedule *s, const struct schedule_send *what, schedule_send_fn *done, void *arg);

/* Sources for `status`: [{"list","kind","location","state","error","checked_at","next_at"}]; state
 * is "ok", "waiting", "looking" or "failing". The caller's. */
json_t *schedule_status(struct schedule *s);

/* The next time after `after` at which an edition of that schedule falls due, in the zone of that
 * name; 0 for EDITION_EACH and EDITION_MANUAL. Pure; any thread. A time that a change of clocks
 * skips is the first moment after the gap; one that happens twice is the first. */
int64_t schedule_next_due(const struct config_schedule *when, const char *timezone, int64_t after);

/* Posts for a digest as `send` and `preview` choose them, and the digest composed from them: what
 * the daemon and hubmailctl share. subject etc. come from the list. */
bool schedule_choose_posts(struct store *s, const struct config_list *list, int64_t list_id,
	const struct schedule_send *what, int64_t now, struct post_list *out, struct error *e);
struct compose_plan *schedule_compose(const struct config *c, const struct config_list *list,
	const struct post_list *posts, int64_t now, struct error *e);

#endif
