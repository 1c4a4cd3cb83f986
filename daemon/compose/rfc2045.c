/* Quoted-printable, the form in which both parts of a message travel: 7 bits, lines of 76, readable
 * in the raw, and "=_" can never occur in it, which makes a boundary that begins so safe. */
#include "rfc2045.h"

#include <stdbool.h>
#include <string.h>

static const char hex[] = "0123456789ABCDEF";

void qp_soft_break(struct buf *out, size_t *column)
{
	if (*column == 0)
		return;
	buf_add(out, "=\r\n", 3);
	*column = 0;
}

static bool is_literal(const char *s, size_t i, size_t len, const struct buf *out, size_t column)
{
	char c = s[i];
	if (c == ' ')
		return i + 1 < len && s[i + 1] != '\n' &&
		       (column == 0 || out->data[out->len - 1] != ' ');
	if (c < '!' || c > '~' || c == '=')
		return false;
	if (column > 0)
		return true;
	return c != '.' && (len - i < 5 || memcmp(s + i, "From ", 5) != 0);
}

/* The column that the whole character needs, so that it stays on one line. */
static size_t need(unsigned char c)
{
	return c >= 0xF0 ? 12 : c >= 0xE0 ? 9 : c >= 0xC0 ? 6 : 3;
}

void qp_encode(struct buf *out, size_t *column, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c == '\r' && i + 1 < len && s[i + 1] == '\n')
			continue;
		if (c == '\n') {
			buf_add(out, "\r\n", 2);
			*column = 0;
			continue;
		}
		bool literal = is_literal(s, i, len, out, *column);
		if (*column + (literal ? 1 : need(c)) > QP_LINE_MAX - 1) {
			qp_soft_break(out, column);
			literal = is_literal(s, i, len, out, 0);
		}
		if (literal) {
			buf_addc(out, (char)c);
			*column += 1;
		} else {
			buf_add(out, (char[]){'=', hex[c >> 4], hex[c & 15]}, 3);
			*column += 3;
		}
	}
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes what stands at s; returns how much of it that was. */
static size_t decode_one(struct buf *out, const char *s, size_t len)
{
	if (len >= 2 && s[0] == '\r' && s[1] == '\n') {
		buf_addc(out, '\n');
		return 2;
	}
	if (len >= 3 && s[0] == '=' && s[1] == '\r' && s[2] == '\n')
		return 3;
	if (len >= 3 && s[0] == '=' && hex_value(s[1]) >= 0 && hex_value(s[2]) >= 0) {
		buf_addc(out, (char)(hex_value(s[1]) * 16 + hex_value(s[2])));
		return 3;
	}
	buf_addc(out, s[0]);
	return 1;
}

void qp_decode(struct buf *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len;)
		i += decode_one(out, s + i, len - i);
}
