/* Header fields: cleaning what comes from outside, and the three shapes that a message of ours
 * needs. How text is encoded is rfc2047.c's business. */
#include "rfc5322.h"
#include "hubmail/base_text.h"
#include "rfc2047.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define TEXT_MAX 1000
#define DISPLAY_MAX 256
#define ID_MAX 512

/* Controls, line and paragraph separators, and the marks that turn the direction of what follows:
 * in a header they only serve to disguise. */
static bool is_unwanted(uint32_t cp)
{
	return cp <= 0x20 || (cp >= 0x7F && cp <= 0xA0) || cp == 0x2028 || cp == 0x2029 ||
	       (cp >= 0x202A && cp <= 0x202E) || (cp >= 0x2066 && cp <= 0x2069) || cp == 0x3000 ||
	       cp == 0xFEFF;
}

void header_clean(const char *text, char *out, size_t size)
{
	size_t len = text != NULL ? strlen(text) : 0;
	size_t at = 0;
	bool gap = false;
	for (size_t i = 0; i < len;) {
		uint32_t cp = 0;
		char bytes[4];
		i += utf8_decode(text + i, len - i, &cp);
		if (is_unwanted(cp)) {
			gap = at > 0;
			continue;
		}
		size_t n = utf8_encode(cp, bytes);
		if (at + gap + n >= size)
			break;
		if (gap)
			out[at++] = ' ';
		memcpy(out + at, bytes, n);
		at += n;
		gap = false;
	}
	out[at] = '\0';
}

static void begin(struct buf *out, const char *field)
{
	buf_adds(out, field);
	buf_addc(out, ':');
}

void header_text(struct buf *out, const char *field, const char *text)
{
	char clean[TEXT_MAX + 1];
	header_clean(text, clean, sizeof(clean));
	begin(out, field);
	rfc2047_text(out, clean);
	buf_adds(out, "\r\n");
}

void header_add_ascii(struct buf *out, const char *s, size_t max)
{
	for (size_t i = 0; i < max && s[i] != '\0'; i++) {
		if (s[i] > ' ' && s[i] <= '~')
			buf_addc(out, s[i]);
	}
}

static void add_id(struct buf *out, const char *id, bool brackets)
{
	size_t len = strnlen(id, ID_MAX);
	header_space(out, len + (brackets ? 2 : 0));
	if (brackets)
		buf_addc(out, '<');
	for (size_t i = 0; i < len; i++) {
		if (id[i] != '<' && id[i] != '>')
			header_add_ascii(out, id + i, 1);
	}
	if (brackets)
		buf_addc(out, '>');
	buf_adds(out, "\r\n");
}

void header_bracketed(struct buf *out, const char *field, const char *display, const char *id)
{
	char clean[DISPLAY_MAX + 1];
	header_clean(display, clean, sizeof(clean));
	begin(out, field);
	if (clean[0] != '\0')
		rfc2047_phrase(out, clean);
	add_id(out, id, true);
}

void header_mailbox(struct buf *out, const char *field, const char *display, const char *address)
{
	char clean[DISPLAY_MAX + 1];
	header_clean(display, clean, sizeof(clean));
	if (clean[0] != '\0') {
		header_bracketed(out, field, clean, address);
		return;
	}
	begin(out, field);
	add_id(out, address, false);
}

void header_plain(struct buf *out, const char *field, const char *value)
{
	begin(out, field);
	header_space(out, strlen(value));
	header_add_ascii(out, value, ID_MAX);
	buf_adds(out, "\r\n");
}
