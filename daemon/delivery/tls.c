/* Our own SSL_CTX for libesmtp: its built-in one crashes on the second session, takes TLS 1.0, says
 * no SNI and checks the certificate against the name that DNS gave instead of the one that was
 * configured. */
#include "tls.h"

#include "hubmail/base_mem.h"
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local const char *verify_reason; /* a constant of OpenSSL's */

static int note_reason(int ok, X509_STORE_CTX *ctx)
{
	if (!ok)
		verify_reason = X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
	return ok;
}

/* libesmtp makes the SSL object itself: the start of its handshake is the only moment to name the
 * host. */
static void say_host(const SSL *ssl, int where, int ret)
{
	(void)ret;
	if ((where & SSL_CB_HANDSHAKE_START) == 0)
		return;
	const char *host = X509_VERIFY_PARAM_get0_host(SSL_CTX_get0_param(SSL_get_SSL_CTX(ssl)), 0);
	if (host != NULL)
		SSL_set_tlsext_host_name((SSL *)ssl, host);
}

static bool is_ip(const char *host)
{
	return strspn(host, "0123456789.") == strlen(host);
}

static bool check_name(SSL_CTX *ctx, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);

	if (is_ip(host))
		return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;
}

SSL_CTX *tls_context_new(const char *host, const char *ca_file, struct error *e)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx == NULL || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
		!check_name(ctx, host)) {
		error_set(e, ERROR_IO, "TLS cannot be set up for %s", host);
		goto fail;
	}
	if (ca_file != NULL && SSL_CTX_load_verify_locations(ctx, ca_file, NULL) != 1) {
		error_set(e, ERROR_CONFIG, "%s: no certificates in PEM form can be read from it",
			ca_file);
		goto fail;
	}
	if (ca_file == NULL)
		SSL_CTX_set_default_verify_paths(ctx);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, note_reason);
	SSL_CTX_set_info_callback(ctx, say_host);
	return ctx;
fail:
	ERR_clear_error();
	SSL_CTX_free(ctx);
	return NULL;
}

const char *tls_verify_reason(void)
{
	return verify_reason;
}

void tls_verify_clear(void)
{
	verify_reason = NULL;
}
