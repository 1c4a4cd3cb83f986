/* Digests: one composed mail for one list and edition, and the enqueueing of its deliveries. */
#ifndef HUBMAIL_STORE_DIGEST_H
#define HUBMAIL_STORE_DIGEST_H

#include "hubmail/base_buf.h"
#include "hubmail/base_error.h"
#include "hubmail/edition.h"
#include "hubmail/store.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum digest_state {
	DIGEST_ENQUEUING = 0, /* deliveries are being made; sending has begun */
	DIGEST_SENDING = 1,
	DIGEST_PAUSED = 2,
	DIGEST_DONE = 3,
	DIGEST_CANCELLED = 4,
};
const char *digest_state_name(enum digest_state s);

struct store_digest_new {
	int64_t list_id;
	enum edition edition;
	bool is_default; /* readers who chose no edition belong to it too */
	const char *subject;
	const void *message; /* the composed message as compose_plan_encode() wrote it: bytes to the
				store */
	size_t message_len;
	const int64_t *post_ids;
	size_t n_posts;
	bool only_pending; /* refuse (ERROR_REFUSED) if a post was in a digest of this list and
			      edition in the meantime */
	const int64_t *to; /* only these subscribers; the posts stay pending for the others. NULL:
			      everybody */
	size_t n_to;
};
/* Keeps the digest, its posts and its message; the deliveries follow by store_digest_enqueue(). *id
 * is the new digest's. */
bool store_digest_create(struct store *s, const struct store_digest_new *n, int64_t now,
	int64_t *id, struct error *e);

/* Makes up to `limit` more deliveries of the digest; *more tells whether some are left. When the
 * last are made the digest is SENDING (or DONE, if there was nobody). Goes on where it stopped,
 * also after a crash. */
bool store_digest_enqueue(
	struct store *s, int64_t id, int limit, int64_t now, bool *more, struct error *e);

struct store_digest {
	int64_t id, list_id;
	char *list; /* name */
	enum edition edition;
	enum digest_state state;
	char *subject;
	char *reason; /* why the daemon holds it back, or NULL */
	int64_t created_at, finished_at;
	int64_t total, queued, deferred, sent, failed, cancelled,
		held;     /* total = the sum of the rest; grows while ENQUEUING */
	int64_t audience; /* readers there were when it was created: what total will be */
};
void store_digest_free(struct store_digest *d);
bool store_digest_get(struct store *s, int64_t id, struct store_digest *out,
	struct error *e); /* ERROR_NOT_FOUND */
/* Newest first. list_id 0: all lists; limit 0: all. */
bool store_digest_list(struct store *s, int64_t list_id, size_t limit, struct store_digest **out,
	size_t *n, struct error *e);
/* Those with something to do (ENQUEUING, SENDING), oldest first. */
bool store_digest_active(struct store *s, struct store_digest **out, size_t *n, struct error *e);
/* Those that have not ended: the active ones and those that are held back (PAUSED), oldest first.
 */
bool store_digest_unfinished(
	struct store *s, struct store_digest **out, size_t *n, struct error *e);
/* The message as stored. Appends to out. */
bool store_digest_message(struct store *s, int64_t id, struct buf *out, struct error *e);
/* Which posts are in it. *ids is the caller's. */
bool store_digest_posts(struct store *s, int64_t id, int64_t **ids, size_t *n, struct error *e);

/* Holds a digest back: what is on the wire ends, nothing more is given out until it is resumed.
 * Both do nothing to one that is paused (or goes out) already; ERROR_REFUSED if it has ended. */
bool store_digest_pause(struct store *s, int64_t id, struct error *e);
/* The same by the daemon, for a reason that a person has to look into: it is kept with the digest
 * until somebody resumes it. The failed deliveries to these subscribers (whose refusals were
 * the reason) are tried again then. */
bool store_digest_suspend(struct store *s, int64_t id, const char *reason,
	const int64_t *subscriber_ids, size_t n, int64_t now, struct error *e);
bool store_digest_resume(struct store *s, int64_t id, int64_t now, struct error *e);

/* Ends a digest: the first call stops the sending, and each cancels what is not final among the
 * next `limit` deliveries. *more: call again. ERROR_REFUSED if it is done. */
bool store_digest_cancel(
	struct store *s, int64_t id, int limit, int64_t now, bool *more, struct error *e);

/* When a scheduled edition was last taken care of (whether there were posts or not); 0: never. */
bool store_schedule_get(struct store *s, int64_t list_id, enum edition edition,
	int64_t *last_due_at, struct error *e);
bool store_schedule_set(
	struct store *s, int64_t list_id, enum edition edition, int64_t due_at, struct error *e);

#endif
