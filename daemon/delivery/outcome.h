/* What an attempt came to, from what libesmtp showed of it. Pure functions. Private to
 * daemon/delivery. */
#ifndef HUBMAIL_DELIVERY_OUTCOME_H
#define HUBMAIL_DELIVERY_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

/* Everything that was seen of one message. Codes are 0 where no answer was read (RFC 5321, 4.2). */
struct attempt_facts {
	int mail_code, rcpt_code, data_code; /* data_code: of DATA, then of the final dot */
	bool sent_event;                     /* libesmtp reported the message's end */
	bool complete;                       /* libesmtp holds the recipient for done */
	bool entered;                        /* the message's text was asked for */
	bool at_end;                         /* … and given to its end */
	bool aborted;                        /* we broke it off before the final dot */
	bool unwanted;                       /* … because it is not to be sent (now) after all */
};

enum attempt_class {
	ATTEMPT_ACCEPTED,
	ATTEMPT_REJECTED_NOW,     /* 4xx about this message: try again later */
	ATTEMPT_REJECTED_FOREVER, /* 5xx about this message */
	ATTEMPT_RELAY_FAULT, /* an answer that is about the relay or about us, not about the reader
			      */
	ATTEMPT_NOT_TRIED,   /* the relay never heard of it */
	ATTEMPT_BROKEN,  /* the connection was lost in the middle of it: it certainly did not get
			    through, and maybe it is the reason */
	ATTEMPT_UNKNOWN, /* the final dot may have arrived; no answer did */
};

enum attempt_class attempt_classify(const struct attempt_facts *f);

/* The step whose answer decided, and its code; 0 if no answer came. */
enum attempt_step { STEP_MAIL, STEP_RCPT, STEP_DATA };
enum attempt_step attempt_step(const struct attempt_facts *f);
int attempt_code(const struct attempt_facts *f);

/* The pause in seconds before try number `attempts` + 1: `first` doubled for each attempt made, at
 * most `longest`, give or take a fifth by `random` (any number). */
int64_t retry_pause(int attempts, int first, int longest, uint32_t random);

#endif
