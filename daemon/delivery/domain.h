/* Pacing by the recipient's domain: limits that the configuration sets, and a slower pace of its
 * own for a domain that says it gets too much. Not locked: the ready queue's. Private to
 * daemon/delivery. */
#ifndef HUBMAIL_DELIVERY_DOMAIN_H
#define HUBMAIL_DELIVERY_DOMAIN_H

#include "pace.h"
#include <stdbool.h>
#include <stddef.h>
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
	char reason[200];   /* the last complaint */
	int64_t planned_us; /* when the turn of the last that was put off comes */
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
void domain_complained(struct domain *d, const char *reason, int64_t now_us);
/* It took a message. */
void domain_content(struct domain *d);

/* How long the next n that are put off have to wait until it is their turn, in seconds: behind
 * those that wait here and those that were put off before. */
int64_t domain_plan(struct domain *d, size_t n, size_t waiting, int64_t now_us);

/* True once nothing sets it apart any more: what it complained of an hour ago is forgotten. */
bool domain_is_ordinary(const struct domain *d, int64_t now_us);

#endif
