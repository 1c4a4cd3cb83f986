/* URLs as the fetcher needs them. Private to daemon/source. */
#ifndef HUBMAIL_SOURCE_FETCH_URL_H
#define HUBMAIL_SOURCE_FETCH_URL_H

#include "hubmail/base_error.h"
#include <stdbool.h>

/* All zero is none. */
struct fetch_url {
	char *full;  /* for libcurl: with user and password, the host as punycode, no fragment */
	char *shown; /* the same without user and password */
	char *host;  /* lower case, punycode; an IPv6 literal in brackets */
	bool has_login;
};

/* ERROR_DATA if it is no absolute http or https URL; the sentence does not repeat a password. */
bool fetch_url_parse(const char *text, struct fetch_url *out, struct error *e);

/* Where a redirect from `base` with this Location leads (RFC 9110, 10.2.2). User and password go
 * along to the same host only, and not from https to http. ERROR_DATA. */
bool fetch_url_follow(
	const struct fetch_url *base, const char *location, struct fetch_url *out, struct error *e);

void fetch_url_free(struct fetch_url *u); /* the content; all zero afterwards */

#endif
