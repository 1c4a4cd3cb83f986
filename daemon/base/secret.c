/* The file with the secret: made once, never changed, for every link that was ever mailed depends
 * on it. */
#include "hubmail/base_crypto.h"
#include "hubmail/base_file.h"
#include "hubmail/base_mem.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEX_LEN 64

static bool read_secret(const char *path, struct secret *out, struct error *e);
static bool make_secret(const char *path, struct error *e);

bool secret_load(const char *path, bool create, struct secret *out, struct error *e)
{
	struct error first = {0};
	if (read_secret(path, out, &first))
		return true;
	if (first.code != ERROR_NOT_FOUND || !create)
		return error_set(e, first.code, "%s", first.text);
	return make_secret(path, e) && read_secret(path, out, e);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_secret(const char *path, struct secret *out, struct error *e)
{
	struct buf text = {0};
	if (!file_read(path, 4096, &text, e)) {
		buf_free(&text);
		return false;
	}
	bool ok = text.len == HEX_LEN + 1 && text.data[HEX_LEN] == '\n';
	for (size_t i = 0; ok && i < sizeof(out->key); i++) {
		int high = hex_value(text.data[2 * i]);
		int low = hex_value(text.data[2 * i + 1]);
		ok = high >= 0 && low >= 0;
		out->key[i] = (unsigned char)(ok ? high << 4 | low : 0);
	}
	if (text.data != NULL)
		OPENSSL_cleanse(text.data, text.cap);
	buf_free(&text);
	if (!ok)
		return error_set(e, ERROR_DATA,
			"%s: the secret should be 64 hex digits and a newline", path);
	return true;
}

/* Two processes may do this at once: the first to give its file the name wins, and both read that
 * one. */
static bool make_secret(const char *path, struct error *e)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char key[32];
	char text[HEX_LEN + 1];
	random_bytes(key, sizeof(key));
	for (size_t i = 0; i < sizeof(key); i++) {
		text[2 * i] = hex[key[i] >> 4];
		text[2 * i + 1] = hex[key[i] & 15];
	}
	text[HEX_LEN] = '\n';

	char *beside = xasprintf("%s.XXXXXX", path);
	int fd = mkostemp(beside, O_CLOEXEC);
	bool ok = fd >= 0 && fchmod(fd, 0600) == 0 && file_give_to_folder(fd, path) &&
		  write(fd, text, sizeof(text)) == (ssize_t)sizeof(text) && fsync(fd) == 0 &&
		  (renameat2(AT_FDCWD, beside, AT_FDCWD, path, RENAME_NOREPLACE) == 0 ||
			  errno == EEXIST);
	int failure = errno;
	if (fd >= 0) {
		close(fd);
		unlink(beside); /* the loser's; the winner's has another name by now */
	}
	free(beside);
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(text, sizeof(text));
	if (!ok)
		return error_set(
			e, ERROR_IO, "%s: the secret cannot be made: %s", path, strerror(failure));
	return true;
}
