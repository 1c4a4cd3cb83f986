/* What settings mean together. Private to the room. */
#ifndef DAEMON_CONFIG_AGREE_H
#define DAEMON_CONFIG_AGREE_H

#include "hubmail/config.h"
#include "read.h"
#include <stdbool.h>
#include <stddef.h>

/* Each is called after a group was read; `clean` says that nothing was wrong with it. */
void agree_retry(struct reading *r, const struct group *g, const struct config *c);
void agree_relay(struct reading *r, const struct group *g, struct config *c, size_t index);
void agree_domain(struct reading *r, const struct group *g, const struct config *c, size_t index);
void agree_dkim(struct reading *r, const struct group *g, struct config *c, size_t index);
void agree_list(
	struct reading *r, const struct group *g, struct config *c, size_t index, bool clean);
void agree_source(
	struct reading *r, const struct group *g, struct config_list *l, size_t index, bool clean);

#endif
