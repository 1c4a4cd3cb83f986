/* <!--more--> is how WordPress, Hugo and Jekyll let an author say where the summary ends. It is a
 * comment, so it must be looked for before the sanitiser takes it. */
#include "mark.h"

#include "token.h"

#include <string.h>
#include <strings.h>

size_t mark_more(const char *html, size_t len)
{
	struct scanner s;
	struct token t;
	if (memmem(html, len, "<!--", 4) == NULL)
		return 0;
	scanner_start(&s, html, len);
	while (scanner_next(&s, &t)) {
		bool comment = t.kind == TOKEN_COMMENT && t.text - html >= 4 &&
			       memcmp(t.text - 4, "<!--", 4) == 0;
		if (!comment)
			continue;
		const char *p = t.text;
		const char *end = t.text + t.len;
		while (p < end && *p == ' ')
			p++;
		if (end - p >= 4 && strncasecmp(p, "more", 4) == 0)
			return (size_t)(t.text - html) - 4;
	}
	return 0;
}
