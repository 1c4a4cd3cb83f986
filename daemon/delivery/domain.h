/* Pacing by the recipient's domain: limits that the configuration sets, and a slower pace of its
 * own for a domain that says it gets too much. Not locked: the ready queue's. Private to
 * daemon/delivery. */
#ifndef HUBMAIL_DELIVERY_DOMAIN_H
#define HUBMAIL_DELIVERY_DOMAIN_H

#include "pace.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uthash.h>

#define DOMAIN_SLOWEST 8 /* levels */

struct ready_item;
STAILQ_HEAD(item_list, ready_item);

/* A domain that is not like all others: limited, or slowed down. */
struct domain {
	char *name;
	bool configured;
	int most; /* messages on their way at once; 0: any number */
	struct pace pace;
	int busy; /* on their way now */
	/* Slowing: each complaint doubles the pause and halves the pace, each run of good answers
	 * takes one step back. */
	int slow;         /* 0: not slowed */
	int good;         /* answers in a row since the last step */
	int64_t until_us; /* nothing goes before */
	struct pace slow_pace;
	char reason[200]; /* the last complaint */
	int64_t slow_at;  /* when it came, Unix seconds */
	struct item_list waiting;
	int n_waiting;
	UT_hash_handle hh;
};

struct domain *domain_new(const char *name);
void domain_free(struct domain *d); /* its list must be empty */

/* When the next message may go: now_us or later; INT64_MAX while too many are on their way. */
int64_t domain_open_us(const struct domain *d, int64_t now_us);
void domain_take(struct domain *d, int64_t now_us);

/* It answered 421 or 4.7.x: too much. */
void domain_complained(struct domain *d, const char *reason, int64_t now_us, int64_t now);
/* It took a message. */
void domain_content(struct domain *d);

/* True once nothing sets it apart any more. */
bool domain_is_ordinary(const struct domain *d);

#endif
