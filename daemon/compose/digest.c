/* Composes a digest: the header (each field by its RFC), the two parts, and the plan that they
 * become. */
#include "content.h"
#include "hubmail/base_address.h"
#include "hubmail/base_clock.h"
#include "hubmail/base_crypto.h"
#include "hubmail/base_mem.h"
#include "plan.h"
#include "rfc2045.h"
#include "rfc5322.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOUNDARY_MAX 32
#define UNSUBSCRIBE "List-Unsubscribe:"

/* "=_" never occurs in quoted-printable; the rest tells one digest from another when a message is
 * part of another message. It depends on nothing but the content, so the same digest is always the
 * same bytes. */
static void make_boundary(
	const struct draft *text, const struct draft *html, char out[BOUNDARY_MAX])
{
	unsigned char sums[64];
	unsigned char sum[32];
	char id[45];
	sha256(text->text.data, text->text.len, sums);
	sha256(html->text.data, html->text.len, sums + 32);
	sha256(sums, sizeof(sums), sum);
	base64url_encode(sum, 12, id);
	snprintf(out, BOUNDARY_MAX, "=_%s", id);
}

static void add_list_id(struct buf *out, const struct compose_options *o)
{
	char *id = xasprintf("%s.%s", o->list_name, address_domain(o->from_address));
	header_bracketed(out, "List-Id", o->list_title, id);
	free(id);
}

/* RFC 2369 and RFC 8058; the token is as long as a token can be when it is decided whether the link
 * needs a line of its own. */
static void add_unsubscribe(struct compose_plan *p, const struct content *c)
{
	size_t link = strlen(c->unsubscribe) + TOKEN_LINE_MAX + 2;
	buf_adds(&p->text, UNSUBSCRIBE);
	buf_adds(&p->text, sizeof(UNSUBSCRIBE) + link > QP_LINE_MAX ? "\r\n <" : " <");
	buf_adds(&p->text, c->unsubscribe);
	plan_mark(p, SLOT_TOKEN);
	buf_adds(&p->text, ">\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
}

static void add_header(struct compose_plan *p, const struct compose_options *o,
	const struct content *c, const char *boundary)
{
	struct buf *out = &p->text;
	char date[40];
	clock_rfc5322(o->at, date);
	header_mailbox(out, "From", c->sender, o->from_address);
	plan_mark(p, SLOT_TO);
	header_text(out, "Subject", c->subject);
	buf_addf(out, "Date: %s\r\n", date);
	plan_mark(p, SLOT_MESSAGE_ID);
	if (o->reply_to != NULL)
		header_mailbox(out, "Reply-To", NULL, o->reply_to);
	buf_adds(out, "MIME-Version: 1.0\r\n");
	add_list_id(out, o);
	add_unsubscribe(p, c);
	buf_adds(out, "Auto-Submitted: auto-generated\r\nPrecedence: bulk\r\n");
	header_plain(out, "Content-Language", c->language);
	buf_addf(out, "Content-Type: multipart/alternative;\r\n boundary=\"%s\"\r\n\r\n", boundary);
}

/* A token stands on a line of its own, between soft breaks, so that no line's length depends on
 * it. */
static void add_part(
	struct compose_plan *p, const char *type, const struct draft *d, const char *boundary)
{
	size_t column = 0;
	size_t from = 0;
	buf_addf(&p->text,
		"--%s\r\nContent-Type: %s; charset=utf-8\r\n"
		"Content-Transfer-Encoding: quoted-printable\r\n\r\n",
		boundary, type);
	for (size_t i = 0; i < d->n_slots; i++) {
		qp_encode(&p->text, &column, d->text.data + from, d->slots[i] - from);
		qp_soft_break(&p->text, &column);
		plan_mark(p, SLOT_TOKEN);
		from = d->slots[i];
		if (d->text.data[from] != '\n')
			buf_adds(&p->text, "=\r\n");
	}
	qp_encode(&p->text, &column, d->text.data + from, d->text.len - from);
	/* The line end before a boundary belongs to the boundary. */
	buf_adds(&p->text, "\r\n");
}

static struct compose_plan *make_plan(const struct compose_options *o, const struct content *c,
	const struct draft *text, const struct draft *html)
{
	char boundary[BOUNDARY_MAX];
	struct compose_plan *p = plan_new(c->subject);
	make_boundary(text, html, boundary);
	add_header(p, o, c, boundary);
	add_part(p, "text/plain", text, boundary);
	add_part(p, "text/html", html, boundary);
	buf_addf(&p->text, "--%s--\r\n", boundary);
	plan_mark(p, SLOT_NONE);
	return p;
}

static struct compose_plan *checked(struct compose_plan *p, struct error *e)
{
	const char *fault = p->text.len <= PLAN_MAX ? plan_fault(p) : NULL;
	if (p->text.len <= PLAN_MAX && fault == NULL)
		return p;
	if (fault != NULL)
		error_set(e, ERROR_DATA, "the digest cannot be composed: it has %s", fault);
	else
		error_set(e, ERROR_DATA,
			"the digest would be %zu MiB large, and %zu MiB is the most: choose fewer "
			"posts, or content = \"excerpt\"",
			p->text.len >> 20, PLAN_MAX >> 20);
	compose_plan_free(p);
	return NULL;
}

struct compose_plan *compose_digest(
	const struct compose_options *o, const struct post *posts, size_t n, struct error *e)
{
	struct draft text = {0};
	struct draft html = {0};
	if (n == 0) {
		error_set(e, ERROR_DATA, "there is no post to compose a digest of");
		return NULL;
	}
	struct content *c = content_new(o, posts, n);
	text_write(c, &text);
	html_write(c, &html);
	struct compose_plan *p = make_plan(o, c, &text, &html);
	buf_free(&text.text);
	buf_free(&html.text);
	content_free(c);
	return checked(p, e);
}
