/* The public pages (web.listen): GET and POST /unsubscribe/TOKEN, GET /healthz. libevent's HTTP
 * server on the loop, made to stand behind nginx and to survive without it: sizes, times and
 * connections are limited. The loop's thread only. */
#ifndef HUBMAIL_WEB_H
#define HUBMAIL_WEB_H

#include "hubmail/base_crypto.h"
#include "hubmail/base_error.h"
#include "hubmail/base_loop.h"
#include "hubmail/config.h"
#include "hubmail/schedule.h"
#include "hubmail/store_writer.h"

struct web;

/* NULL on error (the address is in use: says by what setting). */
struct web *web_start(struct loop *loop, const struct config *c, const struct secret *secret,
	struct store_writer *w, struct error *e);
/* Sources and hubs may call from here on: POST /hooks/SOURCE, GET and POST /websub/TOKEN. The
 * schedule must outlive the server. */
void web_take_calls(struct web *web, struct schedule *schedule);
/* The config must outlive it (or the next web_reconfigure()). Titles, languages and web.url are
 * taken over; another web.listen needs a restart, which is logged. */
void web_reconfigure(struct web *web, const struct config *c);
/* The port it listens at: the kernel's choice if the configuration says 0. */
int web_port(const struct web *web);
/* Closes every connection. A reader whose unsubscription is with the writer is unsubscribed, but
 * not told so. */
void web_free(struct web *web);

#endif
