/* The growing byte buffer and the list of strings that every room uses. Both double when they are
 * full, so that adding costs the same however long they get. */
#include "hubmail/base_buf.h"
#include "hubmail/base_mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_reserve(struct buf *b, size_t more)
{
	if (b->data != NULL && more < b->cap - b->len)
		return;
	/* An impossible size is asked for all the same: the allocator then ends the process with
	 * the reason. */
	size_t need = more < SIZE_MAX - b->len ? b->len + more + 1 : SIZE_MAX;
	size_t cap = b->cap < 64 ? 64 : b->cap;
	while (cap < need)
		cap = cap <= SIZE_MAX / 2 ? cap * 2 : SIZE_MAX;
	b->data = xreallocarray(b->data, cap, 1);
	b->cap = cap;
	b->data[b->len] = '\0';
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	buf_reserve(b, len);
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	va_list again;
	va_start(ap, fmt);
	va_copy(again, ap);
	buf_reserve(b, 64);
	int n = vsnprintf(b->data + b->len, b->cap - b->len, fmt, ap);
	size_t len = n > 0 ? (size_t)n : 0;
	if (len >= b->cap - b->len) {
		buf_reserve(b, len);
		vsnprintf(b->data + b->len, b->cap - b->len, fmt, again);
	}
	b->len += len;
	b->data[b->len] = '\0';
	va_end(again);
	va_end(ap);
}

void buf_truncate(struct buf *b, size_t len)
{
	if (b->data == NULL || len >= b->len)
		return;
	b->len = len;
	b->data[len] = '\0';
}

const char *buf_str(const struct buf *b)
{
	return b->data != NULL ? b->data : "";
}

char *buf_take(struct buf *b)
{
	char *data = b->data != NULL ? b->data : xstrdup("");
	*b = (struct buf){0};
	return data;
}

void buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

void strlist_add(struct strlist *l, const char *s)
{
	strlist_take(l, xstrdup(s));
}

/* The room is always the next power of two, so it need not be remembered. */
void strlist_take(struct strlist *l, char *s)
{
	if ((l->n & (l->n - 1)) == 0)
		l->items = xreallocarray(l->items, l->n > 0 ? l->n * 2 : 1, sizeof(*l->items));
	l->items[l->n++] = s;
}

bool strlist_has(const struct strlist *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->items[i], s) == 0)
			return true;
	}
	return false;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void strlist_sort(struct strlist *l)
{
	if (l->n > 0)
		qsort(l->items, l->n, sizeof(*l->items), compare);
}

bool strlist_has_sorted(const struct strlist *l, const char *s)
{
	return l->n > 0 && bsearch(&s, l->items, l->n, sizeof(*l->items), compare) != NULL;
}

void strlist_copy(struct strlist *to, const struct strlist *from)
{
	size_t n = from->n;
	for (size_t i = 0; i < n; i++)
		strlist_add(to, from->items[i]);
}

void strlist_free(struct strlist *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->items[i]);
	free(l->items);
	*l = (struct strlist){0};
}
