/* What sources and their hubs say, machine to machine: news of a source (a hook), the question of a
 * hub whether it was us who subscribed, and what it delivers (WebSub, 5.3 and 7). Who may say it is
 * judged by the schedule, which knows the keys. */
#include "site.h"

#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "page.h"
#include <event2/buffer.h>
#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *header(struct evhttp_request *r, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(r), name);
}

static void read_query(struct evhttp_request *r, struct evkeyvalq *out)
{
	const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(r));

	TAILQ_INIT(out);
	if (query != NULL && evhttp_parse_query_str(query, out) != 0)
		evhttp_clear_headers(out);
}

/* GitHub and hubs have other names for the same header. */
static void read_call(struct evhttp_request *r, struct schedule_call *call)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(r);
	const char *type = header(r, "Content-Type");
	const char *charset = type != NULL ? strcasestr(type, "charset=") : NULL;

	*call = (struct schedule_call){.signature = header(r, "X-Hub-Signature-256")};
	if (call->signature == NULL)
		call->signature = header(r, "X-Hub-Signature");
	call->charset = charset != NULL ? charset + strlen("charset=") : NULL;
	call->len = evbuffer_get_length(body);
	call->body = call->len > 0 ? (const char *)evbuffer_pullup(body, -1) : "";
}

/* In the address, for services that let people set nothing else, or in a header. */
static const char *find_secret(struct evhttp_request *r, const struct evkeyvalq *query)
{
	const char *authorization = header(r, "Authorization");
	const char *secret = evhttp_find_header(query, "secret");

	if (secret == NULL)
		secret = header(r, "X-Gitlab-Token");
	if (secret == NULL && authorization != NULL &&
		strncasecmp(authorization, "Bearer ", 7) == 0)
		secret = authorization + 7;
	return secret;
}

void hook_page(struct web *web, struct evhttp_request *r, const char *source)
{
	struct schedule_call call;
	struct evkeyvalq query;

	if (evhttp_request_get_command(r) != EVHTTP_REQ_POST) {
		page_send_not_allowed(r, "POST");
		return;
	}
	read_query(r, &query);
	read_call(r, &call);
	call.secret = find_secret(r, &query);
	/* Whoever has no secret does not learn which sources there are. */
	if (schedule_hook(web->schedule, source, &call) == HEARD)
		page_send_line(r, 202, "looking");
	else
		page_send_line(r, 403, "there is no such source, or the secret is wrong");
	evhttp_clear_headers(&query);
}

static void answer_hub(struct web *web, struct evhttp_request *r, const char *token)
{
	struct evkeyvalq query;

	read_query(r, &query);
	const char *challenge = evhttp_find_header(&query, "hub.challenge");
	if (schedule_websub_verify(web->schedule, token, evhttp_find_header(&query, "hub.mode"),
		    evhttp_find_header(&query, "hub.topic"),
		    evhttp_find_header(&query, "hub.lease_seconds")))
		page_send_echo(r, challenge != NULL ? challenge : "");
	else
		page_send_line(r, 404, "that was not asked for");
	evhttp_clear_headers(&query);
}

static void take_delivery(struct web *web, struct evhttp_request *r, const char *token)
{
	struct schedule_call call;

	read_call(r, &call);
	/* A wrong signature gets the answer of a right one, as the standard has it (8). */
	if (schedule_websub_deliver(web->schedule, token, &call) == HEARD_UNKNOWN)
		page_send_line(r, 410, "nobody is subscribed here");
	else
		page_send_line(r, 202, "taken");
}

void websub_page(struct web *web, struct evhttp_request *r, const char *token)
{
	switch (evhttp_request_get_command(r)) {
	case EVHTTP_REQ_GET:
		answer_hub(web, r, token);
		break;
	case EVHTTP_REQ_POST:
		take_delivery(web, r, token);
		break;
	default:
		page_send_not_allowed(r, "GET, POST");
	}
}
