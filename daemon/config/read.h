/* Reading groups of settings by the table, and collecting what is wrong with them. Private to the
 * room. */
#ifndef DAEMON_CONFIG_READ_H
#define DAEMON_CONFIG_READ_H

#include "hubmail/base_buf.h"
#include <libconfig.h>
#include <stdbool.h>
#include <stddef.h>

/* One parsed file. */
struct config_text {
	config_t parsed;
	char *name;
	size_t index; /* in the order of reading */
};

struct problem {
	size_t file; /* SIZE_MAX: the configuration as a whole */
	unsigned line;
	size_t order;
	char *text; /* the finished line */
};

/* All zero but for `file` is a reading that has just begun. */
struct reading {
	const char *file; /* the main one */
	bool look;        /* at the machine: files, time zones */
	bool passwords;
	struct config_text **texts;
	size_t n_texts;
	struct problem *problems;
	size_t n_problems;
	size_t more; /* problems that were not kept: there are too many */
};

/* Records an error. where says in which file and line (NULL: in none). The setting is called
 * PATH.NAME; either may be "". */
void report(struct reading *r, const config_setting_t *where, const char *path, const char *name,
	const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void report_line(struct reading *r, const struct config_text *text, unsigned line, const char *fmt,
	...) __attribute__((format(printf, 4, 5)));

/* Moves the errors to *out, sorted by file and line. */
void reading_finish(struct reading *r, struct strlist *out);

/* A group of settings: the same one may stand in several files, each with a part of it. */
struct group {
	const char *kind; /* as config_setting.group */
	char *path;       /* as errors name it: "lists[0].sources[1]" */
	config_setting_t **parts;
	size_t n_parts;
};

/* Reads every setting of the group that the table knows into the struct at `into`, fills in the
 * defaults, and reports what is wrong, missing, unknown or there twice. False if anything is. */
bool group_read(struct reading *r, const struct group *g, void *into);

/* The group called `name` within g, for group_free(); it has no parts if it does not stand there.
 */
struct group group_within(struct reading *r, const struct group *g, const char *name);
void group_free(struct group *g);

/* The groups in the list called `name` within g. Reports a list that is missing or too long and
 * what is no group. */
struct groups {
	struct group *items;
	size_t n;
};
struct groups groups_within(struct reading *r, const struct group *g, const char *name);
void groups_free(struct groups *g);

/* Where the setting stands, or else its group; NULL if that stands nowhere. */
const config_setting_t *group_place(const struct group *g, const char *name);

#endif
