/* The signer and its hands: what is signed with which keys, and for each message the hash of the
 * reader's own after the hash of what all readers share. What can be known before there is a reader
 * is worked out in dkim_plan.c. */
#include "dkim.h"
#include "dkim_plan.h"
#include "hubmail/base_address.h"
#include "hubmail/base_clock.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "rfc2047.h"
#include "rfc6376.h"

#include <stdlib.h>
#include <string.h>

#define SELECTOR_MAX 63
#define BASE64_MAX (DKIM_SIGNATURE_MAX / 3 * 4 + 8)

struct dkim_scratch {
	struct dkim_signer *signer;
	struct dkim_hand hands[DKIM_KEYS_MAX];
	EVP_MD_CTX *hash;   /* of the body, then of the fields before the signature */
	EVP_MD_CTX *ending; /* of those and one signature */
	struct buf canonical;
};

/* ---- The signer ---- */

static bool check_selector(const char *s, struct error *e)
{
	size_t len = strlen(s);
	size_t good =
		strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
	if (len > 0 && len <= SELECTOR_MAX && good == len && s[0] != '.' && s[len - 1] != '.' &&
		strstr(s, "..") == NULL)
		return true;
	return error_set(e, ERROR_CONFIG,
		"the DKIM selector \"%.80s\" is not a name of letters, digits, '-' and '_' of at "
		"most %d bytes",
		s, SELECTOR_MAX);
}

static bool add_key(struct dkim_signer *s, const struct dkim_key_text *text, struct error *e)
{
	if (!check_selector(text->selector, e))
		return false;
	for (size_t i = 0; i < s->n; i++) {
		if (strcasecmp(s->keys[i].selector, text->selector) == 0)
			return error_set(e, ERROR_CONFIG,
				"two DKIM keys have the selector %s: each needs its own, because "
				"a DNS name holds one key",
				text->selector);
	}
	char *name = xasprintf("the DKIM key of selector %s", text->selector);
	EVP_PKEY *key = dkim_key_load(text->pem, name, e);
	free(name);
	if (key == NULL)
		return false;
	s->keys[s->n++] = (struct dkim_key){xstrdup(text->selector), key};
	return true;
}

/* A domain is good if an address there is. */
static bool take_domain(struct dkim_signer *s, const char *domain, struct error *e)
{
	char normal[ADDRESS_MAX + 1];
	char *address = xasprintf("dkim@%s", domain);
	bool ok = address_normalise(address, normal, NULL);
	free(address);
	if (!ok)
		return error_set(
			e, ERROR_CONFIG, "the DKIM domain \"%.200s\" is not a domain name", domain);
	s->domain = xstrdup(address_domain(normal));
	return true;
}

struct dkim_signer *dkim_signer_new(
	const char *domain, const struct dkim_key_text *keys, size_t n, struct error *e)
{
	struct dkim_signer *s = xcalloc(1, sizeof(*s));
	atomic_init(&s->refs, 1);
	bool ok = n > 0 && n <= DKIM_KEYS_MAX;
	if (!ok)
		error_set(e, ERROR_CONFIG, "DKIM needs one key to sign with, and %d at most",
			DKIM_KEYS_MAX);
	ok = ok && take_domain(s, domain, e);
	for (size_t i = 0; ok && i < n; i++)
		ok = add_key(s, &keys[i], e);
	if (ok)
		return s;
	dkim_signer_free(s);
	return NULL;
}

struct dkim_signer *dkim_signer_ref(struct dkim_signer *s)
{
	atomic_fetch_add(&s->refs, 1);
	return s;
}

void dkim_signer_free(struct dkim_signer *s)
{
	if (s == NULL || atomic_fetch_sub(&s->refs, 1) > 1)
		return;
	for (size_t i = 0; i < s->n; i++) {
		free(s->keys[i].selector);
		EVP_PKEY_free(s->keys[i].key);
	}
	free(s->domain);
	free(s);
}

/* ---- One thread's scratch ---- */

static struct dkim_scratch *scratch_new(struct dkim_signer *signer)
{
	struct dkim_scratch *s = xcalloc(1, sizeof(*s));
	s->signer = dkim_signer_ref(signer);
	s->hash = EVP_MD_CTX_new();
	s->ending = EVP_MD_CTX_new();
	if (s->hash == NULL || s->ending == NULL)
		abort();
	for (size_t i = 0; i < signer->n; i++)
		dkim_hand_open(&s->hands[i], signer->keys[i].key);
	return s;
}

void dkim_scratch_free(struct dkim_scratch *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->signer->n; i++)
		dkim_hand_close(&s->hands[i]);
	EVP_MD_CTX_free(s->hash);
	EVP_MD_CTX_free(s->ending);
	buf_free(&s->canonical);
	dkim_signer_free(s->signer);
	free(s);
}

/* After a change of keys a session comes with the hands of the old ones. */
static struct dkim_scratch *scratch_for(struct compose_message *m, struct dkim_signer *signer)
{
	if (m->signing != NULL && m->signing->signer == signer)
		return m->signing;
	dkim_scratch_free(m->signing);
	m->signing = scratch_new(signer);
	return m->signing;
}

/* ---- One message ---- */

static void must(int ok)
{
	if (ok <= 0)
		abort();
}

static void hash_add(EVP_MD_CTX *hash, const char *data, size_t len)
{
	must(EVP_DigestUpdate(hash, data, len));
}

static void hash_body(const struct compose_plan *p, const struct span *token, const struct buf *own,
	struct dkim_scratch *s, unsigned char out[32])
{
	const struct dkim_signing *g = p->signing;
	const char *shared = p->text.data + g->body_text;
	must(EVP_MD_CTX_copy_ex(s->hash, g->body));
	for (size_t i = g->body_segment; i < p->n_segments; i++) {
		if (p->segments[i].slot == SLOT_TOKEN)
			hash_add(s->hash, own->data + token->at, token->len);
		hash_add(s->hash, shared, p->segments[i].len);
		shared += p->segments[i].len;
	}
	must(EVP_DigestFinal_ex(s->hash, out, NULL));
}

static void hash_fields(const struct dkim_signing *g, const struct span spans[SLOT_KINDS],
	const struct buf *own, struct dkim_scratch *s)
{
	must(EVP_MD_CTX_copy_ex(s->hash, g->header));
	for (size_t i = 0; i < g->n_own; i++) {
		const struct own_field *f = &g->own[i];
		const char *bytes = own->data + spans[f->slot].at;
		size_t len = spans[f->slot].len;
		if (f->slot != SLOT_TOKEN) {
			buf_truncate(&s->canonical, 0);
			relaxed_header(&s->canonical, bytes, len);
			bytes = s->canonical.data;
			len = s->canonical.len;
		}
		hash_add(s->hash, f->before, strlen(f->before));
		hash_add(s->hash, bytes, len);
		hash_add(s->hash, f->after, strlen(f->after));
	}
}

/* The field as far as "b=". */
static void add_head(struct buf *out, const struct dkim_signing *g, const struct dkim_key *key,
	const unsigned char body[32], int64_t now)
{
	unsigned char base64[48];
	EVP_EncodeBlock(base64, body, 32);
	buf_addf(out, "DKIM-Signature: v=1; a=%s; c=relaxed/relaxed;",
		dkim_key_is_ed25519(key->key) ? "ed25519-sha256" : "rsa-sha256");
	header_space(out, strlen(g->signer->domain) + 3);
	buf_addf(out, "d=%s;", g->signer->domain);
	header_space(out, strlen(key->selector) + 3);
	buf_addf(out, "s=%s;", key->selector);
	header_space(out, 16);
	buf_addf(
		out, "t=%lld;\r\n %s\r\n bh=%s;\r\n b=", (long long)now, g->fields, (char *)base64);
}

static void add_signature(struct buf *out, const unsigned char *signature, size_t len)
{
	unsigned char base64[BASE64_MAX];
	size_t left = (size_t)EVP_EncodeBlock(base64, signature, (int)len);
	for (const unsigned char *p = base64; left > 0;) {
		size_t room = HEADER_LINE_MAX - header_column(out);
		size_t n = left < room ? left : room;
		buf_add(out, p, n);
		p += n;
		left -= n;
		buf_adds(out, left > 0 ? "\r\n " : "\r\n");
	}
}

/* The signature's own field is signed last, without its CRLF and with nothing after "b=" (RFC 6376,
 * 3.7). */
static void sign_with(struct dkim_scratch *s, struct dkim_hand *hand, struct buf *out, size_t at)
{
	unsigned char hash[32];
	unsigned char signature[DKIM_SIGNATURE_MAX];
	buf_truncate(&s->canonical, 0);
	relaxed_header(&s->canonical, out->data + at, out->len - at);
	must(EVP_MD_CTX_copy_ex(s->ending, s->hash));
	hash_add(s->ending, s->canonical.data, s->canonical.len - 2);
	must(EVP_DigestFinal_ex(s->ending, hash, NULL));
	add_signature(out, signature, dkim_hand_sign(hand, hash, signature));
}

void dkim_sign(const struct compose_plan *p, const struct span spans[SLOT_KINDS],
	struct compose_message *m)
{
	const struct dkim_signing *g = p->signing;
	struct dkim_scratch *s = scratch_for(m, g->signer);
	unsigned char body[32];
	int64_t now = clock_now();
	hash_body(p, &spans[SLOT_TOKEN], &m->own, s, body);
	hash_fields(g, spans, &m->own, s);
	for (size_t i = 0; i < g->signer->n; i++) {
		size_t at = m->own.len;
		add_head(&m->own, g, &g->signer->keys[i], body, now);
		sign_with(s, &s->hands[i], &m->own, at);
	}
}
