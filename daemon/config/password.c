/* Passwords come from files or systemd credentials, never from hubmail.conf, so that this may be
 * read by everybody. What was read is wiped from memory, and no message shows any of it. */
#include "password.h"
#include "hubmail/base_buf.h"
#include "hubmail/base_file.h"
#include "hubmail/base_mem.h"
#include "value.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PASSWORD_FILE_MAX ((size_t)4096)

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

/* The credential of that name. ERROR_NOT_FOUND if there is none, or an empty one: a unit has that
 * in place of a file that may be missing (SetCredential in systemd.exec(5)). */
static char *read_credential(const char *name, struct error *e)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");

	if (folder == NULL || folder[0] != '/') {
		error_set(e, ERROR_NOT_FOUND, "there are no credentials");
		return NULL;
	}
	char *path = xasprintf("%s/%s", folder, name);
	struct stat st;
	char *password = NULL;
	if (stat(path, &st) == 0 && st.st_size == 0)
		error_set(e, ERROR_NOT_FOUND, "%s is empty", path);
	else
		password = read_first_line(path, e);
	free(path);
	return password;
}

static char *read_path(const char *path, struct error *e)
{
	struct error second = {0};
	char *password = read_first_line(path, e);

	if (password == NULL && (e->code == ERROR_NOT_FOUND || e->code == ERROR_IO))
		password = read_credential(strrchr(path, '/') + 1, &second);
	if (password == NULL && e->code == ERROR_NOT_FOUND)
		error_set(e, ERROR_CONFIG,
			"there is no file %s: write the password into it, readable only for root "
			"(mode 0600)",
			path);
	else if (password == NULL && second.code != ERROR_NONE && second.code != ERROR_NOT_FOUND)
		*e = second;
	return password;
}

static char *read_name(const char *config_file, const char *name, struct error *e)
{
	char *password = read_credential(name, e);

	if (password != NULL || e->code != ERROR_NOT_FOUND)
		return password;
	char *folder = file_folder(config_file);
	char *path = xasprintf("%s/%s", folder, name);
	password = read_first_line(path, e);
	if (password == NULL && e->code == ERROR_NOT_FOUND)
		error_set(e, ERROR_CONFIG,
			"there is no systemd credential \"%s\" and no file %s: write the password "
			"into that file, readable only for root (mode 0600)",
			name, path);
	free(path);
	free(folder);
	return password;
}

char *password_read(const char *config_file, const char *from, struct error *e)
{
	struct error own = {0};
	char *password =
		from[0] == '/' ? read_path(from, &own) : read_name(config_file, from, &own);

	if (password == NULL)
		error_set(e, ERROR_CONFIG, "%s", own.text);
	return password;
}

void password_free(char *password)
{
	if (password != NULL)
		explicit_bzero(password, strlen(password));
	free(password);
}
