#include "supervisor/cgroup.h"

#include "ipc/fd.h"
#include "ipc/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

enum {
	NAME = 48,
	TEXT = 64 * 1024,
	KILL_ROUNDS = 1000
};

struct cgroups {
	char *base;    /* v2: the directory reeve.TAG; NULL: none */
	char *pids;    /* v1 pids hierarchy: likewise; NULL: none, or v2 has the controller */
	bool v2_pids;  /* pids.max works in s/ */
	char why[160]; /* cgroups_describe */
};

/* ---- finding a place --------------------------------------------------------------- */

/* Where this process is, /proc/self/cgroup: "0::/path" for v2, "N:pids:/path" for v1. Owned. */
static char *
own_path(const char *key)
{
	char *text, *line, *rest, *found = NULL;
	size_t len, key_len = strlen(key);

	if (fd_read_file(AT_FDCWD, "/proc/self/cgroup", TEXT, &text, &len) < 0)
		return NULL;
	for (rest = text; !found && (line = strsep(&rest, "\n"));) {
		char *colon = strchr(line, ':');

		if (colon && strncmp(colon, key, key_len) == 0)
			found = strdup(colon + key_len);
	}
	free(text);
	return found;
}

static bool
is_type(const char *path, long magic)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && (long)fs.f_type == magic;
}

/* MOUNT + the place of this process + /reeve.TAG, made. NULL with errno when it may not be. */
static char *
make_base(const char *mount, const char *key, const char *tag)
{
	char *own = own_path(key), *base = NULL;

	if (!own ||
	    asprintf(&base, "%s%s/reeve.%s", mount, strcmp(own, "/") == 0 ? "" : own, tag) < 0)
		base = NULL;
	free(own);
	if (base && mkdir(base, 0755) < 0 && errno != EEXIST) {
		int saved = errno;

		free(base);
		errno = saved;
		return NULL;
	}
	return base;
}

static int
write_file(const char *dir, const char *name, const char *text)
{
	char path[PATH_MAX];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	if (n < 0)
		n = -errno;
	fd_close(&fd);
	return n < 0 ? (int)n : 0;
}

/* v2 gives controllers to groups below only where no process sits: then the service moves to a
 * leaf. */
static void
ask_for_pids(struct cgroups *cgroups)
{
	char leaf[PATH_MAX], parent[PATH_MAX], pid[16];

	snprintf(parent, sizeof parent, "%s/..", cgroups->base);
	if (write_file(parent, "cgroup.subtree_control", "+pids") < 0) {
		snprintf(leaf, sizeof leaf, "%s/../reeve-service", cgroups->base);
		if (mkdir(leaf, 0755) < 0 && errno != EEXIST)
			return;
		snprintf(pid, sizeof pid, "%d", (int)getppid());
		write_file(leaf, "cgroup.procs", pid);
		write_file(leaf, "cgroup.procs", "0");
		if (write_file(parent, "cgroup.subtree_control", "+pids") < 0)
			return;
	}
	cgroups->v2_pids = write_file(cgroups->base, "cgroup.subtree_control", "+pids") == 0;
}

static bool
has_controller(const char *dir, const char *controller)
{
	char path[PATH_MAX], *text;
	size_t len;
	bool has;

	snprintf(path, sizeof path, "%s/cgroup.controllers", dir);
	if (fd_read_file(AT_FDCWD, path, TEXT, &text, &len) < 0)
		return false;
	has = strstr(text, controller) != NULL;
	free(text);
	return has;
}

static void
probe(struct cgroups *cgroups, const char *tag)
{
	static const char *const mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	const char *mount = NULL;

	for (size_t i = 0; !mount && i < 2; i++)
		if (is_type(mounts[i], CGROUP2_SUPER_MAGIC))
			mount = mounts[i];
	if (!mount) {
		snprintf(cgroups->why, sizeof cgroups->why, "none: no cgroup v2 is mounted");
		return;
	}
	cgroups->base = make_base(mount, "::", tag);
	if (!cgroups->base) {
		snprintf(
		    cgroups->why, sizeof cgroups->why, "none: making one: %s", strerror(errno));
		return;
	}
	if (has_controller(mount, "pids"))
		ask_for_pids(cgroups);
	else if (is_type("/sys/fs/cgroup/pids", CGROUP_SUPER_MAGIC))
		cgroups->pids = make_base("/sys/fs/cgroup/pids", ":pids:", tag);
	snprintf(cgroups->why, sizeof cgroups->why, "cgroup2%s",
	    cgroups->v2_pids || cgroups->pids ? "+pids" : "");
}

int
cgroups_open(const char *tag, struct cgroups **ret_cgroups)
{
	struct cgroups *cgroups = calloc(1, sizeof *cgroups);
	const char *off = getenv("REEVE_NO_CGROUP");

	if (!cgroups)
		return -ENOMEM;
	if (off && strcmp(off, "1") == 0)
		snprintf(
		    cgroups->why, sizeof cgroups->why, "none: switched off by REEVE_NO_CGROUP");
	else
		probe(cgroups, tag);
	*ret_cgroups = cgroups;
	return 0;
}

void
cgroups_close(struct cgroups *cgroups)
{
	if (!cgroups)
		return;
	if (cgroups->base)
		rmdir(cgroups->base); /* fails while attempts are in it, which is right */
	if (cgroups->pids)
		rmdir(cgroups->pids);
	free(cgroups->base);
	free(cgroups->pids);
	free(cgroups);
}

const char *
cgroups_describe(const struct cgroups *cgroups)
{
	return cgroups->why;
}

bool
cgroups_exist(const struct cgroups *cgroups)
{
	return cgroups->base != NULL;
}

/* ---- one attempt ------------------------------------------------------------------- */

static char *
attempt_path(
    const char *base, uint64_t id, uint64_t attempt, const char *part, char path[static PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%llu.%llu%s", base, (unsigned long long)id,
	    (unsigned long long)attempt, part);
	return path;
}

static int
make_dir(const char *path)
{
	return mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

static int
make_pids_group(const struct cgroups *cgroups, uint64_t id, uint64_t attempt, int *ret_fd)
{
	char path[PATH_MAX], procs[PATH_MAX + 16], max[16];
	int r = make_dir(attempt_path(cgroups->pids, id, attempt, "", path));

	if (r < 0)
		return r;
	snprintf(max, sizeof max, "%d", CGROUP_PIDS_MAX);
	r = write_file(path, "pids.max", max);
	if (r < 0)
		return r;
	snprintf(procs, sizeof procs, "%s/cgroup.procs", path);
	*ret_fd = open(procs, O_WRONLY | O_CLOEXEC);
	return *ret_fd < 0 ? -errno : 0;
}

int
cgroup_make(
    struct cgroups *cgroups, uint64_t id, uint64_t attempt, struct cgroup_attempt *ret_attempt)
{
	char path[PATH_MAX], max[16];
	int r;

	*ret_attempt = (struct cgroup_attempt)CGROUP_ATTEMPT_NONE;
	if (!cgroups->base)
		return -ENOTSUP;
	if ((r = make_dir(attempt_path(cgroups->base, id, attempt, "", path))) < 0)
		return r;
	ret_attempt->dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret_attempt->dir_fd < 0)
		return -errno;
	if (cgroups->v2_pids)
		write_file(path, "cgroup.subtree_control", "+pids");
	if ((r = make_dir(attempt_path(cgroups->base, id, attempt, "/w", path))) < 0)
		goto out;
	ret_attempt->worker_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if ((r = make_dir(attempt_path(cgroups->base, id, attempt, "/s", path))) < 0)
		goto out;
	snprintf(max, sizeof max, "%d", CGROUP_PIDS_MAX);
	if (cgroups->v2_pids)
		write_file(path, "pids.max", max);
	if (cgroups->pids)
		r = make_pids_group(cgroups, id, attempt, &ret_attempt->pids_procs_fd);
out:
	if (r < 0)
		cgroup_attempt_close(ret_attempt);
	return r;
}

void
cgroup_attempt_close(struct cgroup_attempt *attempt)
{
	fd_close(&attempt->dir_fd);
	fd_close(&attempt->worker_fd);
	fd_close(&attempt->pids_procs_fd);
}

int
cgroup_is_empty(struct cgroups *cgroups, uint64_t id, uint64_t attempt)
{
	char path[PATH_MAX], *text;
	size_t len;
	int r;

	if (!cgroups->base)
		return 1;
	attempt_path(cgroups->base, id, attempt, "/cgroup.events", path);
	r = fd_read_file(AT_FDCWD, path, TEXT, &text, &len);
	if (r < 0)
		return r == -ENOENT || r == -ENODEV ? 1 : r;
	r = strstr(text, "populated 0") != NULL;
	free(text);
	return r;
}

/* Kills each process of one group by pidfd; returns how many there were. */
static int
kill_procs(const char *dir)
{
	char path[PATH_MAX + 16];
	FILE *file;
	int pid, n = 0;

	snprintf(path, sizeof path, "%s/cgroup.procs", dir);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fscanf(file, "%d", &pid) == 1) {
		int fd = proc_pidfd_open(pid);

		if (fd >= 0)
			proc_pidfd_signal(fd, SIGKILL);
		fd_close(&fd);
		n++;
	}
	fclose(file);
	return n;
}

/* Before Linux 5.14: nobody can fork while frozen, so one pass over a frozen group is complete. */
static int
kill_frozen(const char *dir)
{
	static const char *const parts[] = { "", "/w", "/s" };
	char path[PATH_MAX];

	write_file(dir, "cgroup.freeze", "1");
	for (int round = 0; round < KILL_ROUNDS; round++) {
		int n = 0;

		for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
			snprintf(path, sizeof path, "%s%s", dir, parts[i]);
			n += kill_procs(path);
		}
		if (n == 0)
			break;
		write_file(dir, "cgroup.freeze", "0");
		nanosleep(&(struct timespec){ .tv_nsec = 1000 * 1000 }, NULL);
	}
	return write_file(dir, "cgroup.freeze", "0");
}

int
cgroup_kill(struct cgroups *cgroups, uint64_t id, uint64_t attempt, enum cgroup_part part)
{
	char path[PATH_MAX];
	int r;

	if (!cgroups->base)
		return -ENOENT;
	attempt_path(cgroups->base, id, attempt, part == CGROUP_STEPS ? "/s" : "", path);
	if (access(path, F_OK) < 0)
		return -ENOENT;
	r = write_file(path, "cgroup.kill", "1");
	return r == -ENOENT ? kill_frozen(path) : r;
}

int
cgroup_remove(struct cgroups *cgroups, uint64_t id, uint64_t attempt)
{
	static const char *const parts[] = { "/w", "/s", "" };
	char path[PATH_MAX];
	int r = 0;

	if (cgroups->base)
		for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
			if (rmdir(attempt_path(cgroups->base, id, attempt, parts[i], path)) < 0 &&
			    errno != ENOENT)
				r = -errno;
	if (cgroups->pids && rmdir(attempt_path(cgroups->pids, id, attempt, "", path)) < 0 &&
	    errno != ENOENT)
		r = -errno;
	return r;
}

int
cgroup_each(
    struct cgroups *cgroups, void (*fn)(uint64_t id, uint64_t attempt, void *arg), void *arg)
{
	struct dirent *entry;
	DIR *dir;

	if (!cgroups->base)
		return 0;
	dir = opendir(cgroups->base);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		unsigned long long id, attempt;

		if (sscanf(entry->d_name, "%llu.%llu", &id, &attempt) == 2)
			fn(id, attempt, arg);
	}
	closedir(dir);
	return 0;
}
