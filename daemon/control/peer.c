/* The rights of whoever connects. Everything comes from the kernel (SO_PEERCRED, SO_PEERGROUPS) and
 * nothing from the user database, whose look-ups may wait for a directory server. */
#include "peer.h"

#include "hubmail/base_mem.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define GROUPS_USUAL 64

bool peer_credentials(int fd, struct ucred *who)
{
	socklen_t len = sizeof(*who);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, who, &len) == 0;
}

static bool has(const gid_t *groups, size_t n, gid_t group)
{
	for (size_t i = 0; i < n; i++)
		if (groups[i] == group)
			return true;
	return false;
}

static bool in_group(int fd, gid_t group)
{
	socklen_t len = GROUPS_USUAL * sizeof(gid_t);
	gid_t *groups = xcalloc(1, len);
	int rc = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len);

	if (rc != 0 && errno == ERANGE) { /* len is now what they need */
		groups = xreallocarray(groups, 1, len);
		rc = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len);
	}
	bool found = rc == 0 && has(groups, len / sizeof(gid_t), group);
	free(groups);
	return found;
}

bool peer_may_ask(int fd, const struct ucred *who, gid_t group)
{
	if (who->uid == 0 || who->uid == geteuid())
		return true;
	return group != PEER_NO_GROUP && (who->gid == group || in_group(fd, group));
}
