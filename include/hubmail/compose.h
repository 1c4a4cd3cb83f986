/* Posts into a message: one multipart/alternative (RFC 2046, 5.1.4) for all readers, with slots for
 * what is each reader's own. Plain structs in, bytes out; no store, no network. A plan is immutable
 * after it was made: any thread may render from it. */
#ifndef HUBMAIL_COMPOSE_H
#define HUBMAIL_COMPOSE_H

#include "hubmail/base_buf.h"
#include "hubmail/base_error.h"
#include "hubmail/base_zone.h"
#include "hubmail/post.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct compose_options {
	const char *list_name; /* for List-Id (RFC 2919): "title" <name.domain-of-from> */
	const char *list_title;
	const char *from_name; /* or NULL: the list's title */
	const char *from_address;
	const char *reply_to; /* an address, or NULL */
	const char *web_url;  /* without '/' at the end: List-Unsubscribe and the footer's link are
				 web_url/unsubscribe/TOKEN */
	const char *language; /* BCP 47, for <html lang> and Content-Language */
	const char *subject;  /* or NULL: made from the posts' titles */
	bool full;            /* the whole content instead of an excerpt */
	int64_t at;           /* the Date header */
	const struct zone *zone; /* of the dates that readers see, or NULL: UTC */
};

struct compose_plan;

/* Composes the message. Headers: From, To (slot), Subject, Date, Message-ID (slot), Reply-To,
 * MIME-Version, List-Id, List-Unsubscribe and List-Unsubscribe-Post (RFC 2369, RFC 8058),
 * Auto-Submitted (RFC 3834), Precedence: bulk, Content-Language, Content-Type. Both parts are UTF-8
 * in quoted-printable; CRLF; every line at most 76 bytes in the body and 998 in the header (encoded
 * words of RFC 2047 folded at 76). The posts appear in the order given. ERROR_DATA if there are no
 * posts or the message would be larger than 10 MiB. Free with compose_plan_free(). */
struct compose_plan *compose_digest(
	const struct compose_options *o, const struct post *posts, size_t n, struct error *e);

/* The subject as readers see it (UTF-8, one line); borrowed from the plan. */
const char *compose_plan_subject(const struct compose_plan *p);

/* A plan as bytes for the store, and back. Decoding checks everything (ERROR_DATA). */
void compose_plan_encode(const struct compose_plan *p, struct buf *out);
struct compose_plan *compose_plan_decode(const void *data, size_t len, struct error *e);
void compose_plan_free(struct compose_plan *p);

/* What is one reader's own. Borrowed for the call. */
struct compose_reader {
	const char *email;      /* normal form */
	const char *name;       /* UTF-8, or NULL */
	const char *token;      /* base64url */
	const char *message_id; /* without angle brackets */
};

/* One reader's message as a list of pieces: the shared ones point into the plan, the reader's own
 * into `own`. All zero before its first use; reusable for the next reader without freeing (so that
 * sending allocates nothing). Valid while the plan lives and until the next render or free. */
struct compose_message {
	struct iovec *pieces;
	size_t n_pieces, cap_pieces;
	struct buf own;
	size_t size; /* bytes in all */
	struct dkim_scratch *signing;
};

/* If the plan was given a signer (compose_plan_sign()), the signatures come first. */
void compose_render(
	const struct compose_plan *p, const struct compose_reader *r, struct compose_message *m);
void compose_message_free(struct compose_message *m);

/* The whole message in one piece, for preview and tests. */
void compose_render_flat(
	const struct compose_plan *p, const struct compose_reader *r, struct buf *out);

/* The decoded HTML or text part of a rendered message, for `preview --html` and `--text`. The
 * caller's. */
char *compose_render_part(const struct compose_plan *p, const struct compose_reader *r, bool html);

#endif
