/* Leaving hubs (WebSub, 5.1 and 5.3): when a source leaves the configuration, when its feed names
 * another hub or when we are called at another address, the hub that still tells of its news is
 * asked to stop, and asks back whether that was us. A few tries, and nobody waits for them: a hub
 * that could not be told learns it from the answer to its next delivery (410), and the lease ends.
 */
#include "room.h"

#include "hubmail/base_clock.h"
#include "hubmail/base_log.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include <stdlib.h>
#include <string.h>

#define TRIES_MAX 3
#define TRY_AGAIN_S 600 /* for the hub to ask back; then twice as long each time */

struct leave {
	struct schedule *schedule;
	int64_t source_id;
	char *list, *kind, *location;
	char *hub, *topic, *callback;
	bool allow_private;
	int tries;
	struct event *timer;
	struct fetch *fetch; /* under way, or NULL */
	LIST_ENTRY(leave) entry;
};

static void leave_free(struct leave *v)
{
	LIST_REMOVE(v, entry);
	if (v->fetch != NULL)
		fetch_cancel(v->fetch);
	event_free(v->timer);
	free(v->list);
	free(v->kind);
	free(v->location);
	free(v->hub);
	free(v->topic);
	free(v->callback);
	free(v);
}

void leave_end(struct schedule *s)
{
	struct leave *v, *next;

	for (v = LIST_FIRST(&s->leaves); v != NULL; v = next) {
		next = LIST_NEXT(v, entry);
		leave_free(v);
	}
}

/* ---- Asking ---- */

static void tell(const struct leave *v, const char *what, const char *why)
{
	log_info(what, "list=%s source=%s hub=%s%s%s", v->list, log_quote(v->location),
		log_quote(v->hub), why != NULL ? " reason=" : "",
		why != NULL ? log_quote(why) : "");
}

static void try_in(struct leave *v, int64_t seconds)
{
	struct timeval in = {(time_t)seconds, 0};

	event_add(v->timer, &in);
}

static void on_answer(const struct fetch_answer *answer, const struct error *failure, void *arg)
{
	struct leave *v = arg;

	(void)answer;
	v->fetch = NULL;
	if (failure != NULL)
		tell(v, "hub does not take the end of a subscription", failure->text);
	try_in(v, (int64_t)TRY_AGAIN_S << (v->tries - 1));
}

static void on_leave_timer(evutil_socket_t fd, short what, void *arg)
{
	struct leave *v = arg;
	struct hub_request request = {
		.hub = v->hub,
		.topic = v->topic,
		.callback = v->callback,
		.allow_private = v->allow_private,
	};

	(void)fd;
	(void)what;
	if (v->tries == TRIES_MAX) {
		tell(v, "hub was not left, its next delivery tells it", NULL);
		leave_free(v);
		return;
	}
	v->tries++;
	v->fetch = push_ask_hub(v->schedule, &request, on_answer, v);
}

static struct leave *leave_new(struct schedule *s, const char *hub)
{
	struct leave *v = xcalloc(1, sizeof(*v));

	v->schedule = s;
	v->hub = xstrdup(hub);
	v->timer = evtimer_new(loop_base(s->loop), on_leave_timer, v);
	LIST_INSERT_HEAD(&s->leaves, v, entry);
	try_in(v, 0);
	return v;
}

void leave_hub(const struct watch *w, const char *web_url)
{
	struct schedule *s = w->schedule;

	if (s->secret == NULL || web_url == NULL || w->push.hub == NULL || !push_is_on(w))
		return;
	struct leave *v = leave_new(s, w->push.hub);
	v->source_id = w->source_id;
	v->list = xstrdup(w->settings->list.name);
	v->kind = xstrdup(source_kind_name(w->source->kind));
	v->location = xstrdup(w->source->location);
	v->topic = xstrdup(w->push.topic);
	v->callback = push_callback(s, web_url, w->source_id, w->push.topic);
	v->allow_private = w->source->allow_private;
}

/* ---- What was left out of the configuration while nobody ran ---- */

struct forgotten {
	struct write write;
	struct store_source *rows;
	size_t n;
};

static bool forgotten_run(struct store *store, void *arg, struct error *e)
{
	struct forgotten *f = arg;

	for (size_t i = 0; i < f->n; i++) /* of a run that was in vain */
		store_source_free(&f->rows[i]);
	free(f->rows);
	return store_source_leased(store, clock_now(), &f->rows, &f->n, e);
}

static bool is_watched(struct schedule *s, const struct store_source *row)
{
	struct list *l = list_find(s, row->list);
	struct watch *w;

	if (l == NULL)
		return false;
	TAILQ_FOREACH(w, &l->watches, entry)
	if (strcmp(source_kind_name(w->source->kind), row->kind) == 0 &&
		strcmp(w->source->location, row->location) == 0)
		return true;
	return false;
}

/* Whether private addresses were allowed is not known any more: they are not. */
static void leave_row(struct schedule *s, const struct store_source *row)
{
	struct leave *v = leave_new(s, row->hub);

	v->source_id = row->id;
	v->list = xstrdup(row->list);
	v->kind = xstrdup(row->kind);
	v->location = xstrdup(row->location);
	v->topic = xstrdup(row->topic);
	v->callback = push_callback(s, s->web_url, row->id, row->topic);
}

static void forgotten_ended(struct write *write, const struct error *failure)
{
	struct forgotten *f = (struct forgotten *)write;
	struct schedule *s = write->schedule;

	(void)failure; /* then their leases end by themselves */
	for (size_t i = 0; i < f->n; i++) {
		if (!s->closed && s->web_url != NULL && !is_watched(s, &f->rows[i]))
			leave_row(s, &f->rows[i]);
		store_source_free(&f->rows[i]);
	}
	free(f->rows);
	free(f);
}

void leave_forgotten(struct schedule *s)
{
	struct forgotten *f = xcalloc(1, sizeof(*f));

	write_submit(s, &f->write, forgotten_run, forgotten_ended, STORE_JOB_RETRY);
}

/* ---- What becomes of it ---- */

void leave_cancel(const struct watch *w, const char *callback)
{
	struct leave *v, *next;

	for (v = LIST_FIRST(&w->schedule->leaves); v != NULL; v = next) {
		next = LIST_NEXT(v, entry);
		if (strcmp(v->list, w->settings->list.name) == 0 &&
			strcmp(v->kind, source_kind_name(w->source->kind)) == 0 &&
			strcmp(v->location, w->source->location) == 0 &&
			(callback == NULL || strcmp(v->callback, callback) == 0) &&
			(callback == NULL || strcmp(v->hub, w->push.hub) == 0))
			leave_free(v);
	}
}

static bool is_asked(const struct leave *v, const char *token, const char *topic)
{
	const char *own = strrchr(v->callback, '/') + 1;

	return v->tries > 0 && strcmp(v->topic, topic) == 0 && strlen(own) == strlen(token) &&
	       same_bytes(own, token, strlen(token));
}

bool leave_confirm(struct schedule *s, const char *token, const char *topic)
{
	struct leave *v;

	LIST_FOREACH(v, &s->leaves, entry)
	if (is_asked(v, token, topic))
		break;
	if (v == NULL)
		return false;
	tell(v, "hub tells nothing of the source any more", NULL);
	if (push_find(s, v->source_id) == NULL)
		push_note_lease(s, v->source_id, v->topic, 0);
	leave_free(v);
	return true;
}
