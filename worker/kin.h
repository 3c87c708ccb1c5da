/*
 * worker/kin.h - the processes that a step consists of at this moment, and what they have done so
 * far: by which it is seen that a silent step works.
 */
#ifndef WORKER_KIN_H
#define WORKER_KIN_H

#include "worker/kill.h"

enum {
	KIN_MAX = 256 /* of a larger crowd so many are looked at */
};

struct kin_one {
	pid_t pid;
	char state; /* as in /proc/PID/stat */
	bool is_parent;
	char name[32];
};

struct kin {
	struct kin_one v[KIN_MAX]; /* parents before their children */
	size_t n;
	/* Sums over all of them. They may fall when one is gone: any change is a sign of life. */
	uint64_t cpu_ticks; /* with that of the dead they waited for */
	uint64_t io_bytes;  /* from and to disks; 0 where that is not ours to know */
	uint64_t ids;       /* who they are */
};

/* All that live below this process, but for the spared and theirs. Costs some 0.1 ms each. */
void kin_look(const struct spared *spared, struct kin *ret_kin);

bool kin_has(const struct kin *kin, pid_t pid);

/* "rsync (pid 812)". Returns TEXT. */
enum {
	KIN_TEXT = 64
};
char *kin_text(const struct kin_one *one, char text[static KIN_TEXT]);

#endif
