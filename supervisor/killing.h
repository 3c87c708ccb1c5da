/*
 * supervisor/killing.h - kills everything an attempt left, on the kill thread.
 *
 * For a worker that died without its END, or that does not obey. Layers: cgroup.kill; the worker
 * stopped and its subtree walked; then what the keeper inherited and no living worker owns.
 * Asked again it does the rest; each layer may run twice.
 */
#ifndef SUPERVISOR_KILLING_H
#define SUPERVISOR_KILLING_H

#include "ipc/msg.h"
#include "ipc/tree.h"
#include "supervisor/census.h"
#include "supervisor/cgroup.h"
#include "supervisor/jobs.h"

struct killing {
	struct job job; /* first; set job.done, the rest is killing_start's */
	void *owner;    /* the caller's, untouched */

	/* In; borrowed. */
	struct cgroups *cgroups;
	struct census *census;
	uint64_t berth;
	pid_t worker_pid; /* 0: it is dead */
	uint64_t worker_start_ticks;
	pid_t keeper_pid;   /* 0: no stray hunt */
	uint64_t budget_ms; /* it gives up after this, for now */

	/* Out. */
	bool is_empty; /* proven: nothing of it is alive */
	bool used_cgroup;
	bool worker_survived;
	struct tree_result result; /* what the walks found; killing_free frees it */
};

void killing_start(struct killing *killing, struct jobs *jobs);
void killing_free(struct killing *killing);

/* True while one of SURVIVORS lives: that very process, not another that was given its number. */
bool killing_has_survivor(const struct receipt_procs *survivors);

#endif
