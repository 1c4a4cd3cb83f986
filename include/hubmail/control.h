/* The Unix socket between hubmaild and hubmailctl: one JSON object on a line asks, one on a line
 * answers. → {"command":"poll","source":"…"} ← {"ok":true,…} or {"ok":false,"code":1,"error":"…"}
 * The socket has mode 0660 and the group control.group; besides, each peer's credentials are
 * checked: root, the daemon's own user, and members of that group. */
#ifndef HUBMAIL_CONTROL_H
#define HUBMAIL_CONTROL_H

#include "hubmail/base_error.h"
#include "hubmail/base_loop.h"
#include "hubmail/config.h"
#include <jansson.h>
#include <stdbool.h>

#define CONTROL_LINE_MAX (1u << 20) /* bytes of a request or answer */

/* The daemon's side. The loop's thread only. */
struct control;
struct control_request; /* one question that waits for its answer */

/* Answers a request, at once or later; each exactly once, also when the client has left or the
 * server was freed in the meantime. control_answer takes over `answer` (an object; "ok": true is
 * added). */
void control_answer(struct control_request *r, json_t *answer);
void control_refuse(struct control_request *r, const struct error *why);

/* handle is called for each well-formed request with its command and the whole object (borrowed
 * during the call); it returns false for a command it does not know. */
typedef bool control_fn(
	const char *command, const json_t *request, struct control_request *r, void *arg);

/* ERROR_CONFIG: there is no such group, or the path is no place for a socket; ERROR_REFUSED:
 * another daemon listens there. The folder is made if its parent is there. */
struct control *control_start(
	struct loop *loop, const struct config *c, control_fn *handle, void *arg, struct error *e);
void control_free(struct control *c); /* connections are closed, the socket's file is removed */

/* hubmailctl's side: asks and waits for the answer, at most timeout_ms. The caller's object, or
 * NULL: ERROR_UNAVAILABLE if no daemon listens (and how to start it), ERROR_REFUSED by permission,
 * else what the daemon said. */
json_t *control_ask(const char *socket_path, json_t *request, int timeout_ms,
	struct error *e); /* takes over request */

#endif
