/* HTML from somebody else, made harmless; and the text that is in it. Any thread. */
#ifndef HUBMAIL_SOURCE_HTML_H
#define HUBMAIL_SOURCE_HTML_H

#include <stdbool.h>
#include <stddef.h>

/* A copy of the HTML fragment (UTF-8, malformed bytes replaced; the caller's) in which only
 * harmless elements and attributes are left (paragraphs, headings, lists, quotes, code, tables,
 * emphasis, links, images), everything is escaped and closed, links and images are absolute http(s)
 * or mailto: (or a small bitmap in a data: URL), and script, style, forms, frames, svg, math and
 * their content are gone. Films become a link with a picture or title, images of one pixel go,
 * those that a script would load get their real address, and characters that hide or reverse text
 * are dropped. base_url (may be NULL) resolves relative links; without it they are dropped (the
 * text of a link and the alt text of an image stay). Takes what nesting there is without recursion
 * in its depth; time and memory are linear. What was sanitised once comes out unchanged. */
char *source_html_sanitise(const char *html, size_t len, const char *base_url);

/* The readable text of an HTML fragment, UTF-8 (the caller's): blocks become lines, list items
 * begin with "- ", links keep their text followed by the address in angle brackets if `links`,
 * entities are decoded, runs of white space are one space. */
char *source_html_text(const char *html, size_t len, bool links);

/* At most `chars` characters of plain text from HTML, on one line, cut between words (between
 * characters, in scripts without spaces) and ended by "…" if cut. The caller's. */
char *source_html_excerpt(const char *html, size_t len, size_t chars);

/* The first usable image of sanitised HTML, or NULL. The caller's. */
char *source_html_first_image(const char *html);

/* url resolved against base (may be NULL), if the result is absolute http or https with a host;
 * else NULL. The caller's. No control characters or spaces are in it, nor a name and password; a
 * host in other letters is punycode. */
char *source_url_absolute(const char *url, const char *base);

#endif
