/* Addresses of posts, as static site generators make them: the folder and the file's name, a slug
 * or a url of the post's own, or a pattern like "/:year/:month/:slug/" (Jekyll's and Hugo's words).
 */
#include "place.h"

#include "feed_date.h"
#include "hubmail/base_clock.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_permalink.h"
#include "hubmail/base_text.h"
#include "hubmail/source_html.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DATE_PREFIX 11 /* bytes of "2026-11-24-" */

struct parts {
	const char *folder; /* of the path, with its last '/' or empty */
	size_t folder_len;
	const char *name; /* of the file */
	size_t stem;      /* its length without the ending */
	bool dated, index;
	const struct front *front;
	int year, month, day;
};

static bool is_dated(const char *name)
{
	static const char form[] = "dddd-dd-dd-";
	for (size_t i = 0; i < DATE_PREFIX; i++) {
		bool digit = name[i] >= '0' && name[i] <= '9';
		if (form[i] == 'd' ? !digit : name[i] != '-')
			return false;
	}
	return true;
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}

/* Of a page bundle ("2026-11-24-hello/index.md") the folder tells. */
int64_t place_date(const char *path)
{
	const char *name = name_of(path);
	if (text_starts(name, "index.") && name > path) {
		const char *p = name - 1;
		while (p > path && p[-1] != '/')
			p--;
		name = p;
	}
	if (!is_dated(name))
		return 0;
	char *date = xstrndup(name, DATE_PREFIX - 1);
	int64_t at = feed_date(date);
	free(date);
	return at;
}

static struct parts parts_of(const struct source_file *f, const struct front *front)
{
	const char *name = name_of(f->path);
	const char *dot = strrchr(name, '.');
	struct parts p = {.folder = f->path,
		.folder_len = (size_t)(name - f->path),
		.name = name,
		.stem = dot != NULL ? (size_t)(dot - name) : strlen(name),
		.dated = is_dated(name),
		.front = front};
	p.index = p.stem == 5 && strncmp(name, "index", 5) == 0;
	int64_t at = front->published_at;
	if (at == 0)
		at = place_date(f->path);
	if (at == 0)
		at = f->modified_at;
	clock_civil(at, &p.year, &p.month, &p.day, NULL, NULL, NULL, NULL);
	/* The day as the author wrote it, whatever it is in Greenwich. */
	char dash = '\0';
	if (front->date != NULL && strlen(front->date) >= DATE_PREFIX - 1)
		dash = front->date[4];
	if (dash == '-' && front->date[7] == '-') {
		p.year = atoi(front->date);      /* NOLINT(cert-err34-c): it is a date already */
		p.month = atoi(front->date + 5); /* NOLINT(cert-err34-c) */
		p.day = atoi(front->date + 8);   /* NOLINT(cert-err34-c) */
	}
	return p;
}

/* '?', '#' and '%' in a file's name are part of it. */
static void add_name(struct buf *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (strchr("?#%\\", s[i]) != NULL)
			buf_addf(out, "%%%02X", (unsigned)s[i]);
		else
			buf_addc(out, s[i]);
	}
}

/* "A Title: of words" → "a-title-of-words". */
static void add_slug(struct buf *out, const char *s)
{
	bool gap = false;
	size_t start = out->len;
	for (; *s != '\0'; s++) {
		char c = text_lower(*s);
		bool keep = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
			    c == '.' || (unsigned char)c >= 0x80;
		if (keep && gap && out->len > start)
			buf_addc(out, '-');
		if (keep)
			buf_addc(out, c);
		gap = keep ? false : gap || c == ' ' || c == '-' || c == '/';
	}
}

static void add_stem(struct buf *out, const struct parts *p)
{
	size_t skip = p->dated ? DATE_PREFIX : 0;
	if (!p->index) {
		add_name(out, p->name + skip, p->stem - skip);
		return;
	}
	size_t end = p->folder_len > 0 ? p->folder_len - 1 : 0;
	size_t start = end;
	while (start > 0 && p->folder[start - 1] != '/')
		start--;
	skip = end - start > DATE_PREFIX && is_dated(p->folder + start) ? DATE_PREFIX : 0;
	add_name(out, p->folder + start + skip, end - start - skip);
}

static void add_sections(struct buf *out, const struct parts *p, bool first_only)
{
	size_t len = p->folder_len > 0 ? p->folder_len - 1 : 0;
	const char *slash = len > 0 ? memchr(p->folder, '/', len) : NULL;
	if (first_only && slash != NULL)
		len = (size_t)(slash - p->folder);
	add_name(out, p->folder, len);
}

static void add_categories(struct buf *out, const struct parts *p)
{
	for (size_t i = 0; i < p->front->sections.n; i++) {
		if (i > 0)
			buf_addc(out, '/');
		add_slug(out, p->front->sections.items[i]);
	}
}

static void add_title(struct buf *out, const struct parts *p)
{
	if (p->front->slug != NULL)
		buf_adds(out, p->front->slug);
	else if (p->front->title != NULL && !p->dated)
		add_slug(out, p->front->title);
	else
		add_stem(out, p);
}

static void add_part(struct buf *out, const struct parts *p, enum permalink_word word)
{
	switch (word) {
	case PERMALINK_YEAR:
		buf_addf(out, "%04d", p->year);
		break;
	case PERMALINK_SHORT_YEAR:
		buf_addf(out, "%02d", p->year % 100);
		break;
	case PERMALINK_MONTH:
		buf_addf(out, "%02d", p->month);
		break;
	case PERMALINK_SHORT_MONTH:
		buf_addf(out, "%d", p->month);
		break;
	case PERMALINK_DAY:
		buf_addf(out, "%02d", p->day);
		break;
	case PERMALINK_SHORT_DAY:
		buf_addf(out, "%d", p->day);
		break;
	case PERMALINK_TITLE:
		add_title(out, p);
		break;
	case PERMALINK_SLUG:
		p->front->slug != NULL ? buf_adds(out, p->front->slug) : add_stem(out, p);
		break;
	case PERMALINK_FILENAME:
		add_stem(out, p);
		break;
	case PERMALINK_SECTION:
	case PERMALINK_SECTIONS:
		add_sections(out, p, word == PERMALINK_SECTION);
		break;
	case PERMALINK_CATEGORIES:
		add_categories(out, p);
		break;
	case PERMALINK_UNKNOWN:
		break;
	}
}

/* An empty part leaves no "//" behind. NULL if a word in it is not known. */
static char *expand(const char *pattern, const struct parts *p)
{
	struct buf out = {0};
	for (const char *s = permalink_pattern(pattern); *s != '\0';) {
		enum permalink_word word;
		size_t n = *s == ':' ? permalink_word(s + 1, &word) : 0;
		if (*s == '/' && out.len > 0 && out.data[out.len - 1] == '/') {
			s++;
		} else if (n == 0) {
			buf_addc(&out, *s++);
		} else if (word != PERMALINK_UNKNOWN) {
			add_part(&out, p, word);
			s += n + 1;
		} else {
			buf_truncate(&out, 0);
			break;
		}
		if (*s == '\0')
			return buf_take(&out);
	}
	buf_free(&out);
	return NULL;
}

static bool is_pattern(const char *s)
{
	return strstr(s, "/:") != NULL || s[0] == ':' || permalink_pattern(s) != s;
}

/* The folder and the name, as it is without anything being said. */
static char *default_path(const struct parts *p)
{
	const char *slug = p->front->slug;
	size_t folder = p->folder_len;
	struct buf out = {0};
	bool html = p->name[p->stem] != '\0' && strncasecmp(p->name + p->stem, ".htm", 4) == 0;
	while (p->index && slug != NULL && folder > 0 &&
		(folder == p->folder_len || p->folder[folder - 1] != '/'))
		folder--;
	buf_adds(&out, "./");
	add_name(&out, p->folder, folder);
	if (html && slug == NULL) {
		add_name(&out, p->name, strlen(p->name));
		return buf_take(&out);
	}
	if (slug != NULL)
		buf_adds(&out, slug);
	else if (!p->index)
		add_name(&out, p->name, p->stem);
	if (slug != NULL || !p->index)
		buf_addc(&out, '/');
	return buf_take(&out);
}

/* Is the file in a folder of that name, or below one? */
static bool in_folder(const struct parts *p, const char *name)
{
	size_t n = strlen(name);
	for (size_t i = 0; i + n < p->folder_len; i++) {
		bool start = i == 0 || p->folder[i - 1] == '/';
		if (start && memcmp(p->folder + i, name, n) == 0 && p->folder[i + n] == '/')
			return true;
	}
	return false;
}

bool place_is_of_drafts(const char *path)
{
	struct parts p = {.folder = path, .folder_len = (size_t)(name_of(path) - path)};
	return in_folder(&p, "_drafts");
}

char *place_url(const struct source_file *f, const struct front *front)
{
	struct parts p = parts_of(f, front);
	const char *own = front->url;
	/* A template in place of an address tells nothing. */
	if (own != NULL && strstr(own, "{{") != NULL)
		own = NULL;
	if (own != NULL && !is_pattern(own))
		return source_url_absolute(own, f->base_url);
	if (f->base_url == NULL)
		return NULL;
	char *path = NULL;
	if (own != NULL)
		path = expand(own, &p);
	else if (f->permalink != NULL)
		path = expand(f->permalink, &p);
	else if (in_folder(&p, "_posts"))
		path = expand("date", &p);
	if (path == NULL)
		path = default_path(&p);
	char *url = source_url_absolute(path, f->base_url);
	free(path);
	return url;
}
