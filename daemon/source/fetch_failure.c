/* What went wrong with a request, in a sentence: what happened, with which host, what to do. */
#include "fetch_transfer.h"

#include "hubmail/base_mem.h"
#include <stdlib.h>
#include <string.h>

static const char *said(const struct transfer *t, CURLcode result)
{
	return t->said[0] != '\0' ? t->said : curl_easy_strerror(result);
}

static bool fault(const struct transfer *t, const char *host, struct error *e)
{
	switch (t->fault) {
	case FAULT_BODY:
		return error_set(e, ERROR_DATA,
			"%s sends more than the %zu kB that are read of an answer; is the URL that "
			"of a feed?",
			host, t->max_bytes / 1024);
	case FAULT_HEADERS:
		return error_set(e, ERROR_DATA, "%s sends headers without end", host);
	case FAULT_CODINGS:
		return error_set(e, ERROR_DATA,
			"%s sends an answer that is compressed more than once; its web server is "
			"to be mended",
			host);
	default:
		return error_set(e, ERROR_REFUSED,
			"%s has the address %s, which is not one of the public Internet: not "
			"connected",
			host, t->peer);
	}
}

static bool late(const struct transfer *t, const char *host, int timeout_s, struct error *e)
{
	curl_off_t connected = 0;

	curl_easy_getinfo(t->easy, CURLINFO_CONNECT_TIME_T, &connected);
	if (connected == 0)
		return error_set(e, ERROR_AGAIN, "%s: no connection within %d s", host, timeout_s);
	return error_set(
		e, ERROR_AGAIN, "%s has not answered completely within %d s", host, timeout_s);
}

static bool unreachable(
	const struct transfer *t, CURLcode result, const char *host, struct error *e)
{
	long os_error = 0;

	curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &os_error);
	return error_set(e, ERROR_IO, "%s cannot be connected to (%s): does its web server run?",
		host, os_error != 0 ? strerror((int)os_error) : said(t, result));
}

bool transfer_failure(const struct transfer *t, CURLcode result, const struct fetch_url *url,
	int timeout_s, struct error *e)
{
	const char *host = url->host;

	if (t->fault != FAULT_NONE)
		return fault(t, host, e);
	switch (result) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return error_set(e, ERROR_IO,
			"%s: no address is known for that host; check the URL and this machine's "
			"name servers",
			host);
	case CURLE_COULDNT_CONNECT:
		return unreachable(t, result, host, e);
	case CURLE_OPERATION_TIMEDOUT:
		return late(t, host, timeout_s, e);
	case CURLE_PEER_FAILED_VERIFICATION:
		return error_set(e, ERROR_IO,
			"%s: its certificate cannot be trusted (%s); it must be renewed, or its "
			"authority be made known here",
			host, said(t, result));
	case CURLE_SSL_CACERT_BADFILE:
		return error_set(e, ERROR_IO, "%s: the file of authorities cannot be read (%s)",
			host, said(t, result));
	case CURLE_URL_MALFORMAT:
		return error_set(
			e, ERROR_DATA, "%s: the URL cannot be used (%s)", host, said(t, result));
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_WRITE_ERROR: /* by libcurl itself: what we refuse is a fault */
		return error_set(e, ERROR_DATA,
			"%s sends a body whose compression is broken or unknown (%s)", host,
			said(t, result));
	case CURLE_OUT_OF_MEMORY: /* libcurl's word for a line that is longer than it takes */
		return error_set(e, ERROR_DATA, "%s sends a header that is too long", host);
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_PARTIAL_FILE:
		return error_set(
			e, ERROR_IO, "%s broke off its answer (%s)", host, said(t, result));
	default:
		return error_set(e, ERROR_IO, "%s: %s", host, said(t, result));
	}
}

static const char *meaning(int status)
{
	switch (status) {
	case 401:
		return "it wants a login; put user and password into the URL";
	case 403:
		return "it refuses to show this to hubmail";
	case 404:
		return "there is nothing at that address; check the URL";
	case 410:
		return "it is gone for good";
	case 429:
		return "it is asked too often";
	case 503:
		return "it is not available now";
	default:
		return status >= 500 ? "its web server fails" : "that is no answer to take";
	}
}

bool transfer_refusal(const struct transfer *t, const struct fetch_url *url, struct error *e)
{
	int status = transfer_status(t);
	enum error_code code = ERROR_IO;

	if (status == 404 || status == 410)
		code = ERROR_NOT_FOUND;
	else if (status == 429 || status == 503)
		code = ERROR_AGAIN;
	return error_set(e, code, "%s answers %d: %s", url->host, status, meaning(status));
}
