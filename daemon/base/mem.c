/* Allocation that cannot fail. The daemon's queue is on disk, so running out of memory ends the
 * process at once instead of leaving half an answer behind; whoever supervises the process starts
 * it again. */
#include "hubmail/base_mem.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Writes without stdio, which might want to allocate. */
static _Noreturn void out_of_memory(void)
{
	static const char text[] = "out of memory\n";
	ssize_t ignored = write(STDERR_FILENO, text, sizeof(text) - 1);
	(void)ignored;
	abort();
}

void *xmalloc(size_t size)
{
	void *p = malloc(size > 0 ? size : 1);
	if (p == NULL)
		out_of_memory();
	return p;
}

void *xcalloc(size_t count, size_t size)
{
	void *p = count > 0 && size > 0 ? calloc(count, size) : calloc(1, 1);
	if (p == NULL)
		out_of_memory();
	return p;
}

void *xreallocarray(void *p, size_t count, size_t size)
{
	void *q = count > 0 && size > 0 ? reallocarray(p, count, size) : realloc(p, 1);
	if (q == NULL)
		out_of_memory();
	return q;
}

char *xstrdup(const char *s)
{
	return s != NULL ? xmemdup(s, strlen(s) + 1) : NULL;
}

char *xstrndup(const char *s, size_t len)
{
	size_t n = strnlen(s, len);
	char *copy = xmalloc(n + 1);
	memcpy(copy, s, n);
	copy[n] = '\0';
	return copy;
}

void *xmemdup(const void *p, size_t len)
{
	void *copy = xmalloc(len);
	if (len > 0)
		memcpy(copy, p, len);
	return copy;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *s = xvasprintf(fmt, ap);
	va_end(ap);
	return s;
}

char *xvasprintf(const char *fmt, va_list ap)
{
	char *s = NULL;
	if (vasprintf(&s, fmt, ap) < 0)
		out_of_memory();
	return s;
}

#define BIG (512 << 10)
#define SPARE (1 << 20)

/* Otherwise glibc takes each big block that is freed for a sign that more of that size will come,
 * and keeps up to 64 MB of the heap: a single feed of 16 MB, read once, would stay for weeks. */
void mem_give_back(void)
{
	mallopt(M_MMAP_THRESHOLD, BIG);
	mallopt(M_TRIM_THRESHOLD, SPARE);
}
