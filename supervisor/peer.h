/* supervisor/peer.h - who the kernel says is at the other end of a socket. */
#ifndef SUPERVISOR_PEER_H
#define SUPERVISOR_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct peer {
	uid_t uid;
	gid_t gid;
	pid_t pid;
	gid_t *groups; /* owned */
	size_t ngroups;
	bool is_admin; /* said by who asks, not by the kernel */
};

/* SO_PEERCRED and SO_PEERGROUPS, unix(7). 0 or -errno. */
int peer_identify(int fd, struct peer *ret_peer);
void peer_fini(struct peer *peer);

#endif
