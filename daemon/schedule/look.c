/* One look at a source on its way: what came in is parsed on the parser's thread (a feed),
 * filtered, and kept by the writer, a slice at a time so that nobody waits behind a big one. The
 * looks of a source are kept in the order in which they were made. */
#include "room.h"

#include "hubmail/base_clock.h"
#include "hubmail/base_mem.h"
#include "hubmail/source_feed.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SLICE_POSTS 100
#define SLICE_BYTES (1u << 20)
#define ERRORS_SHOWN 3
#define FRESH_MAX_S 86400         /* a feed is looked at once a day, whatever it says */
#define RETRY_AFTER_MAX_S 604800L /* no server silences a source for longer */

struct look {
	struct write write;
	struct watch *watch;       /* held */
	struct settings *settings; /* held: the filter */
	const struct config_source *source;
	int64_t source_id, at;
	char *body, *url, *charset; /* of a feed */
	size_t body_len;
	struct strlist places; /* where the page that came says that its feeds are */
	struct post_list posts;
	struct strlist gone, there; /* of a directory's files */
	struct store_past past;
	int64_t oldest; /* of the last page; 0: it has none */
	bool has_posts, complete, mark_seen;
	char *etag, *last_modified, *moved_to;
	char *error;
	int64_t ttl, wait_until;
	long fresh_for; /* what the server says, as the feed says ttl */
	bool stopped;
	bool delivered; /* by its hub: a part of its posts */
	char *hub, *topic;
	size_t kept, slice;             /* how many posts have been kept, and are being kept */
	struct store_look_result found; /* by the slice */
	struct store_look_result total;
	TAILQ_ENTRY(look) entry;
};

static void keep(struct look *k);
static void keep_slice(struct look *k);

static struct look *look_new(struct watch *w)
{
	struct look *k = xcalloc(1, sizeof(*k));

	k->watch = watch_ref(w);
	k->settings = settings_ref(w->settings);
	k->source = w->source;
	k->source_id = w->source_id;
	k->mark_seen = w->mark_seen;
	k->at = clock_now();
	return k;
}

void look_free(struct look *k)
{
	if (k == NULL)
		return;
	free(k->body);
	free(k->url);
	free(k->charset);
	free(k->etag);
	free(k->last_modified);
	free(k->moved_to);
	free(k->hub);
	free(k->topic);
	free(k->error);
	strlist_free(&k->places);
	strlist_free(&k->gone);
	strlist_free(&k->there);
	post_list_free(&k->posts);
	settings_unref(k->settings);
	watch_unref(k->watch);
	free(k);
}

/* ---- The filter ---- */

static bool is_wanted(const struct strlist *wanted, const struct post *p)
{
	for (size_t i = 0; i < wanted->n; i++)
		for (size_t j = 0; j < p->categories.n; j++)
			if (strcasecmp(wanted->items[i], p->categories.items[j]) == 0)
				return true;
	return wanted->n == 0;
}

static void drop_unwanted(const struct strlist *wanted, struct post_list *posts)
{
	size_t kept = 0;

	for (size_t i = 0; i < posts->n; i++) {
		struct post p = posts->items[i];
		if (is_wanted(wanted, &p))
			posts->items[kept++] = p;
		else
			post_free(&p);
	}
	posts->n = kept;
}

/* ---- A feed ---- */

/* What it may be kept for, by the feed's word or its server's, whichever is longer. */
static void note_fresh(struct look *k)
{
	int64_t fresh = k->ttl > k->fresh_for ? k->ttl : k->fresh_for;

	k->wait_until = fresh > 0 ? k->at + (fresh < FRESH_MAX_S ? fresh : FRESH_MAX_S) : 0;
}

static void note_oldest(struct look *k, size_t from)
{
	k->oldest = 0;
	for (size_t i = from; i < k->posts.n; i++)
		if (k->oldest == 0 || k->posts.items[i].published_at < k->oldest)
			k->oldest = k->posts.items[i].published_at;
}

static void note_channel(struct look *k, const struct source_channel *c)
{
	k->ttl = c->ttl;
	note_fresh(k);
	/* A page may have been asked for by any name; the hub knows the feed by one. */
	if (k->hub == NULL) {
		k->hub = xstrdup(c->hub);
		k->topic = c->hub != NULL ? xstrdup(c->self != NULL ? c->self : k->url) : NULL;
	}
}

static void parse(void *arg)
{
	struct look *k = arg;
	struct source_channel channel;
	struct error e = {0};
	size_t before = k->posts.n;

	k->complete = source_feed_parse(
		k->body, k->body_len, k->url, k->charset, &k->posts, &channel, &e);
	k->has_posts = k->has_posts || k->complete;
	if (k->complete) {
		note_oldest(k, before);
		drop_unwanted(&k->source->categories, &k->posts);
		if (!k->delivered)
			note_channel(k, &channel);
		k->complete = !k->delivered;
	} else {
		k->error = xstrdup(e.text);
		if (k->source->kind == SOURCE_FEED && source_feed_is_page(k->body, k->body_len))
			source_feed_discover(k->body, k->body_len, k->url, &k->places);
	}
	source_channel_free(&channel);
	free(k->body);
	k->body = NULL;
}

static void judge(struct look *k)
{
	struct watch *w = k->watch;

	if (!k->has_posts && k->delivered) {
		look_free(k);
		watch_look_now(w);
		return;
	}
	if (!k->has_posts) {
		if (ask_elsewhere(w, k->error, &k->places)) {
			look_free(k);
			return;
		}
		char *error = ask_error(w, k->error);
		free(k->error);
		k->error = error;
	}
	if (!k->complete || !ask_next_page(w, k, k->oldest))
		keep(k);
}

static void parsed(void *arg)
{
	struct look *k = arg;
	struct schedule *s = k->watch->schedule;

	k->watch->parsing = false;
	/* A body that is still there was not looked at: the program ends. */
	if (k->watch->gone || k->body != NULL)
		look_free(k);
	else
		judge(k);
	schedule_unref(s);
}

static void parse_answer(struct look *k, const struct fetch_answer *answer)
{
	struct watch *w = k->watch;

	k->body = xmemdup(answer->body != NULL ? answer->body : "", answer->len);
	k->body_len = answer->len;
	w->parsing = true;
	schedule_ref(w->schedule);
	worker_submit(w->schedule->parser, parse, parsed, k);
}

void look_at_feed(struct watch *w, const struct fetch_answer *answer)
{
	struct look *k = w->ask.look;

	if (k != NULL) {
		w->ask.look = NULL;
		parse_answer(k, answer);
		return;
	}
	k = look_new(w);
	k->url = xstrdup(answer->url);
	k->charset = xstrdup(answer->charset);
	k->etag = xstrdup(answer->etag);
	k->last_modified = xstrdup(answer->last_modified);
	k->moved_to = ask_place(w, answer);
	k->fresh_for = answer->fresh_for;
	k->hub = xstrdup(answer->hub);
	if (k->hub != NULL)
		k->topic = xstrdup(answer->self != NULL ? answer->self : answer->url);
	parse_answer(k, answer);
}

/* What is known of the feed itself stays as it is. */
static void keep_terms(struct look *k)
{
	const struct watch *w = k->watch;

	k->etag = xstrdup(w->etag);
	k->last_modified = xstrdup(w->last_modified);
	k->moved_to = xstrdup(w->moved_to);
	k->hub = xstrdup(w->push.hub);
	k->topic = xstrdup(w->push.topic);
	k->ttl = w->ttl;
	k->wait_until = w->wait_until;
}

void look_at_delivery(struct watch *w, const struct schedule_call *call)
{
	struct fetch_answer body = {.body = call->body, .len = call->len};
	struct look *k = look_new(w);

	k->delivered = true;
	k->url = xstrdup(w->push.topic);
	k->charset = xstrdup(call->charset);
	keep_terms(k);
	parse_answer(k, &body);
}

void look_end_pages(struct look *k, const char *error)
{
	k->error = xstrdup(error);
	k->complete = error == NULL;
	keep(k);
}

/* Validators that the server does not repeat stay. */
void look_unchanged(struct watch *w, const struct fetch_answer *answer)
{
	struct look *k = look_new(w);

	k->complete = true;
	keep_terms(k);
	free(k->moved_to);
	k->moved_to = ask_place(w, answer);
	k->fresh_for = answer->fresh_for;
	note_fresh(k);
	keep(k);
}

void look_failed(struct watch *w, const char *error, const struct fetch_answer *answer)
{
	struct look *k = look_new(w);
	long pause = answer != NULL ? answer->retry_after : 0;

	k->error = xstrdup(error);
	k->stopped = ask_is_gone(w, answer);
	if (pause > 0)
		k->wait_until = k->at + (pause < RETRY_AFTER_MAX_S ? pause : RETRY_AFTER_MAX_S);
	keep(k);
}

/* ---- A directory ---- */

static void copy_post(struct post *to, const struct post *from)
{
	*to = *from;
	to->guid = xstrdup(from->guid);
	to->url = xstrdup(from->url);
	to->title = xstrdup(from->title);
	to->author = xstrdup(from->author);
	to->summary = xstrdup(from->summary);
	to->content = xstrdup(from->content);
	to->image = xstrdup(from->image);
	to->categories = (struct strlist){0};
	strlist_copy(&to->categories, &from->categories);
}

static char *join_errors(const struct strlist *errors)
{
	struct buf b = {0};

	for (size_t i = 0; i < errors->n && i < ERRORS_SHOWN; i++)
		buf_addf(&b, i == 0 ? "%s" : "; %s", errors->items[i]);
	if (errors->n > ERRORS_SHOWN)
		buf_addf(&b, "; and %zu more", errors->n - ERRORS_SHOWN);
	return errors->n > 0 ? buf_take(&b) : NULL;
}

/* What is wrong in the directory after this look. A file that was bad may have been mended or
 * removed: only a full look can tell, and it tells in several calls. */
static char *directory_error(struct watch *w, const struct directory_look *found)
{
	const struct look *last = TAILQ_LAST(&w->looks, look_head);
	const char *before = last != NULL ? last->error : w->error;
	char *error = join_errors(found->errors);

	if (w->full_look || found->complete)
		strlist_copy(&w->full_errors, found->errors);
	if (found->complete) {
		free(error);
		error = join_errors(&w->full_errors);
		strlist_free(&w->full_errors);
		w->full_look = false;
	} else if (error == NULL && before != NULL) {
		error = xstrdup(before);
		if (!w->full_look)
			watch_rescan(w);
	}
	return error;
}

void look_at_directory(struct watch *w, const struct directory_look *found)
{
	struct look *k = look_new(w);

	k->has_posts = true;
	k->complete = found->complete;
	k->error = directory_error(w, found);
	for (size_t i = 0; i < found->posts->n; i++)
		if (is_wanted(&k->source->categories, &found->posts->items[i]))
			copy_post(post_list_add(&k->posts), &found->posts->items[i]);
	strlist_copy(&k->gone, found->gone);
	strlist_copy(&k->there, found->there);
	keep(k);
	if (found->complete && w->again) {
		w->again = false;
		watch_rescan(w);
	}
}

/* ---- Keeping ---- */

static size_t text_size(const char *s)
{
	return s != NULL ? strlen(s) : 0;
}

static size_t next_slice(const struct look *k)
{
	size_t n = 0, bytes = 0;

	while (k->kept + n < k->posts.n && n < SLICE_POSTS && bytes < SLICE_BYTES) {
		const struct post *p = &k->posts.items[k->kept + n++];
		bytes += text_size(p->content) + text_size(p->summary);
	}
	return n;
}

static bool find_past(
	struct store *store, struct look *k, const struct store_look *first, struct error *e)
{
	struct store_look whole = *first;

	whole.posts = k->has_posts ? &k->posts : NULL;
	whole.complete = k->complete;
	return store_source_past(store, &whole, &k->past, e);
}

/* What could not be read may be there; and a directory that is empty may be one that is not mounted
 * now. */
static bool tells_all(struct look *k)
{
	if (!k->complete || k->error != NULL || k->there.n == 0)
		return false;
	strlist_sort(&k->there);
	return true;
}

/* Only the last slice ends the look: after a crash between two of them the source is looked at as
 * if nothing had been. */
static bool keep_run(struct store *store, void *arg, struct error *e)
{
	struct look *k = arg;
	struct post_list slice = {k->posts.items + k->kept, k->slice};
	bool last = k->kept + k->slice == k->posts.n;
	struct store_look l = {
		.source_id = k->source_id,
		.at = k->at,
		.posts = k->has_posts ? &slice : NULL,
		.complete = last && k->complete,
		.etag = last ? k->etag : NULL,
		.last_modified = last ? k->last_modified : NULL,
		.moved_to = last ? k->moved_to : NULL,
		.hub = k->hub,
		.topic = k->topic,
		.ttl = k->ttl,
		.wait_until = k->wait_until,
		.stopped = k->stopped,
		.error = last ? k->error : NULL,
		.gone = k->kept == 0 ? &k->gone : NULL,
		.there = last && tells_all(k) ? &k->there : NULL,
		.all = &k->posts,
		.past = &k->past,
		.newest_only = k->source->kind != SOURCE_DIRECTORY,
		.seen = k->mark_seen,
	};

	if (k->kept == 0 && !find_past(store, k, &l, e))
		return false;
	return store_source_look(store, &l, &k->found, e);
}

static void tell_watch(struct look *k, const struct error *failure)
{
	struct look_result r = {
		.error = k->error,
		.etag = k->etag,
		.last_modified = k->last_modified,
		.moved_to = k->moved_to,
		.hub = k->hub,
		.topic = k->topic,
		.found = k->total,
		.at = k->at,
		.ttl = k->ttl,
		.wait_until = k->wait_until,
		.stopped = k->stopped,
		.complete = k->complete,
		.mark_seen = k->mark_seen,
	};

	watch_looked(k->watch, &r, failure);
}

/* When the program ends: what was not kept is found again at the next start. */
static void drop_waiting(struct watch *w)
{
	struct look *k;

	while ((k = TAILQ_FIRST(&w->looks)) != NULL) {
		TAILQ_REMOVE(&w->looks, k, entry);
		look_free(k);
	}
}

static void keep_ended(struct write *write, const struct error *failure)
{
	struct look *k = (struct look *)write;
	struct watch *w = k->watch;

	k->kept += k->slice;
	k->total.added += k->found.added;
	k->total.seen += k->found.seen;
	k->total.held += k->found.held;
	k->total.changed += k->found.changed;
	k->total.withdrawn += k->found.withdrawn;
	if (failure == NULL && k->kept < k->posts.n && !w->schedule->closed) {
		keep_slice(k);
		return;
	}
	TAILQ_REMOVE(&w->looks, k, entry);
	if (w->schedule->closed)
		drop_waiting(w);
	else if (!TAILQ_EMPTY(&w->looks))
		keep_slice(TAILQ_FIRST(&w->looks));
	if (!w->gone)
		tell_watch(k, failure);
	look_free(k);
}

static void keep_slice(struct look *k)
{
	k->slice = next_slice(k);
	write_submit(k->watch->schedule, &k->write, keep_run, keep_ended, STORE_JOB_RETRY);
}

static void keep(struct look *k)
{
	struct watch *w = k->watch;
	bool first = TAILQ_EMPTY(&w->looks);

	TAILQ_INSERT_TAIL(&w->looks, k, entry);
	if (first)
		keep_slice(k);
}
