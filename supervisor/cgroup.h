/*
 * supervisor/cgroup.h - one cgroup per task attempt: found by name, killed as one, proven empty.
 *
 *   <where the service lives>/reeve.<hash of the state directory>/ID.N/w   the worker
 *                                                                ID.N/s   its steps
 *
 * cgroup v2, also beside v1 hierarchies (hybrid). The number of processes in an attempt's steps
 * is limited where a pids controller can be had, v2 or v1. Nothing is remembered between calls:
 * after a restart the names alone are enough. Where no cgroup may be made (an ordinary user
 * without delegation) every question has an answer all the same: cgroup_has() is false,
 * cgroup_make() says -ENOTSUP and every attempt counts as empty, so that callers fall through
 * to the walk (ipc/tree.h).
 *
 * Nothing here logs. After cgroup_probe() all calls are thread-safe; none waits for the disk.
 * cgroups(7), Documentation/admin-guide/cgroup-v2.rst.
 */
#ifndef SUPERVISOR_CGROUP_H
#define SUPERVISOR_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CGROUP_PIDS_MAX = 512, CGROUP_METHOD_TEXT = 160 };

struct cgroups {
	int base_fd;   /* v2 directory reeve.<hash>; -1: none */
	int pids_fd;   /* v1 pids directory reeve.<hash>; -1: none */
	bool pids_v2;  /* the v2 pids controller reaches the steps' groups */
	bool has_kill; /* cgroup.kill, Linux 5.14 */
	char method[CGROUP_METHOD_TEXT];
};

/*
 * Finds out where cgroups may be made and makes the base directory. Where the service owns a
 * delegated subtree with the pids controller, moves the caller and its parent (the keeper) into
 * a leaf of it. 0, also when there are none; -errno when STATE_DIR cannot be looked at.
 */
int cgroup_probe(struct cgroups *cgroups, const char *state_dir);
void cgroup_fini(struct cgroups *cgroups); /* closes; attempts and base directory stay */

bool cgroup_has(const struct cgroups *cgroups);

/* For people: "cgroup2+pids", "cgroup2", "none: REASON". Borrowed. */
const char *cgroup_method(const struct cgroups *cgroups);

/* The fds of one attempt; each owned, close-on-exec, -1 when absent. */
struct cgroup_attempt {
	int dir_fd;        /* ID.N, what the worker inherits (WORKER_FD_CGROUP) */
	int worker_fd;     /* ID.N/w, where the worker is started (spawn_spec.cgroup_fd) */
	int pids_procs_fd; /* O_WRONLY cgroup.procs of the v1 pids group (WORKER_FD_PIDS) */
};

/* Makes the groups of an attempt; those that are there already are used. 0; -ENOTSUP where there
 * are no cgroups; -errno, then *ret holds no fd. Close *ret once the worker was started. */
int cgroup_make(const struct cgroups *cgroups, uint64_t id, uint64_t attempt,
    struct cgroup_attempt *ret);
void cgroup_attempt_close(struct cgroup_attempt *attempt);

/* 1 when no live process is in the attempt (STEPS_ONLY: in its steps), also when it has no
 * cgroup; 0 when there is one; -errno. */
int cgroup_is_empty(const struct cgroups *cgroups, uint64_t id, uint64_t attempt, bool steps_only);

/* SIGKILL to every process in it, however nested or frozen. Does not wait for their end: ask
 * cgroup_is_empty() until it says 1. 0, also when there is nothing to kill; -errno. */
int cgroup_kill(const struct cgroups *cgroups, uint64_t id, uint64_t attempt, bool steps_only);

/* Removes the attempt's groups with whatever its steps made in them. 0, also when there are none;
 * -EBUSY while a process is left; -errno. */
int cgroup_remove(const struct cgroups *cgroups, uint64_t id, uint64_t attempt);

struct cgroup_name {
	uint64_t id, attempt;
};

/* Every attempt that has a group, v2 or v1, in no order; *ret_names is owned. 0 or -errno. */
int cgroup_list(const struct cgroups *cgroups, struct cgroup_name **ret_names, size_t *ret_count);

#endif
