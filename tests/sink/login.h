/* AUTH (RFC 4954) with PLAIN, LOGIN and XOAUTH2. */
#ifndef SINK_LOGIN_H
#define SINK_LOGIN_H

#include "stream.h"
#include <stdbool.h>

#define LOGIN_MECHANISMS "PLAIN LOGIN XOAUTH2"

enum login_result {
	LOGIN_OK,
	LOGIN_WRONG,   /* to be answered with 535 */
	LOGIN_UNKNOWN, /* no such mechanism: 504 */
	LOGIN_BROKEN,  /* the connection ended */
};

/* `arguments` is what follows AUTH; `expected` is "USER:PASSWORD" (for XOAUTH2, USER and the
 * bearer token). Asks for what is missing; the final answer is the caller's. */
enum login_result login(struct stream *s, const char *arguments, const char *expected);

#endif
