/* Plans as a data structure and as bytes for the store. The bytes are
 *
 *   "HMPL", version, length of the subject, number of segments, length of the text  (32 bits each)
 *   subject, the segments (slot in the upper 8 bits, length in the lower 24), text
 *
 * with little-endian numbers. They come back from a file that anyone may have damaged, so nothing
 * in them is believed: a plan in which plan_fault() finds nothing is a message with short lines and
 * clean line ends whatever it was decoded from. */
#include "dkim.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"

#include <stdlib.h>
#include <string.h>

#define MAGIC "HMPL"
#define VERSION 1
#define HEADER_LEN 20
#define SUBJECT_MAX 1000
#define LINE_MAX_HEADER 998
#define LINE_MAX_BODY 76
#define SLOT_ROOM 320 /* what a slot may take of a line in the header, all told */

struct compose_plan *plan_new(const char *subject)
{
	struct compose_plan *p = xcalloc(1, sizeof(*p));
	p->subject = xstrdup(subject);
	return p;
}

static void add_segment(struct compose_plan *p, enum slot slot, size_t len)
{
	if ((p->n_segments & (p->n_segments - 1)) == 0)
		p->segments = xreallocarray(p->segments, p->n_segments > 0 ? p->n_segments * 2 : 1,
			sizeof(*p->segments));
	p->segments[p->n_segments++] = (struct segment){slot, len};
}

void plan_mark(struct compose_plan *p, enum slot slot)
{
	if (p->text.len > p->marked)
		add_segment(p, SLOT_NONE, p->text.len - p->marked);
	p->marked = p->text.len;
	if (slot != SLOT_NONE)
		add_segment(p, slot, 0);
}

const char *compose_plan_subject(const struct compose_plan *p)
{
	return p->subject;
}

void compose_plan_free(struct compose_plan *p)
{
	if (p == NULL)
		return;
	dkim_signing_free(p->signing);
	free(p->subject);
	buf_free(&p->text);
	free(p->segments);
	free(p);
}

/* ---- Bytes ---- */

static void put32(struct buf *out, uint32_t n)
{
	char bytes[4] = {(char)(n & 255), (char)(n >> 8 & 255), (char)(n >> 16 & 255),
		(char)(n >> 24 & 255)};
	buf_add(out, bytes, sizeof(bytes));
}

static uint32_t get32(const unsigned char *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

void compose_plan_encode(const struct compose_plan *p, struct buf *out)
{
	size_t subject = strlen(p->subject);
	buf_reserve(out, HEADER_LEN + subject + 4 * p->n_segments + p->text.len);
	buf_adds(out, MAGIC);
	put32(out, VERSION);
	put32(out, (uint32_t)subject);
	put32(out, (uint32_t)p->n_segments);
	put32(out, (uint32_t)p->text.len);
	buf_add(out, p->subject, subject);
	for (size_t i = 0; i < p->n_segments; i++)
		put32(out, (uint32_t)p->segments[i].slot << 24 | (uint32_t)p->segments[i].len);
	buf_add(out, p->text.data, p->text.len);
}

static bool damaged(struct error *e, const char *what)
{
	return error_set(e, ERROR_DATA,
		"the composed message in the database is damaged (%s): cancel the digest and send "
		"it again",
		what);
}

/* The segments as they stand there must use up the text exactly. */
static bool take_segments(
	struct compose_plan *p, const unsigned char *at, size_t n, struct error *e)
{
	size_t used = 0;
	for (size_t i = 0; i < n; i++) {
		uint32_t word = get32(at + 4 * i);
		uint32_t slot = word >> 24;
		size_t len = word & 0xFFFFFF;
		if (slot >= SLOT_KINDS || (slot == SLOT_NONE) != (len > 0) ||
			len > p->text.len - used)
			return damaged(e, "its segments");
		add_segment(p, (enum slot)slot, len);
		used += len;
	}
	p->marked = used;
	return used == p->text.len || damaged(e, "its segments");
}

static bool take_subject(struct compose_plan *p, const char *s, size_t len, struct error *e)
{
	if (!utf8_valid(s, len))
		return damaged(e, "its subject");
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7F)
			return damaged(e, "its subject");
	}
	p->subject = xstrndup(s, len);
	return true;
}

static bool decode_into(
	struct compose_plan *p, const unsigned char *in, size_t len, struct error *e)
{
	if (len < HEADER_LEN || memcmp(in, MAGIC, 4) != 0)
		return damaged(e, "its beginning");
	if (get32(in + 4) != VERSION)
		return error_set(e, ERROR_DATA,
			"the composed message in the database has format %lu, and this hubmail "
			"reads %d: update hubmail, or cancel the digest and send it again",
			(unsigned long)get32(in + 4), VERSION);
	size_t subject = get32(in + 8);
	size_t segments = get32(in + 12);
	size_t text = get32(in + 16);
	if (subject > SUBJECT_MAX || segments > PLAN_SEGMENTS_MAX || text > PLAN_MAX ||
		len != HEADER_LEN + subject + 4 * segments + text)
		return damaged(e, "its length");
	in += HEADER_LEN;
	if (!take_subject(p, (const char *)in, subject, e))
		return false;
	buf_add(&p->text, in + subject + 4 * segments, text);
	if (!take_segments(p, in + subject, segments, e))
		return false;
	const char *fault = plan_fault(p);
	return fault == NULL || damaged(e, fault);
}

struct compose_plan *compose_plan_decode(const void *data, size_t len, struct error *e)
{
	struct compose_plan *p = xcalloc(1, sizeof(*p));
	if (decode_into(p, data, len, e))
		return p;
	compose_plan_free(p);
	return NULL;
}

/* ---- The shape of a message ---- */

struct shape {
	size_t line; /* bytes on the current line */
	bool body;
	char last;
	unsigned seen[SLOT_KINDS];
};

static const char *check_byte(struct shape *s, char c)
{
	char last = s->last;
	s->last = c;
	if (c == '\n') {
		if (last != '\r')
			return "a bare line feed";
		if (s->line == 1)
			s->body = true;
		s->line = 0;
		return NULL;
	}
	if (last == '\r')
		return "a bare carriage return";
	if (c != '\r' && (c < ' ' || c > '~'))
		return "a byte that is not ASCII";
	/* The carriage return is one of the bytes counted. */
	if (++s->line > (s->body ? LINE_MAX_BODY : LINE_MAX_HEADER) + 1)
		return "a line that is too long";
	return NULL;
}

/* The fields stand on lines of their own in the header. A token there shares its line with the
 * address before it; in the body nothing but a soft break may share it. */
static const char *check_slot(struct shape *s, enum slot slot)
{
	s->seen[slot]++;
	if (slot == SLOT_TOKEN) {
		if (s->body ? s->line != 0 : s->line > LINE_MAX_HEADER - SLOT_ROOM)
			return "a token in the wrong place";
		s->line += TOKEN_LINE_MAX;
		s->last = 'x';
		return NULL;
	}
	return s->line != 0 || s->body ? "a field in the wrong place" : NULL;
}

static const char *check_segments(const struct compose_plan *p, struct shape *s)
{
	const char *at = p->text.data;
	const char *wrong = NULL;
	for (size_t i = 0; i < p->n_segments; i++) {
		const struct segment *g = &p->segments[i];
		if (g->slot != SLOT_NONE)
			wrong = check_slot(s, g->slot);
		for (size_t k = 0; k < g->len && wrong == NULL; k++)
			wrong = check_byte(s, at[k]);
		if (wrong != NULL)
			return wrong;
		at += g->len;
	}
	return NULL;
}

const char *plan_fault(const struct compose_plan *p)
{
	struct shape s = {.last = '\n'};
	const char *wrong = check_segments(p, &s);
	if (wrong == NULL && (!s.body || s.line != 0 || s.last != '\n'))
		wrong = "no end";
	if (wrong == NULL && (s.seen[SLOT_TO] != 1 || s.seen[SLOT_MESSAGE_ID] != 1))
		wrong = "a field for the reader is missing";
	return wrong;
}
