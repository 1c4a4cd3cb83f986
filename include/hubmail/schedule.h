/* When: looks at sources at their intervals, sees which edition is due, and turns waiting posts
 * into a digest and its deliveries. Runs on the loop's thread; what it writes goes through the
 * writer. */
#ifndef HUBMAIL_SCHEDULE_H
#define HUBMAIL_SCHEDULE_H

#include "hubmail/base_crypto.h"
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

/* queued(arg) is called on the loop's thread when there are new deliveries. The config is copied
 * from. Sources and schedules are taken up by the loop. NULL on error. */
struct schedule *schedule_start(struct loop *loop, const struct config *c, struct store_writer *w,
	void (*queued)(void *arg), void *arg, struct error *e);
void schedule_reconfigure(struct schedule *s, const struct config *c);
/* Before the writer is stopped and the loop is freed. What is under way ends by itself; nothing is
 * called back any more. */
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
/* done(digest id or 0, failure or NULL, arg), on the loop's thread, later than schedule_send()
 * returns, after the digest is on disk; not called after schedule_free(). `what` is copied.
 * ERROR_NOT_FOUND: no such list or post, nothing is pending, or one of `to` is no reader of the
 * list; ERROR_REFUSED: the list has no such edition, nobody reads it, or one of `to` may not be
 * mailed (not confirmed, unsubscribed, removed). */
typedef void schedule_send_fn(int64_t digest_id, const struct error *failure, void *arg);
void schedule_send(
	struct schedule *s, const struct schedule_send *what, schedule_send_fn *done, void *arg);

/* Sources for `status`: [{"hook" (its URL and secret, or
 * null),"push_until","list","kind","location","state","moved_to","error","failing_since",
 * "checked_at","next_at"}]; state is "ok", "waiting", "looking", "failing" or "gone" (its server
 * says so; it is not looked at by itself). The caller's. */
json_t *schedule_status(struct schedule *s);

/* When an edition of that list falls due. The list's own is as configured; the others that it
 * offers come at the same time of day if the list's own has one, else at 08:00: weekly on Monday,
 * monthly on day 1. */
struct config_schedule schedule_of_edition(const struct config_list *list, enum edition edition);

/* The next time after `after` at which an edition of that schedule falls due, in the zone of that
 * name; 0 for EDITION_EACH and EDITION_MANUAL. Pure; any thread. A time that a change of clocks
 * skips is the first moment after the gap; one that happens twice is the first. */
int64_t schedule_next_due(const struct config_schedule *when, const char *zone_name, int64_t after);

/* ---- Push ---- */

/* From here on sources may tell of their news: the hubs of feeds are subscribed to (WebSub), with
 * callbacks under web.url, and each source has a hook. The secret is borrowed. Right after
 * schedule_start(). */
void schedule_push(struct schedule *s, const struct secret *secret);

struct schedule_call {
	const char *secret;    /* of a hook, or NULL */
	const char *signature; /* "sha256=HEX", or NULL */
	const char *charset;   /* of the body, or NULL */
	const char *body;
	size_t len;
};
enum schedule_heard {
	HEARD,         /* the source is looked at, or what was delivered is */
	HEARD_UNKNOWN, /* there is no such source, or nobody is subscribed any more */
	HEARD_REFUSED, /* without the secret or the signature it is not believed */
};
/* A call of /hooks/SOURCE. One of secret and signature (with that secret) must be right. */
enum schedule_heard schedule_hook(
	struct schedule *s, const char *source, const struct schedule_call *call);
/* A delivery to /websub/TOKEN, signed. */
enum schedule_heard schedule_websub_deliver(
	struct schedule *s, const char *token, const struct schedule_call *call);
/* A hub's question at /websub/TOKEN; any may be NULL but the token. True: it is to get its
 * challenge back. */
bool schedule_websub_verify(struct schedule *s, const char *token, const char *mode,
	const char *topic, const char *lease_seconds);

/* How many posts a digest has. A scheduled edition with fewer than min_posts waiting is left out,
 * and they wait for the next due time. Of more than max_posts the newest go out, oldest of them
 * first; the others keep waiting for a digest with room: no edition comes twice for their sake.
 * `each` mails every post by itself, so that neither limit concerns it. Posts that are too big to
 * be mailed with their whole content are mailed as excerpts. */

/* Posts for a digest as `send` and `preview` choose them, and the digest composed from them: what
 * the daemon and hubmailctl share. subject etc. come from the list. ERROR_NOT_FOUND if there is
 * none to choose. */
bool schedule_choose_posts(struct store *s, const struct config_list *list, int64_t list_id,
	const struct schedule_send *what, int64_t now, struct post_list *out, struct error *e);
struct compose_plan *schedule_compose(const struct config *c, const struct config_list *list,
	const struct post_list *posts, int64_t now, struct error *e);

#endif
