/* Reading replies. A server is believed for what it says in the form of RFC 5321, and cut off for
 * anything else. */
#include "reply.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_code(const char *line)
{
	return line[0] >= '2' && line[0] <= '5' && isdigit((unsigned char)line[1]) &&
	       isdigit((unsigned char)line[2]) &&
	       (line[3] == '\0' || line[3] == ' ' || line[3] == '-');
}

static int code_of(const char *line)
{
	return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

bool reply_read(struct wire *w, int timeout_ms, struct reply *out, reply_line_fn *fn, void *arg,
	struct error *e)
{
	char line[REPLY_LINE_MAX];

	*out = (struct reply){0};
	for (int i = 0; i < REPLY_LINES_MAX; i++) {
		if (!wire_hear(w, line, sizeof(line), timeout_ms, e))
			return false;
		if (!is_code(line) || (i > 0 && code_of(line) != out->code))
			return error_set(e, ERROR_IO,
				"what answers there speaks no SMTP: it said \"%.60s\"", line);
		out->code = code_of(line);
		const char *text = line[3] == '\0' ? "" : line + 4;
		if (fn != NULL)
			fn(text, arg);
		if (line[3] != '-') {
			snprintf(out->text, sizeof(out->text), "%s", text);
			return true;
		}
	}
	return error_set(
		e, ERROR_IO, "the relay sent a reply of more than %d lines", REPLY_LINES_MAX);
}

void reply_words(const struct reply *r, char out[300])
{
	snprintf(out, 300, "%d%s%.280s", r->code, r->text[0] != '\0' ? " " : "", r->text);
	for (char *p = out; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
}
