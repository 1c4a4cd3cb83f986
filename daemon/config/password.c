/* Passwords and keys come from files or systemd credentials, never from hubmail.conf, so that this
 * may be read by everybody. What was read is wiped from memory, and no message shows any of it. */
#include "password.h"
#include "hubmail/base_buf.h"
#include "hubmail/base_file.h"
#include "hubmail/base_mem.h"
#include "value.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PASSWORD_FILE_MAX ((size_t)4096)
#define KEY_FILE_MAX ((size_t)16384)

static bool check(const char *path, const char *password, size_t len, struct error *e)
{
	if (len == 0)
		return error_set(e, ERROR_CONFIG,
			"%s is empty: its first line should be the password", path);
	if (len > LOGIN_LIMIT)
		return error_set(e, ERROR_CONFIG,
			"the first line of %s has more than %d bytes, too many for a password",
			path, LOGIN_LIMIT);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)password[i] < 0x20 || password[i] == 0x7f)
			return error_set(e, ERROR_CONFIG,
				"the first line of %s has a control character, which no password "
				"may have",
				path);
	return true;
}

/* How the content of a file becomes a secret. */
typedef char *read_fn(const char *path, struct error *e);

static char *read_all(const char *path, struct error *e)
{
	struct buf text = {0};
	char *all = NULL;

	buf_reserve(&text, 4 * KEY_FILE_MAX);
	if (file_read(path, KEY_FILE_MAX, &text, e))
		all = xstrndup(text.data, text.len);
	explicit_bzero(text.data, text.cap);
	buf_free(&text);
	return all;
}

static char *read_first_line(const char *path, struct error *e)
{
	struct buf text = {0};
	char *password = NULL;

	/* Room for all of it at once: growing would leave copies behind. */
	buf_reserve(&text, 4 * PASSWORD_FILE_MAX);
	if (file_read(path, PASSWORD_FILE_MAX, &text, e)) {
		const char *end = memchr(text.data, '\n', text.len);
		size_t len = end != NULL ? (size_t)(end - text.data) : text.len;
		if (len > 0 && text.data[len - 1] == '\r')
			len--;
		if (check(path, text.data, len, e))
			password = xstrndup(text.data, len);
	}
	explicit_bzero(text.data, text.cap);
	buf_free(&text);
	return password;
}

/* The credential of that name. ERROR_NOT_FOUND if there is none, or one that holds nothing but an
 * end of line: a unit has that in place of a file that may be missing (SetCredential in
 * systemd.exec(5), which takes no empty one). */
static char *read_credential(const char *name, read_fn *read, struct error *e)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");

	if (folder == NULL || folder[0] != '/') {
		error_set(e, ERROR_NOT_FOUND, "there are no credentials");
		return NULL;
	}
	char *path = xasprintf("%s/%s", folder, name);
	struct stat st;
	char *password = NULL;
	if (stat(path, &st) == 0 && st.st_size <= 1)
		error_set(e, ERROR_NOT_FOUND, "%s is empty", path);
	else
		password = read(path, e);
	free(path);
	return password;
}

static char *read_path(const char *path, const char *what, read_fn *read, struct error *e)
{
	struct error second = {0};
	char *password = read(path, e);

	if (password == NULL && (e->code == ERROR_NOT_FOUND || e->code == ERROR_IO))
		password = read_credential(strrchr(path, '/') + 1, read, &second);
	if (password == NULL && e->code == ERROR_NOT_FOUND)
		error_set(e, ERROR_CONFIG,
			"there is no file %s: write the %s into it, readable only for root "
			"(mode 0600)",
			path, what);
	else if (password == NULL && second.code != ERROR_NONE && second.code != ERROR_NOT_FOUND)
		*e = second;
	return password;
}

static char *read_name(
	const char *config_file, const char *name, const char *what, read_fn *read, struct error *e)
{
	char *password = read_credential(name, read, e);

	if (password != NULL || e->code != ERROR_NOT_FOUND)
		return password;
	char *folder = file_folder(config_file);
	char *path = xasprintf("%s/%s", folder, name);
	password = read(path, e);
	if (password == NULL && e->code == ERROR_NOT_FOUND)
		error_set(e, ERROR_CONFIG,
			"there is no systemd credential \"%s\" and no file %s: write the %s "
			"into that file, readable only for root (mode 0600)",
			name, path, what);
	free(path);
	free(folder);
	return password;
}

static char *read_secret(
	const char *config_file, const char *from, const char *what, read_fn *read, struct error *e)
{
	struct error own = {0};
	char *secret = from[0] == '/' ? read_path(from, what, read, &own)
				      : read_name(config_file, from, what, read, &own);

	/* A file of root's alone is the usual thing, and the daemon is not root. */
	if (secret == NULL && own.code == ERROR_IO && geteuid() != 0)
		error_set(e, ERROR_CONFIG,
			"%s: give it to the service as a credential (LoadCredential= in `systemctl "
			"edit hubmaild`), or let the daemon's user read it",
			own.text);
	else if (secret == NULL)
		error_set(e, ERROR_CONFIG, "%s", own.text);
	return secret;
}

char *password_read(const char *config_file, const char *from, struct error *e)
{
	return read_secret(config_file, from, "password", read_first_line, e);
}

char *key_read(const char *config_file, const char *from, struct error *e)
{
	return read_secret(
		config_file, from, "key (hubmailctl dkim keygen makes one)", read_all, e);
}

void password_free(char *password)
{
	if (password != NULL)
		explicit_bzero(password, strlen(password));
	free(password);
}
