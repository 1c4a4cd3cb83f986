/* E-mail addresses. Everything that ends up in an SMTP command passes here, so the rule is a list
 * of what is allowed and never one of what is forbidden. */
#include "hubmail/base_address.h"
#include "hubmail/base_buf.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"

#include <idn2.h>
#include <stdlib.h>
#include <string.h>

#define LOCAL_MAX 64
#define DOMAIN_MAX 255
#define LABEL_MAX 63

static const char *check_local(const char *s, size_t len);
static const char *normalise_domain(const char *s, char out[DOMAIN_MAX + 1]);

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool refuse(struct error *e, const char *text, const char *reason)
{
	size_t shown = utf8_prefix(text, 100);
	return error_set(e, ERROR_DATA, "\"%.*s%s\" is not an e-mail address that can be used: %s",
		(int)shown, text, text[shown] != '\0' ? "…" : "", reason);
}

bool address_normalise(const char *text, char out[ADDRESS_MAX + 1], struct error *e)
{
	const char *start = text;
	while (is_space(*start))
		start++;
	size_t len = strlen(start);
	while (len > 0 && is_space(start[len - 1]))
		len--;
	if (len == 0)
		return refuse(e, text, "it is empty");
	if (len > LOCAL_MAX + 1 + 4 * DOMAIN_MAX)
		return refuse(e, text, "it is too long");
	if (start[0] == '"')
		return refuse(e, text, "a local part in quotes is not supported");
	const char *at = memchr(start, '@', len);
	if (at == NULL)
		return refuse(e, text, "it has no \"@\"");

	size_t local = (size_t)(at - start);
	const char *reason = check_local(start, local);
	if (reason != NULL)
		return refuse(e, text, reason);

	char raw[4 * DOMAIN_MAX + LOCAL_MAX + 1];
	char domain[DOMAIN_MAX + 1];
	size_t raw_len = len - local - 1;
	memcpy(raw, at + 1, raw_len);
	raw[raw_len] = '\0';
	reason = normalise_domain(raw, domain);
	if (reason != NULL)
		return refuse(e, text, reason);

	size_t domain_len = strlen(domain);
	if (local + 1 + domain_len > ADDRESS_MAX)
		return refuse(e, text, "it is longer than 254 bytes");
	memcpy(out, start, local + 1);
	memcpy(out + local + 1, domain, domain_len + 1);
	return true;
}

bool address_is_normal(const char *text)
{
	char normal[ADDRESS_MAX + 1];
	return address_normalise(text, normal, NULL) && strcmp(text, normal) == 0;
}

const char *address_domain(const char *address)
{
	const char *at = strrchr(address, '@');
	return at != NULL ? at + 1 : address + strlen(address);
}

/* With strcasecmp() I and i are two letters in Turkey. */
int address_compare(const char *a, const char *b)
{
	for (; *a != '\0' && text_lower(*a) == text_lower(*b); a++)
		b++;
	return (unsigned char)text_lower(*a) - (unsigned char)text_lower(*b);
}

/* atext of RFC 5322, 3.2.3 */
static bool is_atext(char c)
{
	return is_letter_or_digit(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Returns what is wrong with the local part, or NULL. */
static const char *check_local(const char *s, size_t len)
{
	if (len == 0)
		return "nothing stands before the \"@\"";
	if (len > LOCAL_MAX)
		return "the part before the \"@\" is longer than 64 bytes";
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '.' && (i == 0 || i + 1 == len || s[i + 1] == '.'))
			return "a dot stands at the beginning or end of the part before the \"@\", or "
			       "beside another dot";
		if ((unsigned char)s[i] >= 0x80)
			return "the part before the \"@\" has characters outside ASCII (SMTPUTF8 is not "
			       "supported)";
		if (is_space(s[i]))
			return "it contains white space";
		if (s[i] == '<' || s[i] == '>')
			return "it contains an angle bracket";
		if (s[i] != '.' && !is_atext(s[i]))
			return "the part before the \"@\" has a character that is not allowed there";
	}
	return NULL;
}

static const char *check_label(const char *s, size_t len)
{
	if (len == 0)
		return "the domain has an empty part";
	if (len > LABEL_MAX)
		return "a part of the domain is longer than 63 bytes";
	if (s[0] == '-' || s[len - 1] == '-')
		return "a part of the domain begins or ends with a hyphen";
	for (size_t i = 0; i < len; i++) {
		if (!is_letter_or_digit(s[i]) && s[i] != '-')
			return "the domain has a character that is not allowed there";
	}
	return NULL;
}

/* Checks an ASCII domain and puts it into lower case. */
static const char *check_domain(char *s)
{
	const char *last = NULL;
	size_t labels = 0;
	for (const char *label = s; label != NULL; labels++) {
		size_t len = strcspn(label, ".");
		const char *reason = check_label(label, len);
		if (reason != NULL)
			return reason;
		last = label;
		label = label[len] == '.' ? label + len + 1 : NULL;
	}
	if (labels < 2)
		return "the domain has no dot";
	if (last[strspn(last, "0123456789")] == '\0')
		return "the domain ends in a number";
	for (; *s != '\0'; s++) {
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
	}
	return NULL;
}

/* Returns what is wrong, or NULL and the domain in lower-case ASCII. */
static const char *normalise_domain(const char *s, char out[DOMAIN_MAX + 1])
{
	bool ascii = true;
	for (const char *p = s; *p != '\0'; p++) {
		if (is_space(*p))
			return "it contains white space";
		if (*p == '@')
			return "it has more than one \"@\"";
		if ((unsigned char)*p >= 0x80)
			ascii = false;
	}
	if (s[0] == '\0')
		return "nothing stands after the \"@\"";
	if (s[0] == '[')
		return "an address literal in place of a domain is not supported";

	char *converted = NULL;
	if (!ascii) {
		if (!utf8_valid(s, strlen(s)) ||
			idn2_to_ascii_8z(s, &converted, IDN2_NONTRANSITIONAL) != IDN2_OK)
			return "the domain is not a valid internationalised name";
		s = converted;
	}
	const char *reason = NULL;
	if (strlen(s) > DOMAIN_MAX) {
		reason = "the domain is longer than 255 bytes";
	} else {
		memcpy(out, s, strlen(s) + 1);
		reason = check_domain(out);
	}
	idn2_free(converted);
	return reason;
}

/* Reads the display name before the '<', with its quoted strings, into name. Returns what is wrong,
 * or NULL and the '<' in *rest (NULL in *rest if there is none). */
static const char *scan_name(const char *text, struct buf *name, const char **rest)
{
	bool quoted = false;
	const char *s = text;
	for (; *s != '\0' && (quoted || *s != '<'); s++) {
		if (*s == '"') {
			quoted = !quoted;
			continue;
		}
		if (quoted && *s == '\\' && s[1] != '\0')
			s++;
		buf_addc(name, *s);
	}
	if (quoted)
		return "the quotes around the name are not closed";
	*rest = *s == '<' ? s : NULL;
	return NULL;
}

bool address_parse_mailbox(
	const char *text, char **name, char address[ADDRESS_MAX + 1], struct error *e)
{
	struct buf display = {0};
	const char *open = NULL;
	char *inner = NULL;
	char *line = NULL;
	bool ok = false;
	*name = NULL;
	if (!utf8_valid(text, strlen(text))) {
		refuse(e, "", "it is not UTF-8");
		goto cleanup;
	}
	const char *reason = scan_name(text, &display, &open);
	if (reason != NULL) {
		refuse(e, text, reason);
		goto cleanup;
	}
	if (open == NULL) {
		ok = address_normalise(text, address, e);
		goto cleanup;
	}

	inner = xstrdup(open + 1);
	char *end = text_trim(inner);
	size_t len = strlen(end);
	if (len == 0 || end[len - 1] != '>') {
		refuse(e, text, "nothing may stand after the \">\", and there must be one");
		goto cleanup;
	}
	end[len - 1] = '\0';
	if (!address_normalise(end, address, e))
		goto cleanup;
	line = text_one_line(buf_str(&display));
	if (line[0] != '\0') {
		*name = line;
		line = NULL;
	}
	ok = true;
cleanup:
	free(line);
	free(inner);
	buf_free(&display);
	return ok;
}
