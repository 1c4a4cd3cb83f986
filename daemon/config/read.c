/* Reads groups of settings by the table: finds each one in the files, checks its type and limits,
 * stores it or its default, and reports what the table does not know. What settings mean together
 * is left to agree.c. */
#include "read.h"
#include "hubmail/base_clock.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "settings.h"
#include "value.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DURATION_FORM                                                                              \
	"write a number of seconds, or one with a unit like \"90s\", \"5m\", \"2h\", \"1d\""

_Static_assert(sizeof(enum config_tls) == sizeof(int), "a choice is stored as an int");
_Static_assert(sizeof(enum config_content) == sizeof(int), "a choice is stored as an int");

/* One setting being read. */
struct target {
	struct reading *r;
	const struct group *g;
	const struct config_setting *s;
	const config_setting_t *value;
	void *into;
};

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

/* ---- Values ---- */

static const char *type_name(const config_setting_t *s)
{
	switch (config_setting_type(s)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return "a number";
	case CONFIG_TYPE_FLOAT:
		return "a number with a fraction";
	case CONFIG_TYPE_STRING:
		return "a text";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	case CONFIG_TYPE_GROUP:
		return "a group in { }";
	case CONFIG_TYPE_ARRAY:
		return "a list in [ ]";
	default:
		return "a list in ( )";
	}
}

static void *member(const struct target *t)
{
	return (char *)t->into + t->s->rule->offset;
}

static bool wrong(const struct target *t, const struct error *e)
{
	report(t->r, t->value, t->g->path, t->s->name, "%s", e->text);
	return false;
}

static bool wrong_type(const struct target *t, const char *expected)
{
	report(t->r, t->value, t->g->path, t->s->name, "%s stands here, but %s is expected",
		type_name(t->value), expected);
	return false;
}

static bool is_whole_number(const config_setting_t *s)
{
	int type = config_setting_type(s);

	return type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
}

static bool is_text(const config_setting_t *s)
{
	return config_setting_type(s) == CONFIG_TYPE_STRING;
}

static bool read_number(const struct target *t)
{
	const struct config_rule *rule = t->s->rule;

	if (!is_whole_number(t->value)) {
		char *expected = xasprintf(
			"a whole number from %lld to %lld (without quotes)", rule->min, rule->max);
		wrong_type(t, expected);
		free(expected);
		return false;
	}
	long long value = config_setting_get_int64(t->value);
	if (value < rule->min || value > rule->max) {
		report(t->r, t->value, t->g->path, t->s->name,
			"%lld is out of range: a number from %lld to %lld is expected", value,
			rule->min, rule->max);
		return false;
	}
	*(int *)member(t) = (int)value;
	return true;
}

static bool duration_fits(const struct config_rule *rule, int64_t seconds)
{
	int64_t shortest = 0;
	int64_t longest = 0;

	return clock_parse_duration(rule->shortest, &shortest) &&
	       clock_parse_duration(rule->longest, &longest) && seconds >= shortest &&
	       seconds <= longest;
}

static bool read_duration(const struct target *t)
{
	const struct config_rule *rule = t->s->rule;
	struct error e = {0};
	char number[32];
	const char *text = number;
	int64_t seconds = 0;

	if (is_text(t->value))
		text = config_setting_get_string(t->value);
	else if (is_whole_number(t->value))
		snprintf(number, sizeof(number), "%lld", config_setting_get_int64(t->value));
	else
		return wrong_type(t, "a duration like \"5m\"");
	if (!clock_parse_duration(text, &seconds))
		value_refuse(&e, text, "is no duration: " DURATION_FORM);
	else if (!duration_fits(rule, seconds))
		value_refuse(&e, text, "is out of range: a duration from %s to %s is expected",
			rule->shortest, rule->longest);
	if (e.code != ERROR_NONE)
		return wrong(t, &e);
	*(int *)member(t) = (int)seconds;
	return true;
}

/* Everything about a text but its place. */
static bool check_text(const struct target *t, const char *value, struct error *e)
{
	const struct config_rule *rule = t->s->rule;
	int index = 0;

	if (!value_text(value, (size_t)rule->max, e))
		return false;
	if (rule->words != NULL && !value_word(value, rule->words, &index, e))
		return false;
	if (rule->check != NULL && !rule->check(value, e))
		return false;
	if (rule->take != NULL && !rule->take(value, t->into, e))
		return false;
	return rule->on_machine == NULL || !t->r->look || rule->on_machine(value, e);
}

static bool read_text(const struct target *t)
{
	struct error e = {0};

	if (!is_text(t->value))
		return wrong_type(t, "a text in \"quotes\"");
	const char *value = config_setting_get_string(t->value);
	if (!check_text(t, value, &e))
		return wrong(t, &e);
	/* A password's file is no member of any struct: agree.c reads it. */
	if (t->s->rule->take == NULL && t->s->rule->offset != SETTING_NOT_KEPT)
		*(char **)member(t) = xstrdup(value);
	return true;
}

static bool read_choice(const struct target *t)
{
	struct error e = {0};
	int index = 0;

	if (!is_text(t->value))
		return wrong_type(t, "a text in \"quotes\"");
	const char *value = config_setting_get_string(t->value);
	if (setting_comes_later(t->s->group, t->s->name, value))
		value_refuse(&e, value, "is not there yet in this version of hubmail (it has: %s)",
			t->s->rule->words);
	else
		value_word(value, t->s->rule->words, &index, &e);
	if (e.code != ERROR_NONE)
		return wrong(t, &e);
	memcpy(member(t), &index, sizeof(index));
	return true;
}

static bool read_item(const struct target *list, const config_setting_t *value)
{
	struct target t = *list;
	struct error e = {0};

	t.value = value;
	if (!is_text(value))
		return wrong_type(&t, "a text in \"quotes\"");
	if (!check_text(&t, config_setting_get_string(value), &e))
		return wrong(&t, &e);
	if (t.s->rule->take == NULL)
		strlist_add(member(&t), config_setting_get_string(value));
	return true;
}

static bool read_texts(const struct target *t)
{
	bool ok = true;

	if (!config_setting_is_list(t->value) && !config_setting_is_array(t->value))
		return wrong_type(t, "a list of texts like ( \"one\", \"two\" )");
	int n = config_setting_length(t->value);
	for (int i = 0; i < n; i++)
		ok = read_item(t, config_setting_get_elem(t->value, (unsigned)i)) && ok;
	return ok;
}

static bool read_value(const struct target *t)
{
	switch (t->s->rule->kind) {
	case KIND_NUMBER:
		return read_number(t);
	case KIND_DURATION:
		return read_duration(t);
	case KIND_CHOICE:
		return read_choice(t);
	case KIND_TEXTS:
		return read_texts(t);
	default:
		return read_text(t);
	}
}

/* ---- Defaults ---- */

/* The table's own texts are right, which a test makes sure of. */
static void store_fallback(const struct target *t)
{
	const struct config_rule *rule = t->s->rule;
	const char *text = t->s->fallback;
	long long number = 0;
	int64_t seconds = 0;
	int index = 0;

	switch (rule->kind) {
	case KIND_NUMBER:
		text_to_int(text, rule->min, rule->max, &number);
		*(int *)member(t) = (int)number;
		break;
	case KIND_DURATION:
		clock_parse_duration(text, &seconds);
		*(int *)member(t) = (int)seconds;
		break;
	case KIND_CHOICE:
		value_word(text, rule->words, &index, NULL);
		memcpy(member(t), &index, sizeof(index));
		break;
	default:
		if (rule->take != NULL)
			rule->take(text, t->into, NULL);
		else
			*(char **)member(t) = xstrdup(text);
	}
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
	struct target t = {.r = r, .g = g, .s = s, .into = into, .value = find(r, g, s->name)};

	if (t.value != NULL && read_value(&t))
		return;
	/* The default stands in for a wrong value, so that the other settings can be judged. */
	if (s->fallback != NULL && s->fallback[0] != '\0')
		store_fallback(&t);
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
				type_name(s), name);
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
			type_name(s));
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

struct groups groups_within(struct reading *r, const struct group *g, const char *name)
{
	const struct setting_group *as = setting_group_find(g->kind, name);
	struct groups found = {0};
	size_t before = problems_so_far(r);

	for (size_t i = 0; i < g->n_parts; i++) {
		config_setting_t *s = config_setting_get_member(g->parts[i], name);
		if (s != NULL && config_setting_is_list(s))
			add_elements(r, g, &found, as, s);
		else if (s != NULL)
			report(r, s, g->path, name,
				"%s stands here, but a list of groups is expected: %s = ( { … } );",
				type_name(s), name);
	}
	if (found.n == 0 && problems_so_far(r) == before)
		report(r, group_place(g, name), g->path, name, "is missing: %s", as->help);
	return found;
}

void groups_free(struct groups *g)
{
	for (size_t i = 0; i < g->n; i++)
		group_free(&g->items[i]);
	free(g->items);
}
