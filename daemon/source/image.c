/* What becomes of an <img>. Blogs load images late, so that src is a placeholder and the address
 * stands elsewhere; they count readers with images of one pixel; and they put smileys in as images
 * though the character is in alt. */
#include "image.h"

#include "character.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "hubmail/source_html.h"
#include "url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ALT_MAX 2000
#define DATA_MAX 8192 /* bytes of an image that is in its own address */
#define STYLE_MAX 2000
#define SRCSET_MAX 16384

void attribute_write(const char *name, const char *value, struct buf *out)
{
	buf_addc(out, ' ');
	buf_adds(out, name);
	buf_adds(out, "=\"");
	characters_escape(value, strlen(value), out);
	buf_addc(out, '"');
}

int image_side(const struct token *t, const char *name)
{
	char *value = token_attribute(t, name, 16);
	int n = -1;
	if (value != NULL) {
		const char *s = text_trim(value);
		size_t digits = strspn(s, "0123456789");
		if (digits > 0 && digits < 6 &&
			(s[digits] == '\0' || strcasecmp(s + digits, "px") == 0))
			n = atoi(s); /* NOLINT(cert-err34-c): these are up to five digits */
	}
	free(value);
	return n;
}

static bool style_hides(const struct token *t)
{
	static const char *const signs[] = {"display:none", "width:1px", "height:1px", "width:0",
		"height:0", "visibility:hidden"};
	char *style = token_attribute(t, "style", STYLE_MAX);
	bool hides = false;
	if (style == NULL)
		return false;
	size_t n = 0;
	for (const char *s = style; *s != '\0'; s++) {
		if (*s != ' ')
			style[n++] = text_lower(*s);
	}
	style[n] = '\0';
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		const char *at = strstr(style, signs[i]);
		if (at != NULL && (at == style || at[-1] == ';'))
			hides = true;
	}
	free(style);
	return hides;
}

/* One pixel, or hidden: it counts readers, or makes room. */
static bool is_pixel(const struct token *t)
{
	int width = image_side(t, "width");
	int height = image_side(t, "height");
	return (width >= 0 && width <= 1) || (height >= 0 && height <= 1) || style_hides(t);
}

static bool is_counter(const char *url)
{
	static const char *const places[] = {"//pixel.wp.com/", "//stats.wordpress.com/b.gif",
		"//feeds.wordpress.com/1.0/", "//feeds.feedburner.com/~r/",
		"//www.google-analytics.com/", "//feedpress.me/link/", "//pixel.quantserve.com/"};
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (strstr(url, places[i]) != NULL)
			return true;
	}
	return false;
}

/* Small bitmaps in base64. The GIF of one pixel is every lazy loader's placeholder. */
static char *data_image(const char *s)
{
	static const char *const types[] = {"png", "gif", "jpeg", "jpg", "webp"};
	if (strncasecmp(s, "data:image/", 11) != 0 || strlen(s) > DATA_MAX)
		return NULL;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		size_t n = strlen(types[i]);
		const char *rest = s + 11 + n;
		if (strncasecmp(s + 11, types[i], n) != 0 || strncasecmp(rest, ";base64,", 8) != 0)
			continue;
		rest += 8;
		size_t good = strspn(rest, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					   "0123456789+/=");
		if (rest[good] != '\0' || good < 64 || text_starts(rest, "R0lGODlhAQABA"))
			return NULL;
		return xstrdup(s);
	}
	return NULL;
}

/* The last candidate of a srcset is mostly the largest; any of them shows the picture. */
static char *from_srcset(const struct token *t, const char *name, const char *base)
{
	char *set = token_attribute(t, name, SRCSET_MAX);
	if (set == NULL)
		return NULL;
	char *first = set + strspn(set, " \t\r\n,");
	first[strcspn(first, " \t\r\n")] = '\0';
	size_t len = strlen(first);
	if (len > 0 && first[len - 1] == ',')
		first[len - 1] = '\0';
	char *url = source_url_absolute(first, base);
	free(set);
	return url;
}

static char *from_attribute(const struct token *t, const char *name, const char *base)
{
	char *value = token_attribute(t, name, DATA_MAX);
	char *url = NULL;
	if (value != NULL && value[0] != '\0')
		url = source_url_absolute(value, base);
	free(value);
	return url;
}

static char *address(const struct token *t, const char *base)
{
	static const char *const late[] = {
		"data-lazy-src", "data-src", "data-original", "data-orig-file", "src"};
	for (size_t i = 0; i < sizeof(late) / sizeof(late[0]); i++) {
		char *url = from_attribute(t, late[i], base);
		if (url != NULL)
			return url;
	}
	char *url = from_srcset(t, "srcset", base);
	if (url == NULL)
		url = from_srcset(t, "data-srcset", base);
	if (url != NULL)
		return url;
	char *src = token_attribute(t, "src", DATA_MAX);
	if (src != NULL)
		url = data_image(src);
	free(src);
	return url;
}

static bool shows_smiley(const char *url)
{
	return strstr(url, "/images/core/emoji/") != NULL ||
	       strstr(url, "/wp-includes/images/smilies/") != NULL;
}

static bool is_smiley(const char *url, const char *alt)
{
	return alt != NULL && alt[0] != '\0' && strlen(alt) < 32 && shows_smiley(url);
}

bool image_is_picture(const char *url)
{
	return !is_counter(url) && !shows_smiley(url);
}

static void write_side(const struct token *t, const char *name, struct buf *out)
{
	int side = image_side(t, name);
	if (side > 0)
		buf_addf(out, " %s=\"%d\"", name, side);
}

static void write_tag(const struct token *t, const char *url, const char *alt, struct buf *out)
{
	char *title = token_attribute(t, "title", ALT_MAX);
	buf_adds(out, "<img");
	attribute_write("src", url, out);
	attribute_write("alt", alt != NULL ? alt : "", out);
	if (title != NULL && title[0] != '\0')
		attribute_write("title", title, out);
	write_side(t, "width", out);
	write_side(t, "height", out);
	buf_addc(out, '>');
	free(title);
}

void image_write(const struct token *t, const char *base, struct buf *out)
{
	if (is_pixel(t))
		return;
	char *url = address(t, base);
	char *alt = token_attribute(t, "alt", ALT_MAX);
	bool as_text = url == NULL || is_smiley(url, alt);
	if (as_text && alt != NULL)
		characters_escape(alt, strlen(alt), out);
	else if (!as_text && !is_counter(url))
		write_tag(t, url, alt, out);
	free(url);
	free(alt);
}
