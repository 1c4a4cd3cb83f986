/* HTTP GET with libcurl's multi interface on the libevent loop. The loop's thread only. */
#ifndef HUBMAIL_SOURCE_FETCH_H
#define HUBMAIL_SOURCE_FETCH_H

#include "hubmail/base_error.h"
#include "hubmail/base_loop.h"
#include <stdbool.h>
#include <stddef.h>

struct fetcher;
struct fetch; /* one request under way */

struct fetcher *fetcher_new(struct loop *loop, const char *user_agent);
void fetcher_free(struct fetcher *f); /* cancels what is under way; its callbacks are not called */

struct fetch_request {
	const char *url;           /* http or https; copied */
	const char *etag;          /* sent as If-None-Match if not NULL */
	const char *last_modified; /* sent as If-Modified-Since if not NULL */
	size_t max_bytes;          /* of the decompressed body; more is an error */
	int timeout_s;             /* for the whole request */
};

struct fetch_answer {
	int status;       /* 200, 304, … of the last answer after redirects */
	const char *url;  /* where the redirects ended */
	const char *body; /* empty for 304 */
	size_t len;
	const char *etag, *last_modified, *charset; /* or NULL */
	long retry_after;                           /* seconds (RFC 9110, 10.2.3), 0: not said */
};

/* answer is NULL and failure set if the request failed (no host, TLS, time-out, too big, too many
 * redirects) or the status is neither 200 nor 304; for such a status both are set. Everything in
 * them is valid during the call. */
typedef void fetch_fn(const struct fetch_answer *answer, const struct error *failure, void *arg);

/* Starts a GET. At most 5 redirects, http(s) only. The host of request->url may be on a private or
 * loopback address, for the operator wrote it; a redirect to another host there is refused, checked
 * on the address after DNS. Never calls fn before it returns. */
struct fetch *fetch_start(
	struct fetcher *f, const struct fetch_request *request, fetch_fn *fn, void *arg);
void fetch_cancel(struct fetch *r); /* fn is not called */

#endif
