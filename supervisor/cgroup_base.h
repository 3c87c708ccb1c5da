/*
 * supervisor/cgroup_base.h - the directory reeve.TAG: made, held, and swept once nobody holds it.
 *
 * Whoever serves holds a shared lock (flock(2)) on its own; so another service tells one that is
 * empty for the moment from one whose service is gone. For supervisor/cgroup*.c alone.
 */
#ifndef SUPERVISOR_CGROUP_BASE_H
#define SUPERVISOR_CGROUP_BASE_H

#include <limits.h>

/* Makes BASE unless it is there, and holds it: an fd, to be closed by the caller, or -errno. Blocks
 * for as long as somebody takes to remove it. */
int cgroup_base_hold(const char *base);

/* Removes what lies beside BASE, is called reeve.*, has no process in it and is held by nobody. */
void cgroup_base_sweep(const char *base);

/* Removes the groups at PATH, innermost first, with one fd. 0 or -errno: -EBUSY when a process is
 * in one. PATH is changed. */
int cgroup_base_remove(char path[static PATH_MAX]);

#endif
