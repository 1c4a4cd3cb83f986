/* One small page without scripts, pictures or anything else to fetch; whatever comes from outside
 * is escaped where it is put in. */
#include "page.h"

#include "hubmail/base_address.h"
#include "hubmail/base_buf.h"
#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>

#define RETRY_AFTER_S "60"

static const char style[] =
	":root{color-scheme:light dark}"
	"body{margin:0;font:17px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif;"
	"background:#f4f4f2;color:#1d1d1b}"
	"main{box-sizing:border-box;max-width:32rem;margin:0 auto;padding:12vh 1.5rem 3rem}"
	".card{background:#fff;border-radius:14px;padding:2rem 1.75rem;box-shadow:0 1px 3px #0002}"
	".list{margin:0 0 .75rem;color:#6a6a66;font-size:.95rem;overflow-wrap:anywhere}"
	"h1{margin:0 0 .75rem;font-size:1.6rem;line-height:1.25}"
	"p{margin:0;overflow-wrap:anywhere}"
	"button{margin-top:1.5rem;width:100%;min-height:3.25rem;padding:.75rem 1rem;border:0;"
	"border-radius:10px;background:#b3261e;color:#fff;font:inherit;font-weight:600;cursor:pointer}"
	"button:hover{background:#8f1d17}button:focus-visible{outline:3px solid #6a8fe8;outline-offset:2px}"
	"@media(prefers-color-scheme:dark){body{background:#161615;color:#ececea}"
	".card{background:#232322;box-shadow:none}.list{color:#a3a39e}button{background:#c9372c}}";

static void add_escaped(struct buf *b, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		switch (text[i]) {
		case '&':
			buf_adds(b, "&amp;");
			break;
		case '<':
			buf_adds(b, "&lt;");
			break;
		case '>':
			buf_adds(b, "&gt;");
			break;
		case '"':
			buf_adds(b, "&quot;");
			break;
		case '\'':
			buf_adds(b, "&#39;");
			break;
		default:
			buf_addc(b, text[i]);
		}
	}
}

/* j…n@example.org: the reader knows it again, whoever looks over their shoulder learns little. */
static void add_hidden_address(struct buf *b, const char *address)
{
	size_t local = strcspn(address, "@");

	if (local > 2)
		add_escaped(b, address, 1);
	buf_adds(b, "…");
	if (local > 2)
		add_escaped(b, address + local - 1, 1);
	add_escaped(b, address + local, strlen(address + local));
}

static void add_text(struct buf *b, const char *text, const char *address)
{
	static const char slot[] = "{address}";
	const char *at = address != NULL ? strstr(text, slot) : NULL;

	if (at == NULL) {
		add_escaped(b, text, strlen(text));
		return;
	}
	add_escaped(b, text, (size_t)(at - text));
	buf_adds(b, "<strong>");
	add_hidden_address(b, address);
	buf_adds(b, "</strong>");
	at += strlen(slot);
	add_escaped(b, at, strlen(at));
}

static void render(const struct page *p, struct buf *b)
{
	buf_addf(b,
		"<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<meta name=\"robots\" content=\"noindex\">\n<title>",
		p->texts->language);
	add_escaped(b, p->message->title, strlen(p->message->title));
	buf_addf(b, "</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n<div class=\"card\">\n",
		style);
	if (p->list != NULL) {
		buf_adds(b, "<p class=\"list\">");
		add_escaped(b, p->list, strlen(p->list));
		buf_adds(b, "</p>\n");
	}
	buf_adds(b, "<h1>");
	add_escaped(b, p->message->title, strlen(p->message->title));
	buf_adds(b, "</h1>\n<p>");
	add_text(b, p->message->text, p->address);
	buf_adds(b, "</p>\n");
	if (p->ask) {
		/* Without an action the form goes to the page's own address, whatever a proxy made
		 * of it. */
		buf_adds(b, "<form method=\"post\"><button type=\"submit\">");
		add_escaped(b, p->texts->button, strlen(p->texts->button));
		buf_adds(b, "</button></form>\n");
	}
	buf_adds(b, "</div>\n</main>\n</body>\n</html>\n");
}

static const char *reason(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 202:
		return "Accepted";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 410:
		return "Gone";
	case 413:
		return "Content Too Large";
	default:
		return "Service Unavailable";
	}
}

static void add_headers(struct evkeyvalq *h, int status, const char *type, size_t len)
{
	static const char *const always[][2] = {
		{"Content-Security-Policy",
			"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"},
		{"X-Content-Type-Options", "nosniff"},
		{"X-Frame-Options", "DENY"},
		{"Referrer-Policy", "no-referrer"},
		{"Cache-Control", "no-store"},
		{"X-Robots-Tag", "noindex, nofollow"},
		/* One connection, one request: nothing that follows on it can be taken for another.
		 */
		{"Connection", "close"},
	};
	char length[32];

	snprintf(length, sizeof(length), "%zu", len);
	evhttp_add_header(h, "Content-Type", type);
	evhttp_add_header(h, "Content-Length", length);
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		evhttp_add_header(h, always[i][0], always[i][1]);
	if (status == 503)
		evhttp_add_header(h, "Retry-After", RETRY_AFTER_S);
}

static void send_body(struct evhttp_request *r, int status, const char *type, const struct buf *b)
{
	struct evbuffer *body = evbuffer_new();

	add_headers(evhttp_request_get_output_headers(r), status, type, b->len);
	if (evhttp_request_get_command(r) != EVHTTP_REQ_HEAD)
		evbuffer_add(body, buf_str(b), b->len);
	evhttp_send_reply(r, status, reason(status), body);
	evbuffer_free(body);
}

void page_send(struct evhttp_request *r, const struct page *p)
{
	struct buf b = {0};

	render(p, &b);
	evhttp_add_header(
		evhttp_request_get_output_headers(r), "Content-Language", p->texts->language);
	send_body(r, p->status, "text/html; charset=utf-8", &b);
	buf_free(&b);
}

void page_send_line(struct evhttp_request *r, int status, const char *line)
{
	struct buf b = {0};

	buf_addf(&b, "%s\n", line);
	send_body(r, status, "text/plain; charset=utf-8", &b);
	buf_free(&b);
}

void page_send_echo(struct evhttp_request *r, const char *text)
{
	struct buf b = {0};

	buf_adds(&b, text);
	send_body(r, 200, "text/plain; charset=utf-8", &b);
	buf_free(&b);
}

void page_send_not_allowed(struct evhttp_request *r, const char *allow)
{
	evhttp_add_header(evhttp_request_get_output_headers(r), "Allow", allow);
	page_send_line(r, 405, "this page does not take that method");
}
