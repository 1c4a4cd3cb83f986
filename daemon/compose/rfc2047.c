/* Encoded words and the folding around them. Of a text, the run from the first word that cannot
 * stand as it is to the last such word is encoded as one; the words before and after stay readable.
 * So does Q, which is taken as long as B would not be much shorter. */
#include "rfc2047.h"
#include "hubmail/base_text.h"

#include <stdint.h>
#include <string.h>

#define PREFIX "=?utf-8?Q?"
#define OVERHEAD (sizeof(PREFIX "?=") - 1)
#define PLAIN_WORD_MAX 70 /* a longer one is encoded, because only so it can be folded */

typedef bool plain_fn(const char *word, size_t len);

size_t header_column(const struct buf *out)
{
	const char *end = out->len > 0 ? memrchr(out->data, '\n', out->len) : NULL;
	return end != NULL ? (size_t)(out->data + out->len - end) - 1 : out->len;
}

void header_space(struct buf *out, size_t more)
{
	size_t column = header_column(out);
	if (column > 1 && column + 1 + more > HEADER_LINE_MAX)
		buf_adds(out, "\r\n ");
	else if (column > 1)
		buf_addc(out, ' ');
}

/* ---- One encoded word after the other ---- */

/* What may stand for itself in Q even within a phrase. */
static bool q_literal(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c != '\0' && strchr("!*+-/", c) != NULL);
}

static size_t q_cost(const char *s, size_t len)
{
	size_t cost = 0;
	for (size_t i = 0; i < len; i++)
		cost += s[i] == ' ' || q_literal((unsigned char)s[i]) ? 1 : 3;
	return cost;
}

static size_t b_cost(size_t len)
{
	return (len + 2) / 3 * 4;
}

static void add_q(struct buf *out, const char *s, size_t len)
{
	static const char hex[] = "0123456789ABCDEF";
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c == ' ')
			buf_addc(out, '_');
		else if (q_literal(c))
			buf_addc(out, (char)c);
		else
			buf_add(out, (char[]){'=', hex[c >> 4], hex[c & 15]}, 3);
	}
}

static void add_b(struct buf *out, const char *s, size_t len)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < len; i += 3) {
		unsigned char in[3] = {0};
		size_t n = len - i < 3 ? len - i : 3;
		memcpy(in, s + i, n);
		char four[4] = {alphabet[in[0] >> 2], alphabet[(in[0] & 3) << 4 | in[1] >> 4],
			n > 1 ? alphabet[(in[1] & 15) << 2 | in[2] >> 6] : '=',
			n > 2 ? alphabet[in[2] & 63] : '='};
		buf_add(out, four, 4);
	}
}

/* How many bytes of s, whole characters, fit into `room` columns of encoded text. */
static size_t fitting(const char *s, size_t len, bool q, size_t room)
{
	size_t n = 0;
	size_t cost = 0;
	while (n < len) {
		uint32_t cp = 0;
		size_t more = utf8_decode(s + n, len - n, &cp);
		cost = q ? cost + q_cost(s + n, more) : b_cost(n + more);
		if (cost > room)
			break;
		n += more;
	}
	return n;
}

static void encode_run(struct buf *out, const char *s, size_t len)
{
	bool q = 2 * q_cost(s, len) <= 3 * b_cost(len);
	while (len > 0) {
		size_t column = header_column(out);
		size_t room = HEADER_LINE_MAX - 1 - OVERHEAD;
		if (column > 1)
			room = column + OVERHEAD < HEADER_LINE_MAX
				       ? HEADER_LINE_MAX - column - OVERHEAD
				       : 0;
		size_t n = fitting(s, len, q, room);
		if (n > 0) {
			buf_adds(out, q ? PREFIX : "=?utf-8?B?");
			(q ? add_q : add_b)(out, s, n);
			buf_adds(out, "?=");
		}
		s += n;
		len -= n;
		if (len > 0)
			buf_adds(out, "\r\n ");
	}
}

/* ---- Words ---- */

static size_t word_length(const char *s)
{
	return strcspn(s, " ");
}

static const char *next_word(const char *s)
{
	s += word_length(s);
	return *s == ' ' ? s + 1 : s;
}

static void add_plain(struct buf *out, const char *s, const char *end)
{
	while (s < end) {
		size_t len = word_length(s);
		header_space(out, len);
		buf_add(out, s, len);
		s = next_word(s);
	}
}

static void add_mixed(struct buf *out, const char *text, plain_fn *plain)
{
	const char *first = NULL;
	const char *last = NULL;
	for (const char *s = text; *s != '\0'; s = next_word(s)) {
		size_t len = word_length(s);
		if (len <= PLAIN_WORD_MAX && plain(s, len))
			continue;
		last = s + len;
		if (first == NULL)
			first = s;
	}
	if (first == NULL) {
		add_plain(out, text, text + strlen(text));
		return;
	}
	add_plain(out, text, first);
	header_space(out, OVERHEAD + 12);
	encode_run(out, first, (size_t)(last - first));
	if (*last != '\0')
		add_plain(out, last + 1, last + strlen(last));
}

static bool is_ascii(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] < ' ' || s[i] > '~')
			return false;
	}
	return true;
}

static bool plain_text(const char *word, size_t len)
{
	return is_ascii(word, len) && memmem(word, len, "=?", 2) == NULL;
}

/* An atom of RFC 5322, 3.2.3. */
static bool plain_atom(const char *word, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)word[i];
		if (!q_literal(c) && (c == '\0' || strchr("#$%&'=?^_`{|}~", c) == NULL))
			return false;
	}
	return memmem(word, len, "=?", 2) == NULL;
}

static bool all_atoms(const char *text)
{
	for (const char *s = text; *s != '\0'; s = next_word(s)) {
		if (!plain_atom(s, word_length(s)))
			return false;
	}
	return true;
}

/* True if the text could be written as a quoted string on one line. */
static bool add_quoted(struct buf *out, const char *text)
{
	size_t len = strlen(text);
	size_t quoted = len + 2;
	if (!plain_text(text, len))
		return false;
	for (size_t i = 0; i < len; i++)
		quoted += text[i] == '"' || text[i] == '\\';
	if (quoted > HEADER_LINE_MAX - 1)
		return false;
	header_space(out, quoted);
	buf_addc(out, '"');
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"' || text[i] == '\\')
			buf_addc(out, '\\');
		buf_addc(out, text[i]);
	}
	buf_addc(out, '"');
	return true;
}

void rfc2047_text(struct buf *out, const char *text)
{
	add_mixed(out, text, plain_text);
}

void rfc2047_phrase(struct buf *out, const char *text)
{
	if (all_atoms(text) || !add_quoted(out, text))
		add_mixed(out, text, plain_atom);
}
