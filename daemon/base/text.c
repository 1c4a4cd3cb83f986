/* UTF-8 by the book (RFC 3629) and the small text helpers that several rooms need. Nothing here
 * knows a locale, so that the same bytes give the same answer on every machine. */
#include "hubmail/base_buf.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT 0xFFFDu
#define WORD_MAX 64 /* longer words are not compared */

/* One bit for each boundary of the ranges in RFC 3629, 4: what the second byte may be depends on
 * the first. */
static size_t sequence_length(unsigned char first, unsigned char *low, unsigned char *high)
{
	*low = 0x80;
	*high = 0xBF;
	if (first >= 0xC2 && first <= 0xDF)
		return 2;
	if (first >= 0xE0 && first <= 0xEF) {
		if (first == 0xE0)
			*low = 0xA0;
		if (first == 0xED)
			*high = 0x9F;
		return 3;
	}
	if (first >= 0xF0 && first <= 0xF4) {
		if (first == 0xF0)
			*low = 0x90;
		if (first == 0xF4)
			*high = 0x8F;
		return 4;
	}
	return 0;
}

size_t utf8_decode(const char *s, size_t len, uint32_t *cp)
{
	const unsigned char *u = (const unsigned char *)s;
	*cp = u[0];
	if (u[0] < 0x80)
		return 1;
	unsigned char low = 0;
	unsigned char high = 0;
	size_t n = sequence_length(u[0], &low, &high);
	*cp = REPLACEMENT;
	if (n == 0 || n > len || u[1] < low || u[1] > high)
		return 1;
	uint32_t value = u[0] & (0x7Fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((u[i] & 0xC0) != 0x80)
			return 1;
		value = value << 6 | (u[i] & 0x3Fu);
	}
	*cp = value;
	return n;
}

size_t utf8_encode(uint32_t cp, char out[4])
{
	if ((cp >= 0xD800 && cp <= 0xDFFF) || cp > 0x10FFFF)
		cp = REPLACEMENT;
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	size_t n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	for (size_t i = n - 1; i > 0; i--) {
		out[i] = (char)(0x80u | (cp & 0x3Fu));
		cp >>= 6;
	}
	out[0] = (char)((0xF00u >> n & 0xF0u) | cp);
	return n;
}

static bool malformed(uint32_t cp, size_t n)
{
	return cp == REPLACEMENT && n == 1;
}

bool utf8_valid(const char *s, size_t len)
{
	for (size_t i = 0; i < len;) {
		uint32_t cp = 0;
		size_t n = utf8_decode(s + i, len - i, &cp);
		if (cp == 0 || malformed(cp, n))
			return false;
		i += n;
	}
	return true;
}

char *utf8_clean(const char *s, size_t len)
{
	struct buf out = {0};
	buf_reserve(&out, len);
	for (size_t i = 0; i < len;) {
		uint32_t cp = 0;
		size_t n = utf8_decode(s + i, len - i, &cp);
		if (cp == 0 || malformed(cp, n))
			buf_adds(&out, "\xEF\xBF\xBD");
		else
			buf_add(&out, s + i, n);
		i += n;
	}
	return buf_take(&out);
}

size_t utf8_prefix(const char *s, size_t chars)
{
	size_t len = strlen(s);
	size_t i = 0;
	while (i < len && chars-- > 0) {
		uint32_t cp = 0;
		i += utf8_decode(s + i, len - i, &cp);
	}
	return i;
}

/* Unicode's White_Space and the C0 and C1 controls. */
static bool is_blank_or_control(uint32_t cp)
{
	return cp <= 0x20 || (cp >= 0x7F && cp <= 0xA0) || cp == 0x1680 ||
	       (cp >= 0x2000 && cp <= 0x200A) || cp == 0x2028 || cp == 0x2029 || cp == 0x202F ||
	       cp == 0x205F || cp == 0x3000;
}

char *text_one_line(const char *s)
{
	if (s == NULL)
		return NULL;
	struct buf out = {0};
	bool gap = false;
	size_t len = strlen(s);
	buf_reserve(&out, len);
	for (size_t i = 0; i < len;) {
		uint32_t cp = 0;
		size_t n = utf8_decode(s + i, len - i, &cp);
		bool blank = is_blank_or_control(cp);
		if (!blank) {
			if (gap && out.len > 0)
				buf_addc(&out, ' ');
			buf_add(&out, s + i, n);
		}
		gap = blank;
		i += n;
	}
	return buf_take(&out);
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

char *text_trim(char *s)
{
	while (is_space(*s))
		s++;
	size_t len = strlen(s);
	while (len > 0 && is_space(s[len - 1]))
		len--;
	s[len] = '\0';
	return s;
}

char text_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool text_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool text_same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool text_ends(const char *s, const char *suffix)
{
	size_t len = strlen(s);
	size_t n = strlen(suffix);
	return len >= n && memcmp(s + len - n, suffix, n) == 0;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;
	return least < c ? least : c;
}

/* How many letters must be changed, dropped, added or swapped with their neighbour to get from a to
 * b; upper and lower case count as the same. Three rows of the usual table are enough. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][WORD_MAX + 1] = {{0}};
	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i + 2) % 3];
		const size_t *before = rows[(i + 1) % 3];
		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t change = lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1;
			row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + change);
			bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
				       lower(a[i - 2]) == lower(b[j - 1]);
			if (swapped && before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
	}
	return rows[a_len % 3][b_len];
}

const char *text_suggest(const char *word, const char *const *words, size_t n)
{
	size_t len = strlen(word);
	size_t most = len / 3 < 2 ? len / 3 : 2;
	const char *best = NULL;
	if (len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t other = strlen(words[i]);
		if (other > WORD_MAX)
			continue;
		size_t d = distance(word, len, words[i], other);
		if (d > most || (best != NULL && d == most))
			continue;
		best = words[i];
		most = d;
	}
	return best;
}

bool text_to_int(const char *s, long long min, long long max, long long *out)
{
	const char *digits = *s == '-' ? s + 1 : s;
	if (*digits == '\0' || digits[strspn(digits, "0123456789")] != '\0')
		return false;
	errno = 0;
	long long value = strtoll(s, NULL, 10);
	if (errno != 0 || value < min || value > max)
		return false;
	*out = value;
	return true;
}
