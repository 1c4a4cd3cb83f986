/* Who stands at the other end of the control socket, and whether hubmaild listens to them. */
#ifndef HUBMAIL_CONTROL_PEER_H
#define HUBMAIL_CONTROL_PEER_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

#define PEER_NO_GROUP ((gid_t)-1)

/* Asks the kernel for the process that connected, as it was when it did. False if that fails. */
bool peer_credentials(int fd, struct ucred *who);

/* True for root, the daemon's own user, and whoever has `group` among the groups of their process:
 * the same groups by which the kernel lets them at the socket's file. */
bool peer_may_ask(int fd, const struct ucred *who, gid_t group);

#endif
