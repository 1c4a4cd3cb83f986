/* HTTP requests with libcurl's multi interface on the libevent loop. The loop's thread only. */
#ifndef HUBMAIL_SOURCE_FETCH_H
#define HUBMAIL_SOURCE_FETCH_H

#include "hubmail/base_error.h"
#include "hubmail/base_loop.h"
#include <stdbool.h>
#include <stddef.h>

struct fetcher;
struct fetch; /* one request under way */

/* Before threads start, if it can be had: libcurl is initialised here. At most one request is under
 * way to a host at a time and 16 in all; the others wait in order. Proxies named in the environment
 * are not used, for then the addresses could not be checked. SIGPIPE must be ignored, for TLS
 * connections may break. */
struct fetcher *fetcher_new(struct loop *loop, const char *user_agent);
void fetcher_free(struct fetcher *f); /* cancels what is under way; its callbacks are not called */

/* Which addresses may be connected to, checked after name resolution, on every redirect and on
 * connections that are used again. Private are those that the Internet does not route (RFC 6890):
 * loopback, RFC 1918, carrier-grade NAT, unique local and the like. Link-local (where clouds keep
 * their secrets), multicast and broadcast ones are for FETCH_PRIVATE_ALWAYS alone. */
enum fetch_private {
	FETCH_PRIVATE_OWN_HOST, /* the host of request->url may be on a private address, for the
				   operator wrote it; no other that a redirect leads to */
	FETCH_PRIVATE_NEVER,
	FETCH_PRIVATE_ALWAYS,
};

/* Everything is copied. */
struct fetch_request {
	const char *url;           /* http or https, may hold a user and a password */
	const char *etag;          /* sent as If-None-Match if not NULL */
	const char *last_modified; /* sent as If-Modified-Since if not NULL */
	size_t max_bytes;          /* of the decompressed body; more is an error */
	int timeout_s;             /* for the whole request, waiting for its turn not counted */
	enum fetch_private private_addresses;
	const char *ca_file; /* PEM; NULL: the system's authorities */
	const char *body;    /* not NULL: it is a POST of these bytes */
	size_t body_len;
	const char *body_type; /* their Content-Type */
};

struct fetch_answer {
	int status;           /* 200, 304, … of the last answer after redirects */
	const char *url;      /* where the redirects ended; without user and password, so that it
				 can be a base for links */
	const char *moved_to; /* not NULL: redirects said that request->url has moved here for good
				 (301, 308) and the request succeeded: ask there from now on. NULL
				 if request->url holds a password. */
	const char *body;     /* empty for 304 */
	size_t len;
	const char *etag, *last_modified, *charset; /* or NULL */
	const char *hub, *self; /* absolute http(s), of the Link headers with these relations (RFC
				   8288), or NULL */
	long retry_after;       /* seconds from now (RFC 9110, 10.2.3), 0: not said */
	long fresh_for; /* seconds that Cache-Control's max-age leaves (RFC 9111, 5.2.2.1), 0: not
			   said, or it said no-cache or no-store */
};

/* answer is NULL and failure set if the request failed (no host, TLS, time-out, too big, too many
 * redirects); both are set if the status is neither 200 nor 304 (for a POST: not 2xx). The codes:
 * ERROR_NOT_FOUND for 404 and 410, ERROR_AGAIN for 429, 503 and a time-out, ERROR_REFUSED for an
 * address that may not be connected to, ERROR_DATA for a URL or an answer that cannot be taken,
 * otherwise ERROR_IO. Everything in them is valid during the call. */
typedef void fetch_fn(const struct fetch_answer *answer, const struct error *failure, void *arg);

/* Starts a request. At most 5 redirects, http(s) only; a POST becomes a GET when redirected with
 * 301, 302 or 303. Never calls fn before it returns, and calls it once. The result is valid until
 * fn returns or it is cancelled. */
struct fetch *fetch_start(
	struct fetcher *f, const struct fetch_request *request, fetch_fn *fn, void *arg);

/* fn is not called. Any moment on the loop's thread, also inside a callback (in the request's own
 * it does nothing), like fetcher_free(). */
void fetch_cancel(struct fetch *r);

#endif
