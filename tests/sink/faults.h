/* What the sink does wrong on purpose. A rule is one line:
 *
 *     [SKIP+] [TIMESx] PHASE ACTION [ARGUMENT]
 *
 *     rcpt reply 450 4.2.0 try later      every RCPT is answered so
 *     2x dot drop                         the first two final dots get no answer
 *     100+ 1x text stall 30               the 101st message stalls in its middle for 30 s
 *     greylist 2                          each address is refused twice, then taken
 *
 * Phases are the moments of a session in their order; actions what happens then. The first rule
 * that fits is used. An address can ask for a fault by its local part: 550+x@ is refused at RCPT,
 * 451-2+x@ twice and then taken, dot.451-1+x@ at the final dot, dot.drop-1+x@ gets no answer. */
#ifndef SINK_FAULTS_H
#define SINK_FAULTS_H

#include "hubmail/base_error.h"
#include <stdbool.h>

enum phase {
	AT_GREETING, /* before it */
	AT_EHLO,
	AT_STARTTLS,
	AT_TLS, /* in place of the handshake */
	AT_AUTH,
	AT_MAIL,
	AT_RCPT,
	AT_DATA, /* or the first BDAT */
	AT_TEXT, /* after its first bytes */
	AT_DOT,  /* before the answer to it; the message is not kept */
	AT_KEPT, /* the same, but the message is kept: accepted, and nobody told */
	AT_ANSWERED,
	AT_QUIT,
	N_PHASES
};

enum action {
	ACT_NONE,
	ACT_REPLY,   /* this answer */
	ACT_DROP,    /* close the connection */
	ACT_RESET,   /* close it with a TCP reset */
	ACT_STALL,   /* do nothing for some seconds, then go on */
	ACT_GARBAGE, /* an answer that is none */
	ACT_LONG,    /* an answer line of 100 kB */
	ACT_INJECT,  /* more answers after the one that is due, in the same packet */
};

struct fault {
	enum phase phase;
	enum action action;
	long skip, times; /* times < 0: always */
	double seconds;
	char reply[512];
};

struct faults;

struct faults *faults_new(void);

const char *fault_phase_name(enum phase phase);
const char *fault_action_name(enum action action);

/* Reads one rule. */
bool faults_add(struct faults *f, const char *rule, struct error *e);
/* Adds the rules of the file, or puts them in the place of those that are there; empty lines and
 * those that begin with '#' are none. */
bool faults_load(struct faults *f, const char *path, bool replace, struct error *e);

/* What is to happen now; counts the rule as used. Any thread. */
struct fault faults_at(struct faults *f, enum phase phase);

/* How often each address is refused by `greylist`. */
long faults_greylist(struct faults *f);

/* What an address asks for by its local part; ACT_NONE: nothing. fault.times is how often (-1:
 * always). */
struct fault fault_of_address(const char *address);

#endif
