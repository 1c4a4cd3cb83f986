/* Memory that is always there: when it is not, the process says so and ends with abort(), for the
 * queue on disk is durable and half an answer is worse than a restart. Any thread may call these.
 */
#ifndef HUBMAIL_BASE_MEM_H
#define HUBMAIL_BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size); /* zeroed; an overflow ends the process */
void *xreallocarray(void *p, size_t count, size_t size);
char *xstrdup(const char *s);              /* NULL gives NULL */
char *xstrndup(const char *s, size_t len); /* at most len bytes, always terminated */
void *xmemdup(const void *p, size_t len);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

/* From here on, what was big goes back to the system when it is freed. For a program that lives
 * long; before threads start. */
void mem_give_back(void);

#endif
