/* The three mechanisms, as far as a test needs them: the name and the secret are compared with the
 * one pair that is right. */
#include "login.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DECODED_MAX 1024

/* base64 of at most DECODED_MAX bytes; NULs become '\n', so that the parts can be read as lines. */
static bool decode(const char *text, char out[DECODED_MAX + 3])
{
	size_t len = strlen(text), pad = 0;

	if (len == 0 || len % 4 != 0 || len / 4 * 3 > DECODED_MAX)
		return false;
	while (pad < 2 && text[len - 1 - pad] == '=')
		pad++;
	int n = EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)text, (int)len);
	if (n < 0)
		return false;
	n -= (int)pad;
	for (int i = 0; i < n; i++)
		if (out[i] == '\0')
			out[i] = '\n';
	out[n] = '\0';
	return true;
}

static bool ask(struct stream *s, const char *question, char out[DECODED_MAX + 3])
{
	struct buf line = {0};

	stream_put(s, question, strlen(question));
	bool ok = stream_line(s, &line) && decode(buf_str(&line), out);
	buf_free(&line);
	return ok;
}

static bool get_initial(
	struct stream *s, const char *given, const char *question, char out[DECODED_MAX + 3])
{
	return *given != '\0' ? decode(given, out) : ask(s, question, out);
}

static bool is_expected(const char *user, const char *secret, const char *expected)
{
	size_t n = strlen(user);

	return strncmp(user, expected, n) == 0 && expected[n] == ':' &&
	       strcmp(secret, expected + n + 1) == 0;
}

static bool plain(struct stream *s, const char *given, const char *expected)
{
	char text[DECODED_MAX + 3];

	if (!get_initial(s, given, "334 \r\n", text))
		return false;
	char *user = strchr(text, '\n');
	char *secret = user != NULL ? strchr(user + 1, '\n') : NULL;
	if (secret == NULL)
		return false;
	*secret = '\0';
	return is_expected(user + 1, secret + 1, expected);
}

static bool login_login(struct stream *s, const char *given, const char *expected)
{
	char user[DECODED_MAX + 3], secret[DECODED_MAX + 3];

	return get_initial(s, given, "334 VXNlcm5hbWU6\r\n", user) &&
	       ask(s, "334 UGFzc3dvcmQ6\r\n", secret) && is_expected(user, secret, expected);
}

/* "user=NAME^Aauth=Bearer TOKEN^A^A" */
static bool xoauth2(struct stream *s, const char *given, const char *expected)
{
	char text[DECODED_MAX + 3], user[256], token[768];

	return get_initial(s, given, "334 \r\n", text) &&
	       sscanf(text, "user=%255[^\001]\001auth=Bearer %767[^\001]", user, token) == 2 &&
	       is_expected(user, token, expected);
}

enum login_result login(struct stream *s, const char *arguments, const char *expected)
{
	static const struct {
		const char *name;
		bool (*check)(struct stream *s, const char *given, const char *expected);
	} mechanisms[] = {{"PLAIN", plain}, {"LOGIN", login_login}, {"XOAUTH2", xoauth2}};
	size_t len = strcspn(arguments, " ");
	const char *given = arguments + len + strspn(arguments + len, " ");

	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++) {
		if (strlen(mechanisms[i].name) != len ||
			strncasecmp(mechanisms[i].name, arguments, len) != 0)
			continue;
		bool right = mechanisms[i].check(s, given, expected);
		return s->broken ? LOGIN_BROKEN : right ? LOGIN_OK : LOGIN_WRONG;
	}
	return LOGIN_UNKNOWN;
}
