/* How each setting of the table is read and checked. Private to the room. */
#ifndef DAEMON_CONFIG_SETTINGS_H
#define DAEMON_CONFIG_SETTINGS_H

#include "hubmail/base_error.h"
#include "hubmail/config.h"
#include <stdbool.h>
#include <stddef.h>

#define RELAYS_MAX 64
#define DOMAINS_MAX 1000
#define DKIM_MAX 64
#define LISTS_MAX 5000
#define SOURCES_MAX 500

#define SETTING_NOT_KEPT ((size_t)-1) /* as offset: checked, and read again by who needs it */

enum setting_kind {
	KIND_TEXT,     /* a char * */
	KIND_TEXTS,    /* a struct strlist */
	KIND_NUMBER,   /* an int */
	KIND_FLAG,     /* a bool */
	KIND_DURATION, /* an int of seconds */
	KIND_CHOICE,   /* an enum whose values are in the order of `words` */
};

struct config_rule {
	enum setting_kind kind;
	size_t offset;                  /* in the struct of its group */
	long long min, max;             /* of a number; max: bytes of a text */
	const char *shortest, *longest; /* of a duration */
	const char *words;              /* "a, b, c": of a choice, or of the items of texts */
	/* The error of these is a sentence with the value in it. */
	bool (*check)(const char *value, struct error *e);
	bool (*take)(const char *value, void *into, struct error *e); /* stores it, too */
	bool (*on_machine)(const char *value, struct error *e); /* what only a look there can say */
};

/* The groups of the table; those with `most` are lists of groups. */
struct setting_group {
	const char *parent; /* "" or the group in which it stands */
	const char *name;
	const char *kind; /* as config_setting.group */
	size_t most;
	const char *help; /* NULL: it may be missing */
	bool one;         /* may stand alone, without the list around it */
};
const struct setting_group *setting_groups(size_t *n);
const struct setting_group *setting_group_find(const char *parent, const char *name);

/* A name (value NULL) or a value of a known setting that is documented for a later version. */
bool setting_comes_later(const char *group, const char *name, const char *value);

#endif
