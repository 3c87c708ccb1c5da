/*
 * worker/lockwait.h - which lock a step's processes wait for, and who has it.
 *
 * Seen are waiters in /proc/locks (proc_locks(5): flock, fcntl), and package managers that ask for
 * their lock again and again, which the kernel does not show as waiting: one that has no child
 * while somebody else holds a lock it needs.
 */
#ifndef WORKER_LOCKWAIT_H
#define WORKER_LOCKWAIT_H

#include "worker/kin.h"

enum {
	LOCKWAIT_TEXT = 256
};

/* True: RET_TEXT says who has it: "apt-get (pid 812, apt-daily.service) holds /var/lib/...". */
bool lockwait_find(const struct kin *kin, char ret_text[static LOCKWAIT_TEXT]);

/* Pure: of a whole /proc/locks, the first lock that one of KIN waits for: by whom it is held
 * (0: unknown), who waits, and the file's inode. False: none. */
struct lockwait {
	pid_t holder, waiter;
	uint64_t inode;
};
bool lockwait_parse(const char *locks, const struct kin *kin, struct lockwait *ret_wait);

#endif
