/* What a single character means, wherever it came from: HTML's character references, white space,
 * characters that hide or reverse text, and where a line may be cut. Tables are kept to what
 * decides something for a reader; Unicode's own are a hundred times as long. */
#include "character.h"

#include "hubmail/base_text.h"
#include "reference.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct range {
	uint32_t first, last;
};

static bool in_ranges(uint32_t cp, const struct range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (cp >= ranges[i].first && cp <= ranges[i].last)
			return true;
	}
	return false;
}

bool character_is_unwanted(uint32_t cp)
{
	static const struct range ranges[] = {{0x180E, 0x180E}, {0x202A, 0x202E}, {0x2060, 0x206F},
		{0xFEFF, 0xFEFF}, {0xFFF0, 0xFFFB}, {0xFFFE, 0xFFFF}, {0xE000, 0xF8FF},
		{0xE0000, 0xE001F}};
	if (cp < 0x80)
		return (cp < 0x20 && cp != '\t' && cp != '\n' && cp != '\r') || cp == 0x7F;
	return cp < 0xA0 || (cp > 0x1800 && in_ranges(cp, ranges, COUNT(ranges)));
}

bool character_is_space(uint32_t cp)
{
	return cp == ' ' || (cp >= '\t' && cp <= '\r') || cp == 0x85 || cp == 0xA0 ||
	       cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200A) || cp == 0x2028 || cp == 0x2029 ||
	       cp == 0x202F || cp == 0x205F || cp == 0x3000;
}

bool character_is_spaceless(uint32_t cp)
{
	static const struct range ranges[] = {{0x0E00, 0x0FFF}, {0x1000, 0x109F}, {0x1780, 0x17FF},
		{0x1950, 0x19DF}, {0x2E80, 0xA4CF}, {0xF900, 0xFAFF}, {0xFF00, 0xFFEF},
		{0x20000, 0x3FFFF}};
	return cp >= 0x0E00 && in_ranges(cp, ranges, COUNT(ranges));
}

bool character_joins(uint32_t cp)
{
	static const struct range ranges[] = {{0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD},
		{0x0610, 0x061A}, {0x064B, 0x065F}, {0x06D6, 0x06ED}, {0x0900, 0x0903},
		{0x093A, 0x094F}, {0x0981, 0x0983}, {0x09BC, 0x09CD}, {0x0A3C, 0x0A4D},
		{0x0ABC, 0x0ACD}, {0x0B3C, 0x0B4D}, {0x0BBE, 0x0BCD}, {0x0C3E, 0x0C4D},
		{0x0CBC, 0x0CCD}, {0x0D3B, 0x0D4D}, {0x0E31, 0x0E31}, {0x0E33, 0x0E3A},
		{0x0E47, 0x0E4E}, {0x0EB1, 0x0EBC}, {0x0EC8, 0x0ECD}, {0x0F71, 0x0F84},
		{0x102B, 0x103E}, {0x17B4, 0x17D3}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF},
		{0x200D, 0x200D}, {0x20D0, 0x20FF}, {0x302A, 0x302F}, {0x3099, 0x309C},
		{0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0x1F3FB, 0x1F3FF}, {0xE0020, 0xE01EF}};
	return cp >= 0x0300 && in_ranges(cp, ranges, COUNT(ranges));
}

/* Numbers from 128 to 159 were meant as Windows-1252 by whoever wrote them (HTML, 13.2.5.80). */
static uint32_t numbered(uint32_t n)
{
	static const uint16_t windows[32] = {0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020,
		0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D, 0x017D, 0x8F, 0x90, 0x2018,
		0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A,
		0x0153, 0x9D, 0x017E, 0x0178};
	if (n >= 0x80 && n < 0xA0)
		return windows[n - 0x80];
	return n == 0 ? 0xFFFD : n;
}

static int digit_value(char c, bool hex)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (hex && c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (hex && c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* s is behind "&#". The semicolon may be missing. Returns the length, 0 if it is no number. */
static size_t number_reference(const char *s, size_t len, uint32_t *cp)
{
	bool hex = len > 0 && (s[0] == 'x' || s[0] == 'X');
	size_t start = hex ? 1 : 0;
	size_t i = start;
	uint32_t n = 0;
	while (i < len && digit_value(s[i], hex) >= 0) {
		if (n <= 0x10FFFF)
			n = n * (hex ? 16 : 10) + (uint32_t)digit_value(s[i], hex);
		i++;
	}
	if (i == start)
		return 0;
	*cp = numbered(n);
	return i < len && s[i] == ';' ? i + 1 : i;
}

/* s is behind the '&'. Only the oldest names may do without a semicolon; a browser knows a hundred
 * of them, and "&copy=1" in an address shows what that leads to. */
static size_t name_reference(const char *s, size_t len, uint32_t *cp)
{
	char name[REFERENCE_NAME_MAX + 1];
	size_t n = 0;
	while (n < len && n < REFERENCE_NAME_MAX &&
		((s[n] >= 'a' && s[n] <= 'z') || (s[n] >= 'A' && s[n] <= 'Z') ||
			(n > 0 && s[n] >= '0' && s[n] <= '9'))) {
		name[n] = s[n];
		n++;
	}
	name[n] = '\0';
	if (n < len && s[n] == ';' && n > 0) {
		*cp = reference_value(name);
		return *cp != 0 ? n + 1 : 0;
	}
	static const char *const bare[] = {"amp", "lt", "gt", "quot", "nbsp", "copy", "reg"};
	bool follows = n < len && (s[n] == '=' || digit_value(s[n], false) >= 0);
	for (size_t i = 0; i < COUNT(bare) && !follows; i++) {
		if (strcmp(name, bare[i]) == 0) {
			*cp = reference_value(name);
			return n;
		}
	}
	return 0;
}

size_t character_reference(const char *s, size_t len, char out[8], size_t *out_len)
{
	uint32_t cp = 0;
	size_t n = 0;
	if (len > 2 && s[1] == '#')
		n = number_reference(s + 2, len - 2, &cp) + 1;
	else if (len > 1)
		n = name_reference(s + 1, len - 1, &cp);
	if (n == 0 || cp == 0)
		return 0;
	*out_len = utf8_encode(cp, out);
	return n + 1;
}

/* The unwanted are dropped after decoding, so that "&#8238;" is no way around. C1 controls are what
 * is left of Windows-1252 that somebody took for Latin-1. */
static void add_character(const char *s, size_t n, uint32_t cp, struct buf *out)
{
	if (cp == 0 || (cp == 0xFFFD && n == 1)) {
		buf_adds(out, "\xEF\xBF\xBD");
	} else if (cp >= 0x80 && cp < 0xA0) {
		char one[4];
		cp = numbered(cp);
		if (cp >= 0xA0)
			buf_add(out, one, utf8_encode(cp, one));
	} else if (!character_is_unwanted(cp)) {
		buf_add(out, s, n);
	}
}

static bool is_plain(char c)
{
	return (c >= ' ' && c < 0x7F && c != '&') || c == '\n' || c == '\t';
}

void characters_decode(const char *s, size_t len, bool references, struct buf *out)
{
	for (size_t i = 0; i < len;) {
		size_t plain = 0;
		while (i + plain < len && is_plain(s[i + plain]))
			plain++;
		buf_add(out, s + i, plain);
		i += plain;
		if (i == len)
			return;
		uint32_t cp = 0;
		char one[8];
		size_t one_len = 0;
		size_t n = s[i] == '&' && references
				   ? character_reference(s + i, len - i, one, &one_len)
				   : 0;
		if (n > 0) {
			utf8_decode(one, one_len, &cp);
			add_character(one, one_len, cp, out);
		} else {
			n = utf8_decode(s + i, len - i, &cp);
			add_character(s + i, n, cp, out);
		}
		i += n;
	}
}

void characters_escape(const char *s, size_t len, struct buf *out)
{
	size_t start = 0;
	for (size_t i = 0; i < len; i++) {
		const char *as = s[i] == '&'   ? "&amp;"
				 : s[i] == '<' ? "&lt;"
				 : s[i] == '>' ? "&gt;"
				 : s[i] == '"' ? "&quot;"
					       : NULL;
		if (as == NULL)
			continue;
		buf_add(out, s + start, i - start);
		buf_adds(out, as);
		start = i + 1;
	}
	buf_add(out, s + start, len - start);
}

char *characters_line(const char *s)
{
	if (s == NULL)
		return NULL;
	struct buf clean = {0};
	characters_decode(s, strlen(s), false, &clean);
	char *line = text_one_line(buf_str(&clean));
	buf_free(&clean);
	if (line[0] != '\0')
		return line;
	free(line);
	return NULL;
}
