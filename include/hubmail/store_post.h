/* Sources and their posts. */
#ifndef HUBMAIL_STORE_POST_H
#define HUBMAIL_STORE_POST_H

#include "hubmail/base_error.h"
#include "hubmail/edition.h"
#include "hubmail/post.h"
#include "hubmail/store.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store_source {
	int64_t id, list_id;
	char *list; /* name */
	char *kind; /* "feed", "directory" */
	char *location;
	char *etag, *last_modified; /* HTTP validators of the last good answer, or NULL */
	char *moved_to;        /* where the source is asked in place of its location, or NULL */
	char *error;           /* why the last look failed, or NULL */
	int failures;          /* looks that failed in a row */
	int64_t failing_since; /* the first of them; 0: the last look went well */
	bool stopped;          /* its server said that it is gone for good (410) */
	int64_t wait_until;    /* its server asked to be left alone until then; 0: no */
	int64_t ttl;           /* seconds that the feed says it may be kept; 0: it does not */
	int64_t first_look_at; /* 0: never looked at: the first look marks what is there as seen */
	int64_t checked_at, changed_at;
	char *hub, *topic;   /* its WebSub hub and its name there, or NULL */
	int64_t lease_until; /* the hub tells of its news until then; 0: it does not */
	int64_t posts;       /* how many are known */
	int64_t held; /* so many of them were taken for the source's past, and are not mailed */
};
void store_source_free(struct store_source *src);

/* The row of (list, kind, location), made if new. A job or STORE_WRITE. */
bool store_source_ensure(struct store *s, int64_t list_id, const char *kind, const char *location,
	struct store_source *out, struct error *e);
bool store_source_list(struct store *s, int64_t list_id /* 0: all */, struct store_source **out,
	size_t *n, struct error *e);

/* The sources of whose news a hub tells until after `now`, those that nobody watches any more among
 * them. A job or any connection. */
bool store_source_leased(
	struct store *s, int64_t now, struct store_source **out, size_t *n, struct error *e);

/* What a look brought. In one job: posts kept, validators and error noted. */
struct store_look {
	int64_t source_id;
	int64_t at;
	const struct post_list *posts; /* NULL: not modified, or failed */
	bool complete; /* a successful look at everything that is there: ends the 'first look' */
	const char *etag, *last_modified; /* NULL: none */
	const char *moved_to;    /* as in struct store_source, as the two below; of a look that went
				    well */
	const char *hub, *topic; /* others end the lease */
	int64_t ttl;
	int64_t wait_until;
	bool stopped;      /* of one that did not */
	const char *error; /* NULL: the look went well. Partial failures (one bad file) set error
			      beside posts */
	const struct post_list *all;   /* the whole look, where posts is a part of it; or NULL */
	const struct store_past *past; /* of the whole look; NULL: nothing is held */
	bool newest_only; /* the source shows its newest posts, and not all that it has (a feed) */
	const struct strlist *gone;  /* guids that the source has no more; NULL: none */
	const struct strlist *there; /* all guids that it has, sorted; NULL: it is not known */
	bool seen; /* mark new posts as seen though it is not the first look (operator's wish) */
};
/* The hub has agreed to tell of the news of that topic until then; 0: it does not any more. */
bool store_source_lease(
	struct store *s, int64_t source_id, const char *topic, int64_t until, struct error *e);

/* Which new posts of a look are the source's past in new clothes. */
struct store_past {
	int64_t before; /* those published before */
	bool undated;   /* those that do not say when */
	bool renamed;   /* nothing is known by its name: where a date is missing, titles tell */
};
struct store_look_result {
	int added;     /* new, and waiting to be mailed */
	int held;      /* new, and taken for the past: they are not mailed by themselves */
	int seen;      /* new, and marked as seen, or another source of the list has it */
	int changed;   /* known, content brought up to date */
	int withdrawn; /* gone before they were mailed */
};
/* What the whole look shows of the past, before any of it is kept: everything not newer than the
 * newest known post, if the look is complete and nothing in it is known; what is older than that
 * one, if it is more than 10 posts; and of a source that shows only its newest posts, what was
 * there a day before it was watched. */
bool store_source_past(
	struct store *s, const struct store_look *look, struct store_past *out, struct error *e);

/* A post is known by (source, guid). One whose guid is new is a known one all the same if its link
 * is (http or https, with www. or without, with a slash at its end or without), unless the look has
 * that one, too; or if a feed has its title and moment of publication (blogs move), or its title
 * alone where one of the two says no moment and nothing in the look is known otherwise. On the
 * first look (or with seen) new posts are marked as seen, unless published_at is in the future. A
 * new one that another source of the list has already (the same link; or the same guid, if that is
 * a URL, a tag: or a urn:) is kept, and never mailed by itself. One that is gone and that no digest
 * has had does not wait any more, until the source shows it again. */
bool store_source_look(struct store *s, const struct store_look *look,
	struct store_look_result *out, struct error *e);

/* Posts that no digest for (list, edition) has had: found after the first look, published_at <=
 * now, oldest first; at most `limit` (0: all). With *next_at (may be NULL) the earliest
 * published_at in the future, or 0. */
bool store_post_pending(struct store *s, int64_t list_id, enum edition edition, int64_t now,
	size_t limit, struct post_list *out, int64_t *next_at, struct error *e);
/* Those that were taken for their source's past, oldest first. */
bool store_post_held(struct store *s, int64_t list_id, struct post_list *out, struct error *e);
/* The newest `n` posts of a list with published_at <= until (INT64_MAX: whatever it is), oldest of
 * them first; seen ones too, one that several sources have once, and none that was withdrawn. */
bool store_post_last(struct store *s, int64_t list_id, size_t n, int64_t until,
	struct post_list *out, struct error *e);
/* Posts by id, in the order given. ERROR_NOT_FOUND names the first that is not there or of another
 * list. */
bool store_post_by_ids(struct store *s, int64_t list_id, const int64_t *ids, size_t n,
	struct post_list *out, struct error *e);

#endif
