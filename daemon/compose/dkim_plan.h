/* What a signature needs to know of a plan before there is a reader. */
#ifndef COMPOSE_DKIM_PLAN_H
#define COMPOSE_DKIM_PLAN_H

#include "dkim_key.h"
#include "plan.h"
#include <stdatomic.h>

struct dkim_key {
	char *selector;
	EVP_PKEY *key;
};

struct dkim_signer {
	atomic_uint refs;
	char *domain;
	struct dkim_key keys[4];
	size_t n;
};

struct dkim_signer *dkim_signer_ref(struct dkim_signer *s);

/* A field with something of the reader's in it, in canonical form: before, the slot, after. */
struct own_field {
	char *before;
	enum slot slot;
	char *after;
};

#define OWN_FIELDS_MAX 8

struct dkim_signing {
	struct dkim_signer *signer;
	char *fields;       /* "h=From:…;", folded */
	EVP_MD_CTX *header; /* the hash of the shared fields, which come first in `fields` */
	struct own_field own[OWN_FIELDS_MAX];
	size_t n_own;
	EVP_MD_CTX *body;    /* the hash of the body before the first slot */
	size_t body_segment; /* the first segment that is not in it */
	size_t body_text;    /* and where its shared bytes begin */
};

#endif
