/* The fetcher over TLS: an authority of the test's own signs certificates for a small server in a
 * thread, and the fetcher must tell the right one from the wrong ones. */
#include "source_fetch_helper.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct authority {
	EVP_PKEY *key;
	X509 *certificate;
};

struct tls_server {
	SSL_CTX *context;
	pthread_t thread;
	int listener, port;
	char reply[256], request[2048];
};

static void add_extension(X509 *to, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;

	X509V3_set_ctx(&context, issuer, to, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	assert_non_null(e);
	X509_add_ext(to, e, -1);
	X509_EXTENSION_free(e);
}

/* Signed by `by`, or by itself if that is NULL. name: a host, or NULL for an authority. */
static struct authority certify(const struct authority *by, const char *name, long valid_s)
{
	struct authority a = {EVP_EC_gen("P-256"), X509_new()};
	X509_NAME *subject = X509_get_subject_name(a.certificate);
	char alternative[128];

	X509_set_version(a.certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(a.certificate), name != NULL ? 2 : 1);
	X509_gmtime_adj(X509_getm_notBefore(a.certificate), -86400);
	X509_gmtime_adj(X509_getm_notAfter(a.certificate), valid_s);
	X509_set_pubkey(a.certificate, a.key);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
		(const unsigned char *)(name != NULL ? name : "Test Authority"), -1, -1, 0);
	X509_set_issuer_name(
		a.certificate, by != NULL ? X509_get_subject_name(by->certificate) : subject);
	snprintf(alternative, sizeof(alternative), "DNS:%s", name);
	if (name != NULL)
		add_extension(a.certificate, by->certificate, NID_subject_alt_name, alternative);
	else
		add_extension(
			a.certificate, a.certificate, NID_basic_constraints, "critical,CA:TRUE");
	assert_true(X509_sign(a.certificate, by != NULL ? by->key : a.key, EVP_sha256()) > 0);
	return a;
}

static void authority_free(struct authority *a)
{
	EVP_PKEY_free(a->key);
	X509_free(a->certificate);
}

/* Serves one connection. */
static void *serve_tls(void *arg)
{
	struct tls_server *s = arg;
	int fd = accept(s->listener, NULL, NULL);
	SSL *ssl = SSL_new(s->context);

	SSL_set_fd(ssl, fd);
	if (fd >= 0 && SSL_accept(ssl) == 1) {
		int n = SSL_read(ssl, s->request, sizeof(s->request) - 1);
		s->request[n > 0 ? n : 0] = '\0';
		SSL_write(ssl, s->reply, (int)strlen(s->reply));
		SSL_shutdown(ssl);
	}
	SSL_free(ssl);
	if (fd >= 0)
		close(fd);
	return NULL;
}

static struct tls_server *tls_server_start(const struct authority *a, const char *reply)
{
	struct tls_server *s = xcalloc(1, sizeof(*s));
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);

	snprintf(s->reply, sizeof(s->reply), "%s", reply);
	s->context = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate(s->context, a->certificate);
	SSL_CTX_use_PrivateKey(s->context, a->key);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(s->listener, 4), 0);
	getsockname(s->listener, (struct sockaddr *)&at, &len);
	s->port = ntohs(at.sin_port);
	pthread_create(&s->thread, NULL, serve_tls, s);
	return s;
}

static void tls_server_stop(struct tls_server *s)
{
	shutdown(s->listener, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->listener);
	SSL_CTX_free(s->context);
	free(s);
}

/* Asks blog.test, whose server has a certificate for `name`. ca: what the fetcher is told to trust.
 */
static void ask(struct fixture *f, const char *name, long valid_s, const char *ca)
{
	struct authority top = certify(NULL, NULL, 86400), host = certify(&top, name, valid_s);
	char path[] = "/tmp/hubmail-unit-XXXXXX";
	int fd = mkstemp(path), before = f->calls;
	FILE *out = fdopen(fd, "w");

	PEM_write_X509(out, top.certificate);
	fclose(out);
	struct tls_server *s = tls_server_start(
		&host, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
	snprintf(f->url, sizeof(f->url), "https://blog.test:%d/feed", s->port);
	f->request.url = f->url;
	f->request.ca_file = ca != NULL ? ca : path;
	fetch_start(f->fetcher, &f->request, on_answer, f);
	wait_for(f, &f->calls, before + 1);
	unlink(path);
	tls_server_stop(s);
	authority_free(&top);
	authority_free(&host);
}

static void test_an_authority_of_ones_own_can_be_trusted(void **state)
{
	struct fixture *f = *state;

	ask(f, "blog.test", 86400, NULL);
	assert_success(f, 200);
	assert_string_equal(buf_str(&f->body), "ok");
}

static void test_a_certificate_must_be_signed_by_one_who_is_trusted(void **state)
{
	struct fixture *f = *state;

	ask(f, "blog.test", 86400, "/etc/ssl/certs/ca-certificates.crt");
	assert_false(f->has_answer);
	assert_failure(f, ERROR_IO, "blog.test: its certificate cannot be trusted");
}

static void test_a_certificate_must_be_for_that_host(void **state)
{
	struct fixture *f = *state;

	ask(f, "other.test", 86400, NULL);
	assert_failure(f, ERROR_IO, "blog.test: its certificate cannot be trusted");
}

static void test_a_certificate_must_not_be_past_its_time(void **state)
{
	struct fixture *f = *state;

	ask(f, "blog.test", -3600, NULL);
	assert_failure(f, ERROR_IO, "expired");
}

static void test_a_file_of_authorities_must_be_there(void **state)
{
	struct fixture *f = *state;

	ask(f, "blog.test", 86400, "/nonexistent/ca.pem");
	assert_failure(f, ERROR_IO, "file of authorities");
}

static void test_a_password_does_not_leave_tls(void **state)
{
	struct fixture *f = *state;
	struct authority top = certify(NULL, NULL, 86400), host = certify(&top, "blog.test", 86400);
	char path[] = "/tmp/hubmail-unit-XXXXXX", reply[256];
	FILE *out = fdopen(mkstemp(path), "w");
	ROUTES(f, {"/feed", 200, .body = "x"});

	PEM_write_X509(out, top.certificate);
	fclose(out);
	snprintf(reply, sizeof(reply),
		"HTTP/1.1 302 Found\r\nLocation: http://blog.test:%d/feed\r\n"
		"Content-Length: 0\r\nConnection: close\r\n\r\n",
		f->port);
	struct tls_server *s = tls_server_start(&host, reply);
	snprintf(f->url, sizeof(f->url), "https://ann:s3cret@blog.test:%d/feed", s->port);
	f->request.url = f->url;
	f->request.ca_file = path;
	fetch_start(f->fetcher, &f->request, on_answer, f);
	wait_for(f, &f->calls, 1);
	assert_success(f, 200);
	assert_string_equal(f->login, "");
	pthread_join(s->thread, NULL);
	assert_non_null(strstr(s->request, "Authorization: Basic YW5uOnMzY3JldA=="));
	unlink(path);
	close(s->listener);
	SSL_CTX_free(s->context);
	free(s);
	authority_free(&top);
	authority_free(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_an_authority_of_ones_own_can_be_trusted),
		TEST(test_a_certificate_must_be_signed_by_one_who_is_trusted),
		TEST(test_a_certificate_must_be_for_that_host),
		TEST(test_a_certificate_must_not_be_past_its_time),
		TEST(test_a_file_of_authorities_must_be_there),
		TEST(test_a_password_does_not_leave_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
