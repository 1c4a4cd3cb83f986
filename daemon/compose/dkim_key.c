/* Private keys over OpenSSL: from PEM, to a signature, to the DNS record that publishes the public
 * half. */
#include "dkim_key.h"
#include "hubmail/base_mem.h"
#include "hubmail/compose_dkim.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define RSA_BITS 2048
#define RSA_BITS_MIN 1024 /* RFC 8301, 3.2 */
#define RSA_BITS_MAX 4096
#define TXT_STRING_MAX 255

/* ---- Reading ---- */

/* A daemon cannot be asked for a passphrase. */
static int no_passphrase(char *out, int size, int writing, void *asked)
{
	(void)out;
	(void)size;
	(void)writing;
	*(bool *)asked = true;
	return -1;
}

static EVP_PKEY *read_pem(const char *pem, bool *asked)
{
	BIO *in = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = in != NULL ? PEM_read_bio_PrivateKey(in, NULL, no_passphrase, asked) : NULL;
	BIO_free(in);
	ERR_clear_error();
	return key;
}

static bool check_kind(const EVP_PKEY *key, const char *name, struct error *e)
{
	int bits = EVP_PKEY_get_bits(key);
	if (dkim_key_is_ed25519(key))
		return true;
	if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
		return error_set(e, ERROR_CONFIG,
			"%s: DKIM takes RSA and Ed25519 keys, and this is neither: make one with "
			"\"hubmailctl dkim keygen\"",
			name);
	if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
		return error_set(e, ERROR_CONFIG,
			"%s: the RSA key has %d bits, and receivers take %d to %d: make one with "
			"\"hubmailctl dkim keygen\"",
			name, bits, RSA_BITS_MIN, RSA_BITS_MAX);
	return true;
}

EVP_PKEY *dkim_key_load(const char *pem, const char *name, struct error *e)
{
	bool asked = false;
	EVP_PKEY *key = read_pem(pem, &asked);
	if (key != NULL && check_kind(key, name, e))
		return key;
	if (key == NULL && asked)
		error_set(e, ERROR_CONFIG,
			"%s: the private key has a passphrase, and nobody can type it here: take "
			"it off with \"openssl pkey -in OLD -out NEW\"",
			name);
	else if (key == NULL)
		error_set(e, ERROR_CONFIG,
			"%s: there is no private key in PEM form (\"-----BEGIN PRIVATE KEY-----\")",
			name);
	EVP_PKEY_free(key);
	return NULL;
}

bool dkim_key_is_ed25519(const EVP_PKEY *key)
{
	return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
}

/* ---- Signing ---- */

/* With a key that was checked these calls fail for want of memory only. */
static void must(bool ok)
{
	if (!ok)
		abort();
}

/* A copy of the key, because threads that share one wait for each other in its blinding. */
void dkim_hand_open(struct dkim_hand *h, EVP_PKEY *key)
{
	*h = (struct dkim_hand){.key = EVP_PKEY_dup(key)};
	must(h->key != NULL);
	if (dkim_key_is_ed25519(h->key)) {
		h->ed25519 = EVP_MD_CTX_new();
		must(h->ed25519 != NULL);
		return;
	}
	h->rsa = EVP_PKEY_CTX_new(h->key, NULL);
	must(h->rsa != NULL && EVP_PKEY_sign_init(h->rsa) > 0 &&
		EVP_PKEY_CTX_set_rsa_padding(h->rsa, RSA_PKCS1_PADDING) > 0 &&
		EVP_PKEY_CTX_set_signature_md(h->rsa, EVP_sha256()) > 0);
}

/* RFC 8463, 3: what Ed25519 signs is the hash. */
size_t dkim_hand_sign(
	struct dkim_hand *h, const unsigned char hash[32], unsigned char out[DKIM_SIGNATURE_MAX])
{
	size_t len = DKIM_SIGNATURE_MAX;
	if (h->rsa != NULL)
		must(EVP_PKEY_sign(h->rsa, out, &len, hash, 32) > 0);
	else
		must(EVP_DigestSignInit(h->ed25519, NULL, NULL, NULL, h->key) > 0 &&
			EVP_DigestSign(h->ed25519, out, &len, hash, 32) > 0);
	return len;
}

void dkim_hand_close(struct dkim_hand *h)
{
	EVP_PKEY_CTX_free(h->rsa);
	EVP_MD_CTX_free(h->ed25519);
	EVP_PKEY_free(h->key);
	*h = (struct dkim_hand){0};
}

/* ---- Making and publishing ---- */

static bool write_pem(EVP_PKEY *key, struct buf *pem)
{
	/* Secure memory is wiped when it is freed. */
	BIO *out = BIO_new(BIO_s_secmem());
	char *data = NULL;
	bool ok = out != NULL && PEM_write_bio_PKCS8PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
	long len = ok ? BIO_get_mem_data(out, &data) : 0;
	if (len > 0)
		buf_add(pem, data, (size_t)len);
	BIO_free(out);
	return len > 0;
}

bool dkim_keygen(enum dkim_kind kind, struct buf *pem, struct error *e)
{
	EVP_PKEY *key =
		kind == DKIM_RSA ? EVP_RSA_gen(RSA_BITS) : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	bool ok = key != NULL && write_pem(key, pem);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return ok || error_set(e, ERROR_IO, "OpenSSL could not make a key");
}

static void add_base64(struct buf *out, const unsigned char *data, size_t len)
{
	buf_reserve(out, len / 3 * 4 + 8);
	out->len += (size_t)EVP_EncodeBlock((unsigned char *)out->data + out->len, data, (int)len);
}

/* RSA is published as a SubjectPublicKeyInfo (RFC 6376, 3.6.1), Ed25519 as its bare 32 bytes (RFC
 * 8463, 4.2). */
static bool add_public(struct buf *out, EVP_PKEY *key)
{
	unsigned char raw[32];
	unsigned char *der = NULL;
	size_t raw_len = sizeof(raw);
	if (dkim_key_is_ed25519(key)) {
		if (EVP_PKEY_get_raw_public_key(key, raw, &raw_len) <= 0)
			return false;
		add_base64(out, raw, raw_len);
		return true;
	}
	int len = i2d_PUBKEY(key, &der);
	if (len > 0)
		add_base64(out, der, (size_t)len);
	OPENSSL_free(der);
	return len > 0;
}

bool dkim_dns_strings(const char *pem, struct strlist *strings, struct error *e)
{
	struct buf record = {0};
	EVP_PKEY *key = dkim_key_load(pem, "the DKIM key", e);
	if (key == NULL)
		return false;
	buf_addf(&record, "v=DKIM1; k=%s; p=", dkim_key_is_ed25519(key) ? "ed25519" : "rsa");
	bool ok = add_public(&record, key);
	for (size_t at = 0; ok && at < record.len; at += TXT_STRING_MAX)
		strlist_take(strings, xstrndup(record.data + at, TXT_STRING_MAX));
	EVP_PKEY_free(key);
	buf_free(&record);
	return ok || error_set(e, ERROR_IO, "OpenSSL could not write the public key");
}

bool dkim_dns_line(
	const char *domain, const char *selector, const char *pem, struct buf *out, struct error *e)
{
	struct strlist strings = {0};
	if (!dkim_dns_strings(pem, &strings, e))
		return false;
	buf_addf(out, "%s._domainkey.%s. IN TXT (", selector, domain);
	for (size_t i = 0; i < strings.n; i++)
		buf_addf(out, " \"%s\"", strings.items[i]);
	buf_adds(out, " )");
	strlist_free(&strings);
	return true;
}
