/* The sanitiser, for texts that do not stand at the address that their links are relative to. */
#ifndef SOURCE_SANITISE_H
#define SOURCE_SANITISE_H

#include <stddef.h>

/* source_html_sanitise(), with links to a part of the page itself ("#note1") leading to page_url
 * (may be NULL: they are dropped). The caller's. */
char *sanitise_part(const char *html, size_t len, const char *base_url, const char *page_url);

#endif
