/* Any bytes as a configuration file: either a configuration or errors, never both or neither, and
 * nothing on the disk is looked at. */
#include "hubmail/config.h"
#include "hubmail/base_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libconfig 1.5 does not free the text of a token that a syntax error leaves over. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strlist errors = {0};
	struct config *c = config_parse("fuzz.conf", (const char *)data, size, &errors);

	if ((c == NULL) == (errors.n == 0))
		abort();
	for (size_t i = 0; i < errors.n; i++)
		if (!utf8_valid(errors.items[i], strlen(errors.items[i])) ||
			strchr(errors.items[i], '\n') != NULL)
			abort();
	strlist_free(&errors);
	config_free(c);
	return 0;
}
