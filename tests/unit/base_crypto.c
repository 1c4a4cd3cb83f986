/* Secrets and what is made from them, and whole files. */
#include "hubmail/base_crypto.h"
#include "hubmail/base_file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void test_base64url_goes_there_and_back(void **state)
{
	unsigned char data[64], back[64];
	char text[96];

	(void)state;
	for (size_t len = 0; len <= sizeof(data); len++) {
		random_bytes(data, sizeof(data));
		base64url_encode(data, len, text);
		assert_int_equal(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					      "0123456789-_"),
			strlen(text));
		assert_int_equal(base64url_decode(text, strlen(text), back, sizeof(back)), len);
		assert_memory_equal(data, back, len);
	}
	assert_int_equal(base64url_decode("a", 1, back, sizeof(back)), -1);
	assert_int_equal(base64url_decode("ab+/", 4, back, sizeof(back)), -1);
	assert_int_equal(base64url_decode("abcd", 4, back, 2), -1);
}

static void test_known_answers(void **state)
{
	unsigned char out[32];
	char text[64];

	(void)state;
	sha256("abc", 3, out);
	base64url_encode(out, 32, text);
	assert_string_equal(text, "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
	/* RFC 4231, test case 2 */
	hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, out);
	assert_memory_equal(
		out, "\x5b\xdc\xc1\x46\xbf\x60\x75\x4e\x6a\x04\x24\x26\x08\x95\x75\xc7", 16);
}

static void test_a_token_names_one_reader_of_one_list_and_cannot_be_changed(void **state)
{
	struct secret secret = {{1, 2, 3}}, other = {{4}};
	char token[TOKEN_MAX], again[TOKEN_MAX];
	int64_t list, reader;

	(void)state;
	token_make(&secret, 7, 123456789, token);
	token_make(&secret, 7, 123456789, again);
	assert_string_equal(token, again);
	assert_true(token_check(&secret, token, &list, &reader));
	assert_int_equal(list, 7);
	assert_int_equal(reader, 123456789);
	assert_false(token_check(&other, token, &list, &reader));
	assert_false(token_check(&secret, "", &list, &reader));
	for (size_t i = 0; token[i] != '\0'; i++) {
		char c = token[i];
		token[i] = c == 'A' ? 'B' : 'A';
		assert_false(token_check(&secret, token, &list, &reader));
		token[i] = c;
	}
	token[strlen(token) - 1] = '\0';
	assert_false(token_check(&secret, token, &list, &reader));
}

static void test_one_deriver_makes_the_same_again_and_again(void **state)
{
	struct secret secret = {{1, 2, 3}};
	struct deriver *links = deriver_new(&secret, TOKEN_PURPOSE);
	struct deriver *ids = deriver_new(&secret, MESSAGE_ID_PURPOSE);
	char a[MESSAGE_ID_MAX], b[MESSAGE_ID_MAX];
	unsigned char key[32], mac[32], out[32];

	(void)state;
	for (int64_t reader = 1; reader < 1000; reader += 333) {
		token_make(&secret, 7, reader, a);
		token_make_by(links, 7, reader, b);
		assert_string_equal(a, b);
		message_id_make(&secret, 7, reader, "example.org", a);
		message_id_make_by(ids, 7, reader, "example.org", b);
		assert_string_equal(a, b);
	}
	/* By its definition. */
	hmac_sha256(secret.key, sizeof(secret.key), "hubmail links 1", 15, key);
	hmac_sha256(key, sizeof(key), "data", 4, mac);
	deriver_run(links, "data", 4, out);
	assert_memory_equal(out, mac, sizeof(mac));
	deriver_free(links);
	deriver_free(ids);
	deriver_free(NULL);
}

static void test_the_largest_ids_fit_into_a_token(void **state)
{
	struct secret secret = {{9}};
	char token[TOKEN_MAX];
	int64_t list, reader;

	(void)state;
	token_make(&secret, INT64_MAX, INT64_MAX, token);
	assert_true(strlen(token) < TOKEN_MAX);
	assert_true(token_check(&secret, token, &list, &reader));
	assert_int_equal(list, INT64_MAX);
	assert_int_equal(reader, INT64_MAX);
}

static void test_a_message_id_is_the_same_on_every_attempt_and_hides_the_reader(void **state)
{
	struct secret secret = {{9}};
	char a[MESSAGE_ID_MAX], b[MESSAGE_ID_MAX];

	(void)state;
	message_id_make(&secret, 17, 987654, "example.org", a);
	message_id_make(&secret, 17, 987654, "example.org", b);
	assert_string_equal(a, b);
	assert_null(strstr(a, "987654"));
	assert_non_null(strstr(a, "@example.org"));
	message_id_make(&secret, 17, 987655, "example.org", b);
	assert_string_not_equal(a, b);
	message_id_make(&secret, 18, 987654, "example.org", b);
	assert_string_not_equal(a, b);
}

static void test_the_secret_is_made_once_and_only_its_owner_may_read_it(void **state)
{
	char folder[] = "/tmp/hubmail-unit-XXXXXX", path[64];
	struct secret a, b;
	struct error e = {0};
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/secret", folder);
	assert_false(secret_load(path, false, &a, &e));
	assert_int_equal(e.code, ERROR_NOT_FOUND);
	assert_true(secret_load(path, true, &a, &e));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(secret_load(path, true, &b, &e));
	assert_memory_equal(&a, &b, sizeof(a));
	assert_true(file_write(path, "short\n", 6, 0600, &e));
	assert_false(secret_load(path, true, &b, &e));
	assert_int_equal(e.code, ERROR_DATA);
	unlink(path);
	rmdir(folder);
}

static void test_files_are_read_up_to_a_limit_and_written_whole(void **state)
{
	char folder[] = "/tmp/hubmail-unit-XXXXXX", path[64];
	struct error e = {0};
	struct buf b = {0};

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/file", folder);
	assert_false(file_read(path, 100, &b, &e));
	assert_int_equal(e.code, ERROR_NOT_FOUND);
	assert_true(file_write(path, "0123456789", 10, 0644, &e));
	assert_true(file_read(path, 10, &b, &e));
	assert_string_equal(buf_str(&b), "0123456789");
	assert_false(file_read(path, 9, &b, &e));
	assert_int_equal(e.code, ERROR_DATA);
	assert_false(file_read(folder, 100, &b, &e));
	assert_int_equal(e.code, ERROR_DATA);
	buf_free(&b);
	unlink(path);
	rmdir(folder);
}

/* RFC 2202 (3, case 2) and RFC 4231 (4.3). */
static void test_hmac_by_the_digests_name(void **state)
{
	static const char *const known[][2] = {{"sha1", "effcdf6a"}, {"sha256", "5bdcc146"},
		{"sha384", "af45d2e3"}, {"sha512", "164b7a7b"}};
	static const size_t lengths[] = {20, 32, 48, 64};
	static const char data[] = "what do ya want for nothing?";
	unsigned char mac[64];
	char start[9];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(
			hmac_by_name(known[i][0], "Jefe", 4, data, strlen(data), mac), lengths[i]);
		snprintf(start, sizeof(start), "%02x%02x%02x%02x", mac[0], mac[1], mac[2], mac[3]);
		assert_string_equal(start, known[i][1]);
	}
	assert_int_equal(hmac_by_name("md5", "Jefe", 4, data, strlen(data), mac), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64url_goes_there_and_back),
		cmocka_unit_test(test_known_answers),
		cmocka_unit_test(test_hmac_by_the_digests_name),
		cmocka_unit_test(test_a_token_names_one_reader_of_one_list_and_cannot_be_changed),
		cmocka_unit_test(test_one_deriver_makes_the_same_again_and_again),
		cmocka_unit_test(test_the_largest_ids_fit_into_a_token),
		cmocka_unit_test(
			test_a_message_id_is_the_same_on_every_attempt_and_hides_the_reader),
		cmocka_unit_test(test_the_secret_is_made_once_and_only_its_owner_may_read_it),
		cmocka_unit_test(test_files_are_read_up_to_a_limit_and_written_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
