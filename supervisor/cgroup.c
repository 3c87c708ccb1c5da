#include "supervisor/cgroup.h"

#include "ipc/failpoint.h"
#include "ipc/fd.h"
#include "ipc/proc.h"
#include "supervisor/cgroup_base.h"
#include "supervisor/cgroup_place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	TEXT = 64 * 1024,
	PROCS_TEXT = 1024 * 1024, /* more processes than a machine has numbers for, by default */
	MAX_DEPTH = 32,
	FREEZE_ROUNDS = 50,
	FROZEN_TRIES = 100
};

struct cgroups {
	struct cgroup_place place;
	_Atomic uint64_t pids_max;
};

int
cgroups_open(const char *tag, struct cgroups **ret_cgroups)
{
	struct cgroups *cgroups = calloc(1, sizeof *cgroups);
	const char *off = getenv("REEVE_CGROUPS");

	if (!cgroups)
		return -ENOMEM;
	if (off && strcmp(off, "off") == 0)
		cgroups->place = (struct cgroup_place){ .base_fd = -1,
			.pids_fd = -1,
			.why = "none: switched off by the configuration" };
	else
		cgroup_place_find(&cgroups->place, tag);
	cgroups->pids_max = CGROUP_PIDS_MAX;
	*ret_cgroups = cgroups;
	return 0;
}

void
cgroups_limit(struct cgroups *cgroups, uint64_t pids_max)
{
	cgroups->pids_max = pids_max;
}

static void
remove_one(uint64_t berth, void *arg)
{
	(void)cgroup_remove(arg, berth); /* not while a worker lives on in it */
}

void
cgroups_close(struct cgroups *cgroups)
{
	if (!cgroups)
		return;
	(void)cgroup_each(cgroups, remove_one, cgroups);
	if (cgroups->place.base)
		rmdir(cgroups->place.base); /* fails while attempts are in it, which is right */
	if (cgroups->place.pids)
		rmdir(cgroups->place.pids);
	cgroup_place_fini(&cgroups->place);
	free(cgroups);
}

const char *
cgroups_describe(const struct cgroups *cgroups)
{
	return cgroups->place.why;
}

bool
cgroups_exist(const struct cgroups *cgroups)
{
	return cgroups->place.base != NULL;
}

static int
make_dir(const char *path)
{
	return mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

int
cgroups_count_thread(struct cgroups *cgroups)
{
	const char *pids = cgroups->place.pids;
	char max[16];
	int r;

	if (!pids)
		return 0;
	snprintf(max, sizeof max, "%d", CGROUP_ALL_PIDS_MAX);
	if ((r = make_dir(pids)) < 0 || (r = cgroup_write(pids, "pids.max", max)) < 0)
		return r;
	return cgroup_write(pids, "tasks", "0");
}

/* ---- one berth --------------------------------------------------------------------- */

static char *
berth_path(const char *base, uint64_t berth, const char *part, char path[static PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%llu%s", base, (unsigned long long)berth, part);
	return path;
}

/* A directory at PATH, which is made unless it is there; *ret_made tells. Opened first: the kernel
 * takes longer to find that there is nothing to make. */
static int
open_or_make(const char *path, int *ret_fd, bool *ret_made)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*ret_made = fd < 0 && errno == ENOENT;
	if (*ret_made) {
		if (mkdir(path, 0755) < 0)
			return -errno;
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

/* One that is there goes when a step left groups in it. */
static int
use_or_make(char path[static PATH_MAX])
{
	struct stat info;
	int r;

	if (stat(path, &info) == 0) {
		if (info.st_nlink <= 2)
			return 0;
		r = cgroup_base_remove(path);
		if (r < 0)
			return r;
	}
	return mkdir(path, 0755) < 0 ? -errno : 0;
}

/* The group of the steps, with the limit of today. */
static int
make_steps_group(const struct cgroups *cgroups, uint64_t berth)
{
	uint64_t pids_max = cgroups->pids_max;
	char path[PATH_MAX], max[24];
	int r = use_or_make(berth_path(cgroups->place.base, berth, "/s", path));

	if (r < 0 || !cgroups->place.v2_pids)
		return r;
	if (pids_max == UINT64_MAX)
		snprintf(max, sizeof max, "max");
	else
		snprintf(max, sizeof max, "%llu", (unsigned long long)pids_max);
	return cgroup_write(path, "pids.max", max);
}

static int
make_groups(const struct cgroups *cgroups, uint64_t berth, struct cgroup_attempt *ret_attempt)
{
	const char *base = cgroups->place.base;
	char path[PATH_MAX];
	bool made;
	int r;

	r = open_or_make(berth_path(base, berth, "", path), &ret_attempt->dir_fd, &made);
	if (r == 0 && made && cgroups->place.v2_pids)
		r = cgroup_write(path, "cgroup.subtree_control", "+pids");
	if (r == 0)
		r = open_or_make(
		    berth_path(base, berth, "/w", path), &ret_attempt->worker_fd, &made);
	return r < 0 ? r : make_steps_group(cgroups, berth);
}

int
cgroup_make(struct cgroups *cgroups, uint64_t berth, struct cgroup_attempt *ret_attempt)
{
	int r;

	*ret_attempt = (struct cgroup_attempt)CGROUP_ATTEMPT_NONE;
	if (!cgroups->place.base)
		return -ENOTSUP;
	r = make_groups(cgroups, berth, ret_attempt);
	if (r < 0) {
		cgroup_attempt_close(ret_attempt);
		(void)cgroup_remove(cgroups, berth);
	}
	return r;
}

void
cgroup_attempt_close(struct cgroup_attempt *attempt)
{
	fd_close(&attempt->dir_fd);
	fd_close(&attempt->worker_fd);
}

/* 1 when DIR's cgroup.events says WHAT, 0 when not, -errno. */
static int
has_event(const char *dir, const char *what)
{
	char path[PATH_MAX], *text;
	size_t len;
	int r;

	if (snprintf(path, sizeof path, "%s/cgroup.events", dir) >= (int)sizeof path)
		return -ENAMETOOLONG;
	r = fd_read_file(AT_FDCWD, path, TEXT, &text, &len);
	if (r < 0)
		return r;
	r = strstr(text, what) != NULL;
	free(text);
	return r;
}

int
cgroup_is_empty(struct cgroups *cgroups, uint64_t berth)
{
	char path[PATH_MAX];
	int r;

	if (!cgroups->place.base)
		return 1;
	r = has_event(berth_path(cgroups->place.base, berth, "", path), "populated 0");
	return r == -ENOENT || r == -ENODEV ? 1 : r;
}

/* True when PID is in a group whose path ends with TAIL or lies below it. */
static bool
is_in(pid_t pid, const char *tail)
{
	char path[40], *text, *found;
	size_t len;
	bool is = false;

	snprintf(path, sizeof path, "/proc/%d/cgroup", (int)pid);
	if (fd_read_file(AT_FDCWD, path, TEXT, &text, &len) < 0)
		return false;
	found = strstr(text, "0::");
	found = found ? strstr(found, tail) : NULL;
	if (found)
		is = found[strlen(tail)] == '/' || found[strlen(tail)] == '\n';
	free(text);
	return is;
}

/* One process, if it is there still: its number may have been given away. */
static void
kill_one(pid_t pid, const char *tail)
{
	int fd = proc_pidfd_open(pid);

	if (fd >= 0 && is_in(pid, tail))
		proc_pidfd_signal(fd, SIGKILL);
	fd_close(&fd);
}

/* Kills each process in DIR itself. Returns how many there were. */
static size_t
kill_procs(const char *dir, const char *tail)
{
	char path[PATH_MAX], *text, *rest, *line;
	size_t len, n = 0;

	if (snprintf(path, sizeof path, "%s/cgroup.procs", dir) >= (int)sizeof path ||
	    fd_read_file(AT_FDCWD, path, PROCS_TEXT, &text, &len) < 0)
		return 0;
	for (rest = text; (line = strsep(&rest, "\n"));) {
		long pid = strtol(line, NULL, 10);

		if (pid > 0) {
			kill_one((pid_t)pid, tail);
			n++;
		}
	}
	free(text);
	return n;
}

static bool
is_group(const struct dirent *entry)
{
	return entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 &&
	       strcmp(entry->d_name, "..") != 0;
}

/* DIR and all below it. What lies deeper than any program nests is left to the walk (ipc/tree.h).
 */
static size_t
kill_below(const char *dir, const char *tail, int depth)
{
	size_t n = kill_procs(dir, tail);
	const struct dirent *entry;
	DIR *groups = depth < MAX_DEPTH ? opendir(dir) : NULL;

	while (groups && (entry = readdir(groups))) {
		char path[PATH_MAX];

		if (is_group(entry) &&
		    snprintf(path, sizeof path, "%s/%s", dir, entry->d_name) < (int)sizeof path)
			n += kill_below(path, tail, depth + 1);
	}
	if (groups)
		closedir(groups);
	return n;
}

static void
wait_ms(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

/* Before Linux 5.14: nobody can fork while frozen, so one pass over a frozen group is complete. */
static int
kill_frozen(const char *dir, const char *tail)
{
	size_t n = 1;
	int r = 0;

	for (int round = 0; n > 0 && r == 0 && round < FREEZE_ROUNDS; round++) {
		r = cgroup_write(dir, "cgroup.freeze", "1");
		for (int i = 0; r == 0 && i < FROZEN_TRIES && has_event(dir, "frozen 1") == 0; i++)
			wait_ms();
		n = kill_below(dir, tail, 0);
		(void)cgroup_write(dir, "cgroup.freeze", "0");
		if (n > 0)
			wait_ms();
	}
	return r;
}

int
cgroup_kill(struct cgroups *cgroups, uint64_t berth, enum cgroup_part part)
{
	char path[PATH_MAX];
	int r;

	if (!cgroups->place.base)
		return -ENOENT;
	berth_path(cgroups->place.base, berth, part == CGROUP_STEPS ? "/s" : "", path);
	if (access(path, F_OK) < 0)
		return -ENOENT;
	r = FAILPOINT("cgroup.kill");
	if (r == 0)
		r = cgroup_write(path, "cgroup.kill", "1");
	if (r == 0)
		(void)cgroup_write(path, "cgroup.freeze", "0"); /* undo steps come here next */
	if (r != -ENOENT)
		return r;
	/* reeve.TAG/BERTH, as /proc/PID/cgroup will end too */
	return kill_frozen(path, path + (strrchr(cgroups->place.base, '/') - cgroups->place.base));
}

int
cgroup_remove(struct cgroups *cgroups, uint64_t berth)
{
	char path[PATH_MAX];
	int r;

	if (!cgroups->place.base)
		return 0;
	r = cgroup_is_empty(cgroups, berth);
	if (r <= 0) /* whole or not at all: a worker needs the group of its steps */
		return r < 0 ? r : -EBUSY;
	return cgroup_base_remove(berth_path(cgroups->place.base, berth, "", path));
}

/* The berth whose group NAME is; 0: it is something else. */
static uint64_t
parse_name(const char *name)
{
	char *end;
	uint64_t berth = *name >= '1' && *name <= '9' ? strtoull(name, &end, 10) : 0;

	return berth > 0 && *end == '\0' ? berth : 0;
}

int
cgroup_each(struct cgroups *cgroups, void (*fn)(uint64_t berth, void *arg), void *arg)
{
	struct dirent *entry;
	DIR *dir;

	if (!cgroups->place.base)
		return 0;
	dir = opendir(cgroups->place.base);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		uint64_t berth = parse_name(entry->d_name);

		if (berth > 0)
			fn(berth, arg);
	}
	closedir(dir);
	return 0;
}

void
cgroups_sweep(struct cgroups *cgroups)
{
	if (cgroups->place.base)
		cgroup_base_sweep(cgroups->place.base);
	if (cgroups->place.pids)
		cgroup_base_sweep(cgroups->place.pids);
}
