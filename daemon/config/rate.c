/* Rates and the domains they are for: "100/s", "50000/d". */
#include "hubmail/base_address.h"
#include "hubmail/base_clock.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "hubmail/config.h"
#include "value.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_MAX 1000000000LL
#define WEEK 604800

static bool read_rate(const char *value, struct config_rate *out, struct error *e)
{
	static const char units[] = "smhdw";
	const char *slash = strchr(value, '/');
	long long count = 0;
	int64_t seconds = 0;

	if (slash == NULL || slash[1] == '\0')
		return value_refuse(e, value, "is no rate: write it like \"100/s\" or \"50000/d\"");
	char *number = xstrndup(value, (size_t)(slash - value));
	bool ok = text_to_int(number, 1, COUNT_MAX, &count);
	free(number);
	if (!ok)
		return value_refuse(e, value,
			"is no rate: before the \"/\" stands a number of messages from 1");
	char *time = xasprintf("%s%s", strchr(units, slash[1]) != NULL ? "1" : "", slash + 1);
	ok = clock_parse_duration(time, &seconds) && seconds >= 1 && seconds <= WEEK;
	free(time);
	if (!ok)
		return value_refuse(e, value,
			"is no rate: after the \"/\" stands s, m, h, d or w, or a duration of at most "
			"a week like \"15m\"");
	*out = (struct config_rate){count, seconds};
	return true;
}

bool value_take_rate(const char *value, void *relay, struct error *e)
{
	return read_rate(value, &((struct config_relay *)relay)->rate, e);
}

bool value_take_limit(const char *value, void *relay, struct error *e)
{
	return read_rate(value, &((struct config_relay *)relay)->limit, e);
}

bool value_take_domain_rate(const char *value, void *domain, struct error *e)
{
	return read_rate(value, &((struct config_domain *)domain)->rate, e);
}

/* In the form that addresses have in the store. */
bool value_take_domain(const char *value, void *domain, struct error *e)
{
	struct config_domain *d = domain;
	char normal[ADDRESS_MAX + 1];
	char *address = xasprintf("x@%s", value);
	bool ok = address_normalise(address, normal, NULL);

	free(address);
	if (!ok)
		return value_refuse(e, value, "is no domain of e-mail addresses");
	d->name = xstrdup(address_domain(normal));
	return true;
}
