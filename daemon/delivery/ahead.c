/* What is sent ahead of its turn is only an envelope. The text follows once the relay has answered
 * and the result of the message before is recorded, as ever; if it is no longer wanted by then, the
 * connection is closed, as it is when libesmtp has sent that envelope itself. */
#include "ahead.h"

#include <stdio.h>
#include <string.h>

#define TEXT_END ".\r\n"

void ahead_prepare(struct ahead *a, const char *from, const char *to)
{
	int n = snprintf(a->commands, sizeof(a->commands),
		"MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n", from, to);

	a->len = n > 0 && (size_t)n < sizeof(a->commands) ? (size_t)n : 0;
	a->claimed = 0;
	a->sent = false;
}

void ahead_join(struct ahead *a, char *out, size_t *len, size_t size)
{
	const size_t end = strlen(TEXT_END);

	if (a->len == 0 || a->sent)
		return;
	if (*len < end || memcmp(out + *len - end, TEXT_END, end) != 0 || size - *len < a->len) {
		a->len = 0;
		return;
	}
	memcpy(out + *len, a->commands, a->len);
	*len += a->len;
	a->sent = true;
}

size_t ahead_claim(struct ahead *a, const char *data, size_t len)
{
	size_t left = a->len - a->claimed;
	size_t n = len < left ? len : left;

	if (!a->sent || memcmp(data, a->commands + a->claimed, n) != 0)
		return 0;
	a->claimed += n;
	if (a->claimed == a->len)
		*a = (struct ahead){0};
	return n;
}
