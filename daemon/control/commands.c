/* The commands of the control socket, in terms of the rooms that do the work. What hubmailctl can
 * find in the database itself is not here. */
#include "hubmail/control_daemon.h"

#include "hubmail/base_address.h"
#include "hubmail/base_json.h"
#include "hubmail/base_mem.h"
#include "hubmail/edition.h"
#include "hubmail/store_digest.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DIGESTS_SHOWN 20
#define SEND_MAX 10000 /* posts or addresses in one request */

static json_t *digest_json(const struct store_digest *d)
{
	return json_pack(
		"{s:I, s:s, s:s, s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "id",
		(json_int_t)d->id, "list", d->list, "edition", edition_name(d->edition), "state",
		digest_state_name(d->state), "reason", json_text(d->reason), "subject",
		json_text(d->subject), "total", (json_int_t)d->total, "audience",
		(json_int_t)d->audience, "queued", (json_int_t)d->queued, "deferred",
		(json_int_t)d->deferred, "sent", (json_int_t)d->sent, "failed",
		(json_int_t)d->failed, "cancelled", (json_int_t)d->cancelled, "held",
		(json_int_t)d->held, "created_at", (json_int_t)d->created_at);
}

/* Those that have not ended, those that are held back among them. NULL on error. */
static json_t *unfinished_digests(struct store *s, struct error *e)
{
	struct store_digest *unfinished;
	size_t n;

	if (!store_digest_unfinished(s, &unfinished, &n, e))
		return NULL;
	json_t *all = json_array();
	for (size_t i = 0; i < n; i++) {
		if (i < DIGESTS_SHOWN)
			json_array_append_new(all, digest_json(&unfinished[i]));
		store_digest_free(&unfinished[i]);
	}
	free(unfinished);
	return all;
}

static void status(struct control_daemon *d, struct control_request *r)
{
	struct error e = {0};
	json_t *digests = unfinished_digests(d->store, &e);

	if (digests == NULL) {
		control_refuse(r, &e);
		return;
	}
	bool trouble = store_writer_trouble(d->writer, &e);
	control_answer(
		r, json_pack("{s:s, s:o, s:i, s:I, s:{s:s, s:o}, s:o, s:o, s:o, s:o}", "version",
			   HUBMAIL_VERSION, "config_trouble",
			   json_text(d->config_trouble[0] != '\0' ? d->config_trouble : NULL),
			   "pid", (int)getpid(), "started_at", (json_int_t)d->started_at,
			   "database", "path", d->config->database, "trouble",
			   json_text(trouble ? e.text : NULL), "relays",
			   delivery_status(d->delivery), "domains", delivery_domains(d->delivery),
			   "sources", schedule_status(d->schedule), "digests", digests));
}

static void poll_sources(struct control_daemon *d, const json_t *request, struct control_request *r)
{
	const char *which = json_string_value(json_object_get(request, "source"));
	struct error e = {0};
	int n = schedule_poll(d->schedule, which);

	if (n == 0 && which != NULL) {
		error_set(&e, ERROR_NOT_FOUND,
			"%s: no such source or list (`hubmailctl sources` shows them)", which);
		control_refuse(r, &e);
		return;
	}
	control_answer(r, json_pack("{s:i}", "looking", n));
}

/* ---- send ---- */

/* What a request to send holds, in the form that the schedule takes. */
struct send_request {
	struct schedule_send what;
	int64_t *post_ids;
	const char **to;
};

static bool take_edition(const json_t *request, struct schedule_send *what, struct error *e)
{
	const char *name = json_string_value(json_object_get(request, "edition"));
	enum edition edition;

	what->edition = -1;
	if (name == NULL)
		return true;
	if (!edition_from_name(name, &edition))
		return error_set(
			e, ERROR_USAGE, "%s: no such edition (each daily weekly monthly)", name);
	what->edition = (int)edition;
	return true;
}

static bool take_posts(const json_t *request, struct send_request *q, struct error *e)
{
	const json_t *posts = json_object_get(request, "posts");
	size_t n = json_array_size(posts);

	if (n > SEND_MAX)
		return error_set(e, ERROR_USAGE, "more than %d posts in one digest", SEND_MAX);
	q->post_ids = n > 0 ? xcalloc(n, sizeof(*q->post_ids)) : NULL;
	for (size_t i = 0; i < n; i++) {
		if (!json_is_integer(json_array_get(posts, i)))
			return error_set(e, ERROR_USAGE, "posts: numbers are expected");
		q->post_ids[i] = json_integer_value(json_array_get(posts, i));
	}
	q->what.post_ids = q->post_ids;
	q->what.n_posts = n;
	return true;
}

static bool take_readers(const json_t *request, struct send_request *q, struct error *e)
{
	const json_t *to = json_object_get(request, "to");
	size_t n = json_array_size(to);

	if (n > SEND_MAX)
		return error_set(e, ERROR_USAGE, "more than %d addresses in one request", SEND_MAX);
	q->to = n > 0 ? xcalloc(n, sizeof(*q->to)) : NULL;
	for (size_t i = 0; i < n; i++) {
		q->to[i] = json_string_value(json_array_get(to, i));
		if (q->to[i] == NULL || !address_is_normal(q->to[i]))
			return error_set(e, ERROR_USAGE, "to: %s is no address in its normal form",
				q->to[i] != NULL ? q->to[i] : "something that is no text");
	}
	q->what.to = q->to;
	q->what.n_to = n;
	return true;
}

static void sent(int64_t digest_id, const struct error *failure, void *arg)
{
	struct control_request *r = arg;

	if (failure != NULL)
		control_refuse(r, failure);
	else
		control_answer(r, json_pack("{s:I}", "digest", (json_int_t)digest_id));
}

static void send_digest(struct control_daemon *d, const json_t *request, struct control_request *r)
{
	struct send_request q = {0};
	struct error e = {0};

	q.what.list = json_string_value(json_object_get(request, "list"));
	q.what.last = (int)json_integer_value(json_object_get(request, "last"));
	if (q.what.list == NULL)
		error_set(&e, ERROR_USAGE, "list: a name is expected");
	else if (q.what.last < 0)
		error_set(&e, ERROR_USAGE, "last: a number from 0 is expected");
	if (e.code == ERROR_NONE && take_edition(request, &q.what, &e) &&
		take_posts(request, &q, &e) && take_readers(request, &q, &e))
		schedule_send(d->schedule, &q.what, sent, r);
	else
		control_refuse(r, &e);
	free(q.post_ids);
	free(q.to);
}

bool control_daemon_handle(
	const char *command, const json_t *request, struct control_request *r, void *arg)
{
	struct control_daemon *d = arg;

	if (strcmp(command, "status") == 0) {
		status(d, r);
	} else if (strcmp(command, "poll") == 0) {
		poll_sources(d, request, r);
	} else if (strcmp(command, "send") == 0) {
		send_digest(d, request, r);
	} else if (strcmp(command, "wake") == 0) {
		delivery_wake(d->delivery);
		control_answer(r, json_object());
	} else if (strcmp(command, "retry") == 0) {
		delivery_try_now(d->delivery);
		control_answer(r, json_object());
	} else {
		return false;
	}
	return true;
}
