/* The requests of one look at a source on the network: where to ask, where else if there is nothing
 * there, and how many pages. A look is one request nearly always; it is more for a WordPress that
 * had many posts since the last one, and until it is known where a source really is. */
#include "room.h"

#include "hubmail/base_clock.h"
#include "hubmail/base_mem.h"
#include "hubmail/source_feed.h"
#include <stdlib.h>
#include <string.h>

#define FETCH_TIMEOUT_S 60
#define TRIES_MAX 6   /* other places in one look */
#define PAGES_MAX 10  /* of a WordPress in one look */
#define TRIES_SHOWN 3 /* in an error */
#define SLACK_S 60
#define STATUS_GONE 410

/* Only what hubmail shows. Older ones than WordPress 5.4 embed everything. */
#define WORDPRESS_QUERY "_embed=author,wp:featuredmedia,wp:term&per_page=20&orderby=date&order=desc"

static void request(struct watch *w, const char *url, bool conditional);

/* ---- Where ---- */

static bool is_wordpress(const struct watch *w)
{
	return w->source->kind == SOURCE_WORDPRESS;
}

/* As the configuration says. The caller's. */
static char *first_place(const struct watch *w)
{
	if (is_wordpress(w))
		return xasprintf("%s/wp-json/wp/v2/posts?" WORDPRESS_QUERY, w->source->location);
	return xstrdup(w->source->location);
}

char *ask_place(const struct watch *w, const struct fetch_answer *answer)
{
	char *first = first_place(w);
	const char *to = answer->moved_to != NULL ? answer->moved_to : w->ask.url;
	char *place = to != NULL && strcmp(to, first) != 0 ? xstrdup(to) : NULL;

	free(first);
	return place;
}

/* The new place may fail for good where the old one leads elsewhere by now: they take turns until
 * one of them answers. What is known of the one says nothing of the other. */
void ask_start(struct watch *w)
{
	bool there = w->moved_to != NULL && w->failures % 2 == 0;
	char *url = there ? xstrdup(w->moved_to) : first_place(w);

	ask_cancel(w);
	w->ask.there = there;
	request(w, url, there || w->moved_to == NULL);
	free(url);
}

void ask_cancel(struct watch *w)
{
	struct ask *a = &w->ask;

	if (a->fetch != NULL)
		fetch_cancel(a->fetch);
	look_free(a->look);
	strlist_free(&a->places);
	free(a->url);
	free(a->first_page);
	free(a->why);
	*a = (struct ask){0};
}

/* ---- Elsewhere ---- */

/* What the page that came in place of a feed says, or the address that works without WordPress's
 * pretty links. A feed that was good and shows a page now is in trouble: its site may have other
 * feeds, but they are not what was asked for. */
static void find_places(struct watch *w, const struct strlist *found)
{
	struct ask *a = &w->ask;

	if (w->has_looked && w->moved_to == NULL)
		found = NULL;
	for (size_t i = 0; found != NULL && i < found->n && a->places.n < TRIES_MAX; i++)
		if (strcmp(found->items[i], a->url) != 0)
			strlist_add(&a->places, found->items[i]);
	if (is_wordpress(w) && !a->there)
		strlist_take(&a->places, xasprintf("%s/?rest_route=/wp/v2/posts&" WORDPRESS_QUERY,
						 w->source->location));
}

static bool try_next(struct watch *w)
{
	struct ask *a = &w->ask;

	if (a->next >= a->places.n)
		return false;
	request(w, a->places.items[a->next++], false);
	return true;
}

/* Nothing is to be had at ask.url; true if another place is asked now. */
static bool try_elsewhere(struct watch *w, const char *why, const struct strlist *found)
{
	if (w->ask.why == NULL) {
		w->ask.why = xstrdup(why);
		find_places(w, found);
	}
	return try_next(w);
}

/* What the person at the configuration can do. */
static char *explain(const struct watch *w, const char *why)
{
	const struct ask *a = &w->ask;
	struct buf b = {0};

	if (is_wordpress(w)) {
		buf_addf(&b,
			"%s does not show its posts as WordPress does (%s): if it has a feed, "
			"write feed = \"%s/feed/\" in place of wordpress",
			w->source->location, a->why != NULL ? a->why : why, w->source->location);
		return buf_take(&b);
	}
	buf_adds(&b, a->why != NULL ? a->why : why);
	for (size_t i = 0; i < a->places.n && i < TRIES_SHOWN; i++)
		buf_addf(&b, "%s%s", i == 0 ? "; nor is there one at " : ", ", a->places.items[i]);
	return buf_take(&b);
}

bool ask_is_gone(const struct watch *w, const struct fetch_answer *answer)
{
	const struct ask *a = &w->ask;

	return answer != NULL && answer->status == STATUS_GONE && !a->there &&
	       (a->next == 0 || is_wordpress(w));
}

/* ---- Answers ---- */

/* The server is there and has no such thing. */
static bool has_nothing(const struct fetch_answer *answer)
{
	return answer != NULL && answer->status / 100 == 4 && answer->status != 429;
}

/* The next page is not to be had: there is none (400), or it is asked for again with the next look,
 * for which this one is a failed one. */
static void end_pages(struct watch *w, const struct fetch_answer *answer, const char *why)
{
	struct look *k = w->ask.look;

	w->ask.look = NULL;
	look_end_pages(k, answer != NULL && answer->status == 400 ? NULL : why);
}

static void on_failure(
	struct watch *w, const struct fetch_answer *answer, const struct error *failure)
{
	char *why = xstrdup(failure->text);

	/* Only what is at a private address is refused. */
	if (failure->code == ERROR_REFUSED && !w->source->allow_private) {
		free(why);
		why = xasprintf(
			"%s; if it may be asked there, add allow_private = true to this source",
			failure->text);
	}
	if (w->ask.look != NULL) {
		end_pages(w, answer, why);
	} else if (!has_nothing(answer) || (!is_wordpress(w) && w->ask.places.n == 0)) {
		look_failed(w, why, answer);
	} else if (!try_elsewhere(w, why, NULL)) {
		char *text = explain(w, why);
		look_failed(w, text, answer);
		free(text);
	}
	free(why);
}

static void on_fetched(const struct fetch_answer *answer, const struct error *failure, void *arg)
{
	struct watch *w = arg;

	w->ask.fetch = NULL;
	if (failure != NULL)
		on_failure(w, answer, failure);
	else if (answer->status == 304)
		look_unchanged(w, answer);
	else
		look_at_feed(w, answer);
}

static void request(struct watch *w, const char *url, bool conditional)
{
	struct fetch_request what = {
		.url = url,
		.etag = conditional ? w->etag : NULL,
		.last_modified = conditional ? w->last_modified : NULL,
		.max_bytes = SOURCE_FEED_MAX,
		.timeout_s = FETCH_TIMEOUT_S,
		.private_addresses =
			w->source->allow_private ? FETCH_PRIVATE_ALWAYS : FETCH_PRIVATE_NEVER,
	};
	char *copy = xstrdup(url);

	free(w->ask.url);
	w->ask.url = copy;
	w->ask.fetch = fetch_start(w->schedule->fetcher, &what, on_fetched, w);
	if (w->ask.fetch == NULL)
		look_failed(w,
			"no request can be started: too many open files or too little memory",
			NULL);
}

/* ---- What was in them ---- */

bool ask_elsewhere(struct watch *w, const char *why, const struct strlist *found)
{
	return try_elsewhere(w, why, found);
}

char *ask_error(struct watch *w, const char *why)
{
	return is_wordpress(w) || w->ask.places.n > 0 ? explain(w, why) : xstrdup(why);
}

/* The end of the last good look, less what clocks differ by. */
static int64_t known_until(const struct watch *w)
{
	int64_t good = w->failing_since != 0 ? w->failing_since : w->checked_at;

	return good - 2 * (int64_t)w->source->interval - SLACK_S;
}

bool ask_next_page(struct watch *w, struct look *k, int64_t oldest)
{
	struct ask *a = &w->ask;

	if (!is_wordpress(w) || !w->has_looked || oldest == 0 || oldest < known_until(w) ||
		a->page + 1 >= PAGES_MAX)
		return false;
	if (a->first_page == NULL)
		a->first_page = xstrdup(a->url);
	a->page++;
	a->look = k;
	char *url = xasprintf("%s%cpage=%d", a->first_page,
		strchr(a->first_page, '?') != NULL ? '&' : '?', a->page + 1);
	request(w, url, false);
	free(url);
	return true;
}
