/* Relative references (RFC 3986, 5) with the leniency of browsers: white space around, line breaks
 * inside, backslashes, and characters that should have been encoded. Only http and https come out,
 * without a name or password, for an address goes into a mail to everybody. */
#include "url.h"

#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "hubmail/source_html.h"

#include <idn2.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HOST_MAX 253 /* RFC 1035, 2.3.4, without the last dot */

struct span {
	const char *s;
	size_t len;
};

/* query and fragment with their '?' and '#'; what is not there has length 0. */
struct url {
	struct span scheme, authority, path, query, fragment;
	bool has_authority;
};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Trims, drops line breaks and tabs, and turns the backslashes of the path. */
static char *tidy(const char *url, size_t max)
{
	struct buf out = {0};
	size_t len = strlen(url);
	bool in_path = true;
	while (len > 0 && (unsigned char)url[len - 1] <= ' ')
		len--;
	while (len > 0 && (unsigned char)*url <= ' ') {
		url++;
		len--;
	}
	if (len > max)
		return NULL;
	if (strcspn(url, "\t\n\r\\") >= len)
		return xstrndup(url, len);
	for (size_t i = 0; i < len; i++) {
		if (url[i] == '?' || url[i] == '#')
			in_path = false;
		if (url[i] != '\t' && url[i] != '\n' && url[i] != '\r')
			buf_addc(&out, url[i] == '\\' && in_path ? '/' : url[i]);
	}
	return buf_take(&out);
}

static size_t scheme_length(const char *s)
{
	size_t n = 0;
	if (!is_letter(s[0]))
		return 0;
	while (is_letter(s[n]) || is_digit(s[n]) || s[n] == '+' || s[n] == '-' || s[n] == '.')
		n++;
	return s[n] == ':' ? n : 0;
}

static struct url split(const char *s)
{
	struct url u = {0};
	size_t n = scheme_length(s);
	u.scheme = (struct span){s, n};
	s += n > 0 ? n + 1 : 0;
	if (s[0] == '/' && s[1] == '/') {
		u.has_authority = true;
		u.authority = (struct span){s + 2, strcspn(s + 2, "/?#")};
		s += 2 + u.authority.len;
	}
	u.path = (struct span){s, strcspn(s, "?#")};
	s += u.path.len;
	u.query = (struct span){s, strcspn(s, "#")};
	s += u.query.len;
	u.fragment = (struct span){s, strlen(s)};
	return u;
}

static bool is_web(struct span scheme)
{
	return (scheme.len == 4 && strncasecmp(scheme.s, "http", 4) == 0) ||
	       (scheme.len == 5 && strncasecmp(scheme.s, "https", 5) == 0);
}

void url_encode(const char *s, size_t len, struct buf *out)
{
	static const char hex[] = "0123456789ABCDEF";
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c > ' ' && c < 0x7F && strchr("\"<>\\^`{|}", c) == NULL) {
			buf_addc(out, s[i]);
			continue;
		}
		char coded[3] = {'%', hex[c >> 4], hex[c & 15]};
		buf_add(out, coded, sizeof(coded));
	}
}

static bool is_host(const char *s, size_t len, const char *marks)
{
	for (size_t i = 0; i < len; i++) {
		if (!is_letter(s[i]) && !is_digit(s[i]) && strchr(marks, s[i]) == NULL)
			return false;
	}
	return len > 0 && len <= HOST_MAX;
}

/* A name in other letters as punycode (RFC 5891). What comes of it is looked at like any other
 * name: the mapping makes a '/' of a wide one. */
static bool add_foreign_host(struct span host, struct buf *out)
{
	char *name = xstrndup(host.s, host.len);
	char *ascii = NULL;
	int rc = idn2_to_ascii_8z(name, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	bool ok = rc == IDN2_OK && is_host(ascii, strlen(ascii), "-._");
	if (ok)
		buf_adds(out, ascii);
	if (rc == IDN2_OK)
		idn2_free(ascii);
	free(name);
	return ok;
}

/* In lower case. */
static bool add_host(struct span host, struct buf *out)
{
	bool literal = host.len > 2 && host.s[0] == '[' && host.s[host.len - 1] == ']';
	bool foreign = false;
	for (size_t i = 0; i < host.len && i <= HOST_MAX; i++)
		foreign = foreign || (unsigned char)host.s[i] >= 0x80;
	if (host.len > HOST_MAX)
		return false;
	if (foreign)
		return add_foreign_host(host, out);
	if (!is_host(host.s, host.len, literal ? "[]:." : "-._"))
		return false;
	for (size_t i = 0; i < host.len; i++)
		buf_addc(out, text_lower(host.s[i]));
	return true;
}

static bool add_authority(struct span a, struct buf *out)
{
	const char *at = a.len > 0 ? memrchr(a.s, '@', a.len) : NULL;
	if (at != NULL)
		a = (struct span){at + 1, a.len - (size_t)(at + 1 - a.s)};
	size_t port = 0;
	while (port < a.len && is_digit(a.s[a.len - 1 - port]))
		port++;
	if (port == a.len || a.s[a.len - 1 - port] != ':')
		return add_host(a, out);
	struct span host = {a.s, a.len - port - 1};
	if (!add_host(host, out) || port > 5)
		return false;
	if (port > 0) {
		buf_addc(out, ':');
		buf_add(out, a.s + a.len - port, port);
	}
	return true;
}

/* RFC 3986, 5.2.4. What stands in out before `start` is not touched. */
static void add_segment(struct buf *out, size_t start, const char *s, size_t len, bool last)
{
	bool dot = len == 1 && s[0] == '.';
	bool dots = len == 2 && s[0] == '.' && s[1] == '.';
	if (dots && out->len > start + 1) {
		size_t n = out->len - 1;
		while (n > start && out->data[n - 1] != '/')
			n--;
		buf_truncate(out, n);
	}
	if (dot || dots)
		return;
	url_encode(s, len, out);
	if (!last)
		buf_addc(out, '/');
}

static void add_path(struct buf *out, size_t start, struct span path)
{
	size_t i = 0;
	while (i <= path.len) {
		const char *s = path.s + i;
		const char *slash = path.len > i ? memchr(s, '/', path.len - i) : NULL;
		size_t len = slash != NULL ? (size_t)(slash - s) : path.len - i;
		add_segment(out, start, s, len, slash == NULL);
		i += len + 1;
	}
}

/* RFC 3986, 5.2.2 and 5.2.3. */
static void add_rest(struct buf *out, const struct url *u, const struct url *base)
{
	size_t start = out->len;
	bool own = u->has_authority || base == NULL;
	const struct span *query = &u->query;
	if (own || (u->path.len > 0 && u->path.s[0] == '/')) {
		if (u->path.len > 0)
			add_path(out, start, u->path);
	} else if (u->path.len == 0) {
		url_encode(base->path.s, base->path.len, out);
		if (query->len == 0)
			query = &base->query;
	} else {
		const char *slash =
			base->path.len > 0 ? memrchr(base->path.s, '/', base->path.len) : NULL;
		size_t folder = slash != NULL ? (size_t)(slash + 1 - base->path.s) : 0;
		if (folder == 0)
			buf_addc(out, '/');
		else
			add_path(out, start, (struct span){base->path.s, folder});
		add_path(out, start, u->path);
	}
	url_encode(query->s, query->len, out);
	url_encode(u->fragment.s, u->fragment.len, out);
}

static char *resolve(const struct url *u, const struct url *base)
{
	struct buf out = {0};
	const struct url *from = u->scheme.len > 0 ? u : base;
	if (from == NULL || !is_web(from->scheme) || (u->scheme.len > 0 && !u->has_authority))
		return NULL;
	buf_adds(&out, from->scheme.len == 5 ? "https://" : "http://");
	if (add_authority(u->has_authority ? u->authority : from->authority, &out)) {
		add_rest(&out, u, u->scheme.len > 0 ? NULL : base);
		if (out.len <= URL_MAX)
			return buf_take(&out);
	}
	buf_free(&out);
	return NULL;
}

char *source_url_absolute(const char *url, const char *base)
{
	char *tidied = tidy(url, URL_MAX);
	char *tidied_base = base != NULL ? tidy(base, BASE_MAX) : NULL;
	char *result = NULL;
	if (tidied != NULL && tidied[0] != '\0') {
		struct url u = split(tidied);
		struct url b = split(tidied_base != NULL ? tidied_base : "");
		result = resolve(&u, b.has_authority ? &b : NULL);
	}
	free(tidied);
	free(tidied_base);
	return result;
}

char *url_link(const char *url, const char *base)
{
	while ((unsigned char)*url <= ' ' && *url != '\0')
		url++;
	if (strncasecmp(url, "mailto:", 7) != 0)
		return source_url_absolute(url, base);
	size_t len = strlen(url + 7);
	if (len == 0 || len > URL_MAX)
		return NULL;
	struct buf out = {0};
	buf_adds(&out, "mailto:");
	url_encode(url + 7, len, &out);
	return buf_take(&out);
}
