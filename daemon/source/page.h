/* A whole HTML page: what its head says, and where its text is. */
#ifndef SOURCE_PAGE_H
#define SOURCE_PAGE_H

#include "front.h"

/* Fills what the page says of itself into front (where that says nothing yet) and finds the text:
 * the first <article>, else <main>, else <body>, else all. The text points into html. */
void page_read(
	const char *html, size_t len, struct front *front, const char **text, size_t *text_len);

#endif
