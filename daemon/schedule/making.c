/* The steps that every digest goes through, whether an edition fell due or somebody said `send`. */
#include "making.h"

#include "hubmail/base_clock.h"
#include "hubmail/base_log.h"
#include "hubmail/base_mem.h"
#include "hubmail/store_digest.h"
#include "hubmail/store_subscriber.h"
#include <stdlib.h>

#define FIRST_DELIVERIES 500 /* made together with the digest, so that sending begins at once */

struct making *making_new(struct schedule *s, struct list *l, enum edition edition)
{
	struct making *m = xcalloc(1, sizeof(*m));

	m->schedule = schedule_ref(s);
	m->edition = edition;
	m->now = clock_now();
	if (l != NULL) {
		m->list = list_ref(l);
		m->list_id = l->id;
		m->settings = settings_ref(l->settings);
	}
	return m;
}

void making_free(struct making *m)
{
	struct schedule *s = m->schedule;

	free(m->subject);
	buf_free(&m->message);
	free(m->post_ids);
	free(m->to);
	settings_unref(m->settings);
	list_unref(m->list);
	free(m);
	schedule_unref(s);
}

static void take_ids(struct making *m, const struct post_list *posts)
{
	m->n_posts = posts->n;
	m->post_ids = xcalloc(posts->n, sizeof(*m->post_ids));
	for (size_t i = 0; i < posts->n; i++)
		m->post_ids[i] = posts->items[i].id;
}

void making_compose(struct making *m, const struct post_list *posts)
{
	struct compose_plan *plan = schedule_compose(
		&m->settings->config, &m->settings->list, posts, m->now, &m->failure);

	take_ids(m, posts);
	m->unmailable = plan == NULL && m->failure.code == ERROR_DATA;
	if (plan == NULL)
		return;
	m->subject = xstrdup(compose_plan_subject(plan));
	compose_plan_encode(plan, &m->message);
	compose_plan_free(plan);
}

/* Somebody may have unsubscribed since the addresses were looked up. */
static bool still_readers(struct store *store, const struct making *m, struct error *e)
{
	for (size_t i = 0; m->to != NULL && i < m->n_to; i++) {
		enum subscription_state state;
		if (!store_subscription_state(store, m->to[i], m->list_id, &state, e))
			return false;
		if (state != SUBSCRIPTION_CONFIRMED)
			return error_set(e, ERROR_REFUSED,
				"a reader of list %s has just left it: nothing was sent",
				m->settings->list.name);
	}
	return true;
}

bool making_keep(struct store *store, struct making *m, struct error *e)
{
	bool pending = m->to == NULL && m->what.n_posts == 0 && m->what.last == 0;
	struct store_digest_new d = {
		.list_id = m->list_id,
		.edition = m->edition,
		.is_default = m->edition == m->settings->list.schedule.edition,
		.subject = m->subject,
		.message = m->message.data,
		.message_len = m->message.len,
		.post_ids = m->post_ids,
		.n_posts = m->n_posts,
		.only_pending = pending,
		.to = m->to,
		.n_to = m->n_to,
	};

	m->more = false;
	if (!still_readers(store, m, e) ||
		!store_digest_create(store, &d, m->now, &m->digest_id, e))
		return false;
	if (m->due_at != 0 && !store_schedule_set(store, m->list_id, m->edition, m->due_at, e))
		return false;
	return m->to != NULL ||
	       store_digest_enqueue(store, m->digest_id, FIRST_DELIVERIES, m->now, &m->more, e);
}

void making_kept(struct making *m)
{
	log_info("digest made", "digest=%lld list=%s edition=%s posts=%zu", (long long)m->digest_id,
		m->settings->list.name, edition_name(m->edition), m->n_posts);
	m->schedule->queued(m->schedule->queued_arg);
	if (m->more)
		enqueue_start(m->schedule, m->digest_id);
}
