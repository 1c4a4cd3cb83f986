/* Prepares a plan for being signed: the fields that are signed, their order, the hash of what all
 * readers share of them, and the hash of the body up to the first byte that is a reader's own.
 *
 * The order of the fields in "h=" is ours to choose, so the shared ones come first. The body of a
 * digest is its own relaxed form (see rfc2045.h), which is checked here, so that messages can be
 * hashed as they are. */
#include "dkim_plan.h"
#include "dkim.h"
#include "hubmail/base_mem.h"
#include "rfc2047.h"
#include "rfc6376.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* In the place of what is a reader's own. It cannot be in a plan, whose bytes are printable. */
#define MARK '\x01'

struct signed_field {
	const char *name;
	bool once_more; /* named twice, so that nobody can add another one */
	bool present, own;
};

static const struct signed_field signed_fields[] = {
	{"From", true, false, false},
	{"Subject", true, false, false},
	{"Date", true, false, false},
	{"Reply-To", true, false, false},
	{"MIME-Version", false, false, false},
	{"Content-Type", false, false, false},
	{"Content-Language", false, false, false},
	{"List-Id", false, false, false},
	{"List-Unsubscribe-Post", true, false, false},
	{"Auto-Submitted", false, false, false},
	{"Precedence", false, false, false},
	{"To", true, false, false},
	{"Message-ID", false, false, false},
	{"List-Unsubscribe", true, false, false},
};

#define N_FIELDS (sizeof(signed_fields) / sizeof(signed_fields[0]))

/* ---- The header ---- */

static const char *slot_field(enum slot slot)
{
	switch (slot) {
	case SLOT_TO:
		return "To:\x01\r\n";
	case SLOT_MESSAGE_ID:
		return "Message-ID:\x01\r\n";
	case SLOT_TOKEN:
		return "\x01";
	case SLOT_NONE:
	case SLOT_KINDS:
		break;
	}
	return "";
}

static enum slot field_slot(const char *name)
{
	if (strcmp(name, "To") == 0)
		return SLOT_TO;
	return strcmp(name, "Message-ID") == 0 ? SLOT_MESSAGE_ID : SLOT_TOKEN;
}

/* The message with marks in the place of slots. */
static void add_marked(const struct compose_plan *p, struct buf *out)
{
	const char *shared = p->text.data;
	for (size_t i = 0; i < p->n_segments; i++) {
		buf_adds(out, slot_field(p->segments[i].slot));
		buf_add(out, shared, p->segments[i].len);
		shared += p->segments[i].len;
	}
}

/* The length of the field at s, with the lines that continue it; 0 at the end of the header. */
static size_t field_length(const char *s)
{
	const char *end = s;
	if (s[0] == '\r')
		return 0;
	do {
		const char *line = strstr(end, "\r\n");
		if (line == NULL)
			return strlen(s);
		end = line + 2;
	} while (*end == ' ' || *end == '\t');
	return (size_t)(end - s);
}

static bool has_name(const char *field, const char *name)
{
	size_t len = strlen(name);
	return strncasecmp(field, name, len) == 0 && field[len + strspn(field + len, " \t")] == ':';
}

/* The field of that name in *at (NULL if there is none). False if there are several. */
static bool find_field(const char *header, const char *name, const char **at)
{
	*at = NULL;
	for (size_t len = 0; (len = field_length(header)) > 0; header += len) {
		if (!has_name(header, name))
			continue;
		if (*at != NULL)
			return false;
		*at = header;
	}
	return true;
}

static bool keep_own(
	struct dkim_signing *g, const char *name, const char *canonical, struct error *e)
{
	const char *mark = strchr(canonical, MARK);
	enum slot slot = field_slot(name);
	bool token = slot == SLOT_TOKEN;
	bool whole = strcmp(mark + 1, "\r\n") == 0;
	if (strchr(mark + 1, MARK) != NULL || (!token && !whole) || g->n_own == OWN_FIELDS_MAX)
		return error_set(e, ERROR_DATA,
			"the message cannot be signed: its %s is not in the shape that a "
			"digest has",
			name);
	g->own[g->n_own++] = (struct own_field){
		token ? xstrndup(canonical, (size_t)(mark - canonical)) : xstrdup(""), slot,
		xstrdup(token ? mark + 1 : "")};
	return true;
}

static bool take_field(struct dkim_signing *g, struct signed_field *f, const char *header, bool own,
	struct error *e)
{
	const char *at = NULL;
	struct buf canonical = {0};
	if (!find_field(header, f->name, &at))
		return error_set(e, ERROR_DATA,
			"the message cannot be signed: it has the field %s twice", f->name);
	if (at == NULL)
		return true;
	size_t len = field_length(at);
	bool is_own = memchr(at, MARK, len) != NULL;
	if (is_own != own)
		return true;
	f->present = true;
	f->own = own;
	relaxed_header(&canonical, at, len);
	bool ok = true;
	if (own)
		ok = keep_own(g, f->name, canonical.data, e);
	else if (EVP_DigestUpdate(g->header, canonical.data, canonical.len) <= 0)
		abort();
	buf_free(&canonical);
	return ok;
}

static void add_name(struct buf *out, const char *name)
{
	if (out->len > 2)
		buf_addc(out, ':');
	if (header_column(out) + strlen(name) + 2 > HEADER_LINE_MAX)
		buf_adds(out, "\r\n ");
	buf_adds(out, name);
}

/* First the shared fields, then the reader's own, then the names of those that must not be added:
 * there a signature says that it has seen the last one. */
static char *field_names(const struct signed_field *fields)
{
	struct buf out = {0};
	buf_adds(&out, "h=");
	for (int own = 0; own < 2; own++) {
		for (size_t i = 0; i < N_FIELDS; i++) {
			if (fields[i].present && fields[i].own == (own != 0))
				add_name(&out, fields[i].name);
		}
	}
	for (size_t i = 0; i < N_FIELDS; i++) {
		if (fields[i].once_more)
			add_name(&out, fields[i].name);
	}
	buf_addc(&out, ';');
	return buf_take(&out);
}

static bool take_header(struct dkim_signing *g, const char *header, struct error *e)
{
	struct signed_field fields[N_FIELDS];
	memcpy(fields, signed_fields, sizeof(fields));
	for (int own = 0; own < 2; own++) {
		for (size_t i = 0; i < N_FIELDS; i++) {
			if (!take_field(g, &fields[i], header, own != 0, e))
				return false;
		}
	}
	g->fields = field_names(fields);
	return fields[0].present ||
	       error_set(e, ERROR_DATA, "the message cannot be signed: it has no From");
}

/* ---- The body ---- */

static bool is_relaxed(const char *body, size_t len)
{
	struct buf canonical = {0};
	relaxed_body(&canonical, body, len);
	bool same = canonical.len == len && memcmp(canonical.data, body, len) == 0;
	buf_free(&canonical);
	return same;
}

/* Hashes the shared bytes from the body's beginning to the next slot. `body` is where it begins in
 * the text with marks; the byte before it is shared, so it begins in a shared segment. */
static void take_body(struct dkim_signing *g, const struct compose_plan *p, size_t body)
{
	size_t marked = 0;
	size_t shared = 0;
	size_t i = 0;
	for (;; i++) {
		marked += strlen(slot_field(p->segments[i].slot));
		if (marked + p->segments[i].len >= body)
			break;
		marked += p->segments[i].len;
		shared += p->segments[i].len;
	}
	size_t skipped = body - marked;
	if (EVP_DigestUpdate(
		    g->body, p->text.data + shared + skipped, p->segments[i].len - skipped) <= 0)
		abort();
	g->body_segment = i + 1;
	g->body_text = shared + p->segments[i].len;
}

/* ---- Together ---- */

static bool prepare(struct dkim_signing *g, const struct compose_plan *p, struct error *e)
{
	struct buf marked = {0};
	add_marked(p, &marked);
	const char *message = buf_str(&marked);
	const char *end = strstr(message, "\r\n\r\n");
	size_t body = end != NULL ? (size_t)(end - message) + 4 : 0;
	bool ok = end != NULL ||
		  error_set(e, ERROR_DATA, "the message cannot be signed: it has no header");
	ok = ok && take_header(g, message, e);
	if (ok && !is_relaxed(message + body, marked.len - body))
		ok = error_set(e, ERROR_DATA,
			"the message cannot be signed: it has blanks that may be lost on the way");
	if (ok)
		take_body(g, p, body);
	buf_free(&marked);
	return ok;
}

static EVP_MD_CTX *new_hash(void)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	if (c == NULL || EVP_DigestInit_ex(c, EVP_sha256(), NULL) <= 0)
		abort();
	return c;
}

bool compose_plan_sign(struct compose_plan *p, struct dkim_signer *s, struct error *e)
{
	struct dkim_signing *g = xcalloc(1, sizeof(*g));
	g->signer = dkim_signer_ref(s);
	g->header = new_hash();
	g->body = new_hash();
	if (!prepare(g, p, e)) {
		dkim_signing_free(g);
		return false;
	}
	dkim_signing_free(p->signing);
	p->signing = g;
	return true;
}

void dkim_signing_free(struct dkim_signing *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; i < g->n_own; i++) {
		free(g->own[i].before);
		free(g->own[i].after);
	}
	EVP_MD_CTX_free(g->header);
	EVP_MD_CTX_free(g->body);
	free(g->fields);
	dkim_signer_free(g->signer);
	free(g);
}
