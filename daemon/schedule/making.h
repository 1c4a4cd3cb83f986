/* A digest on its way: its posts are chosen and composed on the composer's thread, it is kept by
 * the writer, and its deliveries follow. */
#ifndef HUBMAIL_SCHEDULE_MAKING_H
#define HUBMAIL_SCHEDULE_MAKING_H

#include "hubmail/base_buf.h"
#include "room.h"

struct making {
	struct write write;
	struct schedule *schedule; /* these three are held; list may be NULL in a `send` */
	struct list *list;
	struct settings *settings;
	int64_t list_id;
	enum edition edition;
	int64_t due_at; /* of a scheduled edition: noted as taken care of; 0: none */
	int64_t now;

	/* By hand: */
	struct schedule_send what; /* its strings are `made`'s own */
	schedule_send_fn *done;    /* NULL: not by hand */
	void *done_arg;

	/* What composing gave: */
	struct error failure;
	bool nothing;    /* too few posts are waiting */
	bool unmailable; /* these posts cannot be mailed (failure says why) */
	char *subject;
	struct buf message;
	int64_t *post_ids;
	size_t n_posts;
	int64_t *to; /* subscribers; NULL: everybody */
	size_t n_to;
	int64_t next_post_at;

	/* What keeping gave: */
	int64_t digest_id;
	bool more; /* deliveries are still to be made */
};

struct making *making_new(struct schedule *s, struct list *l, enum edition edition);
void making_free(struct making *m);

/* On the composer's thread. */
void making_compose(struct making *m, const struct post_list *posts);

/* On the writer's thread, in a job: the digest, the first of its deliveries, and the due time. */
bool making_keep(struct store *store, struct making *m, struct error *e);
/* On the loop's, after it was kept: tells the delivery, and goes on with the deliveries. */
void making_kept(struct making *m);

/* Drops all but the newest `max` posts. */
void choose_newest(struct post_list *posts, int max);

#endif
