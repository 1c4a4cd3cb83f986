/* TLS as a mail server of today does it, or as one of long ago did. */
#include "sink.h"

#include <openssl/err.h>

SSL_CTX *tls_context(
	const char *certificate_file, const char *key_file, int max_version, struct error *e)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	if (context != NULL && max_version != 0) {
		SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
		SSL_CTX_set_max_proto_version(context, max_version);
		/* OpenSSL 3 has TLS 1.0 only at this level. */
		SSL_CTX_set_cipher_list(context, "DEFAULT:@SECLEVEL=0");
	}
	if (context != NULL && SSL_CTX_use_certificate_chain_file(context, certificate_file) == 1 &&
		SSL_CTX_use_PrivateKey_file(context, key_file, SSL_FILETYPE_PEM) == 1)
		return context;
	error_set(e, ERROR_IO, "%s, %s: %s", certificate_file, key_file,
		ERR_error_string(ERR_get_error(), NULL));
	SSL_CTX_free(context);
	return NULL;
}
