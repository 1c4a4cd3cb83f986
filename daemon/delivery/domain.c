/* Slowing down and recovering. The steps are coarse on purpose: what a domain can take is unknown,
 * changes by the hour, and is only ever answered with yes or no. */
#include "domain.h"

#include "hubmail/base_mem.h"
#include <stdio.h>
#include <stdlib.h>

#define PAUSE_FIRST_US 5000000LL
#define PAUSE_LONGEST_US 900000000LL
#define FORGET_US 3600000000LL
#define PLAN_LONGEST_US 600000000LL /* by then it may take more than now */
#define PACE_FIRST 32               /* messages a second after the first complaint */
#define GOOD_FOR_A_STEP 20          /* answers in a row */

struct domain *domain_new(const char *name)
{
	struct domain *d = xcalloc(1, sizeof(*d));

	d->name = xstrdup(name);
	STAILQ_INIT(&d->waiting);
	return d;
}

void domain_free(struct domain *d)
{
	free(d->name);
	free(d);
}

int64_t domain_open_us(const struct domain *d, int64_t now_us)
{
	int64_t open = now_us + pace_wait_us(&d->pace, now_us);
	int64_t slow_open = now_us + pace_wait_us(&d->slow_pace, now_us);

	if ((d->most > 0 && d->busy >= d->most) || (d->slow > 0 && d->busy > 0))
		return INT64_MAX;
	if (d->slow > 0 && slow_open > open)
		open = slow_open;
	return d->slow > 0 && d->until_us > open ? d->until_us : open;
}

void domain_take(struct domain *d, int64_t now_us)
{
	d->busy++;
	pace_take(&d->pace, now_us);
	if (d->slow > 0)
		pace_take(&d->slow_pace, now_us);
}

/* PACE_FIRST halved for each level: down to one in four seconds. */
static void set_slow_pace(struct domain *d)
{
	if (d->slow == 0)
		pace_set(&d->slow_pace, 0, 1);
	else
		pace_set(&d->slow_pace, PACE_FIRST, (int64_t)1 << (d->slow - 1));
}

void domain_complained(struct domain *d, const char *reason, int64_t now_us)
{
	snprintf(d->reason, sizeof(d->reason), "%s", reason);
	d->good = 0;
	/* Those that were on their way say the same again. */
	if (d->slow > 0 && now_us < d->until_us)
		return;
	if (d->slow < DOMAIN_SLOWEST)
		d->slow++;
	int64_t pause = PAUSE_FIRST_US * (1 << (d->slow - 1));
	d->until_us = now_us + (pause < PAUSE_LONGEST_US ? pause : PAUSE_LONGEST_US);
	set_slow_pace(d);
}

void domain_content(struct domain *d)
{
	if (d->slow == 0 || ++d->good < GOOD_FOR_A_STEP)
		return;
	d->good = 0;
	d->slow--;
	set_slow_pace(d);
}

int64_t domain_plan(struct domain *d, size_t n, size_t waiting, int64_t now_us)
{
	int64_t each_us = d->pace.interval_us;
	int64_t pause_us = d->slow > 0 && d->until_us > now_us ? d->until_us - now_us : 0;

	if (d->slow > 0 && d->slow_pace.interval_us > each_us)
		each_us = d->slow_pace.interval_us;
	int64_t first_us = now_us + pause_us + each_us * (int64_t)waiting;
	int64_t at_us = d->planned_us > first_us ? d->planned_us : first_us;
	if (at_us > now_us + PLAN_LONGEST_US)
		at_us = first_us > now_us + PLAN_LONGEST_US ? first_us : now_us + PLAN_LONGEST_US;
	d->planned_us = at_us + each_us * (int64_t)n;
	return (at_us - now_us) / 1000000;
}

bool domain_is_ordinary(const struct domain *d, int64_t now_us)
{
	bool forgiven = d->slow == 0 || now_us > d->until_us + FORGET_US;

	return !d->configured && forgiven && d->busy == 0 && d->n_waiting == 0;
}
