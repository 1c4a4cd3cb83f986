/* A plan from a damaged database: whatever can be decoded can be rendered and signed (or is
 * refused), and what is rendered is 7 bits with clean line ends. */
#include "hubmail/compose.h"
#include "hubmail/compose_dkim.h"

#include <stdlib.h>

/* The key of RFC 8463, appendix A.2. */
static const struct dkim_key_text key = {"s", "-----BEGIN PRIVATE KEY-----\n"
					      "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScV"
					      "pezJpGXA7rAMcrn9g\n"
					      "-----END PRIVATE KEY-----\n"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct compose_plan *p = compose_plan_decode(data, size, NULL);
	if (p == NULL)
		return 0;
	const struct compose_reader r = {"r@example.org", "Jörg", "token", "1@example.org"};
	struct dkim_signer *signer = dkim_signer_new("example.org", &key, 1, NULL);
	compose_plan_sign(p, signer, NULL);
	dkim_signer_free(signer);
	struct buf flat = {0};
	struct buf again = {0};
	compose_render_flat(p, &r, &flat);
	for (size_t i = 0; i < flat.len; i++) {
		if (flat.data[i] == '\n' ? i == 0 || flat.data[i - 1] != '\r'
					 : (flat.data[i] & 0x80) != 0 || flat.data[i] == '\0')
			abort();
	}
	free(compose_render_part(p, &r, true));
	free(compose_render_part(p, &r, false));
	compose_plan_encode(p, &again);
	if (again.len != size)
		abort();
	buf_free(&flat);
	buf_free(&again);
	compose_plan_free(p);
	return 0;
}
