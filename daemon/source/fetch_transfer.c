/* One libcurl handle and what holds it within its limits: which addresses it may connect to, how
 * much it may read, packed and unpacked. Redirects are not followed here, so that fetch.c can judge
 * each of them. */
#include "fetch_transfer.h"

#include "fetch_address.h"
#include "hubmail/base_mem.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define HEADERS_MAX (256u << 10)
#define PACKED_SLACK (64u << 10) /* a small body may be larger packed */

static size_t on_body(char *data, size_t size, size_t n, void *arg);
static size_t on_header(char *line, size_t size, size_t n, void *arg);
static int on_progress(
	void *arg, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now);
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address);
static int before_request(void *arg, char *peer, char *local, int peer_port, int local_port);

/* A value with a line break in it would be two headers, and is not sent. */
static struct curl_slist *add_header(struct curl_slist *list, const char *name, const char *value)
{
	if (value == NULL || strpbrk(value, "\r\n") != NULL)
		return list;
	char *line = xasprintf("%s: %s", name, value);
	struct curl_slist *longer = curl_slist_append(list, line);
	free(line);
	if (longer == NULL)
		abort();
	return longer;
}

static void set_limits(struct transfer *t)
{
	CURL *easy = t->easy;

	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* Otherwise a cancelled or late transfer waits, and the loop with it, until the resolver's
	 * thread has an answer. That thread then frees what it has by itself. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, t);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, t);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, t);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->said);
}

void transfer_init(
	struct transfer *t, const struct fetch_request *request, const char *user_agent, void *arg)
{
	*t = (struct transfer){.easy = curl_easy_init(), .max_bytes = request->max_bytes};
	if (t->easy == NULL)
		abort();
	set_limits(t);
	curl_easy_setopt(t->easy, CURLOPT_PRIVATE, arg);
	curl_easy_setopt(t->easy, CURLOPT_USERAGENT, user_agent);
	curl_easy_setopt(t->easy, CURLOPT_ACCEPT_ENCODING, "gzip, br");
	if (request->ca_file != NULL)
		curl_easy_setopt(t->easy, CURLOPT_CAINFO, request->ca_file);
	t->headers = add_header(t->headers, "If-None-Match", request->etag);
	t->headers = add_header(t->headers, "If-Modified-Since", request->last_modified);
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
	if (request->body == NULL)
		return;
	t->post_headers = add_header(t->post_headers, "Content-Type", request->body_type);
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->post_headers);
	curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
	curl_easy_setopt(t->easy, CURLOPT_COPYPOSTFIELDS, request->body);
}

void transfer_make_get(struct transfer *t)
{
	curl_easy_setopt(t->easy, CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
}

bool transfer_retry_unpacked(struct transfer *t, CURLcode result)
{
	if (result != CURLE_BAD_CONTENT_ENCODING || !t->odd_coding || t->unpacked)
		return false;
	t->unpacked = true;
	curl_easy_setopt(t->easy, CURLOPT_ACCEPT_ENCODING, NULL);
	return true;
}

void transfer_free(struct transfer *t)
{
	curl_easy_cleanup(t->easy);
	curl_slist_free_all(t->headers);
	curl_slist_free_all(t->post_headers);
	buf_free(&t->body);
	*t = (struct transfer){0};
}

void transfer_prepare(struct transfer *t, const struct fetch_url *url, int64_t timeout_ms,
	bool private_ok, bool special_ok)
{
	buf_truncate(&t->body, 0);
	t->header_bytes = 0;
	t->codings = 0;
	t->odd_coding = false;
	t->fault = FAULT_NONE;
	t->said[0] = '\0';
	t->private_ok = private_ok;
	t->special_ok = special_ok;
	curl_easy_setopt(t->easy, CURLOPT_URL, url->full);
	curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
}

/* ---- Limits ---- */

static bool may_connect(const struct transfer *t, enum address_reach reach)
{
	return reach == ADDRESS_PUBLIC || (reach == ADDRESS_PRIVATE && t->private_ok) ||
	       t->special_ok;
}

static void note_address(struct transfer *t, const struct sockaddr *address)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	t->fault = FAULT_ADDRESS;
	t->peer[0] = '\0';
	if (address->sa_family == AF_INET) {
		memcpy(&v4, address, sizeof(v4));
		inet_ntop(AF_INET, &v4.sin_addr, t->peer, sizeof(t->peer));
	} else if (address->sa_family == AF_INET6) {
		memcpy(&v6, address, sizeof(v6));
		inet_ntop(AF_INET6, &v6.sin6_addr, t->peer, sizeof(t->peer));
	}
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *t = arg;

	(void)purpose;
	if (!may_connect(t, address_reach(&address->addr))) {
		note_address(t, &address->addr);
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* A connection that is used again was opened for somebody who was perhaps allowed more. */
static int before_request(void *arg, char *peer, char *local, int peer_port, int local_port)
{
	struct transfer *t = arg;

	(void)local;
	(void)peer_port;
	(void)local_port;
	if (may_connect(t, address_reach_text(peer))) {
		t->fault = FAULT_NONE;
		return CURL_PREREQFUNC_OK;
	}
	t->fault = FAULT_ADDRESS;
	snprintf(t->peer, sizeof(t->peer), "%s", peer);
	return CURL_PREREQFUNC_ABORT;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	if (n * size > t->max_bytes - t->body.len) {
		t->fault = FAULT_BODY;
		return 0;
	}
	buf_add(&t->body, data, n * size);
	return n * size;
}

/* Counts what arrives, which is packed: a stream that unpacks to nothing has no end otherwise. */
static int on_progress(
	void *arg, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
	struct transfer *t = arg;

	(void)total;
	(void)up_total;
	(void)up_now;
	if ((size_t)now <= t->max_bytes + PACKED_SLACK)
		return 0;
	t->fault = FAULT_BODY;
	return 1;
}

static bool is_word(const char *s, size_t len, const char *word)
{
	return strlen(word) == len && strncasecmp(s, word, len) == 0;
}

static bool is_one_of(const char *s, size_t len, const char *const *words)
{
	while (*words != NULL && !is_word(s, len, *words))
		words++;
	return *words != NULL;
}

/* The codings in the value of a Content- or Transfer-Encoding that libcurl would unpack, or fail
 * at.
 */
static void note_codings(struct transfer *t, const char *value)
{
	static const char *const none[] = {"identity", "chunked", NULL};
	static const char *const packed[] = {
		"gzip", "x-gzip", "deflate", "br", "zstd", "compress", NULL};

	while (*value != '\0') {
		value += strspn(value, ", \t\r\n");
		size_t word = strcspn(value, ", \t\r\n;");
		if (word > 0 && !is_one_of(value, word, none)) {
			t->codings++;
			t->odd_coding = t->odd_coding || !is_one_of(value, word, packed);
		}
		value += word + strcspn(value + word, ",");
	}
}

/* libcurl unpacks up to five layers, each a thousandfold; nobody honest sends more than one. */
static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t len = size * n;
	char *copy = xstrndup(line, len);

	t->header_bytes += len;
	if (t->header_bytes > HEADERS_MAX)
		t->fault = FAULT_HEADERS;
	if (strncasecmp(copy, "HTTP/", 5) == 0)
		t->codings = 0;
	if (strncasecmp(copy, "Content-Encoding:", 17) == 0)
		note_codings(t, copy + 17);
	if (strncasecmp(copy, "Transfer-Encoding:", 18) == 0)
		note_codings(t, copy + 18);
	if (t->codings > 1)
		t->fault = FAULT_CODINGS;
	free(copy);
	return t->fault == FAULT_HEADERS || t->fault == FAULT_CODINGS ? 0 : len;
}
