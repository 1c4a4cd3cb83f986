/* A file of a blog as a post: front matter, then Markdown or HTML, then the sanitiser; and where on
 * the site the post will stand. */
#include "hubmail/source_file.h"

#include "character.h"
#include "front.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "hubmail/source_html.h"
#include "mark.h"
#include "page.h"
#include "place.h"
#include "shortcode.h"

#include <limits.h>
#include <md4c-html.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MARKDOWN_MAX (512u << 10) /* bytes that are rendered; the rest is left */
#define ADDRESSES_MAX 2000        /* for more, md4c takes too long to look for bare ones */
#define RENDERED_MAX (16u << 20)  /* bytes of HTML that may come out of it */

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}

static bool ends_with(const char *s, const char *ending)
{
	size_t len = strlen(s);
	size_t n = strlen(ending);
	return len > n && strcasecmp(s + len - n, ending) == 0;
}

static bool is_html(const char *path)
{
	return ends_with(path, ".html") || ends_with(path, ".htm");
}

static bool is_markdown(const char *path)
{
	return ends_with(path, ".md") || ends_with(path, ".markdown");
}

/* Backups begin or end in a way that the endings already leave out, but for these. */
bool source_file_is_post(const char *path)
{
	const char *name = file_name(path);
	if (name[0] == '.' || name[0] == '#' || name[0] == '~' || text_starts(name, "_index."))
		return false;
	return is_markdown(name) || is_html(name);
}

static bool check_utf8(const char *s, size_t len, struct error *e)
{
	int line = 1;
	for (size_t i = 0; i < len;) {
		uint32_t cp = 0;
		size_t n = utf8_decode(s + i, len - i, &cp);
		if (cp == 0 || (cp == 0xFFFD && n == 1))
			return error_set(e, ERROR_DATA,
				"line %d: not UTF-8; save the file in that encoding", line);
		line += s[i] == '\n';
		i += n;
	}
	return true;
}

static void add_html(const MD_CHAR *s, MD_SIZE len, void *out)
{
	struct buf *b = out;
	if (b->len < RENDERED_MAX)
		buf_add(b, s, len);
}

/* How many places md4c would look at for an address without brackets. */
static size_t count_addresses(const char *s, size_t len)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++)
		n += s[i] == '@' || s[i] == ':' || (s[i] == 'w' && i + 1 < len && s[i + 1] == '.');
	return n;
}

static void render(const char *s, size_t len, struct buf *out)
{
	struct buf plain = {0};
	shortcode_expand(s, len < MARKDOWN_MAX ? len : MARKDOWN_MAX, &plain);
	unsigned flags = MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH;
	if (count_addresses(buf_str(&plain), plain.len) <= ADDRESSES_MAX)
		flags |= MD_FLAG_PERMISSIVEAUTOLINKS;
	md_html(buf_str(&plain), (MD_SIZE)plain.len, add_html, out, flags, 0);
	buf_free(&plain);
}

/* A Markdown file without a title in its front matter has it in its first line. Returns where the
 * text goes on. */
static const char *take_heading(const char *s, size_t len, struct front *front)
{
	const char *p = s;
	const char *end = s + len;
	while (p < end && (*p == '\n' || *p == '\r'))
		p++;
	if (front->title != NULL || end - p < 3 || p[0] != '#' || p[1] != ' ')
		return s;
	const char *line_end = memchr(p, '\n', (size_t)(end - p));
	if (line_end == NULL)
		line_end = end;
	struct buf html = {0};
	render(p, (size_t)(line_end - p), &html);
	char *title = source_html_text(buf_str(&html), html.len, false);
	front->title = characters_line(title);
	free(title);
	buf_free(&html);
	return front->title != NULL ? line_end : s;
}

static char *escaped(const char *s)
{
	struct buf out = {0};
	if (s == NULL)
		return NULL;
	characters_escape(s, strlen(s), &out);
	return buf_take(&out);
}

static char *joined(const struct strlist *l)
{
	struct buf out = {0};
	for (size_t i = 0; i < l->n; i++)
		buf_addf(&out, "%s%s", i > 0 ? ", " : "", l->items[i]);
	return l->n > 0 ? buf_take(&out) : NULL;
}

static char *clean(const char *html, size_t len, const char *base)
{
	char *s = source_html_sanitise(html, len, base);
	if (s[strspn(s, " \t\r\n")] != '\0')
		return s;
	free(s);
	return NULL;
}

static void fill(const struct source_file *f, struct front *front, const char *html, size_t len,
	struct post *out)
{
	out->guid = xstrdup(f->path);
	out->url = place_url(f, front);
	const char *base = out->url != NULL ? out->url : f->base_url;
	out->title = front->title;
	front->title = NULL;
	out->author = joined(&front->authors);
	out->summary = escaped(front->summary);
	size_t more = out->summary == NULL ? mark_more(html, len) : 0;
	if (more > 0)
		out->summary = clean(html, more, base);
	out->content = clean(html, len, base);
	out->image = front->image != NULL ? source_url_absolute(front->image, base) : NULL;
	out->categories = front->categories;
	front->categories = (struct strlist){0};
	out->published_at = front->published_at != 0 ? front->published_at : place_date(f->path);
	if (out->published_at == 0)
		out->published_at = f->modified_at;
	out->updated_at = front->updated_at;
}

static void fill_from_body(const struct source_file *f, struct front *front, size_t body,
	struct post *out, bool *draft)
{
	const char *s = f->data + body;
	size_t len = f->len - body;
	struct buf html = {0};
	if (is_html(f->path)) {
		page_read(s, len, front, &s, &len);
	} else {
		const char *text = take_heading(s, len, front);
		render(text, len - (size_t)(text - s), &html);
		s = buf_str(&html);
		len = html.len;
	}
	*draft = front->draft || place_is_of_drafts(f->path);
	if (!*draft)
		fill(f, front, s, len, out);
	buf_free(&html);
}

bool source_file_parse(const struct source_file *f, struct post *out, bool *draft, struct error *e)
{
	struct source_file file = *f;
	struct front front = {0};
	size_t body = 0;
	*out = (struct post){0};
	*draft = false;
	if (f->len > SOURCE_FILE_MAX)
		return error_set(e, ERROR_DATA, "the file has %zu bytes; at most %u are read",
			f->len, SOURCE_FILE_MAX);
	if (file.len >= 3 && memcmp(file.data, "\xEF\xBB\xBF", 3) == 0) {
		file.data += 3;
		file.len -= 3;
	}
	bool ok = check_utf8(file.data, file.len, e) &&
		  front_read(file.data, file.len, &front, &body, e);
	if (ok)
		fill_from_body(&file, &front, body, out, draft);
	front_free(&front);
	return ok;
}
