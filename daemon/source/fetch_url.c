/* URLs by libcurl's own parser, so that what is checked here is what libcurl connects to. Its way
 * with non-ASCII hosts depends on the process's locale, so those are turned into punycode here. */
#include "fetch_url.h"

#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include <ctype.h>
#include <curl/curl.h>
#include <idn2.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define URL_MAX 8192

static bool finish(CURLU *u, struct fetch_url *out, struct error *e);
static bool use_punycode(CURLU *u, struct error *e);
static void keep_login(CURLU *u, const struct fetch_url *base);

static CURLU *handle_new(void)
{
	CURLU *u = curl_url();

	if (u == NULL)
		abort();
	return u;
}

/* The caller's; NULL if the URL has no such part. */
static char *part(CURLU *u, CURLUPart what)
{
	char *text = NULL;

	if (curl_url_get(u, what, &text, 0) != CURLUE_OK)
		return NULL;
	char *copy = xstrdup(text);
	curl_free(text);
	return copy;
}

bool fetch_url_parse(const char *text, struct fetch_url *out, struct error *e)
{
	CURLU *u = handle_new();
	bool ok = false;

	*out = (struct fetch_url){0};
	if (strlen(text) > URL_MAX)
		error_set(e, ERROR_DATA, "a URL of more than %d bytes", URL_MAX);
	else if (curl_url_set(u, CURLUPART_URL, text, CURLU_URLENCODE) != CURLUE_OK)
		error_set(e, ERROR_DATA,
			"not a URL that can be fetched: it must look like https://example.org/feed");
	else
		ok = finish(u, out, e);
	curl_url_cleanup(u);
	return ok;
}

bool fetch_url_follow(
	const struct fetch_url *base, const char *location, struct fetch_url *out, struct error *e)
{
	CURLU *u = handle_new();
	bool ok = false;

	*out = (struct fetch_url){0};
	if (strlen(location) > URL_MAX ||
		curl_url_set(u, CURLUPART_URL, base->shown, 0) != CURLUE_OK ||
		curl_url_set(u, CURLUPART_URL, location, CURLU_URLENCODE) != CURLUE_OK) {
		error_set(
			e, ERROR_DATA, "%s redirects to what is no http or https URL", base->host);
	} else {
		keep_login(u, base);
		ok = finish(u, out, e);
	}
	curl_url_cleanup(u);
	return ok;
}

static bool finish(CURLU *u, struct fetch_url *out, struct error *e)
{
	char *scheme = part(u, CURLUPART_SCHEME);
	bool is_http = scheme != NULL &&
		       (strcasecmp(scheme, "http") == 0 || strcasecmp(scheme, "https") == 0);

	free(scheme);
	if (!is_http)
		return error_set(e, ERROR_DATA, "only http and https URLs can be fetched");
	if (!use_punycode(u, e))
		return false;
	curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0);
	out->full = part(u, CURLUPART_URL);
	out->host = part(u, CURLUPART_HOST);
	char *user = part(u, CURLUPART_USER);
	out->has_login = user != NULL;
	free(user);
	curl_url_set(u, CURLUPART_USER, NULL, 0);
	curl_url_set(u, CURLUPART_PASSWORD, NULL, 0);
	out->shown = part(u, CURLUPART_URL);
	if (out->full == NULL || out->shown == NULL || out->host == NULL) {
		fetch_url_free(out);
		return error_set(e, ERROR_DATA, "a URL without a host");
	}
	for (char *c = out->host; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return true;
}

/* The host as libcurl gives it may still have its non-ASCII letters percent-encoded by us. */
static bool use_punycode(CURLU *u, struct error *e)
{
	char *host = NULL, *ascii = NULL;
	bool ok = true;

	if (curl_url_get(u, CURLUPART_HOST, &host, CURLU_URLDECODE) != CURLUE_OK)
		return error_set(e, ERROR_DATA, "a URL without a host");
	bool is_ascii = true;
	for (const char *c = host; *c != '\0'; c++)
		is_ascii = is_ascii && (unsigned char)*c < 0x80;
	if (!is_ascii) {
		ok = utf8_valid(host, strlen(host)) &&
		     idn2_to_ascii_8z(host, &ascii, IDN2_NONTRANSITIONAL) == IDN2_OK &&
		     curl_url_set(u, CURLUPART_HOST, ascii, 0) == CURLUE_OK;
		if (!ok)
			error_set(e, ERROR_DATA, "%s: not a host name", host);
	}
	idn2_free(ascii);
	curl_free(host);
	return ok;
}

static void keep_login(CURLU *u, const struct fetch_url *base)
{
	CURLU *from = handle_new();
	char *host = part(u, CURLUPART_HOST), *scheme = part(u, CURLUPART_SCHEME);
	bool is_weaker = text_starts(base->full, "https:") &&
			 (scheme == NULL || strcasecmp(scheme, "https") != 0);

	if (base->has_login && !is_weaker && host != NULL && strcasecmp(host, base->host) == 0 &&
		curl_url_set(from, CURLUPART_URL, base->full, 0) == CURLUE_OK) {
		char *user = part(from, CURLUPART_USER), *password = part(from, CURLUPART_PASSWORD);
		curl_url_set(u, CURLUPART_USER, user, 0);
		curl_url_set(u, CURLUPART_PASSWORD, password, 0);
		free(user);
		free(password);
	}
	free(host);
	free(scheme);
	curl_url_cleanup(from);
}

void fetch_url_free(struct fetch_url *u)
{
	free(u->full);
	free(u->shown);
	free(u->host);
	*u = (struct fetch_url){0};
}
