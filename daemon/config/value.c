/* Checks of single values that need nothing but the value: words, names, paths, languages, senders.
 * What they refuse they quote, and they say what to write instead. */
#include "value.h"
#include "hubmail/base_address.h"
#include "hubmail/base_buf.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "hubmail/base_zone.h"
#include "hubmail/config.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHOWN_CHARS 60
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

bool value_refuse(struct error *e, const char *value, const char *fmt, ...)
{
	char reason[400];
	size_t shown = utf8_prefix(value, SHOWN_CHARS);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	return error_set(e, ERROR_CONFIG, "\"%.*s%s\" %s", (int)shown, value,
		value[shown] != '\0' ? "…" : "", reason);
}

static bool has_control_character(const char *value)
{
	size_t len = strlen(value);

	for (size_t i = 0; i < len;) {
		uint32_t cp = 0;
		i += utf8_decode(value + i, len - i, &cp);
		if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
			return true;
	}
	return false;
}

bool value_text(const char *value, size_t max, struct error *e)
{
	if (value[strspn(value, " ")] == '\0')
		return value_refuse(e, value, "is empty: give it a value or remove the setting");
	if (strlen(value) > max)
		return value_refuse(e, value, "has %zu bytes, more than %zu", strlen(value), max);
	if (!utf8_valid(value, strlen(value)))
		return value_refuse(e, value, "is not UTF-8");
	if (has_control_character(value))
		return value_refuse(e, value,
			"has a control character or a line break (is a quote missing before it?)");
	return true;
}

static void split_words(const char *words, struct strlist *out)
{
	while (*words != '\0') {
		size_t len = strcspn(words, ",");
		strlist_take(out, xstrndup(words, len));
		words += len;
		words += strspn(words, ", ");
	}
}

bool value_word(const char *value, const char *words, int *index, struct error *e)
{
	struct strlist list = {0};
	bool found = false;

	split_words(words, &list);
	for (size_t i = 0; i < list.n && !found; i++) {
		found = strcmp(list.items[i], value) == 0;
		*index = (int)i;
	}
	if (!found) {
		const char *meant = text_suggest(value, (const char *const *)list.items, list.n);
		value_refuse(e, value, "is none of: %s%s%s%s", words,
			meant != NULL ? " (did you mean \"" : "", meant != NULL ? meant : "",
			meant != NULL ? "\"?)" : "");
	}
	strlist_free(&list);
	return found;
}

bool value_path(const char *value, struct error *e)
{
	if (value[0] != '/')
		return value_refuse(e, value,
			"is a relative path: write it from the root, with a "
			"\"/\" at the beginning");
	if (text_ends(value, "/"))
		return value_refuse(e, value, "is a folder: the path of a file is expected");
	return true;
}

bool value_readable_file(const char *value, struct error *e)
{
	if (access(value, R_OK) == 0)
		return true;
	return value_refuse(e, value, "cannot be read: %s", strerror(errno));
}

bool value_password_file(const char *value, struct error *e)
{
	if (value[0] == '/')
		return value_path(value, e);
	if (strchr(value, '/') != NULL || value[0] == '.')
		return value_refuse(e, value,
			"is a relative path: write it from the root, or only the name of a file "
			"beside the configuration (or of a systemd credential)");
	return true;
}

/* Names that end up in file systems, logs and addresses: a first character out of `first`, the
 * others out of first and `further`. */
static bool is_name(const char *value, const char *first, const char *further)
{
	if (strspn(value, first) == 0)
		return false;
	while (*value != '\0' && (strchr(first, *value) != NULL || strchr(further, *value) != NULL))
		value++;
	return *value == '\0';
}

bool value_group_name(const char *value, struct error *e)
{
	if (is_name(value, LOWER UPPER "_", DIGITS "-"))
		return true;
	return value_refuse(e, value, "cannot be the name of a group");
}

bool value_group_exists(const char *value, struct error *e)
{
	if (getgrnam(value) != NULL)
		return true;
	return value_refuse(e, value, "is no group of this machine (groupadd makes one)");
}

bool value_relay_name(const char *value, struct error *e)
{
	if (is_name(value, LOWER UPPER DIGITS, "._-"))
		return true;
	return value_refuse(
		e, value, "cannot be a relay's name: use letters, digits, dots and hyphens");
}

bool value_list_name(const char *value, struct error *e)
{
	if (is_name(value, LOWER DIGITS, "-"))
		return true;
	return value_refuse(e, value,
		"cannot be a list's name: use small letters, digits and hyphens, with no hyphen "
		"at the beginning (the title may have anything)");
}

bool value_timezone(const char *value, struct error *e)
{
	bool starts_well = is_name(value, LOWER UPPER, DIGITS "+-_/");

	if (starts_well && !text_ends(value, "/") && strstr(value, "//") == NULL)
		return true;
	return value_refuse(e, value,
		"is not the name of a time zone: write it like \"Europe/Zurich\" or \"UTC\"");
}

bool value_timezone_exists(const char *value, struct error *e)
{
	struct zone *z = zone_load(value, e);

	zone_free(z);
	return z != NULL;
}

static size_t subtag_length(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]) && (unsigned char)s[n] < 0x80)
		n++;
	return n;
}

/* RFC 5646, 2.1, by its lengths: a language of letters, then subtags of up to 8 letters and digits,
 * of which a single one (an extension, or x) must be followed by another. */
static bool is_language_tag(const char *s)
{
	size_t n = strspn(s, LOWER UPPER);
	bool single = n == 1 && tolower((unsigned char)s[0]) == 'x';
	bool private_use = single;

	if (n != subtag_length(s) || n > 8 || (n < 2 && !single))
		return false;
	while (s[n] == '-') {
		s += n + 1;
		n = subtag_length(s);
		if (n == 0 || n > 8 || (n == 1 && single && !private_use))
			return false;
		single = n == 1 && !private_use;
		private_use = private_use || (n == 1 && tolower((unsigned char)s[0]) == 'x');
	}
	return s[n] == '\0' && !single;
}

bool value_language(const char *value, struct error *e)
{
	if (is_language_tag(value))
		return true;
	return value_refuse(e, value,
		"is not a language (BCP 47): write it like \"en\", \"pt-BR\" or \"zh-Hans\"%s",
		strchr(value, '_') != NULL ? ", with a hyphen" : "");
}

bool value_take_from(const char *value, void *list, struct error *e)
{
	struct config_list *l = list;
	char address[ADDRESS_MAX + 1];
	char *name = NULL;

	if (!address_parse_mailbox(value, &name, address, e))
		return false;
	l->from = xstrdup(value);
	l->from_name = name;
	memcpy(l->from_address, address, sizeof(l->from_address));
	return true;
}

bool value_take_reply_to(const char *value, void *list, struct error *e)
{
	struct config_list *l = list;
	char address[ADDRESS_MAX + 1];

	if (strchr(value, '<') != NULL)
		return value_refuse(e, value,
			"has more than an address: write it without a name, like "
			"\"editor@example.org\"");
	if (!address_normalise(value, address, e))
		return false;
	l->reply_to = xstrdup(address);
	return true;
}

bool value_take_schedule(const char *value, void *list, struct error *e)
{
	struct config_list *l = list;

	return config_parse_schedule(value, &l->schedule, e);
}

bool value_take_edition(const char *value, void *list, struct error *e)
{
	struct config_list *l = list;
	enum edition edition = EDITION_MANUAL;

	if (!edition_from_name(value, &edition))
		return value_refuse(e, value, "is no edition");
	if (l->offers[edition])
		return value_refuse(e, value, "stands there twice");
	l->offers[edition] = true;
	return true;
}
