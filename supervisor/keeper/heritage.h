/*
 * supervisor/keeper/heritage.h - what a keeper leaves to the build that takes its place.
 *
 * It becomes the program that is installed now, by execve: the same process, so its children stay
 * its children, its locks are never let go, and whoever connects meanwhile waits in the queue of
 * the same socket.
 */
#ifndef SUPERVISOR_KEEPER_HERITAGE_H
#define SUPERVISOR_KEEPER_HERITAGE_H

enum heritage_part {
	HERITAGE_STATE_LOCK,
	HERITAGE_RUN_LOCK, /* there is none where one directory serves for both */
	HERITAGE_LISTEN,
	HERITAGE_RING,
	HERITAGE_VAULT, /* KEEPER_FD_VAULT */
	HERITAGE_PARTS
};

struct heritage {
	int fds[HERITAGE_PARTS]; /* owned; -1: none */
};

/* What this process was left, close-on-exec: all -1 for one that was started as usual. Whether the
 * fds are what they should be is looked at by those who use them. */
void heritage_take(struct heritage *ret_heritage);
void heritage_close(struct heritage *heritage); /* what nobody took */

/* Borrows the fds. Returns only on failure, -errno, and then everything is as it was. */
int heritage_leave(const struct heritage *heritage, char **argv);

#endif
