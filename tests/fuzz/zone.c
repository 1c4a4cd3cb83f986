/* Zone files of any bytes: what is taken answers both questions within a day of UTC. */
#include "../../daemon/base/zone.h"

#include "hubmail/base_zone.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int64_t moments[] = {
		INT64_MIN, -5000000000, 0, 1790000000, 1LL << 40, INT64_MAX};
	struct error e = {0};
	struct zone *z = zone_read(data, size, &e);

	if ((z == NULL) != (e.code != ERROR_NONE))
		abort();
	for (size_t i = 0; z != NULL && i < sizeof(moments) / sizeof(moments[0]); i++)
		if (abs(zone_offset(z, moments[i])) > ZONE_OFFSET_MAX)
			abort();
	if (z != NULL &&
		llabs(zone_to_utc(z, 2026, 11, 24, 480) - 1795507200) > 2 * ZONE_OFFSET_MAX)
		abort();
	zone_free(z);
	return 0;
}
