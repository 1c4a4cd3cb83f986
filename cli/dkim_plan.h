/* Which key `dkim keygen` makes: for which domain, under which selector, in which file. Nothing is
 * written here. */
#ifndef CLI_DKIM_PLAN_H
#define CLI_DKIM_PLAN_H

#include "hubmail/base_error.h"
#include "hubmail/compose_dkim.h"
#include "hubmail/config.h"
#include <stdbool.h>
#include <stddef.h>

struct dkim_plan {
	enum dkim_kind kind;
	char *domain, *selector;
	char *file;    /* absolute */
	bool declared; /* hubmail.conf names it already */
};

/* What the command line says; NULL where it says nothing. */
struct dkim_wish {
	const char *domain, *selector, *file;
	const char *config_file;
};

/* Plans n keys (1 or 2) of these kinds. What the wish leaves open comes from a key of hubmail.conf
 * whose file is missing, or else from defaults. c may be NULL. ERROR_USAGE: no domain can be told;
 * ERROR_REFUSED: a file is there already, or a selector is another key's. Free in either case. */
bool dkim_plan_make(const struct config *c, const struct dkim_wish *wish,
	const enum dkim_kind *kinds, size_t n, struct dkim_plan *out, struct error *e);
void dkim_plan_free(struct dkim_plan *p);

/* Where the file of a configured key is. The caller's. */
char *dkim_plan_file(const struct config *c, const struct config_dkim *d);

#endif
