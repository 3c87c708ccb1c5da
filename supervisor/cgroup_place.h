/* supervisor/cgroup_place.h - where the service may make cgroups. For supervisor/cgroup.c alone. */
#ifndef SUPERVISOR_CGROUP_PLACE_H
#define SUPERVISOR_CGROUP_PLACE_H

#include <stdbool.h>

struct cgroup_place {
	char *base; /* v2: the directory reeve.TAG, owned; NULL: none */
	char *pids; /* v1 pids hierarchy: likewise; NULL: none, or v2 has the controller */
	int base_fd, pids_fd; /* hold them (supervisor/cgroup_base.h); -1 */
	bool v2_pids;         /* pids.max works in the groups of steps */
	char why[160];        /* what there is, or why there is nothing */
};

/*
 * Finds the place and makes reeve.TAG in it; the same one for every supervisor of a keeper, also
 * after the service has moved into a leaf. Where there is none, base is NULL and `why` says why.
 */
void cgroup_place_find(struct cgroup_place *place, const char *tag);
void cgroup_place_fini(struct cgroup_place *place); /* frees; removes nothing */

/* Writes TEXT into a control file. 0 or -errno. */
int cgroup_write(const char *dir, const char *name, const char *text);

#endif
