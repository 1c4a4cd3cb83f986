/* Signatures, judged by the examples of the RFCs and by somebody else's verifier (dkimpy). */
#include "hubmail/compose_dkim.h"
#include "../../daemon/compose/dkim_key.h"
#include "../../daemon/compose/rfc6376.h"
#include "compose_helper.h"
#include "hubmail/base_crypto.h"

#include <openssl/pem.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- The standards' examples ---- */

static void test_the_canonical_forms_are_those_of_rfc_6376(void **state)
{
	(void)state;
	struct buf out = {0};
	const char first[] = "A: X\r\n";
	const char second[] = "B : Y\t\r\n\tZ  \r\n";
	const char body[] = " C \r\nD \t E\r\n\r\n\r\n";
	relaxed_header(&out, first, strlen(first));
	relaxed_header(&out, second, strlen(second));
	assert_string_equal(out.data, "a:X\r\nb:Y Z\r\n");
	buf_truncate(&out, 0);
	relaxed_body(&out, body, strlen(body));
	assert_string_equal(out.data, " C\r\nD E\r\n");
	buf_free(&out);
}

static void test_an_empty_body_stays_empty_and_a_lost_line_end_is_added(void **state)
{
	(void)state;
	struct buf out = {0};
	relaxed_body(&out, "", 0);
	relaxed_body(&out, "\r\n \r\n\r\n", 7);
	assert_int_equal(out.len, 0);
	relaxed_body(&out, "a\r\n\r\nb", 6);
	assert_string_equal(out.data, "a\r\n\r\nb\r\n");
	buf_free(&out);
}

/* RFC 8463, appendix A. */
static const char rfc_ed25519[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
	"-----END PRIVATE KEY-----\n";
static const char rfc_rsa[] = "-----BEGIN RSA PRIVATE KEY-----\n"
			      "MIICXQIBAAKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQi\n"
			      "Y/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqM\n"
			      "KrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB\n"
			      "AoGAH0cxOhFZDgzXWhDhnAJDw5s4roOXN4OhjiXa8W7Y3rhX3FJqmJSPuC8N9vQm\n"
			      "6SVbaLAE4SG5mLMueHlh4KXffEpuLEiNp9Ss3O4YfLiQpbRqE7Tm5SxKjvvQoZZe\n"
			      "zHorimOaChRL2it47iuWxzxSiRMv4c+j70GiWdxXnxe4UoECQQDzJB/0U58W7RZy\n"
			      "6enGVj2kWF732CoWFZWzi1FicudrBFoy63QwcowpoCazKtvZGMNlPWnC7x/6o8Gc\n"
			      "uSe0ga2xAkEA8C7PipPm1/1fTRQvj1o/dDmZp243044ZNyxjg+/OPN0oWCbXIGxy\n"
			      "WvmZbXriOWoSALJTjExEgraHEgnXssuk7QJBALl5ICsYMu6hMxO73gnfNayNgPxd\n"
			      "WFV6Z7ULnKyV7HSVYF0hgYOHjeYe9gaMtiJYoo0zGN+L3AAtNP9huqkWlzECQE1a\n"
			      "licIeVlo1e+qJ6Mgqr0Q7Aa7falZ448ccbSFYEPD6oFxiOl9Y9se9iYHZKKfIcst\n"
			      "o7DUw1/hz2Ck4N5JrgUCQQCyKveNvjzkkd8HjYs0SwM0fPjK16//5qDZ2UiDGnOe\n"
			      "uEzxBDAr518Z8VFbR41in3W4Y3yCDgQlLlcETrS+zYcL\n"
			      "-----END RSA PRIVATE KEY-----\n";

#define RFC_FIELDS                                                                                 \
	"from:Joe SixPack <joe@football.example.com>\r\n"                                          \
	"to:Suzie Q <suzie@shopping.example.net>\r\n"                                              \
	"subject:Is dinner ready?\r\n"                                                             \
	"date:Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"                                           \
	"message-id:<20030712040037.46341.5F8J@football.example.com>\r\n"
#define RFC_BODY_HASH "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="

static void check_rfc_signature(const char *pem, const char *field, const char *expected)
{
	unsigned char hash[32], signature[DKIM_SIGNATURE_MAX], base64[DKIM_SIGNATURE_MAX * 2];
	struct dkim_hand hand;
	struct buf data = {0};
	struct error e = {0};
	EVP_PKEY *key = dkim_key_load(pem, "key", &e);
	if (key == NULL)
		fail_msg("%s", e.text);
	buf_adds(&data, RFC_FIELDS);
	relaxed_header(&data, field, strlen(field));
	sha256(data.data, data.len - 2, hash);
	dkim_hand_open(&hand, key);
	size_t len = dkim_hand_sign(&hand, hash, signature);
	EVP_EncodeBlock(base64, signature, (int)len);
	assert_string_equal((char *)base64, expected);
	dkim_hand_close(&hand);
	EVP_PKEY_free(key);
	buf_free(&data);
}

static void test_the_signatures_are_those_of_rfc_8463(void **state)
{
	(void)state;
	const char body[] = "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";
	unsigned char hash[32], base64[48];
	struct buf canonical = {0};
	relaxed_body(&canonical, body, strlen(body));
	sha256(canonical.data, canonical.len, hash);
	EVP_EncodeBlock(base64, hash, 32);
	assert_string_equal((char *)base64, RFC_BODY_HASH);
	buf_free(&canonical);
	check_rfc_signature(rfc_ed25519,
		"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
		" d=football.example.com; i=@football.example.com;\r\n"
		" q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
		" subject : date : message-id : from : subject : date;\r\n"
		" bh=" RFC_BODY_HASH ";\r\n b=\r\n",
		"/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp"
		"1Q1Dw==");
	check_rfc_signature(rfc_rsa,
		"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
		" d=football.example.com; i=@football.example.com;\r\n"
		" q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
		" date : message-id : from : subject : date;\r\n"
		" bh=" RFC_BODY_HASH ";\r\n b=\r\n",
		"F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3DhCVlUrSjV4BwcVcOF6+FF3Zo9"
		"Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2JzdA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ"
		"4FADY+8=");
}

/* ---- Whole messages, before dkimpy ---- */

/* Two keys that are made once for all tests. */
struct keys {
	char *rsa, *ed25519;
};

static int make_keys(void **state)
{
	struct keys *k = xcalloc(1, sizeof(*k));
	struct buf pem = {0};
	assert_true(dkim_keygen(DKIM_RSA, &pem, NULL));
	k->rsa = buf_take(&pem);
	assert_true(dkim_keygen(DKIM_ED25519, &pem, NULL));
	k->ed25519 = buf_take(&pem);
	*state = k;
	return 0;
}

static int free_keys(void **state)
{
	struct keys *k = *state;
	free(k->rsa);
	free(k->ed25519);
	free(k);
	return 0;
}

static const char judge[] =
	"import sys, dkim\n"
	"records = dict(zip(sys.argv[2::2], sys.argv[3::2]))\n"
	"def dns(name, timeout=5):\n"
	"    return records[name.decode().rstrip('.')].encode()\n"
	"d = dkim.DKIM(sys.stdin.buffer.read())\n"
	"n = sum(1 for name, value in d.headers if name.lower() == b'dkim-signature')\n"
	"good = n == int(sys.argv[1])\n"
	"for i in range(n):\n"
	"    try:\n"
	"        good = d.verify(idx=i, dnsfunc=dns) and good\n"
	"    except Exception as x:\n"
	"        print('judge:', x, file=sys.stderr); good = False\n"
	"sys.exit(0 if good else 1)\n";

static char *record(const char *pem)
{
	struct strlist strings = {0};
	struct buf out = {0};
	assert_true(dkim_dns_strings(pem, &strings, NULL));
	for (size_t i = 0; i < strings.n; i++) {
		assert_true(strlen(strings.items[i]) <= 255);
		buf_adds(&out, strings.items[i]);
	}
	strlist_free(&strings);
	return buf_take(&out);
}

static bool verified(const char *message, int signatures, const struct keys *k)
{
	char number[8];
	char *rsa = record(k->rsa);
	char *ed25519 = record(k->ed25519);
	FILE *in = tmpfile();
	assert_non_null(in);
	fputs(message, in);
	rewind(in);
	snprintf(number, sizeof(number), "%d", signatures);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(fileno(in), 0);
		execl("/usr/bin/python3", "python3", "-c", judge, number,
			"news._domainkey.example.org", rsa, "ed._domainkey.example.org", ed25519,
			(char *)NULL);
		_exit(127);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	fclose(in);
	free(rsa);
	free(ed25519);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* kinds: "r", "e" or "re". */
static struct dkim_signer *a_signer(const struct keys *k, const char *kinds)
{
	struct dkim_key_text texts[2];
	struct error e = {0};
	size_t n = 0;
	for (; kinds[n] != '\0'; n++)
		texts[n] = kinds[n] == 'r' ? (struct dkim_key_text){"news", k->rsa}
					   : (struct dkim_key_text){"ed", k->ed25519};
	struct dkim_signer *s = dkim_signer_new("example.org", texts, n, &e);
	if (s == NULL)
		fail_msg("%s", e.text);
	return s;
}

static struct compose_plan *a_signed_plan(struct dkim_signer *s)
{
	struct compose_options o = an_english_list();
	struct post posts[] = {an_english_post(), a_chinese_post()};
	struct error e = {0};
	o.full = true;
	struct compose_plan *p = compose(&o, posts, 2);
	if (!compose_plan_sign(p, s, &e))
		fail_msg("%s", e.text);
	return p;
}

static char *joined(const struct compose_message *m)
{
	struct buf out = {0};
	for (size_t i = 0; i < m->n_pieces; i++)
		buf_add(&out, m->pieces[i].iov_base, m->pieces[i].iov_len);
	assert_int_equal(out.len, m->size);
	return buf_take(&out);
}

static char *a_signed_message(const struct keys *k, const char *kinds)
{
	struct dkim_signer *s = a_signer(k, kinds);
	struct compose_plan *p = a_signed_plan(s);
	struct compose_reader r = a_reader();
	struct buf out = {0};
	dkim_signer_free(s); /* the plan keeps it */
	compose_render_flat(p, &r, &out);
	compose_plan_free(p);
	return buf_take(&out);
}

static void test_rsa_and_ed25519_and_both_verify(void **state)
{
	static const char *const kinds[] = {"r", "e", "re"};
	for (size_t i = 0; i < 3; i++) {
		char *message = a_signed_message(*state, kinds[i]);
		assert_true(text_starts(message, "DKIM-Signature: v=1; a="));
		if (!verified(message, (int)strlen(kinds[i]), *state))
			fail_msg("not verified:\n%.3000s", message);
		free(message);
	}
}

static void test_the_header_stays_within_76_columns(void **state)
{
	char *message = a_signed_message(*state, "re");
	for (const char *line = message; *line != '\r';) {
		const char *end = strstr(line, "\r\n");
		assert_non_null(end);
		assert_true(end - line <= 76);
		line = end + 2;
	}
	free(message);
}

static void test_what_readers_are_harmed_by_is_signed(void **state)
{
	static const struct {
		const char *from, *to;
	} changes[] = {
		{"\r\nFrom: B", "\r\nFrom: X"},
		{"/unsubscribe/AQ", "/unsubscribe/AX"},
		{"List-Unsubscribe=One-Click", "List-Unsubscribe=Two-Click"},
		{"<7.abc", "<8.abc"},
		{"reader@", "writer@"},
		{"\r\nSubject: A", "\r\nSubject: B"},
		{"Auto-Submitted: auto", "Auto-Submitted: otto"},
		{"boundary=\"=_", "boundary=\"=-"},
		{"<html lang=3D\"en\"", "<html lang=3D\"de\""},
		{"Precedence: bulk\r\n", "Subject: another\r\n"},
	};
	char *message = a_signed_message(*state, "e");
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		char *at = strstr(message, changes[i].from);
		assert_non_null(at);
		memcpy(at, changes[i].to, strlen(changes[i].to));
		if (verified(message, 1, *state))
			fail_msg("verified in spite of %s", changes[i].to);
		memcpy(at, changes[i].from, strlen(changes[i].from));
	}
	assert_true(verified(message, 1, *state));
	free(message);
}

static void test_a_second_from_or_reply_to_breaks_the_signature(void **state)
{
	static const char *const added[] = {"From: evil@example.net\r\n",
		"Reply-To: evil@example.net\r\n", "List-Unsubscribe: <https://evil.example>\r\n"};
	char *message = a_signed_message(*state, "e");
	for (size_t i = 0; i < 3; i++) {
		char *more = xasprintf("%s%s", added[i], message);
		assert_false(verified(more, 1, *state));
		free(more);
	}
	free(message);
}

static void test_the_same_scratch_serves_all_readers_and_changed_keys(void **state)
{
	static const struct compose_reader readers[] = {
		{"a@example.net", NULL, "A", "1@example.org"},
		{"b@example.net", "Lee,  \"Ann\" J.", "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB",
			"2@example.org"},
		{"c@example.net", "王小明王小明王小明王小明王小明王小明王小明王小明王小明", "C",
			"3.abcdefghijklmnopqrstuvwxyz.abcdefghijklmnopqrstuvwxyz.abcde@example.org"},
	};
	struct dkim_signer *one = a_signer(*state, "re");
	struct dkim_signer *two = a_signer(*state, "e");
	struct compose_plan *plans[] = {a_signed_plan(one), a_signed_plan(two)};
	struct compose_message m = {0};
	for (size_t i = 0; i < 6; i++) {
		compose_render(plans[i / 3], &readers[i % 3], &m);
		char *message = joined(&m);
		if (!verified(message, i < 3 ? 2 : 1, *state))
			fail_msg("not verified:\n%.3000s", message);
		free(message);
	}
	compose_message_free(&m);
	compose_plan_free(plans[0]);
	compose_plan_free(plans[1]);
	dkim_signer_free(one);
	dkim_signer_free(two);
}

static void test_a_plan_from_the_database_can_be_signed(void **state)
{
	struct dkim_signer *s = a_signer(*state, "e");
	struct compose_plan *p = a_signed_plan(s);
	struct compose_reader r = a_reader();
	struct buf bytes = {0}, out = {0};
	compose_plan_encode(p, &bytes);
	struct compose_plan *q = compose_plan_decode(bytes.data, bytes.len, NULL);
	assert_non_null(q);
	assert_true(compose_plan_sign(q, s, NULL));
	compose_render_flat(q, &r, &out);
	assert_true(verified(out.data, 1, *state));
	buf_free(&bytes);
	buf_free(&out);
	compose_plan_free(p);
	compose_plan_free(q);
	dkim_signer_free(s);
}

/* ---- Many threads ---- */

struct worker {
	pthread_t thread;
	const struct compose_plan *plan;
	struct compose_message m;
};

static void *render_some(void *arg)
{
	struct worker *w = arg;
	struct compose_reader r = a_reader();
	for (int i = 0; i < 20; i++)
		compose_render(w->plan, &r, &w->m);
	return NULL;
}

static void test_threads_share_a_plan(void **state)
{
	struct dkim_signer *s = a_signer(*state, "re");
	struct compose_plan *p = a_signed_plan(s);
	struct worker workers[4] = {0};
	for (size_t i = 0; i < 4; i++) {
		workers[i].plan = p;
		assert_int_equal(
			pthread_create(&workers[i].thread, NULL, render_some, &workers[i]), 0);
	}
	for (size_t i = 0; i < 4; i++) {
		pthread_join(workers[i].thread, NULL);
		char *message = joined(&workers[i].m);
		assert_true(verified(message, 2, *state));
		free(message);
		compose_message_free(&workers[i].m);
	}
	compose_plan_free(p);
	dkim_signer_free(s);
}

/* ---- Keys ---- */

static void refused(const char *domain, const struct dkim_key_text *keys, size_t n, const char *why)
{
	struct error e = {0};
	assert_null(dkim_signer_new(domain, keys, n, &e));
	assert_int_equal(e.code, ERROR_CONFIG);
	assert_contains(e.text, why);
}

/* A key of another kind, as PEM; the caller's. */
static char *pem_of(EVP_PKEY *key, const char *passphrase)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *data = NULL;
	assert_non_null(key);
	assert_true(PEM_write_bio_PKCS8PrivateKey(out, key,
		passphrase != NULL ? EVP_aes_128_cbc() : NULL, passphrase,
		passphrase != NULL ? (int)strlen(passphrase) : 0, NULL, NULL));
	long len = BIO_get_mem_data(out, &data);
	char *pem = xstrndup(data, (size_t)len);
	BIO_free(out);
	EVP_PKEY_free(key);
	return pem;
}

static void test_what_is_wrong_with_a_key_is_said(void **state)
{
	const struct keys *k = *state;
	char *curve = pem_of(EVP_EC_gen("P-256"), NULL);
	char *weak = pem_of(EVP_RSA_gen(512), NULL);
	char *locked = pem_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), "secret");
	refused("example.org", (struct dkim_key_text[]){{"s", "nonsense"}}, 1, "no private key");
	refused("example.org", (struct dkim_key_text[]){{"s", curve}}, 1, "neither");
	refused("example.org", (struct dkim_key_text[]){{"s", weak}}, 1, "512 bits");
	refused("example.org", (struct dkim_key_text[]){{"s", locked}}, 1, "passphrase");
	refused("example.org", (struct dkim_key_text[]){{"s", k->rsa}, {"S", k->ed25519}}, 2,
		"each needs its own");
	refused("no domain", (struct dkim_key_text[]){{"s", k->rsa}}, 1, "domain");
	refused("example.org", (struct dkim_key_text[]){{"s;x", k->rsa}}, 1, "selector");
	refused("example.org", NULL, 0, "one key");
	free(curve);
	free(weak);
	free(locked);
}

static void test_the_record_publishes_the_public_half(void **state)
{
	const struct keys *k = *state;
	struct buf line = {0};
	char *rsa = record(k->rsa);
	char *rfc = record(rfc_ed25519);
	assert_true(text_starts(rsa, "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"));
	assert_string_equal(
		rfc, "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
	assert_true(dkim_dns_line("example.org", "ed", rfc_ed25519, &line, NULL));
	assert_string_equal(line.data, "ed._domainkey.example.org. IN TXT ( \"v=DKIM1; k=ed25519; "
				       "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\" )");
	buf_truncate(&line, 0);
	assert_true(dkim_dns_line("example.org", "news", k->rsa, &line, NULL));
	assert_contains(line.data, "\" \"");
	buf_free(&line);
	free(rsa);
	free(rfc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_canonical_forms_are_those_of_rfc_6376),
		cmocka_unit_test(test_an_empty_body_stays_empty_and_a_lost_line_end_is_added),
		cmocka_unit_test(test_the_signatures_are_those_of_rfc_8463),
		cmocka_unit_test(test_rsa_and_ed25519_and_both_verify),
		cmocka_unit_test(test_the_header_stays_within_76_columns),
		cmocka_unit_test(test_what_readers_are_harmed_by_is_signed),
		cmocka_unit_test(test_a_second_from_or_reply_to_breaks_the_signature),
		cmocka_unit_test(test_the_same_scratch_serves_all_readers_and_changed_keys),
		cmocka_unit_test(test_a_plan_from_the_database_can_be_signed),
		cmocka_unit_test(test_threads_share_a_plan),
		cmocka_unit_test(test_what_is_wrong_with_a_key_is_said),
		cmocka_unit_test(test_the_record_publishes_the_public_half),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
