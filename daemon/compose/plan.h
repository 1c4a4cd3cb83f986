/* What a plan is made of: the bytes that all readers share, and where between them the reader's own
 * belong. Made by digest.c or from the store's bytes, read by render.c and the signer. */
#ifndef COMPOSE_PLAN_H
#define COMPOSE_PLAN_H

#include "hubmail/compose.h"

enum slot {
	SLOT_NONE,       /* shared bytes */
	SLOT_TO,         /* the whole To field */
	SLOT_MESSAGE_ID, /* the whole Message-ID field */
	SLOT_TOKEN,      /* the reader's token, in the header or on a line of its own in the body */
	SLOT_KINDS
};

struct segment {
	enum slot slot;
	size_t len; /* of shared bytes; 0 for a slot */
};

struct span {
	size_t at, len; /* in compose_message.own */
};

struct compose_plan {
	char *subject;
	struct buf text; /* all shared bytes, one segment after the other */
	struct segment *segments;
	size_t n_segments;
	size_t marked;                /* bytes of text that already belong to a segment */
	struct dkim_signing *signing; /* or NULL */
};

#define PLAN_MAX ((size_t)10 << 20) /* bytes of text */
#define PLAN_SEGMENTS_MAX 256
#define TOKEN_LINE_MAX 64 /* bytes of a token */

struct compose_plan *plan_new(const char *subject);
/* Whatever was added to p->text since the last mark is shared; then comes the slot (or nothing, for
 * SLOT_NONE). */
void plan_mark(struct compose_plan *p, enum slot slot);
/* What keeps the plan from being a message (7 bits, short lines, clean line ends, each slot in its
 * place), in a few words; NULL if nothing does. */
const char *plan_fault(const struct compose_plan *p);

#endif
