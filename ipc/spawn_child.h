/*
 * ipc/spawn_child.h - the new process between its birth and exec. For ipc/spawn.c alone.
 */
#ifndef IPC_SPAWN_CHILD_H
#define IPC_SPAWN_CHILD_H

#include "ipc/spawn.h"

struct spawn_child {
	const struct spawn_spec *spec;
	bool enter_cgroup; /* it was not born in spec->cgroup_fd */
	uint64_t reset;    /* signals that get their default back, a bit each */
	pid_t parent;      /* with death_signal: who it must still be; 0: not checked */
	int report_fd; /* -1: failure is told in the two fields below, which the parent shares */
	enum spawn_stage stage;
	int error; /* -errno */
};

struct spawn_report {
	enum spawn_stage stage;
	int error;
};

/* Everything SPEC says, then exec. Runs in its parent's memory while that sleeps: raw system calls
 * only, and nothing is written but its own stack and CHILD. */
_Noreturn void spawn_child_run(struct spawn_child *child);

#endif
