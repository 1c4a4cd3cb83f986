/* JSON of text that came from outside. */
#ifndef HUBMAIL_BASE_JSON_H
#define HUBMAIL_BASE_JSON_H

#include <jansson.h>

/* The text as a JSON string, null for NULL. jansson refuses what is no UTF-8, and with it the whole
 * object that it was to be put in; relays and feeds write as they like, and we cut what they wrote.
 * Malformed bytes become U+FFFD. The caller's. Any thread. */
json_t *json_text(const char *text);

#endif
