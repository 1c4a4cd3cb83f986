/* The rate is kept as the time of the next message rather than as a bucket of tokens: that is the
 * same arithmetic (the generic cell rate algorithm) without a refill to forget. A sender that comes
 * late may catch up a little, so that an uneven clock or thread costs no rate. */
#include "pace.h"

#include <string.h>

#define CATCH_UP_US 50000

void pace_set(struct pace *p, int64_t count, int64_t seconds)
{
	p->interval_us = count > 0 ? seconds * 1000000 / count : 0;
}

int64_t pace_wait_us(const struct pace *p, int64_t now_us)
{
	return p->interval_us > 0 && p->next_us > now_us ? p->next_us - now_us : 0;
}

void pace_take(struct pace *p, int64_t now_us)
{
	int64_t earliest = now_us - CATCH_UP_US;

	if (p->next_us < earliest)
		p->next_us = earliest;
	p->next_us += p->interval_us;
}

void window_set(struct window *w, int64_t most, int64_t seconds)
{
	if (w->seconds != seconds)
		memset(w, 0, sizeof(*w));
	w->most = most;
	w->seconds = seconds;
}

int64_t window_slot_seconds(const struct window *w)
{
	return w->seconds > WINDOW_SLOTS ? w->seconds / WINDOW_SLOTS : 1;
}

void window_add(struct window *w, int64_t at, int64_t n)
{
	int64_t slot = at / window_slot_seconds(w);
	int place = (int)(slot % WINDOW_SLOTS);

	if (w->slot[place] != slot) {
		/* Is it so long ago that its place has been used again? What was counted later than
		 * that was counted by a clock that has been set back since. */
		if (w->slot[place] > slot && w->slot[place] <= slot + WINDOW_SLOTS)
			return;
		w->slot[place] = slot;
		w->count[place] = 0;
	}
	w->count[place] += n;
}

/* A slot counts until its last moment has left the window. One that is further ahead than the
 * window is long was counted by a clock that has been set back since. */
static bool in_window(const struct window *w, int i, int64_t now)
{
	int64_t begin = w->slot[i] * window_slot_seconds(w), end = begin + window_slot_seconds(w);

	return w->count[i] > 0 && end > now - w->seconds && begin <= now + w->seconds;
}

int64_t window_used(const struct window *w, int64_t now)
{
	int64_t used = 0;

	for (int i = 0; i < WINDOW_SLOTS; i++)
		used += in_window(w, i, now) ? w->count[i] : 0;
	return used;
}

int64_t window_open_at(const struct window *w, int64_t now)
{
	int64_t oldest = INT64_MAX;

	if (w->most == 0 || window_used(w, now) < w->most)
		return now;
	for (int i = 0; i < WINDOW_SLOTS; i++)
		if (in_window(w, i, now) && w->slot[i] < oldest)
			oldest = w->slot[i];
	return (oldest + 1) * window_slot_seconds(w) + w->seconds;
}
