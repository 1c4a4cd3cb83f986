/* What went wrong, for a person and for an exit code. */
#ifndef HUBMAIL_BASE_ERROR_H
#define HUBMAIL_BASE_ERROR_H

#include <stdbool.h>

/* The values are the exit codes of hubmailctl; ERROR_REFUSED and ERROR_NOT_FOUND share 1. */
enum error_code {
	ERROR_NONE = 0,
	ERROR_REFUSED = 1,      /* understood, and not done */
	ERROR_NOT_FOUND = 2,    /* exits with 1 */
	ERROR_USAGE = 64,       /* the command line is wrong */
	ERROR_DATA = 65,        /* bad data in a file or a message */
	ERROR_UNAVAILABLE = 69, /* the daemon is needed and does not run */
	ERROR_IO = 74,          /* disk, network */
	ERROR_AGAIN = 75,       /* busy or full: the same may work later */
	ERROR_CONFIG = 78,      /* hubmail.conf */
};

struct error {
	enum error_code code;
	char text[512]; /* one sentence: what happened, to what, what to do; no newline */
};

/* Fills *e (which may be NULL) and returns false, so that a function can end with
 * `return error_set(e, ERROR_IO, "%s: %s", path, strerror(errno));`. Control characters in the
 * finished text are replaced by '?'; a text that is too long is cut at a character's end. */
bool error_set(struct error *e, enum error_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts `fmt…: ` before the text that is there. Returns false. */
bool error_prefix(struct error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The exit code of a program that ends with this error; 0 for ERROR_NONE. */
int error_exit_code(const struct error *e);

#endif
