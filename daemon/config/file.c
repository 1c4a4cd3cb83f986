/* The files that a configuration is made of: hubmail.conf and conf.d/ beside it, read whole, looked
 * at for what libconfig would silently misread, and parsed. */
#include "file.h"
#include "hubmail/base_file.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX_BYTES (4u << 20)
#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

static void parse_text(struct reading *r, const char *name, const char *text, size_t len);

void files_parse(struct reading *r, const char *text, size_t len)
{
	parse_text(r, r->file, text, len);
}

static struct config_text *add_text(struct reading *r, const char *name)
{
	struct config_text *t = xcalloc(1, sizeof(*t));

	config_init(&t->parsed);
	/* hubmail has conf.d in place of @include: no file can be below this one. */
	config_set_include_dir(&t->parsed, "/dev/null");
	t->name = xstrdup(name);
	t->index = r->n_texts;
	r->texts = xreallocarray(r->texts, r->n_texts + 1, sizeof(struct config_text *));
	r->texts[r->n_texts++] = t;
	return t;
}

static unsigned line_of(const char *text, const char *at)
{
	unsigned line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

/* The first byte that is not part of UTF-8 text, or NULL. */
static const char *find_bad_byte(const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		uint32_t cp = 0;
		size_t n = utf8_decode(text + i, len - i, &cp);
		if (cp == 0 || (cp == 0xFFFD && n == 1))
			return text + i;
		i += n;
	}
	return NULL;
}

/* The end of the text in quotes that begins at s, or NULL if its line has no closing quote. */
static const char *skip_quoted(const char *s)
{
	for (s++; *s != '\0' && *s != '\n'; s++) {
		if (*s == '"')
			return s + 1;
		if (*s == '\\' && s[1] != '\0' && s[1] != '\n')
			s++;
	}
	return NULL;
}

/* libconfig reads over the end of the line to the next quote, and complains anywhere or not at all.
 * No setting has a text of several lines, so that the place where a quote was forgotten is known.
 * Returns it, or NULL. */
static const char *find_open(const char *s, const char **what)
{
	while (s != NULL && *s != '\0') {
		const char *start = s;
		if (*s == '#' || text_starts(s, "//")) {
			s += strcspn(s, "\n");
		} else if (text_starts(s, "/*")) {
			const char *end = strstr(s + 2, "*/");
			s = end != NULL ? end + 2 : NULL;
			*what = "a remark begins here with \"/*\" and does not end with \"*/\"";
		} else if (*s == '"') {
			s = skip_quoted(s);
			*what = "a text begins in this line and has no closing quote in it";
		} else {
			s++;
		}
		if (s == NULL)
			return start;
	}
	return NULL;
}

/* libconfig 1.5 takes no comma after the last item of a list, which is what people write. */
static bool has_comma_before_bracket(const char *text, unsigned line)
{
	char before = '\0';
	unsigned at = 1;

	for (; *text != '\0' && at <= line; text++) {
		if ((*text == ')' || *text == ']') && before == ',' && at == line)
			return true;
		at += *text == '\n';
		if (strchr(" \t\r\n", *text) == NULL)
			before = *text;
	}
	return false;
}

static void report_syntax(struct reading *r, const struct config_text *t, const char *text)
{
	const char *reason = config_error_text(&t->parsed);
	int line = config_error_line(&t->parsed);
	unsigned where = line > 0 ? (unsigned)line : 1;

	if (reason != NULL && strstr(reason, "include") != NULL)
		report_line(r, t, where,
			"@include is not supported: put the file into conf.d/ beside %s", r->file);
	else if (reason != NULL && strstr(reason, "duplicate") != NULL)
		report_line(r, t, where, "the setting in this line stands in its group twice");
	else if (reason != NULL && strstr(reason, "mismatched") != NULL)
		report_line(r, t, where,
			"the items of a list in [ ] must all be of the same type: use ( )");
	else if (reason != NULL && strstr(reason, "memory") != NULL)
		report_line(r, t, where, "brackets stand in one another too deeply");
	else if (has_comma_before_bracket(text, where))
		report_line(r, t, where,
			"syntax error: no \",\" may stand after the last item of a list");
	else
		report_line(r, t, where,
			"syntax error here or in the line before (a \";\", a \",\" between items or a "
			"bracket that is missing?)");
}

static void parse_text(struct reading *r, const char *name, const char *text, size_t len)
{
	struct config_text *t = add_text(r, name);
	const char *bad = find_bad_byte(text, len);
	const char *what = "the file is not UTF-8 text: save it as UTF-8";

	if (bad != NULL) {
		report_line(r, t, line_of(text, bad), "%s", what);
		return;
	}
	char *copy = xstrndup(text, len);
	const char *start =
		text_starts(copy, BYTE_ORDER_MARK) ? copy + strlen(BYTE_ORDER_MARK) : copy;
	const char *open = find_open(start, &what);
	if (open != NULL)
		report_line(r, t, line_of(start, open), "%s", what);
	else if (config_read_string(&t->parsed, start) == CONFIG_FALSE)
		report_syntax(r, t, start);
	free(copy);
}

/* False if there was nothing to parse. */
static bool read_file(struct reading *r, const char *path)
{
	struct buf text = {0};
	struct error e = {0};

	bool ok = file_read(path, FILE_MAX_BYTES, &text, &e);
	if (ok)
		parse_text(r, path, buf_str(&text), text.len);
	else if (e.code == ERROR_NOT_FOUND)
		report_line(r, add_text(r, path), 0,
			"there is no such file: write it (hubmail.conf(5) has an example) or name "
			"another one with -c");
	else if (e.code == ERROR_IO)
		report_line(r, add_text(r, path), 0,
			"it cannot be read (%s): run this as a user who may", strerror(errno));
	else
		report_line(r, add_text(r, path), 0,
			"it cannot be read: it is no regular file, or larger than %u bytes",
			FILE_MAX_BYTES);
	buf_free(&text);
	return ok;
}

static int is_configuration(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && text_ends(entry->d_name, ".conf");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void read_folder(struct reading *r, const char *folder)
{
	struct dirent **entries = NULL;
	int n = scandir(folder, &entries, is_configuration, by_name);

	if (n < 0 && errno != ENOENT && errno != ENOTDIR)
		report_line(r, add_text(r, folder), 0,
			"the folder cannot be read (%s): run this as a user who may",
			strerror(errno));
	for (int i = 0; i < n; i++) {
		char *path = xasprintf("%s/%s", folder, entries[i]->d_name);
		read_file(r, path);
		free(path);
		free(entries[i]);
	}
	free(entries);
}

void files_read(struct reading *r)
{
	char *beside = file_folder(r->file);
	char *folder = xasprintf("%s/conf.d", beside);

	if (read_file(r, r->file))
		read_folder(r, folder);
	free(folder);
	free(beside);
}

void files_free(struct reading *r)
{
	for (size_t i = 0; i < r->n_texts; i++) {
		config_destroy(&r->texts[i]->parsed);
		free(r->texts[i]->name);
		free(r->texts[i]);
	}
	free(r->texts);
}
