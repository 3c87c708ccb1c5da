#include "ipc/proc.h"

#include "ipc/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

struct pids {
	pid_t *v;
	size_t n, room;
};

static int
add(struct pids *pids, pid_t pid)
{
	if (pids->n == pids->room) {
		size_t room = pids->room ? pids->room * 2 : 16;
		pid_t *grown = realloc(pids->v, room * sizeof *grown);

		if (!grown)
			return -ENOMEM;
		pids->v = grown;
		pids->room = room;
	}
	pids->v[pids->n++] = pid;
	return 0;
}

/* 0 for a name that is no pid. */
static pid_t
parse_pid(const char *name)
{
	long value = 0;

	for (; *name >= '0' && *name <= '9'; name++) {
		value = value * 10 + (*name - '0');
		if (value > INT32_MAX)
			return 0;
	}
	return *name == '\0' ? (pid_t)value : 0;
}

/* The numbers in a `children` file, which may be longer than one read. */
static int
add_numbers(int fd, struct pids *pids)
{
	char chunk[4096];
	long value = 0;
	ssize_t got;
	int r;

	while ((got = fd_read_all(fd, chunk, sizeof chunk)) > 0) {
		for (ssize_t i = 0; i < got; i++) {
			if (chunk[i] != ' ') {
				value = value * 10 + (chunk[i] - '0');
				continue;
			}
			r = add(pids, (pid_t)value);
			if (r < 0)
				return r;
			value = 0;
		}
	}
	return (int)got;
}

/* A thread that ended meanwhile handed its children to another. */
static int
is_gone(int error)
{
	return error == -ENOENT || error == -ESRCH;
}

static int
of_thread(pid_t pid, pid_t tid, struct pids *pids)
{
	char path[64];
	int fd, r;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = add_numbers(fd, pids);
	fd_close(&fd);
	return r;
}

static int
of_threads(pid_t pid, struct pids *pids)
{
	const struct dirent *entry;
	char path[32];
	DIR *dir;
	int r = 0;

	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? -ESRCH : -errno;
	while (r == 0 && (entry = readdir(dir)) != NULL) {
		pid_t tid = parse_pid(entry->d_name);

		/* The main thread decides whether the kernel has these files at all. */
		if (tid > 0) {
			r = of_thread(pid, tid, pids);
			if (is_gone(r) && tid != pid)
				r = 0;
		}
	}
	closedir(dir);
	return r;
}

static int
of_everybody(pid_t pid, struct pids *pids)
{
	const struct dirent *entry;
	DIR *dir = opendir("/proc");
	int r = 0;

	if (!dir)
		return -errno;
	while (r == 0 && (entry = readdir(dir)) != NULL) {
		struct proc_stat stat;
		pid_t child = parse_pid(entry->d_name);

		if (child > 0 && proc_stat(child, &stat) == 0 && stat.ppid == pid)
			r = add(pids, child);
	}
	closedir(dir);
	return r;
}

int
proc_children(pid_t pid, pid_t **ret_pids, size_t *ret_count)
{
	struct pids pids = { 0 };
	int r = of_threads(pid, &pids);

	if (r < 0 && r != -ESRCH && r != -ENOMEM) {
		pids.n = 0;
		r = of_everybody(pid, &pids);
	}
	if (r < 0) {
		free(pids.v);
		return r;
	}
	*ret_pids = pids.v;
	*ret_count = pids.n;
	return 0;
}
