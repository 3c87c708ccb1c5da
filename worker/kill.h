/*
 * worker/kill.h - ends what a step started, whatever it did to get away.
 *
 * The layers, in order: TERM to the step's process group (kill_ask), cgroup.kill of the steps'
 * cgroup, then the walk over everything that descends from this process, which is a subreaper
 * (ipc/tree.h). The step's leader must not be reaped before its group was signalled: as long as
 * it is there, dead or alive, its number names this group and no other.
 */
#ifndef WORKER_KILL_H
#define WORKER_KILL_H

#include "ipc/msg.h"

#include <sys/types.h>

/* Processes that earlier steps were told to leave running. */
struct spared {
	struct {
		pid_t pid;
		uint64_t start_ticks;
	} * v;
	size_t n;
};

/* Adds every child that lives now. 0 or -ENOMEM. */
int spared_add_children(struct spared *spared);
bool spared_has(const struct spared *spared, pid_t pid, uint64_t start_ticks); /* NULL has none */
void spared_free(struct spared *spared);

struct kill_spec {
	int cgroup_fd;               /* has s/ in it; -1: none */
	pid_t leader;                /* of the step's group, not reaped yet; 0: none */
	const struct spared *spared; /* left alone; NULL: nobody is */
	uint64_t deadline_ms;        /* boot clock: what lives then has survived */
	bool *cgroup_was_killed;     /* set when cgroup.kill was written; NULL: not of interest */
};

/* TERM, then CONT, to the group of LEADER. Returns how many live processes are in it. */
uint64_t kill_ask(pid_t leader);

/* True while somebody in the group of LEADER lives. */
bool kill_group_lives(pid_t leader);

/* True when there is any child but LEADER and the spared, alive or dead. */
bool kill_has_others(pid_t leader, const struct spared *spared);

/*
 * Kills everything below us and in the cgroup, and adds to RECEIPT what it found. 0: nothing is
 * left; -EBUSY: receipt->survivors names what is. Reaps everybody but the leader. Blocks.
 */
int kill_all(struct kill_spec *spec, struct receipt *receipt);

/* Reaps dead children other than LEADER, as far as possible while it is dead itself. */
void kill_reap(pid_t leader);

#endif
