/* Sources that tell of their news: subscribing to a feed's hub and keeping the lease (WebSub, W3C
 * Recommendation of 2018), and whom to believe. What they tell becomes a look; polling goes on all
 * the same, only slower. Nothing secret is stored: tokens and keys are made from the secret, the
 * source's number and its topic. */
#include "room.h"

#include "hubmail/base_clock.h"
#include "hubmail/base_log.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define LEASE_S 864000 /* what is asked for; the hub decides */
#define LEASE_MIN_S 300
#define LEASE_MAX_S INT64_C(2592000)
#define AGAIN_MIN_S 3600 /* after a subscription that came to nothing */
#define AGAIN_MAX_S 86400
#define RENEW_MAX_S 86400 /* before the lease ends, at the earliest */
#define HUB_TIMEOUT_S 30
#define HUB_ANSWER_MAX (64u << 10)
#define GAP_MS 2000 /* between two looks that a source asks for */

static void on_push_timer(evutil_socket_t fd, short what, void *arg);

void schedule_push(struct schedule *s, const struct secret *secret)
{
	s->secret = secret;
	leave_forgotten(s);
}

/* ---- Names and keys ---- */

struct watch *push_find(struct schedule *s, int64_t source_id)
{
	struct list *l;
	struct watch *w;

	TAILQ_FOREACH(l, &s->lists, entry)
	TAILQ_FOREACH(w, &l->watches, entry)
	if (w->source_id == source_id && source_id != 0)
		return w;
	return NULL;
}

/* base64url of 24 bytes for this source (and topic) and purpose; out has room for 33. */
static void prove(const struct secret *secret, int64_t source_id, const char *purpose,
	const char *topic, char *out)
{
	unsigned char mac[32];
	char *data = xasprintf("%lld %s", (long long)source_id, topic != NULL ? topic : "");

	secret_derive(secret, purpose, data, strlen(data), mac);
	base64url_encode(mac, 24, out);
	free(data);
}

static bool is_proof(const struct watch *w, const char *purpose, const char *topic, const char *s)
{
	char right[PROOF_MAX];

	prove(w->schedule->secret, w->source_id, purpose, topic, right);
	return s != NULL && strlen(s) == strlen(right) && same_bytes(s, right, strlen(right));
}

#define HOOK "hubmail hook 1"
#define CALLBACK "hubmail websub callback 1"
#define DELIVERY "hubmail websub delivery 1"

char *push_hook_url(const struct watch *w)
{
	char secret[PROOF_MAX];

	if (w->schedule->secret == NULL || w->source_id == 0 || w->schedule->web_url == NULL)
		return NULL;
	prove(w->schedule->secret, w->source_id, HOOK, NULL, secret);
	return xasprintf(
		"%s/hooks/%lld?secret=%s", w->schedule->web_url, (long long)w->source_id, secret);
}

char *push_callback(
	const struct schedule *s, const char *web_url, int64_t source_id, const char *topic)
{
	char proof[PROOF_MAX];

	prove(s->secret, source_id, CALLBACK, topic, proof);
	return xasprintf("%s/websub/%lld.%s", web_url, (long long)source_id, proof);
}

/* "sha256=0123…" over the bytes. */
static bool is_signed(const char *signature, const char *key, const void *body, size_t len)
{
	unsigned char mac[64];
	char digest[8], right[129];
	size_t name = signature != NULL ? strcspn(signature, "=") : 0;

	if (name == 0 || name >= sizeof(digest) || signature[name] != '=')
		return false;
	memcpy(digest, signature, name);
	digest[name] = '\0';
	size_t n = hmac_by_name(digest, key, strlen(key), body, len, mac);
	for (size_t i = 0; i < n; i++)
		snprintf(right + 2 * i, 3, "%02x", mac[i]);
	char *said = xstrdup(signature + name + 1);
	for (char *c = said; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	bool ok = n > 0 && strlen(said) == 2 * n && same_bytes(said, right, 2 * n);
	free(said);
	return ok;
}

/* ---- The lease ---- */

bool push_is_on(const struct watch *w)
{
	return w->push.lease_until > clock_now();
}

static void arm(struct watch *w, int64_t seconds)
{
	struct timeval in = {(time_t)(seconds > 0 ? seconds : 0), 0};

	if (w->push.timer == NULL)
		w->push.timer = evtimer_new(loop_base(w->schedule->loop), on_push_timer, w);
	event_add(w->push.timer, &in);
}

/* A lease that has a fifth of its time left is renewed. */
static void arm_renewal(struct watch *w)
{
	int64_t left = w->push.lease_until - clock_now();
	int64_t before = left / 5 < RENEW_MAX_S ? left / 5 : RENEW_MAX_S;

	arm(w, left - before);
}

void push_begin(struct watch *w, const struct store_source *row)
{
	w->push.hub = xstrdup(row->hub);
	w->push.topic = xstrdup(row->topic);
	w->push.lease_until = row->lease_until;
	if (w->schedule->secret != NULL && push_is_on(w))
		arm_renewal(w);
}

static void forget(struct watch *w)
{
	struct push *p = &w->push;

	if (p->fetch != NULL)
		fetch_cancel(p->fetch);
	if (p->timer != NULL)
		event_free(p->timer);
	free(p->hub);
	free(p->topic);
	*p = (struct push){0};
}

void push_end(struct watch *w)
{
	if (!w->schedule->closed)
		leave_hub(w, w->schedule->web_url);
	forget(w);
}

void push_note(struct watch *w, const char *hub, const char *topic)
{
	struct push *p = &w->push;

	if (!text_same(hub, p->hub) || !text_same(topic, p->topic)) {
		char *new_hub = xstrdup(hub), *new_topic = xstrdup(topic);
		int64_t nudged_ms = p->nudged_ms;
		leave_hub(w, w->schedule->web_url);
		forget(w);
		p->hub = new_hub;
		p->topic = new_topic;
		p->nudged_ms = nudged_ms;
	}
	if (w->schedule->secret == NULL || w->schedule->web_url == NULL || p->hub == NULL ||
		p->topic == NULL || p->fetch != NULL)
		return;
	if (p->timer == NULL || !evtimer_pending(p->timer, NULL))
		arm(w, 0);
}

void push_again(struct watch *w, const char *old_web_url)
{
	leave_hub(w, old_web_url);
	w->push.lease_until = 0;
	w->push.attempts = 0;
	if (w->schedule->secret != NULL && w->push.hub != NULL)
		arm(w, 0);
}

/* ---- Subscribing ---- */

static void on_subscribed(const struct fetch_answer *answer, const struct error *failure, void *arg)
{
	struct watch *w = arg;
	int64_t again = AGAIN_MIN_S;

	(void)answer;
	w->push.fetch = NULL;
	for (int i = 1; i < w->push.attempts && again < AGAIN_MAX_S; i++)
		again *= 2;
	if (failure != NULL)
		log_warn("hub does not take the subscription", "list=%s source=%s hub=%s reason=%s",
			w->settings->list.name, log_quote(w->source->location),
			log_quote(w->push.hub), log_quote(failure->text));
	/* A hub may have asked for the confirmation before it answered. */
	if (!push_is_on(w) || w->push.attempts > 0)
		arm(w, again < AGAIN_MAX_S ? again : AGAIN_MAX_S);
}

static void add_field(struct buf *b, const char *name, const char *value)
{
	buf_addf(b, "%s%s=", b->len > 0 ? "&" : "", name);
	for (const unsigned char *c = (const unsigned char *)value; *c != '\0'; c++) {
		if (isalnum(*c) || *c == '-' || *c == '_' || *c == '.')
			buf_addc(b, (char)*c);
		else
			buf_addf(b, "%%%02X", *c);
	}
}

struct fetch *push_ask_hub(struct schedule *s, const struct hub_request *r, fetch_fn *fn, void *arg)
{
	struct buf body = {0};
	char lease[16];

	snprintf(lease, sizeof(lease), "%d", LEASE_S);
	add_field(&body, "hub.mode", r->key != NULL ? "subscribe" : "unsubscribe");
	add_field(&body, "hub.verify", "async"); /* for hubs of before the standard */
	add_field(&body, "hub.topic", r->topic);
	add_field(&body, "hub.callback", r->callback);
	if (r->key != NULL) {
		add_field(&body, "hub.secret", r->key);
		add_field(&body, "hub.lease_seconds", lease);
	}
	struct fetch_request request = {
		.url = r->hub,
		.max_bytes = HUB_ANSWER_MAX,
		.timeout_s = HUB_TIMEOUT_S,
		.private_addresses = r->allow_private ? FETCH_PRIVATE_ALWAYS : FETCH_PRIVATE_NEVER,
		.body = buf_str(&body),
		.body_len = body.len,
		.body_type = "application/x-www-form-urlencoded",
	};
	struct fetch *fetch = fetch_start(s->fetcher, &request, fn, arg);
	buf_free(&body);
	return fetch;
}

static void subscribe(struct watch *w)
{
	struct schedule *s = w->schedule;
	struct push *p = &w->push;
	char key[PROOF_MAX];
	char *callback = push_callback(s, s->web_url, w->source_id, p->topic);

	prove(s->secret, w->source_id, DELIVERY, p->topic, key);
	leave_cancel(w, callback);
	struct hub_request request = {
		.hub = p->hub,
		.topic = p->topic,
		.callback = callback,
		.key = key,
		.allow_private = w->source->allow_private,
	};
	p->attempts++;
	p->fetch = push_ask_hub(s, &request, on_subscribed, w);
	free(callback);
}

static void on_push_timer(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;

	(void)fd;
	(void)what;
	if (w->push.fetch == NULL && w->push.hub != NULL && w->push.topic != NULL)
		subscribe(w);
}

/* ---- What hubs say ---- */

struct lease {
	struct write write;
	int64_t source_id, until;
	char *topic;
};

static bool lease_run(struct store *store, void *arg, struct error *e)
{
	struct lease *l = arg;

	return store_source_lease(store, l->source_id, l->topic, l->until, e);
}

static void lease_ended(struct write *write, const struct error *failure)
{
	struct lease *l = (struct lease *)write;

	(void)failure; /* then it is asked for again after a restart */
	free(l->topic);
	free(l);
}

void push_note_lease(struct schedule *s, int64_t source_id, const char *topic, int64_t until)
{
	struct lease *l = xcalloc(1, sizeof(*l));

	l->source_id = source_id;
	l->until = until;
	l->topic = xstrdup(topic);
	write_submit(s, &l->write, lease_run, lease_ended, STORE_JOB_RETRY);
}

static void take_lease(struct watch *w, const char *seconds)
{
	long long lease = LEASE_S;

	if (seconds == NULL || !text_to_int(seconds, 1, LEASE_MAX_S, &lease))
		lease = LEASE_S;
	lease = lease < LEASE_MIN_S ? LEASE_MIN_S : lease;
	w->push.attempts = 0;
	w->push.lease_until = clock_now() + lease;
	arm_renewal(w);
	log_info("hub tells of the source's news from now on",
		"list=%s source=%s hub=%s seconds=%lld", w->settings->list.name,
		log_quote(w->source->location), log_quote(w->push.hub), lease);
	push_note_lease(w->schedule, w->source_id, w->push.topic, w->push.lease_until);
}

/* The source of a callback "ID.PROOF". */
static struct watch *find_callback(struct schedule *s, const char *token)
{
	size_t digits = strspn(token, "0123456789");
	long long id = 0;
	char *number = xstrndup(token, digits);
	bool ok =
		s->secret != NULL && token[digits] == '.' && text_to_int(number, 1, INT64_MAX, &id);
	struct watch *w = ok ? push_find(s, id) : NULL;

	free(number);
	if (w == NULL || w->push.topic == NULL ||
		!is_proof(w, CALLBACK, w->push.topic, token + digits + 1))
		return NULL;
	return w;
}

bool schedule_websub_verify(struct schedule *s, const char *token, const char *mode,
	const char *topic, const char *lease_seconds)
{
	if (mode != NULL && topic != NULL && strcmp(mode, "unsubscribe") == 0)
		return leave_confirm(s, token, topic);
	struct watch *w = find_callback(s, token);
	if (w == NULL || mode == NULL || topic == NULL || strcmp(topic, w->push.topic) != 0)
		return false;
	if (strcmp(mode, "denied") == 0) {
		log_warn("hub refuses the subscription", "list=%s source=%s hub=%s",
			w->settings->list.name, log_quote(w->source->location),
			log_quote(w->push.hub));
		w->push.lease_until = 0;
		return true;
	}
	if (strcmp(mode, "subscribe") != 0 || w->push.attempts == 0)
		return false;
	take_lease(w, lease_seconds);
	return true;
}

/* Looks soon, and not more often than the source can need. */
static void nudge(struct watch *w)
{
	int64_t now = clock_mono_ms(), at = now;

	if (w->folder != NULL || w->timer == NULL) {
		watch_look_now(w);
		return;
	}
	if (w->soon_ms != 0)
		return; /* that look is still to come */
	if (w->push.nudged_ms != 0 && w->push.nudged_ms + GAP_MS > now)
		at = w->push.nudged_ms + GAP_MS;
	w->push.nudged_ms = at;
	watch_look_within(w, at - now);
}

enum schedule_heard schedule_websub_deliver(
	struct schedule *s, const char *token, const struct schedule_call *call)
{
	struct watch *w = find_callback(s, token);
	char key[PROOF_MAX];
	int64_t now = clock_mono_ms();

	if (w == NULL)
		return HEARD_UNKNOWN;
	prove(s->secret, w->source_id, DELIVERY, w->push.topic, key);
	if (!is_signed(call->signature, key, call->body, call->len)) {
		log_warn("delivery of a hub is not signed with our key and is not believed",
			"list=%s source=%s", w->settings->list.name,
			log_quote(w->source->location));
		return HEARD_REFUSED;
	}
	if (watch_is_looking(w) || !w->has_looked ||
		(w->push.nudged_ms != 0 && now - w->push.nudged_ms < GAP_MS)) {
		nudge(w);
		return HEARD;
	}
	w->push.nudged_ms = now;
	look_at_delivery(w, call);
	return HEARD;
}

/* ---- Hooks ---- */

enum schedule_heard schedule_hook(
	struct schedule *s, const char *source, const struct schedule_call *call)
{
	long long id = 0;
	char secret[PROOF_MAX];
	struct watch *w = s->secret != NULL && text_to_int(source, 1, INT64_MAX, &id)
				  ? push_find(s, id)
				  : NULL;

	if (w == NULL)
		return HEARD_UNKNOWN;
	prove(s->secret, w->source_id, HOOK, NULL, secret);
	if (!is_proof(w, HOOK, NULL, call->secret) &&
		!is_signed(call->signature, secret, call->body, call->len))
		return HEARD_REFUSED;
	log_info("source tells of news", "list=%s source=%s", w->settings->list.name,
		log_quote(w->source->location));
	nudge(w);
	return HEARD;
}
