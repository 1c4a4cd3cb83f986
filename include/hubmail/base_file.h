/* Whole files. Any thread. */
#ifndef HUBMAIL_BASE_FILE_H
#define HUBMAIL_BASE_FILE_H

#include "hubmail/base_buf.h"
#include "hubmail/base_error.h"
#include <stdbool.h>
#include <stddef.h>

/* Appends the file's bytes to out. ERROR_NOT_FOUND if there is none; ERROR_DATA if it is no regular
 * file or has more than max bytes; ERROR_IO. */
bool file_read(const char *path, size_t max, struct buf *out, struct error *e);

/* Writes beside, fsyncs, renames: afterwards there is the old content or the new, never half of it.
 */
bool file_write(const char *path, const void *data, size_t len, unsigned mode, struct error *e);

/* The same for a file that must not be there yet, not even as a link that leads nowhere
 * (ERROR_REFUSED if it is); it is given to its folder's owner as below. */
bool file_create(const char *path, const void *data, size_t len, unsigned mode, struct error *e);

/* When root makes a file, it belongs to whom the folder of `path` belongs to, for the daemon must
 * be able to open it. Does nothing for other users. False (with errno) if the owner cannot be set.
 */
bool file_give_to_folder(int fd, const char *path);

/* The folder of a path: "/a/b" → "/a", "b" → ".". The caller's. */
char *file_folder(const char *path);

#endif
