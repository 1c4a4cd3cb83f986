/* What this room's files share. Everything here belongs to the loop's thread but for what the
 * comments name. */
#ifndef HUBMAIL_SCHEDULE_ROOM_H
#define HUBMAIL_SCHEDULE_ROOM_H

#include "hubmail/schedule.h"
#include "hubmail/source_directory.h"
#include "hubmail/source_fetch.h"
#include "hubmail/store_post.h"
#include "settings.h"
#include "worker.h"
#include <event2/event.h>
#include <sys/queue.h>

#define EDITIONS 5 /* the values of enum edition */

TAILQ_HEAD(list_head, list);
LIST_HEAD(enqueue_head, enqueue);
LIST_HEAD(leave_head, leave);

struct schedule {
	struct loop *loop;
	struct store_writer *writer;
	void (*queued)(void *arg);
	void *queued_arg;
	struct fetcher *fetcher;
	struct worker *parser, *composer;
	struct store *store; /* the composer's thread only */
	struct list_head lists;
	struct enqueue_head enqueues;
	struct leave_head leaves;
	const struct secret *secret; /* NULL: sources cannot tell of news */
	char *web_url;
	struct event *tick;
	unsigned n_watches;
	bool looking_for_unfinished;
	bool closed; /* what comes back now finds nobody */
	int refs;    /* one for each thing under way, and one until schedule_free() */
};

struct schedule *schedule_ref(struct schedule *s);
void schedule_unref(struct schedule *s);
/* Something may fall due earlier than thought. */
void schedule_rearm(struct schedule *s);

/* ---- Writing (write.c) ---- */

/* A job for the writer whose end comes back to the loop; the first member of what it works on. */
struct write {
	struct schedule *schedule;
	void (*ended)(struct write *w, const struct error *failure);
	struct error failure;
};

/* Runs run(store, w) on the writer's thread, then ended(w, failure or NULL) on the loop's: always,
 * also after schedule_free(). Until then w and the schedule must live; w holds the schedule. */
void write_submit(struct schedule *s, struct write *w, store_job_fn *run,
	void (*ended)(struct write *w, const struct error *failure), unsigned flags);

/* ---- Editions (edition.c) ---- */

struct edition_state {
	bool active;  /* the list has it */
	bool known;   /* `handled` has been read */
	bool running; /* a digest of it is being made */
	bool again;   /* look once more when that is done */
	bool note;    /* `handled` is to be noted in the store at the next set-up */
	int failures; /* in a row */
	struct config_schedule when;
	int64_t handled;  /* the due time last taken care of */
	int64_t look_at;  /* EDITION_EACH: when to look for posts; 0: there are none */
	int64_t retry_ms; /* after a failure nothing is tried before this (monotonic) */
};

/* ---- Lists (list.c) ---- */

TAILQ_HEAD(watch_head, watch);

struct list {
	struct schedule *schedule;
	struct settings *settings;
	int64_t id; /* the store's; 0: not known yet */
	bool gone;  /* no longer in the configuration */
	int refs;
	struct edition_state editions[EDITIONS];
	struct watch_head watches;
	TAILQ_ENTRY(list) entry;
};

/* The lists and sources of a configuration: those that are there already stay as they are. */
void lists_configure(struct schedule *s, const struct config *c);
void lists_free(struct schedule *s);
struct list *list_find(struct schedule *s, const char *name); /* or NULL */
struct list *list_ref(struct list *l);
void list_unref(struct list *l);

void editions_configure(struct list *l, const struct settings *before);
/* Starts what is due. */
void editions_check(struct list *l, int64_t now);
/* The next moment at which editions_check() has something to do; 0: none is known. */
int64_t editions_next(const struct list *l, int64_t now);
/* There are new posts, or posts that changed. */
void editions_posts_changed(struct list *l);
/* In a writer's job: when the edition was last taken care of. The first time, it begins now, and
 * with the posts that no other edition has mailed. */
bool edition_take_up(struct store *store, int64_t list_id, enum edition edition, int64_t now,
	int64_t *handled, struct error *e);

/* In a writer's job: these posts are not to go out in that edition, and why. */
bool edition_skip(struct store *store, int64_t list_id, enum edition edition, const char *why,
	const int64_t *ids, size_t n, int64_t now, struct error *e);

/* ---- Sources (watch.c) ---- */

struct look;
TAILQ_HEAD(look_head, look);

/* The requests of a look, under way or over. */
struct ask {
	struct fetch *fetch; /* under way, or NULL */
	char *url;           /* of the last one */
	bool there;          /* the first one went to moved_to */
	char *why;           /* why it was in vain; NULL: it was not */
	struct strlist places;
	size_t next; /* of these places */
	char *first_page;
	int page;          /* beyond the first */
	struct look *look; /* waits for that page, or NULL */
};

#define PROOF_MAX 33 /* bytes of a token or key with its NUL */

/* What the source's hub tells it with. */
struct push {
	char *hub, *topic; /* or NULL */
	int64_t lease_until;
	int attempts;        /* to subscribe, since the last lease */
	struct event *timer; /* for the next one, or NULL */
	struct fetch *fetch; /* under way, or NULL */
	int64_t nudged_ms;   /* when somebody last made us look (monotonic) */
};

struct watch {
	struct schedule *schedule;
	struct list *list;                  /* held */
	struct settings *settings;          /* held */
	const struct config_source *source; /* in them */
	int64_t source_id;                  /* the store's; 0: not known yet */
	char *etag, *last_modified;
	char *moved_to; /* asked there in place of where the configuration says, or NULL */
	char *error;    /* of the last look, or NULL */
	int failures;
	int64_t failing_since; /* 0: not */
	int64_t checked_at, next_at;
	int64_t wait_until; /* its server asked to be left alone until then; 0: no */
	int64_t ttl;        /* seconds that the feed says it may be kept; 0: it does not */
	bool stopped;       /* its server says it is gone for good: not looked at by itself */
	bool has_looked;    /* there was a good look, now or in an earlier life */
	bool gone;          /* no longer in the configuration */
	bool mark_seen;     /* what the next look finds is not news: the filter was changed */
	int64_t soon_ms;    /* when another look is to be made at the latest (monotonic); 0: no */
	bool again;         /* another look was asked for while one is under way */
	int refs;
	struct event *timer;            /* but of a directory */
	struct ask ask;                 /* the same */
	struct push push;               /* the same */
	struct directory_watch *folder; /* directory */
	bool full_look;                 /* directory: one has been asked for and is not over */
	struct strlist full_errors;     /* directory: what it has found wrong so far */
	struct look_head looks;         /* to be saved, in their order; the first is being saved */
	bool parsing;
	TAILQ_ENTRY(watch) entry;
};

const char *source_kind_name(enum config_source_kind kind);
struct watch *watch_new(struct list *l, const struct config_source *source);
/* The store's row is known: the looks begin. */
void watch_begin(struct watch *w, const struct store_source *row);
/* The same source in new settings. */
void watch_configure(
	struct watch *w, struct settings *settings, const struct config_source *source);
void watch_look_now(struct watch *w);
void watch_look_within(struct watch *w, int64_t ms); /* not of a directory */
bool watch_is_looking(const struct watch *w);
/* Asks the directory for a full look. */
void watch_rescan(struct watch *w);
void watch_close(struct watch *w); /* frees it when nothing of it is under way */
struct watch *watch_ref(struct watch *w);
void watch_unref(struct watch *w);
const char *watch_state(const struct watch *w);
/* A look has ended and been kept, or could not be kept (failure). */
struct look_result {
	const char *error; /* of the look */
	const char *etag, *last_modified;
	struct store_look_result found;
	const char *moved_to, *hub, *topic;
	int64_t at;
	int64_t ttl, wait_until;
	bool stopped;
	bool complete, mark_seen;
};
void watch_looked(struct watch *w, const struct look_result *r, const struct error *failure);

/* ---- Requests (ask.c) ---- */

void ask_start(struct watch *w);
void ask_cancel(struct watch *w);
/* Where the source is to be asked from now on, if that is not where the configuration says; the
 * caller's. */
char *ask_place(const struct watch *w, const struct fetch_answer *answer);
bool ask_is_gone(const struct watch *w, const struct fetch_answer *answer);
/* What came is not what was wanted: true if another place is asked now, of those that were found in
 * it, if any. */
bool ask_elsewhere(struct watch *w, const char *why, const struct strlist *found);
char *ask_error(struct watch *w, const char *why); /* the sentence for people; the caller's */
/* True if k, whose oldest post is from then, waits for another page now. */
bool ask_next_page(struct watch *w, struct look *k, int64_t oldest);

/* ---- Push (push.c) ---- */

void push_begin(struct watch *w, const struct store_source *row);
void push_end(struct watch *w);
/* What the last good look says of the source's hub. */
void push_note(struct watch *w, const char *hub, const char *topic);
/* Subscribes once more: we are called at another address now. */
void push_again(struct watch *w, const char *old_web_url);
bool push_is_on(const struct watch *w);
char *push_hook_url(const struct watch *w); /* with the secret; the caller's; or NULL */
struct watch *push_find(struct schedule *s, int64_t source_id); /* or NULL */
/* Where a hub calls with the news of a topic; the caller's. */
char *push_callback(
	const struct schedule *s, const char *web_url, int64_t source_id, const char *topic);
void push_note_lease(struct schedule *s, int64_t source_id, const char *topic, int64_t until);

/* key: deliveries are to be signed with it; NULL: there are to be none any more. */
struct hub_request {
	const char *hub, *topic, *callback, *key;
	bool allow_private;
};
struct fetch *push_ask_hub(
	struct schedule *s, const struct hub_request *r, fetch_fn *fn, void *arg);

/* ---- Leaving hubs (leave.c) ---- */

/* Asks the hub that tells of w's news, calling under web_url, to stop; nothing if none does. */
void leave_hub(const struct watch *w, const char *web_url);
/* The same for the hubs of sources that the store knows and the configuration does not. */
void leave_forgotten(struct schedule *s);
/* The source is wanted after all: at this callback, or (NULL) at any. */
void leave_cancel(const struct watch *w, const char *callback);
/* True if the hub that asks back at this token was asked to stop. */
bool leave_confirm(struct schedule *s, const char *token, const char *topic);
void leave_end(struct schedule *s); /* what is still under way is not said */

/* ---- Looks (look.c) ---- */

/* Parses what the feed sent, on the parser's thread, and keeps it. The answer is copied. */
void look_at_feed(struct watch *w, const struct fetch_answer *answer);
/* What its hub delivered: some of its posts. Copied. */
void look_at_delivery(struct watch *w, const struct schedule_call *call);
/* 304. */
void look_unchanged(struct watch *w, const struct fetch_answer *answer);
/* answer: NULL if there was none. */
void look_failed(struct watch *w, const char *error, const struct fetch_answer *answer);
/* There are no more pages, or they cannot be had (error): keeps what has come. */
void look_end_pages(struct look *k, const char *error);
void look_free(struct look *k); /* one that waits for a page; NULL is fine */
void look_at_directory(struct watch *w, const struct directory_look *found);

/* ---- Digests (digest.c, send.c) ---- */

/* Makes the edition's next digest from what waits: for EDITION_EACH of one post, else of what is
 * pending, and notes due_at as taken care of. Calls edition_made() at the end. */
void digest_make(struct list *l, enum edition edition, int64_t due_at);

enum made {
	MADE_DIGEST,  /* there may be more */
	MADE_NOTHING, /* nothing (or too little) was waiting */
	MADE_FAILED,  /* to be tried again later */
};
/* next_post_at: when a post that is known already will be published; 0: none is known. */
void edition_made(
	struct list *l, enum edition edition, enum made what, int64_t due_at, int64_t next_post_at);

/* Makes the deliveries of a digest, chunk by chunk; nothing if that is under way. */
void enqueue_start(struct schedule *s, int64_t digest_id);
/* Finds digests whose deliveries are not all made and that nobody works at: after a crash, or
 * resumed after a pause. */
void enqueue_look_for_unfinished(struct schedule *s);

#endif
