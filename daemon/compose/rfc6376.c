/* What a signature is made over: the message with everything ironed out that relays are known to
 * change on the way. */
#include "rfc6376.h"

#include "hubmail/base_text.h"
#include <stdbool.h>
#include <string.h>

static bool is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

void relaxed_header(struct buf *out, const char *field, size_t len)
{
	const char *colon = memchr(field, ':', len);
	size_t name = colon != NULL ? (size_t)(colon - field) : len;
	size_t end = name;
	while (end > 0 && is_wsp(field[end - 1]))
		end--;
	for (size_t i = 0; i < end; i++)
		buf_addc(out, text_lower(field[i]));
	buf_addc(out, ':');
	bool gap = false;
	size_t start = out->len;
	for (size_t i = name + 1; i < len; i++) {
		bool blank = is_wsp(field[i]) || field[i] == '\r' || field[i] == '\n';
		if (!blank && gap && out->len > start)
			buf_addc(out, ' ');
		if (!blank)
			buf_addc(out, field[i]);
		gap = blank;
	}
	buf_adds(out, "\r\n");
}

/* The line without its CRLF: runs of white space become one space, and none is left at the end. */
static void relaxed_line(struct buf *out, const char *line, size_t len)
{
	while (len > 0 && is_wsp(line[len - 1]))
		len--;
	for (size_t i = 0; i < len; i++) {
		if (!is_wsp(line[i]))
			buf_addc(out, line[i]);
		else if (i == 0 || !is_wsp(line[i - 1]))
			buf_addc(out, ' ');
	}
}

void relaxed_body(struct buf *out, const char *body, size_t len)
{
	size_t empty = 0; /* lines that count only if another one follows */
	while (len > 0) {
		const char *crlf = memmem(body, len, "\r\n", 2);
		size_t line = crlf != NULL ? (size_t)(crlf - body) : len;
		size_t before = out->len;
		for (size_t i = 0; i < empty; i++)
			buf_adds(out, "\r\n");
		size_t start = out->len;
		relaxed_line(out, body, line);
		if (out->len == start) {
			buf_truncate(out, before);
			empty++;
		} else {
			buf_adds(out, "\r\n");
			empty = 0;
		}
		size_t used = crlf != NULL ? line + 2 : line;
		body += used;
		len -= used;
	}
}
