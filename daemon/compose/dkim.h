/* Signing what is rendered from a plan; see compose_dkim.h for what others see of it. */
#ifndef COMPOSE_DKIM_H
#define COMPOSE_DKIM_H

#include "hubmail/compose_dkim.h"
#include "plan.h"

struct dkim_signing; /* a signer, and what it knows of one plan; belongs to the plan */
struct dkim_scratch; /* what one thread needs to sign; belongs to a compose_message */

void dkim_signing_free(struct dkim_signing *g);
void dkim_scratch_free(struct dkim_scratch *s);

/* Appends the DKIM-Signature fields of the message to m->own; `spans` says where in m->own the
 * reader's other bytes are. */
void dkim_sign(const struct compose_plan *p, const struct span spans[SLOT_KINDS],
	struct compose_message *m);

#endif
