/* The log: every line is put together in memory, made safe and written with one write(), so that
 * lines of different threads never mix and nothing that came from the network can start a line of
 * its own. */
#include "hubmail/base_log.h"
#include "hubmail/base_text.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048 /* of a line before escaping */
#define QUOTE_MAX 200
#define QUOTE_PLACES 8

static struct {
	enum log_target target;
	enum log_level level; /* the least important one that is printed */
} state = {LOG_TERMINAL, LOG_LEVEL_WARN};

static size_t put_start(enum log_level level, char *out, size_t size);
static size_t put_escaped(const char *text, size_t len, char *out);

void log_open(enum log_target target, int verbose)
{
	state.target = target;
	state.level = verbose > 0 ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
}

bool log_debugging(void)
{
	return state.level >= LOG_LEVEL_DEBUG;
}

void log_at(enum log_level level, const char *what, const char *fmt, ...)
{
	if (level > state.level)
		return;
	int saved_errno = errno;
	char text[LINE_MAX_BYTES];
	int head = snprintf(text, sizeof(text), fmt != NULL ? "%s " : "%s", what);
	size_t len = head > 0 ? strlen(text) : 0;
	if (fmt != NULL) {
		va_list ap;
		va_start(ap, fmt);
		vsnprintf(text + len, sizeof(text) - len, fmt, ap);
		va_end(ap);
		len += strlen(text + len);
	}

	char line[64 + 4 * LINE_MAX_BYTES];
	size_t n = put_start(level, line, 64);
	n += put_escaped(text, len, line + n);
	line[n++] = '\n';
	/* A log that cannot be written must not stop the mail. */
	ssize_t ignored = write(STDERR_FILENO, line, n);
	(void)ignored;
	errno = saved_errno;
}

static size_t put_start(enum log_level level, char *out, size_t size)
{
	static const char priority[] = {'3', '4', '6', '7'};
	static const char *const names[] = {"error", "warn ", "info ", "debug"};
	if (state.target == LOG_JOURNAL) {
		snprintf(out, size, "<%c>", priority[level]);
		return strlen(out);
	}
	struct timespec now;
	struct tm tm;
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	snprintf(out, size, "%02d:%02d:%02d.%03d %s ", tm.tm_hour, tm.tm_min, tm.tm_sec,
		(int)(now.tv_nsec / 1000000), names[level]);
	return strlen(out);
}

/* Controls and malformed bytes become \xNN; out has room for four times len. */
static size_t put_escaped(const char *text, size_t len, char *out)
{
	static const char hex[] = "0123456789abcdef";
	size_t at = 0;
	for (size_t i = 0; i < len;) {
		uint32_t cp = 0;
		size_t n = utf8_decode(text + i, len - i, &cp);
		bool bad = cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp == 0xFFFD && n == 1);
		for (size_t k = i; k < i + n; k++) {
			if (!bad) {
				out[at++] = text[k];
				continue;
			}
			unsigned char byte = (unsigned char)text[k];
			out[at++] = '\\';
			out[at++] = 'x';
			out[at++] = hex[byte >> 4];
			out[at++] = hex[byte & 15];
		}
		i += n;
	}
	return at;
}

const char *log_quote(const char *value)
{
	static _Thread_local char places[QUOTE_PLACES][2 * QUOTE_MAX + 8];
	static _Thread_local unsigned turn;
	if (value == NULL)
		return "-";
	char *out = places[turn++ % QUOTE_PLACES];
	size_t len = strnlen(value, QUOTE_MAX + 4);
	size_t at = 0;
	size_t i = 0;
	out[at++] = '"';
	while (i < len) {
		uint32_t cp = 0;
		size_t n = utf8_decode(value + i, len - i, &cp);
		if (i + n > QUOTE_MAX)
			break;
		if (cp == '"' || cp == '\\')
			out[at++] = '\\';
		memcpy(out + at, value + i, n);
		at += n;
		i += n;
	}
	memcpy(out + at, i < len ? "…\"" : "\"", i < len ? sizeof("…\"") : sizeof("\""));
	return out;
}
