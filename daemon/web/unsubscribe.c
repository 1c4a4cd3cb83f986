/* The way out of a list. A GET shows a button and changes nothing, for scanners follow the links in
 * mails; a POST, from that button or from a mail program (RFC 8058), unsubscribes, whatever it says
 * besides. Nobody is told so before it is on disk. */
#include "site.h"

#include "hubmail/base_clock.h"
#include "hubmail/base_log.h"
#include "hubmail/base_mem.h"
#include "hubmail/store_subscriber.h"
#include "page.h"
#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

struct unsubscribing {
	struct web *web; /* NULL: the server is gone; the loop's thread only */
	struct loop *loop;
	struct evhttp_request *request;
	int64_t list_id, subscriber_id;
	bool one_click;
	int ended;    /* the writer's, then the loop's */
	bool unknown; /* the same */
	bool failed;  /* the same */
	LIST_ENTRY(unsubscribing) entry;
};

/* Whose link it is, as the page shows it. */
struct reader {
	char *list; /* title */
	char *language;
	char *address; /* NULL: erased in the meantime */
	bool active;
};

static void free_reader(struct reader *one)
{
	free(one->list);
	free(one->language);
	free(one->address);
}

/* A list that is no longer configured still has readers who want to leave it. */
static bool read_list(struct web *web, int64_t list_id, struct reader *one, struct error *e)
{
	char *name = store_list_name(web->store, list_id, e);

	if (name == NULL)
		return e->code == ERROR_NOT_FOUND;
	const struct config_list *list = config_find_list(web->config, name);
	one->list = xstrdup(list != NULL ? list->title : name);
	one->language = list != NULL ? xstrdup(list->language) : NULL;
	free(name);
	return true;
}

static bool read_subscription(struct web *web, int64_t list_id, int64_t subscriber_id,
	struct reader *one, struct error *e)
{
	enum subscription_state state;
	struct store_subscriber sub;

	if (!store_subscription_state(web->store, subscriber_id, list_id, &state, e))
		return e->code == ERROR_NOT_FOUND;
	if (!store_subscriber_get_by_id(web->store, subscriber_id, &sub, e))
		return e->code == ERROR_NOT_FOUND;
	one->active = state == SUBSCRIPTION_PENDING || state == SUBSCRIPTION_CONFIRMED;
	one->address = xstrdup(sub.email);
	store_subscriber_free(&sub);
	return true;
}

static bool read_reader(struct web *web, int64_t list_id, int64_t subscriber_id, struct reader *one)
{
	struct error e = {0};

	*one = (struct reader){0};
	if (read_list(web, list_id, one, &e) &&
		read_subscription(web, list_id, subscriber_id, one, &e))
		return true;
	log_error("database cannot be read", "reason=%s", log_quote(e.text));
	return false;
}

static void show(struct evhttp_request *r, int status, const struct reader *one,
	const struct texts *t, const struct message *m)
{
	page_send(r, &(struct page){.status = status,
			     .texts = t,
			     .message = m,
			     .list = one->list,
			     .address = one->address,
			     .ask = m == &t->ask});
}

static void show_trouble(struct evhttp_request *r, const struct reader *one)
{
	const struct texts *t = texts_for(one->language);

	show(r, 503, one, t, &t->trouble);
}

static void show_button(
	struct web *web, struct evhttp_request *r, int64_t list_id, int64_t subscriber_id)
{
	struct reader one;

	if (!read_reader(web, list_id, subscriber_id, &one)) {
		show_trouble(r, &one);
	} else {
		const struct texts *t = texts_for(one.language);
		show(r, 200, &one, t,
			one.active            ? &t->ask
			: one.address != NULL ? &t->already
					      : &t->gone);
	}
	free_reader(&one);
}

/* ---- Unsubscribing ---- */

static bool end_subscription(struct store *s, void *arg, struct error *e)
{
	struct unsubscribing *u = arg;
	struct error why = {0};

	u->unknown = false;
	if (store_subscription_end(s, u->subscriber_id, u->list_id, SUBSCRIPTION_UNSUBSCRIBED,
		    clock_now(), &u->ended, &why))
		return true;
	if (why.code == ERROR_NOT_FOUND) { /* erased: there is nothing left to end */
		u->unknown = true;
		return true;
	}
	*e = why;
	return false;
}

static void answer(struct unsubscribing *u)
{
	struct reader one;
	bool known = read_reader(u->web, u->list_id, u->subscriber_id, &one);
	const struct texts *t = texts_for(one.language);

	if (u->failed)
		show(u->request, 503, &one, t, &t->trouble);
	else if (u->ended > 0)
		show(u->request, 200, &one, t, &t->done);
	else if (!u->unknown && known)
		show(u->request, 200, &one, t, &t->already);
	else
		show(u->request, 200, &one, t, &t->gone);
	free_reader(&one);
}

static void report(const struct unsubscribing *u)
{
	const char *how = u->one_click ? "one-click" : "page";

	if (u->failed)
		log_warn("reader could not be unsubscribed",
			"list=%lld subscriber=%lld how=%s reason=\"the database cannot be written\"",
			(long long)u->list_id, (long long)u->subscriber_id, how);
	else if (u->ended > 0)
		log_info("reader unsubscribed", "list=%lld subscriber=%lld how=%s",
			(long long)u->list_id, (long long)u->subscriber_id, how);
}

static void after_commit(void *arg)
{
	struct unsubscribing *u = arg;

	report(u);
	if (u->web != NULL) {
		LIST_REMOVE(u, entry);
		answer(u);
	}
	free(u);
}

static void on_commit(void *arg, const struct error *failure)
{
	struct unsubscribing *u = arg;

	u->failed = failure != NULL;
	loop_post(u->loop, after_commit, u);
}

/* The body that RFC 8058 (3.2) asks mail programs to send, in either of its two encodings. It is
 * only told apart for the log. */
static bool is_one_click(struct evhttp_request *r)
{
	static const char key[] = "List-Unsubscribe", value[] = "One-Click";
	struct evbuffer *body = evhttp_request_get_input_buffer(r);

	return evbuffer_search(body, key, strlen(key), NULL).pos >= 0 &&
	       evbuffer_search(body, value, strlen(value), NULL).pos >= 0;
}

static void unsubscribe(
	struct web *web, struct evhttp_request *r, int64_t list_id, int64_t subscriber_id)
{
	struct unsubscribing *u = xcalloc(1, sizeof(*u));

	u->web = web;
	u->loop = web->loop;
	u->request = r;
	u->list_id = list_id;
	u->subscriber_id = subscriber_id;
	u->one_click = is_one_click(r);
	LIST_INSERT_HEAD(&web->unsubscribing, u, entry);
	store_writer_submit(web->writer, end_subscription, on_commit, u, STORE_JOB_DURABLE);
}

static void show_wrong_link(struct web *web, struct evhttp_request *r)
{
	const struct config *c = web->config;
	const struct texts *t = texts_for(c->n_lists > 0 ? c->lists[0].language : NULL);

	page_send(r, &(struct page){.status = 404, .texts = t, .message = &t->wrong_link});
}

void unsubscribe_page(struct web *web, struct evhttp_request *r, const char *token)
{
	int64_t list_id, subscriber_id;

	switch (evhttp_request_get_command(r)) {
	case EVHTTP_REQ_GET:
	case EVHTTP_REQ_HEAD:
	case EVHTTP_REQ_POST:
		break;
	default:
		page_send_not_allowed(r, "GET, HEAD, POST");
		return;
	}
	if (!token_check(&web->secret, token, &list_id, &subscriber_id))
		show_wrong_link(web, r);
	else if (evhttp_request_get_command(r) == EVHTTP_REQ_POST)
		unsubscribe(web, r, list_id, subscriber_id);
	else
		show_button(web, r, list_id, subscriber_id);
}

void unsubscribe_forget(struct web *web)
{
	struct unsubscribing *u, *next;

	for (u = LIST_FIRST(&web->unsubscribing); u != NULL; u = next) {
		next = LIST_NEXT(u, entry);
		/* A request whose connection ended before is nobody's but ours. */
		if (evhttp_request_get_connection(u->request) == NULL)
			evhttp_request_free(u->request);
		u->web = NULL;
	}
	LIST_INIT(&web->unsubscribing);
}
