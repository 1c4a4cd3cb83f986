/* One libcurl handle with its limits: a request without its redirects. Private to daemon/source. */
#ifndef HUBMAIL_SOURCE_FETCH_TRANSFER_H
#define HUBMAIL_SOURCE_FETCH_TRANSFER_H

#include "fetch_url.h"
#include "hubmail/base_buf.h"
#include "hubmail/source_fetch.h"
#include <curl/curl.h>
#include <netinet/in.h>

enum transfer_fault {
	FAULT_NONE,
	FAULT_BODY,    /* more than max_bytes */
	FAULT_HEADERS, /* more header than anybody needs */
	FAULT_CODINGS, /* compressed more than once */
	FAULT_ADDRESS, /* every address was one that may not be connected to */
};

struct transfer {
	CURL *easy;
	struct curl_slist *headers, *post_headers; /* the second: for a POST */
	struct buf body;
	size_t max_bytes, header_bytes;
	int codings;
	bool odd_coding; /* one that is none, such as "utf-8" */
	bool unpacked;   /* codings are neither asked for nor heeded */
	bool private_ok, special_ok;
	enum transfer_fault fault;
	char peer[INET6_ADDRSTRLEN]; /* the address behind FAULT_ADDRESS */
	char said[CURL_ERROR_SIZE];  /* libcurl's words */
};

/* arg becomes the handle's CURLINFO_PRIVATE. */
void transfer_init(
	struct transfer *t, const struct fetch_request *request, const char *user_agent, void *arg);
void transfer_free(struct transfer *t);

/* Gets ready for the request to url; what the one before left is gone. */
void transfer_prepare(struct transfer *t, const struct fetch_url *url, int64_t timeout_ms,
	bool private_ok, bool special_ok);
void transfer_make_get(struct transfer *t); /* from here on, if it was a POST */

/* True if the request failed because the server, as some do, calls its answer coded in a way that
 * is none. The next one then takes the body as it comes. */
bool transfer_retry_unpacked(struct transfer *t, CURLcode result);

int transfer_status(const struct transfer *t);
const char *transfer_header(const struct transfer *t, const char *name); /* borrowed; or NULL */
long transfer_retry_after(const struct transfer *t);                     /* seconds; 0: not said */
long transfer_fresh_for(const struct transfer *t);                       /* seconds; 0: not said */
/* Where the first Link header with that relation leads, from base; the caller's, or NULL. */
char *transfer_link(const struct transfer *t, const char *rel, const char *base);
char *transfer_charset(const struct transfer *t); /* the caller's; or NULL */

/* The sentence for a transfer that failed, and for a status that is no success. Returns false. */
bool transfer_failure(const struct transfer *t, CURLcode result, const struct fetch_url *url,
	int timeout_s, struct error *e);
bool transfer_refusal(const struct transfer *t, const struct fetch_url *url, struct error *e);

#endif
