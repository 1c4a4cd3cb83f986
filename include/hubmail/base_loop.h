/* Work handed to the libevent loop from other threads. */
#ifndef HUBMAIL_BASE_LOOP_H
#define HUBMAIL_BASE_LOOP_H

#include <event2/event.h>

struct loop; /* an event_base with a queue beside it */

typedef void loop_fn(void *arg);

struct loop *loop_new(void);                  /* NULL when out of descriptors */
struct event_base *loop_base(struct loop *l); /* borrowed */

/* Runs fn(arg) once on the loop's thread, in the order of posting. Any thread, also a callback of
 * the loop itself. fn should take less than 10 ms. What has been posted and not run when the loop
 * is freed is run by loop_free(). */
void loop_post(struct loop *l, loop_fn *fn, void *arg);

void loop_free(struct loop
		*l); /* on the loop's thread, when it no longer runs and no other thread posts */

#endif
