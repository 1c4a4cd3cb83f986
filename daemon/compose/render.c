/* One reader's message out of a plan: the shared pieces are pointed at, and only the reader's own
 * few bytes are written. After the first messages nothing is allocated any more. */
#include "dkim.h"
#include "hubmail/base_mem.h"
#include "rfc2045.h"
#include "rfc5322.h"

#include <stdlib.h>
#include <string.h>

static bool is_base64url(char c)
{
	return c == '-' || c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z');
}

static void add_token(struct buf *out, const char *token)
{
	for (size_t i = 0; i < TOKEN_LINE_MAX && token[i] != '\0'; i++) {
		if (is_base64url(token[i]))
			buf_addc(out, token[i]);
	}
}

/* Each kind is written once, however many places it goes to. */
static void write_own(
	const struct compose_reader *r, struct buf *own, struct span spans[SLOT_KINDS])
{
	buf_truncate(own, 0);
	header_mailbox(own, "To", r->name, r->email);
	spans[SLOT_TO] = (struct span){0, own->len};
	header_bracketed(own, "Message-ID", NULL, r->message_id);
	spans[SLOT_MESSAGE_ID] = (struct span){spans[SLOT_TO].len, own->len - spans[SLOT_TO].len};
	size_t at = own->len;
	add_token(own, r->token);
	spans[SLOT_TOKEN] = (struct span){at, own->len - at};
}

static void add_piece(struct compose_message *m, char *data, size_t len)
{
	m->pieces[m->n_pieces++] = (struct iovec){data, len};
	m->size += len;
}

static void reserve_pieces(struct compose_message *m, size_t n)
{
	if (m->cap_pieces >= n)
		return;
	m->pieces = xreallocarray(m->pieces, n, sizeof(*m->pieces));
	m->cap_pieces = n;
}

/* The pieces are set when nothing is added to m->own any more, which may have moved till then. */
void compose_render(
	const struct compose_plan *p, const struct compose_reader *r, struct compose_message *m)
{
	struct span spans[SLOT_KINDS] = {0};
	char *shared = p->text.data;
	m->n_pieces = 0;
	m->size = 0;
	reserve_pieces(m, p->n_segments + 1);
	write_own(r, &m->own, spans);
	size_t signatures = m->own.len;
	if (p->signing != NULL) {
		dkim_sign(p, spans, m);
		add_piece(m, m->own.data + signatures, m->own.len - signatures);
	}
	for (size_t i = 0; i < p->n_segments; i++) {
		const struct segment *g = &p->segments[i];
		const struct span *s = &spans[g->slot];
		if (g->slot == SLOT_NONE)
			add_piece(m, shared, g->len);
		else if (s->len > 0)
			add_piece(m, m->own.data + s->at, s->len);
		shared += g->len;
	}
}

void compose_message_free(struct compose_message *m)
{
	dkim_scratch_free(m->signing);
	free(m->pieces);
	buf_free(&m->own);
	*m = (struct compose_message){0};
}

void compose_render_flat(
	const struct compose_plan *p, const struct compose_reader *r, struct buf *out)
{
	struct compose_message m = {0};
	compose_render(p, r, &m);
	buf_reserve(out, m.size);
	for (size_t i = 0; i < m.n_pieces; i++)
		buf_add(out, m.pieces[i].iov_base, m.pieces[i].iov_len);
	compose_message_free(&m);
}

/* Where `what` begins at or after s, or NULL. */
static const char *find(const char *s, const char *what)
{
	return s != NULL ? strstr(s, what) : NULL;
}

/* "--" and the boundary that the header names; NULL if it names none. The caller's. */
static char *delimiter(const char *message)
{
	const char *end = find(message, "\r\n\r\n");
	const char *name = find(message, "boundary=\"");
	if (name == NULL || end == NULL || name > end)
		return NULL;
	name += strlen("boundary=\"");
	size_t len = strcspn(name, "\"\r");
	return len > 0 ? xasprintf("\r\n--%.*s", (int)len, name) : NULL;
}

char *compose_render_part(const struct compose_plan *p, const struct compose_reader *r, bool html)
{
	struct buf flat = {0};
	struct buf out = {0};
	compose_render_flat(p, r, &flat);
	char *boundary = delimiter(flat.data);
	const char *part = boundary != NULL ? find(flat.data, boundary) : NULL;
	if (part != NULL && html)
		part = find(part + 1, boundary);
	const char *begin = find(part, "\r\n\r\n");
	const char *end = begin != NULL ? find(begin, boundary) : NULL;
	if (end != NULL && end >= begin + 4)
		qp_decode(&out, begin + 4, (size_t)(end - begin) - 4);
	free(boundary);
	buf_free(&flat);
	return buf_take(&out);
}
