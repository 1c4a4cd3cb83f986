/* Randomness from the kernel. A machine that has none cannot make a token that nobody guesses, so
 * the process ends. */
#include "hubmail/base_crypto.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void random_bytes(void *out, size_t len)
{
	unsigned char *p = out;
	while (len > 0) {
		ssize_t n = getrandom(p, len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			perror("getrandom");
			abort();
		}
		p += n;
		len -= (size_t)n;
	}
}

uint32_t random_below(uint32_t n)
{
	/* The values past the last whole multiple of n would favour the small results. */
	uint32_t excess = (UINT32_MAX % n + 1) % n;
	uint32_t value = 0;
	do
		random_bytes(&value, sizeof(value));
	while (value > UINT32_MAX - excess);
	return value % n;
}
