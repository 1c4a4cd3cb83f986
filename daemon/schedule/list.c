/* The lists of the configuration as this room works with them: which there are, which sources and
 * editions each has, and what the store knows of them. */
#include "room.h"

#include "hubmail/base_clock.h"
#include "hubmail/base_log.h"
#include "hubmail/base_mem.h"
#include "hubmail/store_digest.h"
#include "hubmail/store_subscriber.h"
#include <stdlib.h>
#include <string.h>

/* Asks the store for the numbers of a list and its sources, and when its editions were last taken
 * care of; what is new is made there. */
struct setup {
	struct write write;
	struct list *list;
	struct settings *settings;
	int64_t list_id;
	struct store_source *rows; /* one for each source in the settings */
	int64_t handled[EDITIONS];
	int64_t note[EDITIONS]; /* 0: nothing to note */
};

static void set_up(struct list *l);

struct list *list_ref(struct list *l)
{
	l->refs++;
	return l;
}

void list_unref(struct list *l)
{
	if (l == NULL || --l->refs > 0)
		return;
	settings_unref(l->settings);
	free(l);
}

struct list *list_find(struct schedule *s, const char *name)
{
	struct list *l;

	TAILQ_FOREACH(l, &s->lists, entry)
	if (strcmp(l->settings->list.name, name) == 0)
		return l;
	return NULL;
}

/* What is under way holds the list and finds it gone. */
static void list_close(struct list *l)
{
	struct watch *w;

	l->gone = true;
	while ((w = TAILQ_FIRST(&l->watches)) != NULL) {
		TAILQ_REMOVE(&l->watches, w, entry);
		watch_close(w);
	}
	list_unref(l);
}

static void list_remove(struct schedule *s, struct list *l)
{
	TAILQ_REMOVE(&s->lists, l, entry);
	list_close(l);
}

void lists_free(struct schedule *s)
{
	struct list *l;

	while ((l = TAILQ_FIRST(&s->lists)) != NULL)
		list_remove(s, l);
}

/* ---- Configuration ---- */

static struct watch *find_watch(struct list *l, const struct config_source *source)
{
	struct watch *w;

	TAILQ_FOREACH(w, &l->watches, entry)
	if (w->source->kind == source->kind && strcmp(w->source->location, source->location) == 0)
		return w;
	return NULL;
}

static bool has_source(const struct settings *s, const struct config_source *source)
{
	for (size_t i = 0; i < s->list.n_sources; i++)
		if (s->list.sources[i].kind == source->kind &&
			strcmp(s->list.sources[i].location, source->location) == 0)
			return true;
	return false;
}

static void configure_watches(struct list *l)
{
	struct settings *s = l->settings;
	struct watch *w, *next;

	for (w = TAILQ_FIRST(&l->watches); w != NULL; w = next) {
		next = TAILQ_NEXT(w, entry);
		if (!has_source(s, w->source)) {
			TAILQ_REMOVE(&l->watches, w, entry);
			watch_close(w);
		}
	}
	for (size_t i = 0; i < s->list.n_sources; i++) {
		w = find_watch(l, &s->list.sources[i]);
		if (w != NULL) {
			watch_configure(w, s, &s->list.sources[i]);
			continue;
		}
		w = watch_new(l, &s->list.sources[i]);
		TAILQ_INSERT_TAIL(&l->watches, w, entry);
	}
}

static void configure(struct list *l, struct settings *settings)
{
	struct settings *before = l->settings;

	l->settings = settings;
	configure_watches(l);
	editions_configure(l, before);
	settings_unref(before);
	set_up(l);
}

static struct list *list_new(struct schedule *s)
{
	struct list *l = xcalloc(1, sizeof(*l));

	l->schedule = s;
	l->refs = 1;
	TAILQ_INIT(&l->watches);
	TAILQ_INSERT_TAIL(&s->lists, l, entry);
	return l;
}

static bool in_config(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_lists; i++)
		if (strcmp(c->lists[i].name, name) == 0)
			return true;
	return false;
}

static struct list *first_removed(struct schedule *s, const struct config *c)
{
	struct list *l;

	TAILQ_FOREACH(l, &s->lists, entry)
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not see that TAILQ_REMOVE removes */
	if (!in_config(c, l->settings->list.name))
		return l;
	return NULL;
}

void lists_configure(struct schedule *s, const struct config *c)
{
	struct list *l;

	while ((l = first_removed(s, c)) != NULL)
		list_remove(s, l);
	for (size_t i = 0; i < c->n_lists; i++) {
		l = list_find(s, c->lists[i].name);
		configure(l != NULL ? l : list_new(s), settings_new(c, &c->lists[i]));
	}
}

/* ---- What the store knows ---- */

static void free_rows(struct setup *u)
{
	for (size_t i = 0; i < u->settings->list.n_sources; i++)
		store_source_free(&u->rows[i]);
}

/* An edition that the list has no longer begins anew if it comes back, instead of with all that was
 * posted in the meantime. */
static bool forget(struct store *store, int64_t list_id, enum edition edition, struct error *e)
{
	int64_t handled;

	if (!store_schedule_get(store, list_id, edition, &handled, e))
		return false;
	return handled == 0 || store_schedule_set(store, list_id, edition, 0, e);
}

static bool set_up_edition(
	struct store *store, struct setup *u, enum edition edition, int64_t now, struct error *e)
{
	if (!settings_has_edition(u->settings, edition))
		return forget(store, u->list_id, edition, e);
	if (u->note[edition] != 0 &&
		!store_schedule_set(store, u->list_id, edition, u->note[edition], e))
		return false;
	return edition_take_up(store, u->list_id, edition, now, &u->handled[edition], e);
}

static bool set_up_run(struct store *store, void *arg, struct error *e)
{
	struct setup *u = arg;
	const struct config_list *c = &u->settings->list;
	int64_t now = clock_now();

	u->list_id = store_list_ensure(store, c->name, e);
	if (u->list_id == 0)
		return false;
	free_rows(u); /* of a run that was in vain */
	for (size_t i = 0; i < c->n_sources; i++)
		if (!store_source_ensure(store, u->list_id, source_kind_name(c->sources[i].kind),
			    c->sources[i].location, &u->rows[i], e))
			return false;
	for (int i = EDITION_EACH; i < EDITIONS; i++)
		if (!set_up_edition(store, u, (enum edition)i, now, e))
			return false;
	return true;
}

static void set_up_sources(struct list *l, const struct setup *u)
{
	for (size_t i = 0; i < u->settings->list.n_sources; i++) {
		struct watch *w = find_watch(l, &u->settings->list.sources[i]);
		if (w != NULL && w->source_id == 0)
			watch_begin(w, &u->rows[i]);
	}
}

static void set_up_editions(struct list *l, const struct setup *u)
{
	for (int i = EDITION_EACH; i < EDITIONS; i++) {
		struct edition_state *ed = &l->editions[i];
		if (!ed->active || ed->known || !settings_has_edition(u->settings, (enum edition)i))
			continue;
		ed->known = true;
		ed->handled = u->handled[i];
	}
}

static void set_up_ended(struct write *w, const struct error *failure)
{
	struct setup *u = (struct setup *)w;
	struct list *l = u->list;

	if (failure != NULL) {
		log_error("list cannot be set up", "list=%s reason=%s", u->settings->list.name,
			log_quote(failure->text));
	} else if (!l->gone && !w->schedule->closed) {
		l->id = u->list_id;
		set_up_sources(l, u);
		set_up_editions(l, u);
		editions_check(l, clock_now());
		schedule_rearm(w->schedule);
	}
	free_rows(u);
	free(u->rows);
	settings_unref(u->settings);
	list_unref(l);
	free(u);
}

static void set_up(struct list *l)
{
	struct setup *u = xcalloc(1, sizeof(*u));

	u->list = list_ref(l);
	u->settings = settings_ref(l->settings);
	u->rows = xcalloc(l->settings->list.n_sources, sizeof(*u->rows));
	for (int i = EDITION_EACH; i < EDITIONS; i++) {
		u->note[i] = l->editions[i].note ? l->editions[i].handled : 0;
		l->editions[i].note = false;
	}
	write_submit(l->schedule, &u->write, set_up_run, set_up_ended, STORE_JOB_RETRY);
}
