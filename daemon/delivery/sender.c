/* Lists and their signers. A list is signed with all keys of the domain nearest to its sender's:
 * that domain itself, or else the longest one above it (DMARC's relaxed alignment, RFC 7489, 3.1.1,
 * holds for both). */
#include "sender.h"

#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* One for each domain that has keys. */
struct signer {
	const char *domain; /* the configuration's, until senders_new() returns */
	struct dkim_signer *signer;
};

struct senders {
	atomic_int refs;
	struct sender *items;
	size_t n;
	struct signer *signers;
	size_t n_signers;
};

static struct signer *find_signer(struct senders *s, const char *domain)
{
	for (size_t i = 0; i < s->n_signers; i++)
		if (strcasecmp(s->signers[i].domain, domain) == 0)
			return &s->signers[i];
	return NULL;
}

static void add_signer(
	struct senders *s, const struct config *c, const char *domain, struct strlist *errors)
{
	struct dkim_key_text keys[DKIM_KEYS_MAX];
	struct error e = {0};
	size_t n = 0;

	for (size_t i = 0; i < c->n_dkim && n < DKIM_KEYS_MAX; i++)
		if (c->dkim[i].key != NULL && strcasecmp(c->dkim[i].domain, domain) == 0)
			keys[n++] = (struct dkim_key_text){c->dkim[i].selector, c->dkim[i].key};
	if (n == 0)
		return;
	struct signer *new = &s->signers[s->n_signers++];
	*new = (struct signer){domain, dkim_signer_new(domain, keys, n, &e)};
	if (new->signer == NULL && errors != NULL)
		strlist_take(errors, xasprintf("%s: dkim: %s: %s", c->file, domain, e.text));
}

static bool is_at_or_above(const char *domain, const char *of)
{
	size_t len = strlen(domain), of_len = strlen(of);

	return of_len >= len && strcasecmp(of + of_len - len, domain) == 0 &&
	       (of_len == len || of[of_len - len - 1] == '.');
}

static struct dkim_signer *signer_for(const struct senders *s, const char *from)
{
	const struct signer *best = NULL;

	for (size_t i = 0; i < s->n_signers; i++)
		if (is_at_or_above(s->signers[i].domain, address_domain(from)) &&
			(best == NULL || strlen(s->signers[i].domain) > strlen(best->domain)))
			best = &s->signers[i];
	return best != NULL ? best->signer : NULL;
}

struct senders *senders_new(const struct config *c, struct strlist *errors)
{
	struct senders *s = xcalloc(1, sizeof(*s));

	atomic_init(&s->refs, 1);
	s->signers = xcalloc(c->n_dkim + 1, sizeof(*s->signers));
	for (size_t i = 0; i < c->n_dkim; i++)
		if (find_signer(s, c->dkim[i].domain) == NULL)
			add_signer(s, c, c->dkim[i].domain, errors);
	s->items = xcalloc(c->n_lists + 1, sizeof(*s->items));
	s->n = c->n_lists;
	for (size_t i = 0; i < c->n_lists; i++) {
		s->items[i].list = xstrdup(c->lists[i].name);
		memcpy(s->items[i].from, c->lists[i].from_address, sizeof(s->items[i].from));
		s->items[i].signer = signer_for(s, s->items[i].from);
	}
	return s;
}

struct senders *senders_ref(struct senders *s)
{
	atomic_fetch_add(&s->refs, 1);
	return s;
}

void senders_unref(struct senders *s)
{
	if (s == NULL || atomic_fetch_sub(&s->refs, 1) > 1)
		return;
	for (size_t i = 0; i < s->n; i++)
		free(s->items[i].list);
	for (size_t i = 0; i < s->n_signers; i++)
		dkim_signer_free(s->signers[i].signer);
	free(s->items);
	free(s->signers);
	free(s);
}

const struct sender *senders_find(const struct senders *s, const char *list)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->items[i].list, list) == 0)
			return &s->items[i];
	return NULL;
}
