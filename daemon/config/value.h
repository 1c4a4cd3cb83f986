/* Checks of single values. Those named value_take_x() store what they read, into the struct of the
 * setting's group. All fill the error with a sentence that has the value in it (ERROR_CONFIG).
 * Private to the room. */
#ifndef DAEMON_CONFIG_VALUE_H
#define DAEMON_CONFIG_VALUE_H

#include "hubmail/base_error.h"
#include <stdbool.h>
#include <stddef.h>

#define PATH_LIMIT 4000
#define SOCKET_PATH_LIMIT 107 /* sun_path in unix(7), less its NUL */
#define LOGIN_LIMIT 255       /* bytes of a user name or password: RFC 4616, 2 */

/* `"VALUE" REASON`, with the value cut when it is long. Returns false. */
bool value_refuse(struct error *e, const char *value, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* What every text must be: not empty, at most max bytes, UTF-8, no control characters. */
bool value_text(const char *value, size_t max, struct error *e);

/* Finds value among "a, b, c" and gives its number. */
bool value_word(const char *value, const char *words, int *index, struct error *e);

bool value_path(const char *value, struct error *e); /* absolute, of a file */
bool value_readable_file(const char *value, struct error *e);
bool value_password_file(const char *value, struct error *e);
bool value_group_name(const char *value, struct error *e);
bool value_group_exists(const char *value, struct error *e);
bool value_relay_name(const char *value, struct error *e);
bool value_list_name(const char *value, struct error *e);
bool value_host(const char *value, struct error *e);
bool value_hello(const char *value, struct error *e);
bool value_timezone(const char *value, struct error *e);
bool value_timezone_exists(const char *value, struct error *e);
bool value_language(const char *value, struct error *e);
bool value_permalink(const char *value, struct error *e);

bool value_take_listen(const char *value, void *config, struct error *e);
bool value_take_web_url(const char *value, void *config, struct error *e);
bool value_take_rate(const char *value, void *relay, struct error *e);
bool value_take_limit(const char *value, void *relay, struct error *e);
bool value_take_domain(const char *value, void *domain, struct error *e);
bool value_take_domain_rate(const char *value, void *domain, struct error *e);
bool value_take_from(const char *value, void *list, struct error *e);
bool value_take_reply_to(const char *value, void *list, struct error *e);
bool value_take_schedule(const char *value, void *list, struct error *e);
bool value_take_edition(const char *value, void *list, struct error *e);
bool value_take_feed(const char *value, void *source, struct error *e);
bool value_take_wordpress(const char *value, void *source, struct error *e);
bool value_take_directory(const char *value, void *source, struct error *e);
bool value_take_directory_url(const char *value, void *source, struct error *e);

#endif
