/* libcurl's multi interface on the libevent loop. Private to daemon/source. */
#ifndef HUBMAIL_SOURCE_FETCH_MULTI_H
#define HUBMAIL_SOURCE_FETCH_MULTI_H

#include <curl/curl.h>
#include <event2/event.h>
#include <stdbool.h>

struct fetch_multi;

/* A transfer has ended; its handle is no longer with the multi. Called from the loop, never from
 * within one of the functions below; it may call them, but for fetch_multi_free(). */
typedef void fetch_multi_fn(CURL *easy, CURLcode result, void *arg);

struct fetch_multi *fetch_multi_new(struct event_base *base, fetch_multi_fn *ended, void *arg);
bool fetch_multi_add(struct fetch_multi *m, CURL *easy);
void fetch_multi_remove(struct fetch_multi *m, CURL *easy);
void fetch_multi_free(struct fetch_multi *m); /* when no handle is with it any more */

#endif
