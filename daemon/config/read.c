/* Reads groups of settings by the table: finds each one in the files, has its value or its default
 * stored by target.c, and reports what is missing, there twice, or unknown to the table. What
 * settings mean together is left to agree.c. */
#include "read.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "settings.h"
#include "target.h"

#include <stdlib.h>
#include <string.h>

static void read_setting(
	struct reading *r, const struct group *g, const struct config_setting *s, void *into);
static void report_strangers(struct reading *r, const struct group *g);

static size_t problems_so_far(const struct reading *r)
{
	return r->n_problems + r->more;
}

bool group_read(struct reading *r, const struct group *g, void *into)
{
	size_t before = problems_so_far(r);
	size_t n = 0;
	const struct config_setting *all = config_settings(&n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].group, g->kind) == 0)
			read_setting(r, g, &all[i], into);
	report_strangers(r, g);
	return problems_so_far(r) == before;
}

/* ---- Finding ---- */

static config_setting_t *find(struct reading *r, const struct group *g, const char *name)
{
	config_setting_t *first = NULL;

	for (size_t i = 0; i < g->n_parts; i++) {
		config_setting_t *s = config_setting_get_member(g->parts[i], name);
		if (s != NULL && first != NULL)
			report(r, s, g->path, name, "stands in another file, too, in line %u of %s",
				config_setting_source_line(first),
				((struct config_text *)first->config)->name);
		first = first != NULL ? first : s;
	}
	return first;
}

const config_setting_t *group_place(const struct group *g, const char *name)
{
	for (size_t i = 0; i < g->n_parts; i++) {
		const config_setting_t *s = config_setting_get_member(g->parts[i], name);
		if (s != NULL)
			return s;
	}
	const config_setting_t *first = g->n_parts > 0 ? g->parts[0] : NULL;
	return first != NULL && !config_setting_is_root(first) ? first : NULL;
}

static void read_setting(
	struct reading *r, const struct group *g, const struct config_setting *s, void *into)
{
	struct target t = {
		.r = r, .path = g->path, .s = s, .into = into, .value = find(r, g, s->name)};

	if (t.value != NULL && target_read(&t))
		return;
	/* The default stands in for a wrong value, so that the other settings can be judged. */
	if (s->fallback != NULL && s->fallback[0] != '\0')
		target_store_fallback(&t);
	else if (s->fallback != NULL && t.value == NULL)
		report(r, group_place(g, s->name), g->path, s->name, "is missing: %s", s->help);
}

/* ---- What the table does not know ---- */

static void known_names(const char *kind, struct strlist *names)
{
	size_t n = 0;
	const struct config_setting *all = config_settings(&n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].group, kind) == 0)
			strlist_add(names, all[i].name);
	const struct setting_group *groups = setting_groups(&n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(groups[i].parent, kind) == 0)
			strlist_add(names, groups[i].name);
}

static void add_home(struct buf *out, const char *group)
{
	buf_addf(out, "%s%s", out->len > 0 ? " or " : "",
		group[0] != '\0' ? group : "the file outside of all groups");
}

/* The groups in which something of that name does exist. */
static void find_homes(const char *name, struct buf *out)
{
	size_t n = 0;
	const struct config_setting *all = config_settings(&n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].name, name) == 0)
			add_home(out, all[i].group);
	const struct setting_group *groups = setting_groups(&n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(groups[i].name, name) == 0)
			add_home(out, groups[i].parent);
}

static void report_unknown(struct reading *r, const struct group *g, const config_setting_t *s,
	const struct strlist *names)
{
	const char *name = config_setting_name(s);
	const char *meant = text_suggest(name, (const char *const *)names->items, names->n);
	struct buf hint = {0};
	struct buf homes = {0};

	find_homes(name, &homes);
	if (meant != NULL)
		buf_addf(&hint, ": did you mean \"%s\"?", meant);
	else if (homes.len > 0)
		buf_addf(&hint, ": it belongs into %s", homes.data);
	buf_adds(&hint, " (known here:");
	for (size_t i = 0; i < names->n; i++)
		buf_addf(&hint, " %s", names->items[i]);
	report(r, s, g->path, name, "unknown setting%s)", hint.data);
	buf_free(&homes);
	buf_free(&hint);
}

static void report_strangers(struct reading *r, const struct group *g)
{
	struct strlist names = {0};

	known_names(g->kind, &names);
	for (size_t p = 0; p < g->n_parts; p++) {
		int n = config_setting_length(g->parts[p]);
		for (int i = 0; i < n; i++) {
			const config_setting_t *s =
				config_setting_get_elem(g->parts[p], (unsigned)i);
			const char *name = config_setting_name(s);
			if (strlist_has(&names, name))
				continue;
			if (setting_comes_later(g->kind, name, NULL))
				report(r, s, g->path, name,
					"this version of hubmail does not have this setting yet: "
					"remove it or put a \"#\" before it");
			else
				report_unknown(r, g, s, &names);
		}
	}
	strlist_free(&names);
}

/* ---- Groups within groups ---- */

static char *join(const char *path, const char *name)
{
	return xasprintf("%s%s%s", path, path[0] != '\0' ? "." : "", name);
}

static void add_part(struct group *g, config_setting_t *part)
{
	g->parts = xreallocarray(g->parts, g->n_parts + 1, sizeof(config_setting_t *));
	g->parts[g->n_parts++] = part;
}

struct group group_within(struct reading *r, const struct group *g, const char *name)
{
	struct group inner = {
		.kind = setting_group_find(g->kind, name)->kind, .path = join(g->path, name)};

	for (size_t i = 0; i < g->n_parts; i++) {
		config_setting_t *s = config_setting_get_member(g->parts[i], name);
		if (s != NULL && config_setting_is_group(s))
			add_part(&inner, s);
		else if (s != NULL)
			report(r, s, g->path, name,
				"%s stands here, but a group is expected: %s = { … };",
				target_type_name(s), name);
	}
	return inner;
}

void group_free(struct group *g)
{
	free(g->path);
	free(g->parts);
}

static void add_element(struct reading *r, struct groups *out, const struct setting_group *as,
	char *path, config_setting_t *s)
{
	if (!config_setting_is_group(s)) {
		report(r, s, path, "", "%s stands here, but a group is expected: { … }",
			target_type_name(s));
		free(path);
		return;
	}
	struct group *g = &out->items[out->n++];
	*g = (struct group){.kind = as->kind, .path = path};
	add_part(g, s);
}

static void add_elements(struct reading *r, const struct group *g, struct groups *out,
	const struct setting_group *as, config_setting_t *list)
{
	size_t n = (size_t)config_setting_length(list);

	if (out->n + n > as->most) {
		report(r, list, g->path, as->name, "there are more than %zu", as->most);
		return;
	}
	out->items = xreallocarray(out->items, out->n + n + 1, sizeof(*out->items));
	for (size_t i = 0; i < n; i++)
		add_element(r, out, as,
			xasprintf(
				"%s%s%s[%zu]", g->path, g->path[0] != '\0' ? "." : "", as->name, i),
			config_setting_get_elem(list, (unsigned)i));
}

/* One group without the list around it. */
static void add_alone(struct reading *r, const struct group *g, struct groups *out,
	const struct setting_group *as, config_setting_t *s)
{
	out->items = xreallocarray(out->items, out->n + 2, sizeof(*out->items));
	add_element(r, out, as,
		xasprintf("%s%s%s", g->path, g->path[0] != '\0' ? "." : "", as->name), s);
}

struct groups groups_within(struct reading *r, const struct group *g, const char *name)
{
	const struct setting_group *as = setting_group_find(g->kind, name);
	struct groups found = {0};
	size_t before = problems_so_far(r);

	for (size_t i = 0; i < g->n_parts; i++) {
		config_setting_t *s = config_setting_get_member(g->parts[i], name);
		if (s != NULL && config_setting_is_list(s))
			add_elements(r, g, &found, as, s);
		else if (s != NULL && config_setting_is_group(s) && as->one)
			add_alone(r, g, &found, as, s);
		else if (s != NULL)
			report(r, s, g->path, name,
				"%s stands here, but a list of groups is expected: %s = ( { … } );",
				target_type_name(s), name);
	}
	if (found.n == 0 && as->help != NULL && problems_so_far(r) == before)
		report(r, group_place(g, name), g->path, name, "is missing: %s", as->help);
	return found;
}

void groups_free(struct groups *g)
{
	for (size_t i = 0; i < g->n; i++)
		group_free(&g->items[i]);
	free(g->items);
}
