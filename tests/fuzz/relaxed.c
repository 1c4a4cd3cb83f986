/* The canonical forms of RFC 6376: what is canonical already stays as it is. */
#include "../../daemon/compose/rfc6376.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef void relax_fn(struct buf *out, const char *data, size_t len);

static void check(relax_fn *relax, const char *data, size_t len)
{
	struct buf once = {0};
	struct buf twice = {0};
	relax(&once, data, len);
	relax(&twice, buf_str(&once), once.len);
	if (once.len > len + 3 || once.len != twice.len ||
		memcmp(buf_str(&once), buf_str(&twice), once.len) != 0)
		abort();
	buf_free(&once);
	buf_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check(relaxed_header, (const char *)data, size);
	check(relaxed_body, (const char *)data, size);
	return 0;
}
