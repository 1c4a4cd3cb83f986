/* base64url, SHA-256 and HMAC over OpenSSL, and what is derived from the secret: the tokens in a
 * reader's links and the Message-IDs. The secret's file is read and made in secret.c. */
#include "hubmail/base_crypto.h"

#include "hubmail/base_mem.h"
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_VERSION 1
#define MAC_LEN 16
#define ID_MAX 10 /* bytes of 64 bits, seven in each */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void base64url_encode(const void *data, size_t len, char *out)
{
	const unsigned char *p = data;
	unsigned bits = 0;
	unsigned held = 0;
	for (size_t i = 0; i < len; i++) {
		held = held << 8 | p[i];
		bits += 8;
		while (bits >= 6) {
			bits -= 6;
			*out++ = alphabet[held >> bits & 63];
		}
		held &= (1u << bits) - 1;
	}
	if (bits > 0)
		*out++ = alphabet[held << (6 - bits) & 63];
	*out = '\0';
}

static int letter_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

long base64url_decode(const char *s, size_t len, void *out, size_t max)
{
	unsigned char *p = out;
	size_t n = 0;
	unsigned bits = 0;
	unsigned held = 0;
	if (len % 4 == 1 || len / 4 * 3 + len % 4 * 3 / 4 > max)
		return -1;
	for (size_t i = 0; i < len; i++) {
		int value = letter_value(s[i]);
		if (value < 0)
			return -1;
		held = held << 6 | (unsigned)value;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			p[n++] = (unsigned char)(held >> bits & 255);
			held &= (1u << bits) - 1;
		}
	}
	/* What is left over must be zero, or two texts would mean the same bytes. */
	return held == 0 ? (long)n : -1;
}

void sha256(const void *data, size_t len, unsigned char out[32])
{
	if (EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL) != 1)
		abort();
}

void hmac_sha256(
	const void *key, size_t key_len, const void *data, size_t len, unsigned char out[32])
{
	if (HMAC(EVP_sha256(), key, (int)key_len, data, len, out, NULL) == NULL)
		abort();
}

size_t hmac_by_name(const char *digest, const void *key, size_t key_len, const void *data,
	size_t len, unsigned char out[64])
{
	static const char *const names[] = {"sha1", "sha256", "sha384", "sha512"};
	unsigned n = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(digest, names[i]) != 0)
			continue;
		if (HMAC(EVP_get_digestbyname(digest), key, (int)key_len, data, len, out, &n) ==
			NULL)
			abort();
	}
	return n;
}

bool same_bytes(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

struct deriver {
	EVP_MAC_CTX *mac;
};

/* A key for one purpose, so that what is made for one can never be passed off as the other. */
struct deriver *deriver_new(const struct secret *secret, const char *purpose)
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end()};
	struct deriver *d = xcalloc(1, sizeof(*d));
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
	unsigned char key[32];
	hmac_sha256(secret->key, sizeof(secret->key), purpose, strlen(purpose), key);
	d->mac = EVP_MAC_CTX_new(hmac);
	if (d->mac == NULL || EVP_MAC_init(d->mac, key, sizeof(key), params) != 1)
		abort();
	OPENSSL_cleanse(key, sizeof(key));
	EVP_MAC_free(hmac);
	return d;
}

void deriver_free(struct deriver *d)
{
	if (d == NULL)
		return;
	EVP_MAC_CTX_free(d->mac);
	free(d);
}

/* Without a key it begins anew with the one it has. */
void deriver_run(struct deriver *d, const void *data, size_t len, unsigned char out[32])
{
	size_t n = 0;
	if (EVP_MAC_init(d->mac, NULL, 0, NULL) != 1 || EVP_MAC_update(d->mac, data, len) != 1 ||
		EVP_MAC_final(d->mac, out, &n, 32) != 1)
		abort();
}

void secret_derive(const struct secret *secret, const char *purpose, const void *data, size_t len,
	unsigned char out[32])
{
	struct deriver *d = deriver_new(secret, purpose);
	deriver_run(d, data, len, out);
	deriver_free(d);
}

static size_t put_id(int64_t id, unsigned char *out)
{
	uint64_t rest = (uint64_t)id;
	size_t n = 0;
	while (rest >= 0x80) {
		out[n++] = (unsigned char)(rest | 0x80);
		rest >>= 7;
	}
	out[n++] = (unsigned char)rest;
	return n;
}

static size_t take_id(const unsigned char *p, size_t len, int64_t *id)
{
	uint64_t value = 0;
	for (size_t i = 0; i < len && i < ID_MAX; i++) {
		value |= (uint64_t)(p[i] & 0x7F) << (7 * i);
		if ((p[i] & 0x80) == 0) {
			*id = (int64_t)value;
			return i + 1;
		}
	}
	return 0;
}

void token_make_by(struct deriver *d, int64_t list_id, int64_t subscriber_id, char out[TOKEN_MAX])
{
	unsigned char raw[1 + 2 * ID_MAX + MAC_LEN];
	unsigned char mac[32];
	size_t n = 0;
	raw[n++] = TOKEN_VERSION;
	n += put_id(list_id, raw + n);
	n += put_id(subscriber_id, raw + n);
	deriver_run(d, raw, n, mac);
	memcpy(raw + n, mac, MAC_LEN);
	base64url_encode(raw, n + MAC_LEN, out);
}

void token_make(
	const struct secret *secret, int64_t list_id, int64_t subscriber_id, char out[TOKEN_MAX])
{
	struct deriver *d = deriver_new(secret, TOKEN_PURPOSE);
	token_make_by(d, list_id, subscriber_id, out);
	deriver_free(d);
}

/* The ids are read loosely and the token is made again from them: only the one true spelling can be
 * equal. */
bool token_check(
	const struct secret *secret, const char *token, int64_t *list_id, int64_t *subscriber_id)
{
	unsigned char raw[TOKEN_MAX];
	char expected[TOKEN_MAX];
	int64_t list = 0;
	int64_t subscriber = 0;
	size_t token_len = strnlen(token, TOKEN_MAX);
	if (token_len >= TOKEN_MAX)
		return false;
	long len = base64url_decode(token, token_len, raw, sizeof(raw));
	if (len < 1 || raw[0] != TOKEN_VERSION)
		return false;
	size_t first = take_id(raw + 1, (size_t)len - 1, &list);
	if (first == 0 || take_id(raw + 1 + first, (size_t)len - 1 - first, &subscriber) == 0)
		return false;
	token_make(secret, list, subscriber, expected);
	if (strlen(expected) != token_len || CRYPTO_memcmp(expected, token, token_len) != 0)
		return false;
	*list_id = list;
	*subscriber_id = subscriber;
	return true;
}

/* The id is in base32 (RFC 4648, 6) in lower case: some systems on the way compare Message-IDs
 * without regard to case. */
void message_id_make_by(struct deriver *d, int64_t digest_id, int64_t subscriber_id,
	const char *domain, char out[MESSAGE_ID_MAX])
{
	static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";
	unsigned char raw[2 * ID_MAX];
	unsigned char mac[32];
	char id[27];
	size_t n = put_id(digest_id, raw);
	n += put_id(subscriber_id, raw + n);
	deriver_run(d, raw, n, mac);
	unsigned held = 0;
	unsigned bits = 0;
	size_t at = 0;
	for (size_t i = 0; at < sizeof(id) - 1; i++) {
		held = (held & 31) << 8 | mac[i];
		for (bits += 8; bits >= 5 && at < sizeof(id) - 1; bits -= 5)
			id[at++] = base32[held >> (bits - 5) & 31];
	}
	id[at] = '\0';
	snprintf(out, MESSAGE_ID_MAX, "%lld.%s@%s", (long long)digest_id, id, domain);
}

void message_id_make(const struct secret *secret, int64_t digest_id, int64_t subscriber_id,
	const char *domain, char out[MESSAGE_ID_MAX])
{
	struct deriver *d = deriver_new(secret, MESSAGE_ID_PURPOSE);
	message_id_make_by(d, digest_id, subscriber_id, domain, out);
	deriver_free(d);
}
