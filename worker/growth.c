#include "worker/growth.h"

#include "worker/progress.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	LOOK_MS = 500
};

/* The file system takes us for the step's user in between, and nobody else does: we cannot be
 * signalled or traced by him. Raw, as in ipc/spawn_child.c; the worker has one thread. */
static int
stat_as_user(const struct attempt *attempt, const char *path, struct stat *ret)
{
	const struct brief *brief = &attempt->brief;
	gid_t groups[LIMIT_GROUPS];
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int ngroups, r;

	if (!brief->change_user)
		return stat(path, ret) < 0 ? -errno : 0;
	ngroups = getgroups(LIMIT_GROUPS, groups);
	if (ngroups < 0 || syscall(SYS_setgroups, attempt->ngroups, attempt->groups) < 0)
		return -errno;
	setfsgid((gid_t)brief->gid);
	setfsuid((uid_t)brief->uid);
	r = stat(path, ret) < 0 ? -errno : 0;
	setfsuid(uid);
	setfsgid(gid);
	syscall(SYS_setgroups, (size_t)ngroups, groups);
	return r;
}

void
growth_begin(struct growth *growth, const struct attempt *attempt, uint64_t now_ms)
{
	growth->was_there =
	    growth->path && stat_as_user(attempt, growth->path, &growth->before) == 0;
	growth->due_ms = now_ms + LOOK_MS;
}

void
growth_fini(struct growth *growth)
{
	free(growth->path);
	growth->path = NULL;
}

static bool
has_changed(struct growth *growth, const struct stat *now)
{
	const struct stat *before = &growth->before;

	if (!growth->was_there || now->st_ino != before->st_ino || now->st_dev != before->st_dev ||
	    now->st_size != before->st_size || now->st_mtim.tv_sec != before->st_mtim.tv_sec ||
	    now->st_mtim.tv_nsec != before->st_mtim.tv_nsec)
		growth->has_changed = true;
	return growth->has_changed;
}

/* What is whole is not told: that it is done is for the step to say. */
static void
tell(struct attempt *attempt, uint64_t done, uint64_t bytes, uint64_t now_ms)
{
	struct step_msg msg = { .done = done, .total = bytes };
	double fraction = (double)done / (double)bytes;

	if (fraction < PROGRESS_MOST)
		bulletin_bytes(&attempt->bulletin, &msg, now_ms);
	else
		bulletin_fraction(&attempt->bulletin, PROGRESS_MOST);
}

int
growth_look(struct growth *growth, struct attempt *attempt, uint64_t now_ms)
{
	struct stat now = { 0 };

	if (!growth->path || growth->bytes == 0)
		return -1;
	if (now_ms < growth->due_ms)
		return (int)(growth->due_ms - now_ms);
	growth->due_ms = now_ms + LOOK_MS;
	if (stat_as_user(attempt, growth->path, &now) == 0 && S_ISREG(now.st_mode) &&
	    has_changed(growth, &now))
		tell(attempt, (uint64_t)now.st_size, growth->bytes, now_ms);
	return LOOK_MS;
}
