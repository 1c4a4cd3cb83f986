/* Errors as sentences. The text ends up in terminals, logs and JSON, so it is made safe here once:
 * well-formed UTF-8 on one line, whatever a file or the network put into it. */
#include "hubmail/base_error.h"
#include "hubmail/base_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void store_text(struct error *e, const char *text, size_t len, bool cut);

bool error_set(struct error *e, enum error_code code, const char *fmt, ...)
{
	if (e == NULL)
		return false;
	/* Formatted beside: an argument may be e->text itself. */
	char text[sizeof(e->text)];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	e->code = code;
	store_text(e, text, strlen(text), n >= (int)sizeof(text));
	return false;
}

bool error_prefix(struct error *e, const char *fmt, ...)
{
	if (e == NULL)
		return false;
	char text[2 * sizeof(e->text)];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(e->text), fmt, ap);
	va_end(ap);
	size_t len = strlen(text);
	snprintf(text + len, sizeof(text) - len, ": %s", e->text);
	store_text(e, text, strlen(text), n >= (int)sizeof(e->text));
	return false;
}

int error_exit_code(const struct error *e)
{
	return e->code == ERROR_NOT_FOUND ? ERROR_REFUSED : (int)e->code;
}

static bool is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0);
}

/* `cut` says that the text lost its end already, so that its last bytes may be part of a character.
 */
static void store_text(struct error *e, const char *text, size_t len, bool cut)
{
	size_t out = 0;
	for (size_t i = 0; i < len;) {
		uint32_t cp = 0;
		size_t n = utf8_decode(text + i, len - i, &cp);
		bool malformed = cp == 0xFFFD && n == 1;
		if (malformed && cut && len - i < 4 && (unsigned char)text[i] >= 0xC0)
			break;
		bool bad = malformed || is_control(cp);
		if (out + (bad ? 1 : n) >= sizeof(e->text))
			break;
		if (bad) {
			e->text[out++] = '?';
		} else {
			memcpy(e->text + out, text + i, n);
			out += n;
		}
		i += n;
	}
	e->text[out] = '\0';
}
