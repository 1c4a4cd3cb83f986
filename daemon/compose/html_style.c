/* The content of a post inside a mail: inline styles for the elements that mail programs show badly
 * by themselves. It goes over the sanitiser's output once and only ever adds an attribute after a
 * tag's name, so it cannot break what was whole. */
#include "content.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define MONO "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace"
#define HEADING "font-weight:700;color:#17191c;margin:26px 0 10px"

struct element {
	const char *name;
	const char *style;
};

static const struct element elements[] = {
	{"a", "color:#1f5fbf;text-decoration:underline"},
	{"blockquote", "margin:0 0 16px;padding:6px 0 1px 16px;border-left:3px solid #d9d5cb;"
		       "color:#5b616a"},
	{"code", MONO ";font-size:14px;background:#f2f0ea;padding:1px 4px;border-radius:3px"},
	{"dd", "margin:0 0 8px 24px"},
	{"dl", "margin:0 0 16px"},
	{"figcaption", "margin:8px 0 0;font-size:14px;line-height:20px;color:#6a7079"},
	{"figure", "margin:0 0 16px"},
	{"h1", HEADING ";font-size:22px;line-height:29px"},
	{"h2", HEADING ";font-size:20px;line-height:27px"},
	{"h3", HEADING ";font-size:18px;line-height:25px"},
	{"h4", HEADING ";font-size:16px;line-height:24px"},
	{"h5", HEADING ";font-size:16px;line-height:24px"},
	{"h6", HEADING ";font-size:16px;line-height:24px"},
	{"hr", "margin:24px 0;border:0;border-top:1px solid #e6e3dc"},
	{"img", "max-width:100%;height:auto;border:0;border-radius:4px"},
	{"li", "margin:0 0 6px"},
	{"ol", "margin:0 0 16px;padding:0 24px"},
	{"p", "margin:0 0 16px"},
	{"pre", MONO ";font-size:13px;line-height:20px;margin:0 0 16px;padding:14px 16px;"
		     "background:#f2f0ea;border-radius:4px;white-space:pre-wrap;"
		     "word-break:break-word;overflow-wrap:anywhere"},
	{"table", "width:100%;margin:0 0 16px;border-collapse:collapse;font-size:15px;"
		  "line-height:22px"},
	{"td", "padding:7px 10px;border:1px solid #e0dcd3;vertical-align:top"},
	{"th", "padding:7px 10px;border:1px solid #e0dcd3;vertical-align:top;text-align:inherit;"
	       "background:#f7f5f0;color:#17191c"},
	{"ul", "margin:0 0 16px;padding:0 24px"},
};

/* In a block of code the block has the background already. */
static const char plain_code[] = MONO ";font-size:13px;background:none;padding:0";

static const char quoted_paragraph[] = "margin:0 0 8px";

/* What the tag stands in. */
struct context {
	bool pre;
	unsigned quotes;
};

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool name_is(const char *name, size_t len, const char *what)
{
	return strlen(what) == len && strncasecmp(name, what, len) == 0;
}

static const char *style_of(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++) {
		if (name_is(name, len, elements[i].name))
			return elements[i].style;
	}
	return NULL;
}

/* The length of the tag that begins at s, with its '>'; quoted values may hold one too. */
static size_t tag_length(const char *s)
{
	char quote = '\0';
	size_t i = 0;
	for (; s[i] != '\0'; i++) {
		if (quote != '\0')
			quote = s[i] == quote ? '\0' : quote;
		else if (s[i] == '"' || s[i] == '\'')
			quote = s[i];
		else if (s[i] == '>')
			return i + 1;
	}
	return i;
}

static void enter_or_leave(struct context *c, const char *name, size_t len, bool closing)
{
	if (name_is(name, len, "pre"))
		c->pre = !closing;
	if (!name_is(name, len, "blockquote"))
		return;
	if (!closing)
		c->quotes++;
	else if (c->quotes > 0)
		c->quotes--;
}

static const char *style_within(const struct context *c, const char *name, size_t len)
{
	if (c->pre && name_is(name, len, "code"))
		return plain_code;
	if (c->quotes > 0 && name_is(name, len, "p"))
		return quoted_paragraph;
	return style_of(name, len);
}

/* Copies one tag with its style; returns its length. */
static size_t add_tag(struct buf *out, const char *s, struct context *c)
{
	bool closing = s[1] == '/';
	const char *name = s + 1 + closing;
	size_t len = 0;
	while (is_name_char(name[len]))
		len++;
	enter_or_leave(c, name, len, closing);
	size_t whole = tag_length(s);
	const char *style = closing ? NULL : style_within(c, name, len);
	if (style == NULL) {
		buf_add(out, s, whole);
		return whole;
	}
	buf_add(out, s, 1 + len);
	buf_addf(out, " style=\"%s\"", style);
	buf_add(out, s + 1 + len, whole - 1 - len);
	return whole;
}

void html_add_styled(struct buf *out, const char *html)
{
	struct context c = {0};
	while (*html != '\0') {
		size_t text = strcspn(html, "<");
		buf_add(out, html, text);
		html += text;
		if (*html == '<')
			html += add_tag(out, html, &c);
	}
}
