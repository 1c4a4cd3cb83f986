/* One setting's value: its type, its limits, what its rule checks, and where it goes; and the
 * default that stands in for a value that is missing or wrong. */
#include "target.h"
#include "hubmail/base_clock.h"
#include "hubmail/base_mem.h"
#include "hubmail/base_text.h"
#include "settings.h"
#include "value.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DURATION_FORM                                                                              \
	"write a number of seconds, or one with a unit like \"90s\", \"5m\", \"2h\", \"1d\""

_Static_assert(sizeof(enum config_tls) == sizeof(int), "a choice is stored as an int");
_Static_assert(sizeof(enum config_content) == sizeof(int), "a choice is stored as an int");

static bool read_number(const struct target *t);
static bool read_flag(const struct target *t);
static bool read_duration(const struct target *t);
static bool read_text(const struct target *t);
static bool read_texts(const struct target *t);
static bool read_choice(const struct target *t);

bool target_read(const struct target *t)
{
	switch (t->s->rule->kind) {
	case KIND_NUMBER:
		return read_number(t);
	case KIND_FLAG:
		return read_flag(t);
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

const char *target_type_name(const config_setting_t *s)
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
	report(t->r, t->value, t->path, t->s->name, "%s", e->text);
	return false;
}

static bool wrong_type(const struct target *t, const char *expected)
{
	report(t->r, t->value, t->path, t->s->name, "%s stands here, but %s is expected",
		target_type_name(t->value), expected);
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
		report(t->r, t->value, t->path, t->s->name,
			"%lld is out of range: a number from %lld to %lld is expected", value,
			rule->min, rule->max);
		return false;
	}
	*(int *)member(t) = (int)value;
	return true;
}

static bool read_flag(const struct target *t)
{
	if (config_setting_type(t->value) != CONFIG_TYPE_BOOL)
		return wrong_type(t, "true or false (without quotes)");
	*(bool *)member(t) = config_setting_get_bool(t->value) != 0;
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

/* ---- Defaults ---- */

/* The table's own texts are right, which a test makes sure of. */
void target_store_fallback(const struct target *t)
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
	case KIND_FLAG:
		*(bool *)member(t) = strcmp(text, "true") == 0;
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
