/* One line of the control protocol, apart from the socket it came by. Pure functions. */
#ifndef HUBMAIL_CONTROL_LINE_H
#define HUBMAIL_CONTROL_LINE_H

#include "hubmail/base_error.h"
#include <jansson.h>
#include <stddef.h>

/* The object that a line (without its newline) holds, the caller's, and the command in it (borrowed
 * from the object). NULL with ERROR_USAGE if it is no JSON object with a command. */
json_t *line_parse(const char *line, size_t len, const char **command, struct error *e);

/* The lines that answer, with their newline; the caller's to free(). line_success takes over
 * `answer`; what cannot be said in one line of CONTROL_LINE_MAX becomes a failure. */
char *line_success(json_t *answer);
char *line_failure(const struct error *why);

#endif
