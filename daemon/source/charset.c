/* Which charset a document is in, and its bytes as UTF-8 through iconv. Documents lie about it in
 * well-known ways, so what the bytes themselves show is believed before what is said of them. */
#include "charset.h"

#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"

#include <errno.h>
#include <iconv.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_LENGTH 40
#define STEP (64u << 10) /* bytes at once: `max` is not overstepped by more */
#define LOOK_MAX 1024    /* bytes at the start in which a document says its charset */

static bool mark(const char *data, size_t len, const char *bytes, size_t n)
{
	return len >= n && memcmp(data, bytes, n) == 0;
}

/* The byte order mark, or what a '<' or '{' without one looks like. */
static const char *from_first_bytes(const char *data, size_t len, size_t *skip)
{
	*skip = 0;
	if (mark(data, len, "\xEF\xBB\xBF", 3)) {
		*skip = 3;
		return "UTF-8";
	}
	if (mark(data, len, "\xFF\xFE\0\0", 4) || mark(data, len, "\0\0\xFE\xFF", 4)) {
		*skip = 4;
		return data[0] == 0 ? "UTF-32BE" : "UTF-32LE";
	}
	if (mark(data, len, "\xFF\xFE", 2) || mark(data, len, "\xFE\xFF", 2)) {
		*skip = 2;
		return data[0] == '\xFF' ? "UTF-16LE" : "UTF-16BE";
	}
	if (mark(data, len, "<\0", 2) && len > 3 && data[3] == 0)
		return "UTF-16LE";
	if (mark(data, len, "\0<", 2) && len > 3 && data[2] == 0)
		return "UTF-16BE";
	return NULL;
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       strchr("-_.:", c) != NULL;
}

/* What follows `key`, an equals sign and perhaps a quote in the document's first bytes. */
static bool declared(const char *data, size_t len, const char *key, char name[NAME_MAX_LENGTH + 1])
{
	const char *end = data + (len < LOOK_MAX ? len : LOOK_MAX);
	const char *p = memmem(data, (size_t)(end - data), key, strlen(key));
	if (p == NULL)
		return false;
	p += strlen(key);
	while (p < end && (*p == ' ' || *p == '=' || *p == '"' || *p == '\''))
		p++;
	size_t n = 0;
	while (p < end && n < NAME_MAX_LENGTH && *p != '\0' && is_name(*p))
		name[n++] = *p++;
	name[n] = '\0';
	return n > 0;
}

static bool is_utf8(const char *name)
{
	return strcasecmp(name, "utf-8") == 0 || strcasecmp(name, "utf8") == 0;
}

/* Names under which servers and programs send anything. */
static bool is_default(const char *name)
{
	static const char *const names[] = {"us-ascii", "ascii", "iso-8859-1", "iso8859-1",
		"latin1", "latin-1", "windows-1252", "cp1252"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcasecmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static void add_utf8(struct buf *out, uint32_t cp)
{
	char one[4];
	buf_add(out, one, utf8_encode(cp, one));
}

static uint32_t windows_1252(unsigned char c)
{
	static const uint16_t high[32] = {0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020,
		0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD, 0xFFFD,
		0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161,
		0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178};
	return c >= 0x80 && c < 0xA0 ? high[c - 0x80] : c;
}

/* UTF-8, and for whatever is not the charset that it most often is instead. */
static void add_lenient(const char *data, size_t len, size_t max, struct buf *out)
{
	size_t start = 0;
	size_t i = 0;
	while (i < len && out->len + (i - start) < max) {
		uint32_t cp = 0;
		size_t n = utf8_decode(data + i, len - i, &cp);
		if (cp == 0 || (cp == 0xFFFD && n == 1)) {
			buf_add(out, data + start, i - start);
			if (cp != 0)
				add_utf8(out, windows_1252((unsigned char)data[i]));
			start = i + n;
		}
		i += n;
	}
	buf_add(out, data + start, i - start);
}

/* False if iconv does not know the charset. */
static bool add_converted(
	const char *data, size_t len, const char *charset, size_t max, struct buf *out)
{
	iconv_t cd = iconv_open("UTF-8", charset);
	if (cd == (iconv_t)-1) /* NOLINT(performance-no-int-to-ptr): POSIX says so */
		return false;
	char *in = (char *)data; /* NOLINT: iconv does not write to it */
	size_t left = len;
	bool flushed = false;
	while (!flushed && out->len < max) {
		buf_reserve(out, 4096);
		char *to = out->data + out->len;
		size_t room = out->cap - out->len - 1;
		room = room < STEP ? room : STEP;
		bool flush = left == 0;
		size_t rc = iconv(cd, flush ? NULL : &in, flush ? NULL : &left, &to, &room);
		int why = errno;
		out->len = (size_t)(to - out->data);
		out->data[out->len] = '\0';
		flushed = flush && rc != (size_t)-1;
		if (rc == (size_t)-1 && why != E2BIG && left > 0) {
			buf_adds(out, "\xEF\xBF\xBD");
			in++;
			left--;
		} else if (rc == (size_t)-1 && why != E2BIG) {
			flushed = true;
		}
	}
	iconv_close(cd);
	return true;
}

static void drop_nul(struct buf *b, size_t start)
{
	size_t n = start;
	if (b->len == start || memchr(b->data + start, 0, b->len - start) == NULL)
		return;
	for (size_t i = start; i < b->len; i++) {
		if (b->data[i] != '\0')
			b->data[n++] = b->data[i];
	}
	buf_truncate(b, n);
}

void charset_to_utf8(const char *data, size_t len, const char *charset, size_t max, struct buf *out)
{
	char found[NAME_MAX_LENGTH + 1];
	size_t skip = 0;
	size_t start = out->len;
	const char *name = from_first_bytes(data, len, &skip);
	data += skip;
	len -= skip;
	if (name == NULL)
		name = charset;
	if (name == NULL &&
		(declared(data, len, "encoding", found) || declared(data, len, "charset", found)))
		name = found;
	if (name != NULL && is_default(name))
		name = utf8_valid(data, len) ? NULL : "WINDOWS-1252";
	/* A declaration of 16 bits that could be read as bytes is wrong. */
	if (name == found &&
		(strncasecmp(found, "utf-16", 6) == 0 || strncasecmp(found, "ucs-2", 5) == 0))
		name = NULL;
	if (name == NULL || is_utf8(name) || !add_converted(data, len, name, max, out))
		add_lenient(data, len, max, out);
	drop_nul(out, start);
}
