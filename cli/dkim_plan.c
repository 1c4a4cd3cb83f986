/* Choosing the name and the place of a new DKIM key. The first of two is chosen freely, the second
 * stands beside it: the same domain, a selector and a file of its own. */
#include "dkim_plan.h"

#include "hubmail/base_address.h"
#include "hubmail/base_file.h"
#include "hubmail/base_mem.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SELECTOR "hubmail"
#define FILE_NAME "dkim.pem"
#define SECOND "-ed25519"

void dkim_plan_free(struct dkim_plan *p)
{
	free(p->domain);
	free(p->selector);
	free(p->file);
	*p = (struct dkim_plan){0};
}

/* ---- Files ---- */

static char *absolute(const char *path)
{
	char *here = path[0] == '/' ? NULL : getcwd(NULL, 0);
	char *whole = here != NULL ? xasprintf("%s/%s", here, path) : xstrdup(path);

	free(here);
	return whole;
}

static char *beside_config(const char *config_file, const char *name)
{
	char *folder = file_folder(config_file);
	char *path = strcmp(folder, ".") == 0 ? xstrdup(name) : xasprintf("%s/%s", folder, name);
	char *whole = absolute(path);

	free(folder);
	free(path);
	return whole;
}

char *dkim_plan_file(const struct config *c, const struct config_dkim *d)
{
	return d->key_file[0] == '/' ? xstrdup(d->key_file) : beside_config(c->file, d->key_file);
}

static bool is_missing(const char *path)
{
	struct stat st;

	return lstat(path, &st) != 0 && errno == ENOENT;
}

/* "dkim.pem" → "dkim-ed25519.pem" */
static char *second_file(const char *file)
{
	const char *name = strrchr(file, '/');
	const char *dot = strrchr(file, '.');

	if (dot == NULL || (name != NULL && dot <= name + 1))
		return xasprintf("%s" SECOND, file);
	return xasprintf("%.*s" SECOND "%s", (int)(dot - file), file, dot);
}

/* ---- What hubmail.conf knows ---- */

static bool fits(const char *wanted, const char *has)
{
	return wanted == NULL || strcasecmp(wanted, has) == 0;
}

/* The first key of that description whose file is not there. */
static bool take_declared(const struct config *c, const struct dkim_wish *wish,
	const struct dkim_plan *first, struct dkim_plan *out)
{
	for (size_t i = 0; c != NULL && i < c->n_dkim; i++) {
		const struct config_dkim *d = &c->dkim[i];
		char *file = dkim_plan_file(c, d);
		bool same = first != NULL && strcmp(first->file, file) == 0;
		if (!same && fits(wish->domain, d->domain) && fits(wish->selector, d->selector) &&
			(wish->file == NULL || strcmp(wish->file, file) == 0) && is_missing(file)) {
			out->domain = xstrdup(d->domain);
			out->selector = xstrdup(d->selector);
			out->file = file;
			out->declared = true;
			return true;
		}
		free(file);
	}
	return false;
}

static void sender_domains(const struct config *c, struct strlist *out)
{
	for (size_t i = 0; c != NULL && i < c->n_lists; i++) {
		const char *domain = address_domain(c->lists[i].from_address);
		if (!strlist_has(out, domain))
			strlist_add(out, domain);
	}
}

static char *only_domain(const struct config *c, struct error *e)
{
	struct strlist all = {0};
	struct buf names = {0};
	char *domain = NULL;

	sender_domains(c, &all);
	for (size_t i = 0; i < all.n && names.len < 300; i++)
		buf_addf(&names, " %s", all.items[i]);
	if (all.n == 1)
		domain = xstrdup(all.items[0]);
	else
		error_set(e, ERROR_USAGE, "dkim: which domain? Say --domain%s%s",
			all.n > 0 ? " with one of:" : "", buf_str(&names));
	strlist_free(&all);
	buf_free(&names);
	return domain;
}

/* ---- Plans ---- */

static bool plan_one(const struct config *c, const struct dkim_wish *wish,
	const struct dkim_plan *first, struct dkim_plan *out, struct error *e)
{
	if (take_declared(c, wish, first, out))
		return true;
	out->domain = wish->domain != NULL ? xstrdup(wish->domain) : only_domain(c, e);
	if (out->domain == NULL)
		return false;
	if (wish->selector != NULL)
		out->selector = xstrdup(wish->selector);
	else
		out->selector =
			first != NULL ? xasprintf("%s" SECOND, first->selector) : xstrdup(SELECTOR);
	if (wish->file != NULL)
		out->file = xstrdup(wish->file);
	else
		out->file = first != NULL ? second_file(first->file)
					  : beside_config(wish->config_file, FILE_NAME);
	return true;
}

static bool plan_second(const struct config *c, const struct dkim_wish *wish,
	const struct dkim_plan *first, struct dkim_plan *out, struct error *e)
{
	char *selector = wish->selector != NULL ? xasprintf("%s" SECOND, wish->selector) : NULL;
	char *file = wish->file != NULL ? second_file(wish->file) : NULL;
	struct dkim_wish second = {first->domain, selector, file, wish->config_file};
	bool done = plan_one(c, &second, first, out, e);

	free(selector);
	free(file);
	return done;
}

static bool check(const struct config *c, const struct dkim_plan *p, struct error *e)
{
	struct stat st;

	if (lstat(p->file, &st) == 0)
		return error_set(e, ERROR_REFUSED,
			"%s: is there already, and a key is never overwritten: name a new file with "
			"-o, and a new selector with --selector",
			p->file);
	for (size_t i = 0; c != NULL && i < c->n_dkim && !p->declared; i++)
		if (fits(p->domain, c->dkim[i].domain) && fits(p->selector, c->dkim[i].selector))
			return error_set(e, ERROR_REFUSED,
				"the selector %s of %s belongs to the key %s already: name another "
				"with --selector",
				p->selector, p->domain, c->dkim[i].key_file);
	return true;
}

static bool normal_domain(const char *domain, char out[ADDRESS_MAX + 1], struct error *e)
{
	char *address = xasprintf("x@%s", domain);
	bool good = address_normalise(address, out, NULL);

	free(address);
	return good || error_set(e, ERROR_USAGE, "dkim: --domain: \"%s\" is no domain", domain);
}

bool dkim_plan_make(const struct config *c, const struct dkim_wish *wish,
	const enum dkim_kind *kinds, size_t n, struct dkim_plan *out, struct error *e)
{
	char normal[ADDRESS_MAX + 1];
	char *file = wish->file != NULL ? absolute(wish->file) : NULL;
	struct dkim_wish w = {NULL, wish->selector, file, wish->config_file};
	bool good = wish->domain == NULL || normal_domain(wish->domain, normal, e);

	if (good && wish->domain != NULL)
		w.domain = address_domain(normal);
	for (size_t i = 0; i < n; i++)
		out[i] = (struct dkim_plan){.kind = kinds[i]};
	for (size_t i = 0; good && i < n; i++)
		good = (i == 0 ? plan_one(c, &w, NULL, out, e)
			       : plan_second(c, &w, out, &out[i], e)) &&
		       check(c, &out[i], e);
	free(file);
	return good;
}
