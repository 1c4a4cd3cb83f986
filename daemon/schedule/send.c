/* `hubmailctl send`: a digest by hand, of what is pending or of posts that were named, for
 * everybody or for some readers. What is wrong is answered, and nothing is tried again. */
#include "making.h"

#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "hubmail/store_subscriber.h"
#include <stdlib.h>
#include <string.h>

/* ---- The request ---- */

static void copy_what(struct schedule_send *to, const struct schedule_send *from)
{
	const char **addresses = xcalloc(from->n_to, sizeof(*addresses));

	*to = *from;
	to->list = xstrdup(from->list);
	to->post_ids = xcalloc(from->n_posts, sizeof(*to->post_ids));
	if (from->n_posts > 0)
		to->post_ids = memcpy((void *)to->post_ids, from->post_ids,
			from->n_posts * sizeof(*to->post_ids));
	for (size_t i = 0; i < from->n_to; i++)
		addresses[i] = xstrdup(from->to[i]);
	to->to = addresses;
}

static void free_what(struct schedule_send *what)
{
	for (size_t i = 0; i < what->n_to; i++)
		free((void *)what->to[i]);
	free((void *)what->to);
	free((void *)what->post_ids);
	free((void *)what->list);
}

static void no_such_list(struct schedule *s, const char *name, struct error *e)
{
	const char **names = NULL;
	size_t n = 0;
	struct list *l;

	TAILQ_FOREACH(l, &s->lists, entry)
	{
		names = xreallocarray(names, n + 1, sizeof(*names));
		names[n++] = l->settings->list.name;
	}
	const char *close = text_suggest(name, names, n);
	if (close != NULL)
		error_set(e, ERROR_NOT_FOUND, "%s: there is no such list: did you mean \"%s\"?",
			name, close);
	else
		error_set(e, ERROR_NOT_FOUND,
			"%s: there is no such list (`hubmailctl lists` shows them)", name);
	free(names);
}

static bool check_edition(const struct settings *s, enum edition edition, struct error *e)
{
	struct buf names = {0};

	if (settings_has_edition(s, edition))
		return true;
	for (int i = 0; i < EDITIONS; i++)
		if (settings_has_edition(s, (enum edition)i))
			buf_addf(&names, names.len > 0 ? ", %s" : "%s",
				edition_name((enum edition)i));
	error_set(e, ERROR_REFUSED, "list %s: it has no %s edition (it has: %s)", s->list.name,
		edition_name(edition), buf_str(&names));
	buf_free(&names);
	return false;
}

/* ---- On the composer's thread ---- */

static bool find_reader(struct making *m, const char *email, int64_t *id)
{
	const char *list = m->settings->list.name;
	struct store_subscriber sub;
	int state = -1;

	if (!store_subscriber_get(m->schedule->store, email, &sub, &m->failure)) {
		if (m->failure.code == ERROR_NOT_FOUND)
			error_set(&m->failure, ERROR_NOT_FOUND,
				"%s: is no reader of list %s (`hubmailctl add` makes it one)",
				email, list);
		return false;
	}
	*id = sub.id;
	for (size_t i = 0; i < sub.n_subscriptions; i++)
		if (sub.subscriptions[i].list_id == m->list_id)
			state = (int)sub.subscriptions[i].state;
	store_subscriber_free(&sub);
	if (state < 0)
		return error_set(&m->failure, ERROR_NOT_FOUND,
			"%s: is no reader of list %s (`hubmailctl add` makes it one)", email, list);
	return state == SUBSCRIPTION_CONFIRMED ||
	       error_set(&m->failure, ERROR_REFUSED, "%s: is %s on list %s and gets no mail", email,
		       subscription_state_name((enum subscription_state)state), list);
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* An address that is named twice is one reader. */
static bool find_readers(struct making *m)
{
	size_t n = 0;

	if (m->what.n_to == 0)
		return true;
	m->to = xcalloc(m->what.n_to, sizeof(*m->to));
	for (size_t i = 0; i < m->what.n_to; i++)
		if (!find_reader(m, m->what.to[i], &m->to[i]))
			return false;
	qsort(m->to, m->what.n_to, sizeof(*m->to), by_number);
	for (size_t i = 0; i < m->what.n_to; i++)
		if (n == 0 || m->to[n - 1] != m->to[i])
			m->to[n++] = m->to[i];
	m->n_to = n;
	return true;
}

/* A digest for nobody would use up the posts that it has. */
static bool somebody_reads(struct making *m)
{
	const struct config_list *list = &m->settings->list;
	int64_t readers = 0;

	if (m->what.n_to > 0)
		return true;
	if (!store_audience_count(m->schedule->store, m->list_id, m->edition,
		    m->edition == list->schedule.edition, &readers, &m->failure))
		return false;
	return readers > 0 ||
	       error_set(&m->failure, ERROR_REFUSED,
		       "%s has no confirmed readers for this edition: nothing was sent",
		       list->name);
}

static void compose(void *arg)
{
	struct making *m = arg;
	struct post_list posts = {0};

	if (m->failure.code != ERROR_NONE)
		return;
	m->list_id = store_list_id(m->schedule->store, m->settings->list.name, &m->failure);
	if (m->list_id != 0 &&
		schedule_choose_posts(m->schedule->store, &m->settings->list, m->list_id, &m->what,
			m->now, &posts, &m->failure) &&
		find_readers(m) && somebody_reads(m))
		making_compose(m, &posts);
	post_list_free(&posts);
}

/* ---- On the writer's thread ---- */

static bool keep_run(struct store *store, void *arg, struct error *e)
{
	return making_keep(store, arg, e);
}

/* ---- On the loop's thread ---- */

static void end(struct making *m, const struct error *failure)
{
	if (!m->schedule->closed)
		m->done(failure == NULL ? m->digest_id : 0, failure, m->done_arg);
	free_what(&m->what);
	making_free(m);
}

static void kept(struct write *w, const struct error *failure)
{
	struct making *m = (struct making *)w;

	if (failure == NULL && !m->schedule->closed)
		making_kept(m);
	end(m, failure);
}

static void composed(void *arg)
{
	struct making *m = arg;

	if (!m->schedule->closed && m->list != NULL && m->list->gone)
		error_set(&m->failure, ERROR_REFUSED,
			"list %s: it has just been removed from the configuration", m->what.list);
	if (m->schedule->closed || m->failure.code != ERROR_NONE)
		end(m, &m->failure);
	else
		write_submit(m->schedule, &m->write, keep_run, kept, STORE_JOB_DURABLE);
}

void schedule_send(
	struct schedule *s, const struct schedule_send *what, schedule_send_fn *done, void *arg)
{
	struct list *l = list_find(s, what->list);
	enum edition edition = what->edition >= 0 ? (enum edition)what->edition
			       : l != NULL        ? l->settings->list.schedule.edition
						  : EDITION_MANUAL;
	struct making *m = making_new(s, l, edition);

	m->done = done;
	m->done_arg = arg;
	copy_what(&m->what, what);
	if (l == NULL)
		no_such_list(s, what->list, &m->failure);
	else
		check_edition(l->settings, edition, &m->failure);
	worker_submit(s->composer, compose, composed, m);
}
