/* Private keys: reading, signing a hash, publishing. */
#ifndef COMPOSE_DKIM_KEY_H
#define COMPOSE_DKIM_KEY_H

#include "hubmail/base_buf.h"
#include "hubmail/base_error.h"
#include <openssl/evp.h>
#include <stdbool.h>

#define DKIM_SIGNATURE_MAX 512 /* bytes: RSA of 4,096 bits */

/* NULL and ERROR_CONFIG if it is no private key that DKIM can use; `name` says whose. */
EVP_PKEY *dkim_key_load(const char *pem, const char *name, struct error *e);

bool dkim_key_is_ed25519(const EVP_PKEY *key);

/* What one thread needs to sign with one key again and again. */
struct dkim_hand {
	EVP_PKEY *key;
	EVP_PKEY_CTX *rsa;
	EVP_MD_CTX *ed25519;
};

/* Ends the process when out of memory, like everything that allocates. */
void dkim_hand_open(struct dkim_hand *h, EVP_PKEY *key);
/* Signs a SHA-256; returns the signature's length. */
size_t dkim_hand_sign(
	struct dkim_hand *h, const unsigned char hash[32], unsigned char out[DKIM_SIGNATURE_MAX]);
void dkim_hand_close(struct dkim_hand *h);

#endif
