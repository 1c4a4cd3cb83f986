/* What the headers of an answer say: the status, how long it is fresh, when to come back, and the
 * charset of its body. */
#include "fetch_transfer.h"

#include "hubmail/base_mem.h"
#include "hubmail/source_html.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define YEAR_S (366L * 86400)
#define CHARSET_MAX 63

int transfer_status(const struct transfer *t)
{
	long status = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	return (int)status;
}

const char *transfer_header(const struct transfer *t, const char *name)
{
	struct curl_header *h;

	if (curl_easy_header(t->easy, name, 0, CURLH_HEADER, -1, &h) != CURLHE_OK)
		return NULL;
	return h->value[0] != '\0' ? h->value : NULL;
}

static long within_a_year(long long seconds)
{
	return seconds < 0 ? 0 : seconds > YEAR_S ? YEAR_S : (long)seconds;
}

/* libcurl reads both forms, the date as the time from now. */
long transfer_retry_after(const struct transfer *t)
{
	curl_off_t seconds = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &seconds);
	return within_a_year(seconds);
}

/* Returns the length of the name at s (a token, RFC 9110, 5.6.2) and, if '=' and a value follow,
 * puts the value in *value (without its quotes) and its length in *value_len. *next is behind it.
 */
static size_t read_parameter(
	const char *s, const char **value, size_t *value_len, const char **next)
{
	size_t name_len = strcspn(s, "=,; \t");

	*value = s + name_len;
	*value_len = 0;
	s += name_len;
	if (*s == '=' && s[1] == '"') {
		*value = s + 2;
		*value_len = strcspn(*value, "\"");
		s = *value + *value_len + ((*value)[*value_len] == '"');
	} else if (*s == '=') {
		*value = s + 1;
		*value_len = strcspn(*value, ",; \t");
		s = *value + *value_len;
	}
	s += strcspn(s, ",;");
	*next = s + strspn(s, ",; \t");
	return name_len;
}

static bool is_name(const char *s, size_t len, const char *name)
{
	return strlen(name) == len && strncasecmp(s, name, len) == 0;
}

/* Less what the answer spent in caches on its way. */
long transfer_fresh_for(const struct transfer *t)
{
	const char *s = transfer_header(t, "cache-control"), *age = transfer_header(t, "age");
	long max_age = 0;

	if (s == NULL)
		return 0;
	for (s += strspn(s, ",; \t"); *s != '\0';) {
		const char *name = s, *value;
		size_t value_len, len = read_parameter(s, &value, &value_len, &s);

		if (is_name(name, len, "no-cache") || is_name(name, len, "no-store"))
			return 0;
		if (is_name(name, len, "max-age") && value_len > 0)
			max_age = within_a_year(strtoll(value, NULL, 10));
	}
	return within_a_year(max_age - (age != NULL ? within_a_year(strtoll(age, NULL, 10)) : 0));
}

/* True if the list of relations, `len` bytes at s, has this one. */
static bool has_relation(const char *s, size_t len, const char *rel)
{
	const char *end = s + len;

	while (s < end) {
		size_t n = strcspn(s, " \t\"");
		n = n < (size_t)(end - s) ? n : (size_t)(end - s);
		if (is_name(s, n, rel))
			return true;
		s += n + 1;
	}
	return false;
}

/* The address of the first link in `s` with that relation; borrowed. */
static const char *find_link(const char *s, const char *rel, size_t *len)
{
	while ((s = strchr(s, '<')) != NULL) {
		const char *url = s + 1, *value;
		size_t url_len = strcspn(url, ">"), value_len;
		s = url + url_len + (url[url_len] == '>');
		while (*s != '\0' && *s != ',') {
			s += strspn(s, "; \t");
			const char *name = s;
			size_t n = strcspn(s, "=,; \t");
			value = s += n;
			value_len = 0;
			if (*s == '=') {
				bool quoted = s[1] == '"';
				value = s + 1 + quoted;
				value_len = strcspn(value, quoted ? "\"" : ",; \t");
				s = value + value_len + (quoted && value[value_len] == '"');
			}
			*len = url_len;
			if (is_name(name, n, "rel") && has_relation(value, value_len, rel))
				return url;
		}
	}
	return NULL;
}

char *transfer_link(const struct transfer *t, const char *rel, const char *base)
{
	struct curl_header *h;

	for (size_t i = 0; curl_easy_header(t->easy, "link", i, CURLH_HEADER, -1, &h) == CURLHE_OK;
		i++) {
		size_t len = 0;
		const char *found = find_link(h->value, rel, &len);
		if (found == NULL)
			continue;
		char *copy = xstrndup(found, len), *url = source_url_absolute(copy, base);
		free(copy);
		return url;
	}
	return NULL;
}

char *transfer_charset(const struct transfer *t)
{
	const char *s = transfer_header(t, "content-type");

	s = s != NULL ? strchr(s, ';') : NULL;
	while (s != NULL && *s != '\0') {
		s += strspn(s, ",; \t");
		const char *name = s, *value;
		size_t value_len, len = read_parameter(s, &value, &value_len, &s);

		if (is_name(name, len, "charset") && value_len > 0 && value_len <= CHARSET_MAX)
			return xstrndup(value, value_len);
	}
	return NULL;
}
