/* How fast: a rate that is even (a message each so many microseconds, with no bursts to speak of),
 * and a count of what a sliding window has seen. Pure: the caller gives the time and does the
 * locking. Private to daemon/delivery. */
#ifndef HUBMAIL_DELIVERY_PACE_H
#define HUBMAIL_DELIVERY_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* Times are microseconds of a clock that does not jump. All zero: no limit. */
struct pace {
	int64_t interval_us; /* between two messages; 0: no limit */
	int64_t next_us;     /* the earliest time of the next */
};

/* `count` messages in `seconds`. What was agreed before stays. */
void pace_set(struct pace *p, int64_t count, int64_t seconds);

/* How long until the next message may go; 0: now. */
int64_t pace_wait_us(const struct pace *p, int64_t now_us);

/* The next message goes, after pace_wait_us() was waited out. */
void pace_take(struct pace *p, int64_t now_us);

#define WINDOW_SLOTS 144 /* a day in steps of ten minutes */

/* Times are Unix seconds, so that a window survives a restart. */
struct window {
	int64_t most;                /* messages in `seconds`; 0: no limit */
	int64_t seconds;             /* a multiple of WINDOW_SLOTS, or less than it */
	int64_t slot[WINDOW_SLOTS];  /* number of the slot that was counted there */
	int64_t count[WINDOW_SLOTS]; /* … and how many */
};

void window_set(struct window *w, int64_t most, int64_t seconds);
int64_t window_slot_seconds(const struct window *w);

/* Counts `n` messages at a time that may lie in the past, but no further than the window reaches.
 */
void window_add(struct window *w, int64_t at, int64_t n);
int64_t window_used(const struct window *w, int64_t now);

/* When the next message may go: `now`, or when enough of the past has left the window. */
int64_t window_open_at(const struct window *w, int64_t now);

#endif
