/* The daemon's log: one line for each thing that happened, in key=value pairs after a few words:
 *   log_info("delivery sent", "digest=%lld to=%s code=%d", …)
 * Any thread may log at any time. */
#ifndef HUBMAIL_BASE_LOG_H
#define HUBMAIL_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

enum log_target {
	LOG_TERMINAL, /* standard error with the time, for -f and for tools */
	LOG_JOURNAL,  /* standard error with the <N> prefix that systemd's journal reads
			 (sd-daemon(3)) */
};

/* Call once, before threads start. verbose 0 shows info and worse, 1 adds debug. Until it is
 * called, warnings and errors go to standard error. */
void log_open(enum log_target target, int verbose);

bool log_debugging(void); /* true if log_debug() would print */

/* `what` is a few fixed words; fmt gives the pairs, without a newline. Control characters in the
 * finished line are shown as \xNN, so that nothing from the network can forge a line. NULL as fmt:
 * no pairs. */
void log_at(enum log_level level, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(what, ...) log_at(LOG_LEVEL_ERROR, (what), __VA_ARGS__)
#define log_warn(what, ...) log_at(LOG_LEVEL_WARN, (what), __VA_ARGS__)
#define log_info(what, ...) log_at(LOG_LEVEL_INFO, (what), __VA_ARGS__)
#define log_debug(what, ...)                                                                       \
	do {                                                                                       \
		if (log_debugging())                                                               \
			log_at(LOG_LEVEL_DEBUG, (what), __VA_ARGS__);                              \
	} while (0)

/* A value for a log line: in double quotes, with quotes and backslashes escaped, cut at ~200 bytes.
 * The result lives in one of 8 thread-local places used in turn: use it in the call that prints it.
 * NULL gives "-". */
const char *log_quote(const char *value);

#endif
