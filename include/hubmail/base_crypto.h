/* Randomness, base64url, HMAC, and the secret behind a reader's links. Any thread. */
#ifndef HUBMAIL_BASE_CRYPTO_H
#define HUBMAIL_BASE_CRYPTO_H

#include "hubmail/base_error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void random_bytes(void *out, size_t len); /* from the kernel; ends the process if there are none */
uint32_t random_below(uint32_t n);        /* evenly from 0 to n-1; n > 0 */

/* RFC 4648, 5, without padding. out has room for 4*((len+2)/3)+1. */
void base64url_encode(const void *data, size_t len, char *out);
/* Returns the number of bytes written to out (room for max), or -1 for a character or length that
 * cannot be, or too long. */
long base64url_decode(const char *s, size_t len, void *out, size_t max);

void sha256(const void *data, size_t len, unsigned char out[32]);
void hmac_sha256(
	const void *key, size_t key_len, const void *data, size_t len, unsigned char out[32]);

/* HMAC by the digest's name as it stands in signatures: "sha1", "sha256", "sha384", "sha512".
 * Returns its length, or 0 if there is none of that name. */
size_t hmac_by_name(const char *digest, const void *key, size_t key_len, const void *data,
	size_t len, unsigned char out[64]);

/* In a time that does not tell where they differ. */
bool same_bytes(const void *a, const void *b, size_t len);

/* The 32 random bytes in secret_file. */
struct secret {
	unsigned char key[32];
};

/* Reads the secret, or, if the file does not exist and `create`, makes it: mode 0600, written
 * beside and renamed, and owned by the owner of the folder when root makes it. ERROR_NOT_FOUND if
 * it is not there; ERROR_DATA if it is not 64 hex digits and a newline; ERROR_IO. */
bool secret_load(const char *path, bool create, struct secret *out, struct error *e);

/* A key or proof for one purpose: HMAC-SHA-256 over data, with a key that is derived from the
 * secret for this purpose only. */
void secret_derive(const struct secret *secret, const char *purpose, const void *data, size_t len,
	unsigned char out[32]);

/* The same for one purpose again and again, in a quarter of the time. One thread at a time. */
struct deriver;
struct deriver *deriver_new(const struct secret *secret, const char *purpose);
void deriver_free(struct deriver *d); /* NULL is fine */
void deriver_run(struct deriver *d, const void *data, size_t len, unsigned char out[32]);

#define TOKEN_MAX                                                                                  \
	64 /* bytes of a token with its NUL: 1 + 2 ids of up to 8 bytes + 16 bytes of MAC, in      \
	      base64url */

/* The token in the links of one subscription: base64url of version, list id, subscriber id, and the
 * first 128 bits of HMAC-SHA-256 over them with a key derived from the secret for links only. The
 * same reader and list always give the same token. */
void token_make(
	const struct secret *secret, int64_t list_id, int64_t subscriber_id, char out[TOKEN_MAX]);

/* For a thread that makes many of them: the purpose of its deriver, and the same token. */
#define TOKEN_PURPOSE "hubmail links 1"
void token_make_by(struct deriver *d, int64_t list_id, int64_t subscriber_id, char out[TOKEN_MAX]);

/* True if token was made by token_make() with this secret (compared in constant time); then the
 * ids. */
bool token_check(
	const struct secret *secret, const char *token, int64_t *list_id, int64_t *subscriber_id);

#define MESSAGE_ID_MAX 400 /* bytes with the NUL */

/* The Message-ID (RFC 5322, 3.6.4) of a delivery, without the angle brackets: the same on every
 * attempt, and telling nobody who the reader is. `domain` is that of the list's From. */
void message_id_make(const struct secret *secret, int64_t digest_id, int64_t subscriber_id,
	const char *domain, char out[MESSAGE_ID_MAX]);

/* As with tokens. */
#define MESSAGE_ID_PURPOSE "hubmail message-id 1"
void message_id_make_by(struct deriver *d, int64_t digest_id, int64_t subscriber_id,
	const char *domain, char out[MESSAGE_ID_MAX]);

#endif
