/* The digests that the daemon makes by itself: an edition fell due, or a post is there for those
 * who want each. A post that cannot be mailed is put aside, so that it does not hold up the others.
 */
#include "making.h"

#include "hubmail/base_log.h"
#include "hubmail/base_mem.h"
#include "hubmail/store_digest.h"

/* ---- On the composer's thread ---- */

static bool choose(struct making *m, struct post_list *posts)
{
	const struct config_list *list = &m->settings->list;
	bool each = m->edition == EDITION_EACH;

	if (!store_post_pending(m->schedule->store, m->list_id, m->edition, m->now, each ? 1 : 0,
		    posts, &m->next_post_at, &m->failure))
		return false;
	m->nothing = posts->n == 0 || (!each && posts->n < (size_t)list->min_posts);
	if (!each)
		choose_newest(posts, list->max_posts);
	return !m->nothing;
}

static void compose(void *arg)
{
	struct making *m = arg;
	struct post_list posts = {0};

	if (choose(m, &posts))
		making_compose(m, &posts);
	post_list_free(&posts);
}

/* ---- On the writer's thread ---- */

static bool keep_run(struct store *store, void *arg, struct error *e)
{
	return making_keep(store, arg, e);
}

static bool nothing_run(struct store *store, void *arg, struct error *e)
{
	const struct making *m = arg;

	return store_schedule_set(store, m->list_id, m->edition, m->due_at, e);
}

static bool skip_run(struct store *store, void *arg, struct error *e)
{
	const struct making *m = arg;

	return edition_skip(store, m->list_id, m->edition, m->failure.text, m->post_ids, m->n_posts,
		       m->now, e) &&
	       (m->due_at == 0 || nothing_run(store, arg, e));
}

/* ---- On the loop's thread ---- */

static void end(struct making *m, enum made what, int64_t due_at)
{
	if (!m->schedule->closed)
		edition_made(m->list, m->edition, what, due_at, m->next_post_at);
	making_free(m);
}

static void fail(struct making *m, const struct error *failure)
{
	log_error("digest cannot be made", "list=%s edition=%s reason=%s", m->settings->list.name,
		edition_name(m->edition), log_quote(failure->text));
	end(m, MADE_FAILED, 0);
}

static void kept(struct write *w, const struct error *failure)
{
	struct making *m = (struct making *)w;

	if (failure == NULL) {
		if (!m->schedule->closed)
			making_kept(m);
		end(m, MADE_DIGEST, m->due_at);
	} else if (failure->code == ERROR_REFUSED) {
		/* `send` was faster with one of the posts: look what is left. */
		end(m, MADE_DIGEST, 0);
	} else {
		fail(m, failure);
	}
}

static void noted(struct write *w, const struct error *failure)
{
	struct making *m = (struct making *)w;

	if (failure != NULL)
		fail(m, failure);
	else
		end(m, m->unmailable ? MADE_DIGEST : MADE_NOTHING, m->due_at);
}

static void nothing(struct making *m)
{
	if (m->due_at == 0) {
		end(m, MADE_NOTHING, 0);
		return;
	}
	log_info("edition left out, too few posts are waiting", "list=%s edition=%s",
		m->settings->list.name, edition_name(m->edition));
	write_submit(m->schedule, &m->write, nothing_run, noted, STORE_JOB_RETRY);
}

static void composed(void *arg)
{
	struct making *m = arg;

	if (m->schedule->closed || m->list->gone) {
		making_free(m);
	} else if (m->nothing) {
		nothing(m);
	} else if (m->unmailable) {
		log_error("posts put aside, they cannot be mailed",
			"list=%s edition=%s post=%lld posts=%zu reason=%s", m->settings->list.name,
			edition_name(m->edition), (long long)m->post_ids[0], m->n_posts,
			log_quote(m->failure.text));
		write_submit(m->schedule, &m->write, skip_run, noted, STORE_JOB_RETRY);
	} else if (m->failure.code != ERROR_NONE) {
		fail(m, &m->failure);
	} else {
		/* On disk before a reader has it: after a power cut it must not go out once more.
		 */
		write_submit(m->schedule, &m->write, keep_run, kept,
			STORE_JOB_RETRY | STORE_JOB_DURABLE);
	}
}

void digest_make(struct list *l, enum edition edition, int64_t due_at)
{
	struct making *m = making_new(l->schedule, l, edition);

	m->due_at = due_at;
	worker_submit(l->schedule->composer, compose, composed, m);
}
