/* What the headers of an answer say: the status, how long it is fresh, when to come back, and the
 * charset of its body. */
#include "fetch_transfer.h"

#include "hubmail/base_mem.h"
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
