/* The words of address patterns. What each of them becomes for a post is known where posts are read
 * (daemon/source/place.c). */
#include "hubmail/base_permalink.h"

#include <string.h>

static const struct {
	const char *name;
	enum permalink_word word;
} words[] = {
	{"year", PERMALINK_YEAR},
	{"short_year", PERMALINK_SHORT_YEAR},
	{"month", PERMALINK_MONTH},
	{"i_month", PERMALINK_SHORT_MONTH},
	{"day", PERMALINK_DAY},
	{"i_day", PERMALINK_SHORT_DAY},
	{"title", PERMALINK_TITLE},
	{"slug", PERMALINK_SLUG},
	{"slugorfilename", PERMALINK_SLUG},
	{"slugorcontentbasename", PERMALINK_SLUG},
	{"filename", PERMALINK_FILENAME},
	{"name", PERMALINK_FILENAME},
	{"contentbasename", PERMALINK_FILENAME},
	{"section", PERMALINK_SECTION},
	{"sections", PERMALINK_SECTIONS},
	{"path", PERMALINK_SECTIONS},
	{"categories", PERMALINK_CATEGORIES},
};

size_t permalink_word(const char *s, enum permalink_word *word)
{
	size_t len = strspn(s, "abcdefghijklmnopqrstuvwxyz_");

	*word = PERMALINK_UNKNOWN;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i].name) == len && strncmp(words[i].name, s, len) == 0)
			*word = words[i].word;
	return len;
}

const char *permalink_pattern(const char *s)
{
	if (strcmp(s, "pretty") == 0)
		return "/:categories/:year/:month/:day/:title/";
	if (strcmp(s, "date") == 0)
		return "/:categories/:year/:month/:day/:title.html";
	if (strcmp(s, "none") == 0)
		return "/:categories/:title.html";
	return s;
}

/* Without one of these, posts of a month or a section would share an address. */
static bool tells_apart(enum permalink_word word)
{
	return word == PERMALINK_SLUG || word == PERMALINK_TITLE || word == PERMALINK_FILENAME;
}

bool permalink_check(const char *pattern, struct error *e)
{
	enum permalink_word word;
	bool apart = false;

	if (strstr(pattern, "://") != NULL)
		return error_set(e, ERROR_DATA,
			"names a host: begin with \"/\", the host is that of the url");
	for (const char *s = strchr(permalink_pattern(pattern), ':'); s != NULL;
		s = strchr(s, ':')) {
		size_t len = permalink_word(++s, &word);
		if (len > 0 && word == PERMALINK_UNKNOWN)
			return error_set(e, ERROR_DATA,
				"has a \":%.*s\", which is not known: use :year, :month, :day, "
				":title, :slug, :filename, :section, :sections, :categories",
				(int)(len < 40 ? len : 40), s);
		apart = apart || tells_apart(word);
		s += len;
	}
	return apart || error_set(e, ERROR_DATA,
				"gives all posts the same address: it needs a :slug, :title or "
				":filename");
}
