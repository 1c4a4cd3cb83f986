/* Answers over HTTP: pages for people, lines for machines, each with the headers that keep
 * browsers, caches and search engines from doing more with them than showing them. */
#ifndef HUBMAIL_WEB_PAGE_H
#define HUBMAIL_WEB_PAGE_H

#include "texts.h"
#include <event2/http.h>
#include <stdbool.h>

struct page {
	int status;
	const struct texts *texts;
	const struct message *message;
	const char *list;    /* the list's title, plain text; NULL: none */
	const char *address; /* the reader's, to be partly hidden; NULL: none */
	bool ask;            /* with the button */
};

/* Both answer the request, which is libevent's again afterwards. Retry-After goes with a 503. */
void page_send(struct evhttp_request *r, const struct page *p);
void page_send_line(struct evhttp_request *r, int status, const char *line);

/* The bytes as they are, for a program that wants them back. */
void page_send_echo(struct evhttp_request *r, const char *text);

/* 405 (RFC 9110, 15.5.6). `allow` lists the methods. */
void page_send_not_allowed(struct evhttp_request *r, const char *allow);

#endif
