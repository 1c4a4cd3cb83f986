/* One setting being read. Private to the room. */
#ifndef DAEMON_CONFIG_TARGET_H
#define DAEMON_CONFIG_TARGET_H

#include "hubmail/config.h"
#include "read.h"
#include <stdbool.h>

struct target {
	struct reading *r;
	const char *path; /* of the setting's group */
	const struct config_setting *s;
	const config_setting_t *value;
	void *into; /* the struct of the group */
};

/* Checks the value and stores it; reports what is wrong and returns false. */
bool target_read(const struct target *t);

/* Stores the table's default. */
void target_store_fallback(const struct target *t);

/* "a number", "a text" … */
const char *target_type_name(const config_setting_t *s);

#endif
