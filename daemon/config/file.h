/* The files that a configuration is made of. Private to the room. */
#ifndef DAEMON_CONFIG_FILE_H
#define DAEMON_CONFIG_FILE_H

#include "read.h"
#include <stddef.h>

/* Parses the main file and conf.d/ beside it into r->texts. If anything is reported, they are good
 * for nothing but naming the places. */
void files_read(struct reading *r);

/* The same for text that is already there, under the name of r->file. */
void files_parse(struct reading *r, const char *text, size_t len);

void files_free(struct reading *r);

#endif
