/* Values that name something on the network: hosts, addresses to listen on, URLs. libcurl's parser
 * judges the URLs, since libcurl will fetch them; what it lets pass and a mail or a log should not
 * show is refused here. */
#include "hubmail/base_mem.h"
#include "hubmail/base_permalink.h"
#include "hubmail/base_text.h"
#include "hubmail/config.h"
#include "value.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_MAX 63

struct url_rules {
	bool printed;  /* it stands in every mail: ASCII only */
	bool extended; /* something is put behind it: no query */
};

static bool is_ipv4(const char *s)
{
	struct in_addr a;

	return inet_pton(AF_INET, s, &a) == 1;
}

static bool is_ipv6(const char *s)
{
	struct in6_addr a;

	return inet_pton(AF_INET6, s, &a) == 1;
}

static bool is_label(const char *s, size_t len)
{
	if (len == 0 || len > LABEL_MAX || s[0] == '-' || s[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = s[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '_')
			return false;
	}
	return true;
}

static bool is_host_name(const char *s)
{
	if (s[strspn(s, "0123456789.")] == '\0')
		return false;
	for (;;) {
		size_t len = strcspn(s, ".");
		if (!is_label(s, len))
			return false;
		if (s[len] == '\0')
			return true;
		s += len + 1;
	}
}

bool value_host(const char *value, struct error *e)
{
	if (is_ipv4(value) || is_host_name(value))
		return true;
	if (is_ipv6(value) || value[0] == '[')
		return value_refuse(e, value,
			"is an IPv6 address, which is not supported here: write a host name (it may "
			"lead to an IPv6 address)");
	if (strstr(value, "://") != NULL)
		return value_refuse(e, value, "is a URL: write only the host name");
	if (strchr(value, ':') != NULL)
		return value_refuse(e, value, "is no host name: the port is a setting of its own");
	for (const char *s = value; *s != '\0'; s++)
		if ((unsigned char)*s >= 0x80)
			return value_refuse(
				e, value, "is not ASCII: write the name as punycode (\"xn--…\")");
	return value_refuse(e, value, "is neither a host name nor an IPv4 address");
}

/* RFC 5321, 4.1.1.1: a name, or an address in brackets. */
bool value_hello(const char *value, struct error *e)
{
	size_t len = strlen(value);
	char *inner = len > 2 ? xstrndup(value + 1, len - 2) : NULL;
	bool literal = inner != NULL && value[0] == '[' && value[len - 1] == ']' && is_ipv4(inner);

	free(inner);
	if (literal || is_host_name(value))
		return true;
	return value_refuse(e, value,
		"is neither a host name nor an IPv4 address in brackets (\"[192.0.2.1]\")");
}

bool value_take_listen(const char *value, void *config, struct error *e)
{
	struct config *c = config;
	const char *colon = strrchr(value, ':');
	long long port = 0;

	if (colon == NULL || colon == value)
		return value_refuse(
			e, value, "has no address and port: write it like \"127.0.0.1:8025\"");
	if (!text_to_int(colon + 1, 1, 65535, &port))
		return value_refuse(e, value, "has no port from 1 to 65535 after the \":\"");
	size_t len = (size_t)(colon - value);
	bool bracketed = value[0] == '[' && value[len - 1] == ']' && len > 2;
	char *host = bracketed ? xstrndup(value + 1, len - 2) : xstrndup(value, len);
	if (strcmp(host, "localhost") == 0)
		memcpy(host, "127.0.0.1", sizeof("127.0.0.1"));
	if (bracketed ? is_ipv6(host) : is_ipv4(host)) {
		c->web_listen_host = host;
		c->web_listen_port = (int)port;
		return true;
	}
	bool bare_ipv6 = is_ipv6(host) || is_ipv6(value);
	free(host);
	if (bare_ipv6)
		return value_refuse(
			e, value, "is an IPv6 address without brackets: write \"[::1]:8025\"");
	return value_refuse(e, value,
		"does not begin with an address of this machine: write it like \"127.0.0.1:8025\" "
		"(\"0.0.0.0:8025\" for all)");
}

/* What RFC 3986 never allows, and what could end a URL in a header or in HTML. */
static const char *find_bad_character(const char *s, bool ascii_only)
{
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;
		if (c <= 0x20 || c == 0x7f || strchr("<>\"\\^`{|}", c) != NULL ||
			(c >= 0x80 && ascii_only))
			return s;
	}
	return NULL;
}

static bool has_part(CURLU *u, CURLUPart part)
{
	char *text = NULL;
	bool found = curl_url_get(u, part, &text, 0) == CURLUE_OK && text[0] != '\0';

	curl_free(text);
	return found;
}

/* Returns what is wrong with the parts of the URL, or NULL. */
static const char *judge_parts(CURLU *u, struct url_rules rules)
{
	if (!has_part(u, CURLUPART_HOST))
		return "has no host";
	if (has_part(u, CURLUPART_USER) || has_part(u, CURLUPART_PASSWORD))
		return "has a user name or password in it, which is not supported";
	if (has_part(u, CURLUPART_FRAGMENT))
		return "has a \"#\": write it without";
	if (rules.extended && has_part(u, CURLUPART_QUERY))
		return "has a \"?\": paths are put behind it, so write it without";
	return NULL;
}

static bool check_url(const char *value, struct url_rules rules, struct error *e)
{
	const char *bad = find_bad_character(value, rules.printed);

	if (bad != NULL && (unsigned char)*bad >= 0x80)
		return value_refuse(e, value,
			"is not ASCII: write the host as punycode (\"xn--…\") and the path "
			"percent-encoded");
	if (bad != NULL)
		return value_refuse(
			e, value, "has a character that cannot stand in a URL: percent-encode it");
	if (!text_starts(value, "https://") && !text_starts(value, "http://"))
		return value_refuse(e, value, "begins with neither \"https://\" nor \"http://\"");
	CURLU *u = curl_url();
	if (u == NULL)
		return error_set(e, ERROR_AGAIN, "out of memory");
	CURLUcode rc = curl_url_set(u, CURLUPART_URL, value, 0);
	const char *reason = rc == CURLUE_OK ? judge_parts(u, rules) : NULL;
	if (rc != CURLUE_OK)
		value_refuse(e, value, "is no URL: %s", curl_url_strerror(rc));
	else if (reason != NULL)
		value_refuse(e, value, "%s", reason);
	curl_url_cleanup(u);
	return rc == CURLUE_OK && reason == NULL;
}

static size_t length_without_slashes(const char *s)
{
	size_t len = strlen(s);

	while (len > 1 && s[len - 1] == '/')
		len--;
	return len;
}

bool value_take_web_url(const char *value, void *config, struct error *e)
{
	struct config *c = config;

	if (!check_url(value, (struct url_rules){.printed = true, .extended = true}, e))
		return false;
	c->web_url = xstrndup(value, length_without_slashes(value));
	return true;
}

static bool is_first(const struct config_source *s, struct error *e)
{
	return s->location == NULL ||
	       error_set(e, ERROR_CONFIG,
		       "a source has a feed, a wordpress or a directory: make two sources of them");
}

bool value_take_feed(const char *value, void *source, struct error *e)
{
	struct config_source *s = source;

	if (!check_url(value, (struct url_rules){0}, e) || !is_first(s, e))
		return false;
	s->kind = SOURCE_FEED;
	s->location = xstrdup(value);
	return true;
}

bool value_take_wordpress(const char *value, void *source, struct error *e)
{
	struct config_source *s = source;

	if (!check_url(value, (struct url_rules){.extended = true}, e) || !is_first(s, e))
		return false;
	s->kind = SOURCE_WORDPRESS;
	s->location = xstrndup(value, length_without_slashes(value));
	return true;
}

bool value_take_directory(const char *value, void *source, struct error *e)
{
	struct config_source *s = source;

	if (value[0] != '/')
		return value_refuse(e, value,
			"is a relative path: write it from the root, with a \"/\" at the beginning");
	if (!is_first(s, e))
		return false;
	s->kind = SOURCE_DIRECTORY;
	s->location = xstrndup(value, length_without_slashes(value));
	return true;
}

bool value_take_directory_url(const char *value, void *source, struct error *e)
{
	struct config_source *s = source;

	if (!check_url(value, (struct url_rules){.printed = true, .extended = true}, e))
		return false;
	s->url = xasprintf("%.*s/", (int)length_without_slashes(value), value);
	return true;
}

bool value_permalink(const char *value, struct error *e)
{
	struct error why = {0};

	return permalink_check(value, &why) || value_refuse(e, value, "%s", why.text);
}
