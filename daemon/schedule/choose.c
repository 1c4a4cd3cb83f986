/* Which posts go into a digest, and the digest composed from them: the same for the daemon's own
 * digests, for `send` and for `preview`. */
#include "making.h"

#include "hubmail/base_mem.h"
#include "hubmail/base_zone.h"
#include <stdlib.h>
#include <string.h>

static void drop_first(struct post_list *l, size_t n)
{
	for (size_t i = 0; i < n; i++)
		post_free(&l->items[i]);
	memmove(l->items, l->items + n, (l->n - n) * sizeof(*l->items));
	l->n -= n;
}

void choose_newest(struct post_list *posts, int max)
{
	if (max > 0 && posts->n > (size_t)max)
		drop_first(posts, posts->n - (size_t)max);
}

bool schedule_choose_posts(struct store *s, const struct config_list *list, int64_t list_id,
	const struct schedule_send *what, int64_t now, struct post_list *out, struct error *e)
{
	enum edition edition =
		what->edition >= 0 ? (enum edition)what->edition : list->schedule.edition;
	bool ok;

	if (what->n_posts > 0)
		ok = store_post_by_ids(s, list_id, what->post_ids, what->n_posts, out, e);
	else if (what->last > 0)
		ok = store_post_last(s, list_id, (size_t)what->last, now, out, e);
	else
		ok = store_post_pending(s, list_id, edition, now, 0, out, NULL, e);
	if (ok && out->n == 0)
		ok = what->last > 0
			     ? error_set(e, ERROR_NOT_FOUND,
				       "list %s: it has no posts yet (`hubmailctl sources` shows how its sources fare)",
				       list->name)
			     : error_set(e, ERROR_NOT_FOUND,
				       "list %s: no post is waiting for its %s edition: name posts with --post, or take the newest with --last",
				       list->name, edition_name(edition));
	if (!ok) {
		post_list_free(out);
		return false;
	}
	if (what->n_posts == 0 && what->last == 0)
		choose_newest(out, list->max_posts);
	return true;
}

struct compose_plan *schedule_compose(const struct config *c, const struct config_list *list,
	const struct post_list *posts, int64_t now, struct error *e)
{
	struct error failure = {0};
	struct zone *zone = zone_load(list->timezone, NULL);
	struct compose_options o = {
		.list_name = list->name,
		.list_title = list->title,
		.from_name = list->from_name,
		.from_address = list->from_address,
		.reply_to = list->reply_to,
		.web_url = c->web_url,
		.language = list->language,
		.full = list->content == CONTENT_FULL,
		.at = now,
		.zone = zone,
	};
	struct compose_plan *plan = compose_digest(&o, posts->items, posts->n, &failure);

	if (plan == NULL && failure.code == ERROR_DATA && o.full) {
		o.full = false;
		plan = compose_digest(&o, posts->items, posts->n, &failure);
	}
	zone_free(zone);
	if (plan == NULL && e != NULL)
		*e = failure;
	return plan;
}
