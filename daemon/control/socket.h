/* The file that the control socket stands at. */
#ifndef HUBMAIL_CONTROL_SOCKET_H
#define HUBMAIL_CONTROL_SOCKET_H

#include "hubmail/base_error.h"
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>

/* Fills *address with the path. False if it is too long for one (ERROR_CONFIG). */
bool socket_address(const char *path, struct sockaddr_un *address, struct error *e);

/* A listening, non-blocking socket at `path`, readable and writable for the owner and, unless it is
 * PEER_NO_GROUP, for the group. Its folder is made if only that is missing. What a dead daemon left
 * at that path is replaced; ERROR_REFUSED names the process that listens there. *made tells the
 * file apart from a later one of that name. -1 on error. */
int socket_listen(const char *path, gid_t group, struct stat *made, struct error *e);

/* Removes the file if it still is the one that was made. */
void socket_remove(const char *path, const struct stat *made);

#endif
