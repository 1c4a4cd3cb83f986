/* DKIM signatures (RFC 6376): rsa-sha256 and ed25519-sha256 (RFC 8463), relaxed/relaxed, one
 * signature for each key. A signer is immutable: any thread. */
#ifndef HUBMAIL_COMPOSE_DKIM_H
#define HUBMAIL_COMPOSE_DKIM_H

#include "hubmail/base_buf.h"
#include "hubmail/base_error.h"
#include "hubmail/compose.h"
#include <stddef.h>

#define DKIM_KEYS_MAX 4

/* A private key as PEM (PKCS#8, or PKCS#1 for RSA) and the selector of its DNS record. Every key
 * has a selector of its own: there is one record under a name. Borrowed for the call. */
struct dkim_key_text {
	const char *selector;
	const char *pem;
};

struct dkim_signer;

/* NULL: ERROR_CONFIG says which of domain, selector or key is wrong and how to mend it (no PEM, a
 * passphrase, neither RSA nor Ed25519, RSA of less than 1,024 or more than 4,096 bits, two keys
 * with one selector). Free with dkim_signer_free(); plans that were given the signer keep it until
 * they are freed too. */
struct dkim_signer *dkim_signer_new(
	const char *domain, const struct dkim_key_text *keys, size_t n, struct error *e);
void dkim_signer_free(struct dkim_signer *s);

/* From now on whatever is rendered from the plan begins with its signatures. What all readers share
 * is canonicalised and hashed here, once. To be called before other threads have the plan, at most
 * once for each plan. ERROR_DATA if the message cannot be signed: a field stands twice, or the body
 * has blanks that relaxed canonicalisation changes (not in what compose_digest() makes). */
bool compose_plan_sign(struct compose_plan *p, struct dkim_signer *s, struct error *e);

enum dkim_kind { DKIM_RSA, /* 2,048 bits */ DKIM_ED25519 };

/* A new private key as PEM (PKCS#8), appended to *pem; to be kept in a file of mode 0600. */
bool dkim_keygen(enum dkim_kind kind, struct buf *pem, struct error *e);

/* The TXT record that publishes the public half of a private key, as character-strings of at most
 * 255 bytes; their concatenation is the record. ERROR_CONFIG as for dkim_signer_new(). */
bool dkim_dns_strings(const char *pem, struct strlist *strings, struct error *e);

/* The same as one line for a zone file: `news._domainkey.example.org. IN TXT ( "…" "…" )`. */
bool dkim_dns_line(const char *domain, const char *selector, const char *pem, struct buf *out,
	struct error *e);

#endif
