/* The HTML part. Mail programs are browsers of twenty years ago: tables carry the layout, every
 * element its own style, and the style sheet only adds what may be lost (dark mode, narrow
 * windows). The content of posts is styled in html_style.c. */
#include "content.h"
#include "wrap.h"

#include <string.h>
#include <strings.h>

#define FONT                                                                                       \
	"font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,"          \
	"'PingFang SC','Hiragino Sans GB','Microsoft YaHei','Noto Sans CJK SC',sans-serif"
#define INK "#17191c"
#define TEXT "#3d434b"
#define SOFT "#6a7079"
#define LINK "#1f5fbf"
#define PAPER "#f4f3ef"
#define CARD "#ffffff"
#define RULE "#e6e3dc"
#define TABLE                                                                                      \
	"<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" "         \
	"border=\"0\""

static const char style_sheet[] =
	":root{color-scheme:light dark;supported-color-schemes:light dark}\n"
	"body{margin:0!important;padding:0!important;width:100%!important}\n"
	"table{border-spacing:0}\n"
	"img{-ms-interpolation-mode:bicubic}\n"
	"a[x-apple-data-detectors]{color:inherit!important;text-decoration:none!important}\n"
	"@media (max-width:620px){\n"
	".pad{padding-left:22px!important;padding-right:22px!important}\n"
	".edge{padding-left:22px!important;padding-right:22px!important}\n"
	".outer{padding-left:0!important;padding-right:0!important}\n"
	".card{border-radius:0!important}\n"
	".title{font-size:22px!important;line-height:29px!important}\n"
	"}\n"
	"@media (prefers-color-scheme:dark){\n"
	".paper{background:#121416!important}\n"
	".card{background:#1c1f23!important}\n"
	".ink,.ink a{color:#f3f2ee!important}\n"
	".text{color:#cfd2d6!important}\n"
	".soft,.soft a{color:#9ba1aa!important}\n"
	".link{color:#8fb8f6!important}\n"
	".rule{border-color:#33373d!important}\n"
	".bar{background:#f3f2ee!important}\n"
	".text h1,.text h2,.text h3,.text h4,.text th{color:#f3f2ee!important}\n"
	".text a{color:#8fb8f6!important}\n"
	".text pre,.text code,.text th{background:#282c32!important}\n"
	".text pre,.text code{color:#e4e6e9!important}\n"
	".text td,.text th{border-color:#3a3f46!important}\n"
	".text blockquote{border-color:#4a5059!important;color:#b4b9c0!important}\n"
	"}\n";

static void add_escaped(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '&')
			buf_adds(out, "&amp;");
		else if (*s == '<')
			buf_adds(out, "&lt;");
		else if (*s == '>')
			buf_adds(out, "&gt;");
		else if (*s == '"')
			buf_adds(out, "&quot;");
		else
			buf_addc(out, *s);
	}
}

static const char *direction(const struct content *c)
{
	return language_is_rtl(c->language) ? "rtl" : "ltr";
}

static const char *start_side(const struct content *c)
{
	return language_is_rtl(c->language) ? "right" : "left";
}

static const char *end_side(const struct content *c)
{
	return language_is_rtl(c->language) ? "left" : "right";
}

/* A lang attribute for our own words, where they are in another language than the message. */
static void add_words_language(struct buf *out, const struct content *c)
{
	if (strncasecmp(c->language, c->words->language, 2) != 0)
		buf_addf(out, " lang=\"%s\" dir=\"auto\"", c->words->language);
}

/* ---- Around the posts ---- */

static void add_head(struct buf *out, const struct content *c)
{
	buf_addf(out,
		"<!DOCTYPE html>\n<html lang=\"%s\" dir=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<meta name=\"x-apple-disable-message-reformatting\">\n"
		"<meta name=\"format-detection\" "
		"content=\"telephone=no,date=no,address=no,email=no,url=no\">\n"
		"<meta name=\"color-scheme\" content=\"light dark\">\n"
		"<meta name=\"supported-color-schemes\" content=\"light dark\">\n<title>",
		c->language, direction(c));
	add_escaped(out, c->subject);
	buf_addf(out, "</title>\n<style>\n%s</style>\n</head>\n", style_sheet);
}

/* What mail programs show beside the subject; the blanks keep them from going on with the text
 * after it. */
static void add_preview(struct buf *out, const struct content *c)
{
	buf_adds(out, "<div style=\"display:none;max-height:0;max-width:0;overflow:hidden;"
		      "opacity:0;font-size:1px;line-height:1px;mso-hide:all\">");
	add_escaped(out, c->preview);
	for (int i = 0; i < 60; i++)
		buf_adds(out, "&#847;&zwnj;&nbsp;");
	buf_adds(out, "</div>\n");
}

static void add_opening(struct buf *out, const struct content *c)
{
	buf_adds(out, "<body class=\"paper\" style=\"margin:0;padding:0;background:" PAPER
		      ";-webkit-text-size-adjust:100%;-ms-text-size-adjust:100%\">\n");
	add_preview(out, c);
	buf_addf(out,
		"<div role=\"article\" aria-roledescription=\"email\" lang=\"%s\" dir=\"%s\">\n",
		c->language, direction(c));
	buf_adds(out, TABLE " class=\"paper\" style=\"background:" PAPER "\"><tr>\n"
			    "<td class=\"outer\" align=\"center\" style=\"padding:0 16px\">\n"
			    "<!--[if mso]><table role=\"presentation\" width=\"600\" "
			    "cellpadding=\"0\" cellspacing=\"0\" border=\"0\"><tr><td>"
			    "<![endif]-->\n" TABLE " style=\"max-width:600px\">\n");
}

/* The list's title, and the date at the other end of the line. */
static void add_masthead(struct buf *out, const struct content *c)
{
	buf_adds(out, "<tr><td class=\"edge\" style=\"padding:32px 4px 18px\">\n" TABLE "><tr>\n");
	buf_addf(out,
		"<td class=\"ink\" align=\"%s\" valign=\"bottom\" dir=\"auto\" style=\"" FONT
		";font-size:21px;line-height:28px;font-weight:700;letter-spacing:-0.2px;color:" INK
		"\"><h1 style=\"margin:0;font-size:inherit;line-height:inherit;font-weight:inherit"
		"\">",
		start_side(c));
	add_escaped(out, c->list_title);
	buf_addf(out,
		"</h1></td>\n<td class=\"soft\" align=\"%s\" valign=\"bottom\" "
		"style=\"" FONT ";font-size:13px;line-height:24px;white-space:nowrap;color:" SOFT
		";padding-%s:16px\"",
		end_side(c), start_side(c));
	add_words_language(out, c);
	buf_adds(out, ">");
	add_escaped(out, c->date);
	buf_adds(out, "</td>\n</tr></table>\n</td></tr>\n"
		      "<tr><td class=\"bar\" height=\"3\" style=\"height:3px;font-size:0;"
		      "line-height:0;background:" INK "\">&nbsp;</td></tr>\n");
}

static void add_footer(struct draft *d, const struct content *c)
{
	struct buf *out = &d->text;
	buf_adds(out,
		"<tr><td class=\"edge soft\" align=\"center\" style=\"padding:26px 24px 44px;" FONT
		";font-size:13px;line-height:21px;color:" SOFT "\"");
	add_words_language(out, c);
	buf_adds(out, ">\n<p style=\"margin:0 0 8px\">");
	add_escaped(out, c->why);
	buf_adds(out, "</p>\n<p style=\"margin:0 0 8px\"><a href=\"");
	add_escaped(out, c->unsubscribe);
	draft_token(d);
	buf_adds(out, "\" style=\"color:" SOFT ";text-decoration:underline\">");
	add_escaped(out, c->words->unsubscribe);
	buf_adds(out, "</a></p>\n<p style=\"margin:0\">");
	add_escaped(out, c->sender);
	buf_adds(out, c->sender[0] != '\0' ? " · " : "");
	buf_adds(out, "<a href=\"mailto:");
	add_escaped(out, c->address);
	buf_adds(out, "\" style=\"color:" SOFT ";text-decoration:none\">");
	add_escaped(out, c->address);
	buf_adds(out, "</a></p>\n</td></tr>\n</table>\n"
		      "<!--[if mso]></td></tr></table><![endif]-->\n"
		      "</td></tr></table>\n</div>\n</body>\n</html>\n");
}

/* ---- One post ---- */

static void open_link(struct buf *out, const struct item *i, const char *attributes)
{
	if (i->url == NULL)
		return;
	buf_adds(out, "<a href=\"");
	add_escaped(out, i->url);
	buf_addf(out, "\"%s>", attributes);
}

static void close_link(struct buf *out, const struct item *i)
{
	buf_adds(out, i->url != NULL ? "</a>" : "");
}

static void add_image(struct buf *out, const struct item *i)
{
	if (i->image == NULL)
		return;
	buf_adds(out, "<tr><td style=\"padding:0 0 20px;font-size:0;line-height:0\">");
	open_link(out, i, " style=\"text-decoration:none\"");
	buf_adds(out, "<img src=\"");
	add_escaped(out, i->image);
	buf_adds(out, "\" alt=\"");
	add_escaped(out, i->title);
	buf_adds(out, "\" width=\"532\" style=\"display:block;width:100%;max-width:532px;"
		      "height:auto;border:0;border-radius:4px;" FONT
		      ";font-size:14px;line-height:20px;color:" SOFT "\">");
	close_link(out, i);
	buf_adds(out, "</td></tr>\n");
}

/* A title that is a sentence or two would shout in the size of one that is five words. */
static bool is_long(const char *title)
{
	return text_width(title, strlen(title)) > 90;
}

static void add_title(struct buf *out, const struct content *c, const struct item *i)
{
	buf_addf(out,
		"<tr><td class=\"ink\" align=\"%s\"><h2%s dir=\"auto\" style=\"margin:0;" FONT
		";font-size:%s;font-weight:700;letter-spacing:-0.2px;word-break:break-word;"
		"overflow-wrap:anywhere;color:" INK "\">",
		start_side(c), is_long(i->title) ? "" : " class=\"title\"",
		is_long(i->title) ? "19px;line-height:27px" : "24px;line-height:32px");
	open_link(out, i, " style=\"color:" INK ";text-decoration:none\"");
	add_escaped(out, i->title);
	close_link(out, i);
	buf_adds(out, "</h2></td></tr>\n");
}

/* The two run in directions of their own: an English name in an Arabic mail, a date after it. */
static void add_byline(struct buf *out, const struct content *c, const struct item *i)
{
	if (i->author[0] == '\0' && i->date[0] == '\0')
		return;
	buf_addf(out,
		"<tr><td class=\"soft\" align=\"%s\" style=\"padding:8px 0 0;" FONT
		";font-size:14px;line-height:20px;color:" SOFT "\"><bdi>",
		start_side(c));
	add_escaped(out, i->author);
	buf_adds(out, i->author[0] != '\0' && i->date[0] != '\0' ? "</bdi> · <bdi>" : "");
	add_escaped(out, i->date);
	buf_adds(out, "</bdi></td></tr>\n");
}

static void add_text(struct buf *out, const struct content *c, const struct item *i)
{
	if (i->full == NULL && i->excerpt[0] == '\0')
		return;
	buf_addf(out,
		"<tr><td class=\"text\" align=\"%s\" dir=\"auto\" style=\"padding:14px 0 0;" FONT
		";font-size:16px;line-height:26px;word-break:break-word;overflow-wrap:anywhere;"
		"color:" TEXT "\">",
		start_side(c));
	if (i->full != NULL)
		html_add_styled(out, i->full);
	else
		add_escaped(out, i->excerpt);
	buf_adds(out, "</td></tr>\n");
}

static void add_read_more(struct buf *out, const struct content *c, const struct item *i)
{
	if (i->url == NULL)
		return;
	buf_addf(out,
		"<tr><td align=\"%s\" style=\"padding:16px 0 0;" FONT
		";font-size:15px;line-height:22px;font-weight:600\"",
		start_side(c));
	add_words_language(out, c);
	buf_adds(out, ">");
	open_link(out, i, " class=\"link\" style=\"color:" LINK ";text-decoration:none\"");
	add_escaped(out, c->words->read_more);
	buf_adds(out, language_is_rtl(c->words->language) ? "&nbsp;&larr;" : "&nbsp;&rarr;");
	close_link(out, i);
	buf_adds(out, "</td></tr>\n");
}

static void add_item(struct buf *out, const struct content *c, size_t n)
{
	const struct item *i = &c->items[n];
	if (n > 0)
		buf_adds(out, "<tr><td class=\"pad\" style=\"padding:0 34px\"><div class=\"rule\" "
			      "style=\"border-top:1px solid " RULE
			      ";font-size:0;line-height:0\">&nbsp;</div></td></tr>\n");
	buf_adds(out, "<tr><td class=\"pad\" style=\"padding:34px 34px 36px\">\n" TABLE ">\n");
	add_image(out, i);
	add_title(out, c, i);
	add_byline(out, c, i);
	add_text(out, c, i);
	add_read_more(out, c, i);
	buf_adds(out, "</table>\n</td></tr>\n");
}

void html_write(const struct content *c, struct draft *d)
{
	struct buf *out = &d->text;
	add_head(out, c);
	add_opening(out, c);
	add_masthead(out, c);
	buf_adds(out, "<tr><td class=\"card\" style=\"background:" CARD
		      ";border-radius:0 0 6px 6px\">\n" TABLE ">\n");
	for (size_t i = 0; i < c->n; i++)
		add_item(out, c, i);
	buf_adds(out, "</table>\n</td></tr>\n");
	add_footer(d, c);
}
