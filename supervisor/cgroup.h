/*
 * supervisor/cgroup.h - a cgroup per berth, where the service may make one.
 *
 * BASE/reeve.TAG/BERTH/ with w/ (the worker) and s/ (its steps): steps can be killed as one while
 * the worker lives to tell. cgroup v2, alone or beside v1 (hybrid). Its pids controller bounds how
 * many processes an attempt may be; where v1 has that controller, one group bounds all attempts
 * together. By names alone, so that the next supervisor finds what the last one made. Where nothing
 * may be made every call says so and the walk has to do (ipc/tree.h). cgroups(7).
 */
#ifndef SUPERVISOR_CGROUP_H
#define SUPERVISOR_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CGROUP_PIDS_MAX = 512,     /* of one attempt's steps, until cgroups_limit */
	CGROUP_ALL_PIDS_MAX = 4096 /* of all attempts, by v1 */
};

struct cgroups;

struct cgroup_attempt {
	int dir_fd;    /* BERTH, for the worker to find s/ in; -1: none */
	int worker_fd; /* BERTH/w, to start the worker in */
};
#define CGROUP_ATTEMPT_NONE     \
 {                              \
  .dir_fd = -1, .worker_fd = -1 \
 }

enum cgroup_part {
	CGROUP_ALL,
	CGROUP_STEPS
};

/*
 * Looks where groups may be made, makes reeve.TAG there, and moves the service's processes
 * (PIDS) into a leaf where v2 demands it. Never fails for want of rights: then there are none. TAG:
 * letters and digits that name this state directory. REEVE_CGROUPS=off: none. 0 or -ENOMEM.
 */
int cgroups_open(const char *tag, struct cgroups **ret_cgroups);
void cgroups_close(struct cgroups *cgroups); /* removes reeve.TAG when it is empty */

/* "cgroup2+pids", "cgroup2", or "none: REASON", for doctor. Borrowed. */
const char *cgroups_describe(const struct cgroups *cgroups);
bool cgroups_exist(const struct cgroups *cgroups);

/*
 * What the calling thread starts from now on counts towards CGROUP_ALL_PIDS_MAX, where v1 has the
 * pids controller. Entered once by a thread and inherited: a write for each process would hold up
 * every fork on the machine for a grace period of RCU, some 10 ms. 0 or -errno.
 */
int cgroups_count_thread(struct cgroups *cgroups);

/* PIDS_MAX processes (UINT64_MAX: any number) for the steps of attempts that begin from now on. */
void cgroups_limit(struct cgroups *cgroups, uint64_t pids_max);

/* For the next attempt, made or used again; a group that was killed must be removed before:
 * see spawn_spec.cgroup_by_write. 0, -ENOTSUP where there are none (then *ret_attempt is
 * CGROUP_ATTEMPT_NONE), -errno. Thread-safe, as all below. */
int cgroup_make(struct cgroups *cgroups, uint64_t berth, struct cgroup_attempt *ret_attempt);
void cgroup_attempt_close(struct cgroup_attempt *attempt);

/* 1: no process in it (or no such group); 0: some; -errno. */
int cgroup_is_empty(struct cgroups *cgroups, uint64_t berth);

/* cgroup.kill, else freeze, kill each, thaw. 0, -ENOENT without such a group, -errno. */
int cgroup_kill(struct cgroups *cgroups, uint64_t berth, enum cgroup_part part);

/* Removes the group; -EBUSY while processes are in it. */
int cgroup_remove(struct cgroups *cgroups, uint64_t berth);

/* Calls FN for every berth that has a group. 0 or -errno. */
int cgroup_each(struct cgroups *cgroups, void (*fn)(uint64_t berth, void *arg), void *arg);

/* Removes what services that are gone have left beside reeve.TAG. Kills nothing. */
void cgroups_sweep(struct cgroups *cgroups);

#endif
