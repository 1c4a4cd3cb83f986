/* Who sends a list's mail and who signs it: what deliveries need of the lists' configuration. Made
 * once for each configuration, immutable, shared by reference. Private to daemon/delivery. */
#ifndef HUBMAIL_DELIVERY_SENDER_H
#define HUBMAIL_DELIVERY_SENDER_H

#include "hubmail/base_address.h"
#include "hubmail/base_buf.h"
#include "hubmail/compose_dkim.h"
#include "hubmail/config.h"

struct sender {
	char *list; /* name */
	char from[ADDRESS_MAX + 1];
	struct dkim_signer *signer; /* NULL: not signed */
};

struct senders;

/* One reference. A key that cannot be used leaves its lists unsigned and a sentence in *errors (may
 * be NULL). */
struct senders *senders_new(const struct config *c, struct strlist *errors);
struct senders *senders_ref(struct senders *s);
void senders_unref(struct senders *s);

/* Borrowed; NULL if the configuration has no such list. */
const struct sender *senders_find(const struct senders *s, const char *list);

#endif
