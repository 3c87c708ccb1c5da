#include "supervisor/peer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

int
peer_identify(int fd, struct peer *ret_peer)
{
	struct ucred cred;
	socklen_t len = sizeof cred;
	struct peer peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	peer = (struct peer){ .uid = cred.uid, .gid = cred.gid, .pid = cred.pid };
	len = 0;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) < 0 && errno == ERANGE) {
		peer.groups = malloc(len);
		if (!peer.groups)
			return -ENOMEM;
		if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, peer.groups, &len) < 0)
			len = 0;
		peer.ngroups = len / sizeof *peer.groups;
	}
	*ret_peer = peer;
	return 0;
}

void
peer_fini(struct peer *peer)
{
	free(peer->groups);
	*peer = (struct peer){ 0 };
}
