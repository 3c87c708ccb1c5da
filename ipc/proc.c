#include "ipc/proc.h"

#include "ipc/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Fields of /proc/PID/stat behind the name, the state being 0: proc(5). */
enum {
	STAT_PPID = 1,
	STAT_PGID = 2,
	STAT_SID = 3,
	STAT_UTIME = 11,
	STAT_STIME = 12,
	STAT_CUTIME = 13,
	STAT_CSTIME = 14,
	STAT_THREADS = 17,
	STAT_START = 19,
	STAT_FIELDS = 20
};

/* The name stands in parentheses and may hold anything, so fields count from the last ')'. */
static int
parse_stat(char *text, struct proc_stat *stat)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	unsigned long long field[STAT_FIELDS] = { 0 };
	const char *at;
	size_t n;

	if (!open || !close || close < open || close[1] != ' ' || close[2] == '\0')
		return -EBADMSG;
	n = (size_t)(close - open - 1);
	if (n >= sizeof stat->comm)
		n = sizeof stat->comm - 1;
	memcpy(stat->comm, open + 1, n);
	stat->comm[n] = '\0';
	stat->state = close[2];
	at = close + 3;
	for (int i = 1; i < STAT_FIELDS; i++) {
		char *end;

		field[i] = strtoull(at, &end, 10); /* a negative one wraps, and back in the cast */
		if (end == at)
			return -EBADMSG;
		at = end;
	}
	stat->ppid = (pid_t)field[STAT_PPID];
	stat->pgid = (pid_t)field[STAT_PGID];
	stat->sid = (pid_t)field[STAT_SID];
	stat->cpu_ticks = field[STAT_UTIME] + field[STAT_STIME];
	stat->waited_ticks = field[STAT_CUTIME] + field[STAT_CSTIME];
	stat->threads = (int)field[STAT_THREADS];
	stat->start_ticks = field[STAT_START];
	return 0;
}

static int
read_small(const char *path, char *text, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	n = fd_read_all(fd, text, room - 1);
	fd_close(&fd);
	if (n < 0)
		return (int)n;
	text[n] = '\0';
	return 0;
}

int
proc_stat(pid_t pid, struct proc_stat *ret_stat)
{
	char path[40], text[1024];
	int r;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	r = read_small(path, text, sizeof text);
	if (r < 0)
		return r;
	*ret_stat = (struct proc_stat){ .pid = pid };
	return parse_stat(text, ret_stat);
}

bool
proc_is_alive(const struct proc_stat *stat)
{
	if (stat->state == 'X')
		return false;
	return stat->state != 'Z' || stat->threads > 1;
}

uint64_t
proc_self_start(void)
{
	struct proc_stat stat;

	return proc_stat(getpid(), &stat) == 0 ? stat.start_ticks : 0;
}

int
proc_pidfd_open(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

int
proc_pidfd_signal(int pidfd, int sig)
{
	return syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) < 0 ? -errno : 0;
}

int
proc_pidfd_open_exact(pid_t pid, uint64_t start_ticks)
{
	struct proc_stat stat;
	int fd = proc_pidfd_open(pid);

	if (fd < 0)
		return fd;
	/* The fd holds on to one process: if it is this one now, it was so at the open. */
	if (proc_stat(pid, &stat) == 0 && stat.start_ticks == start_ticks)
		return fd;
	fd_close(&fd);
	return -ESRCH;
}

struct pids {
	pid_t *v;
	size_t n, room, max;
};

static int
add_pid(struct pids *pids, pid_t pid)
{
	if (pids->n == pids->room) {
		size_t room = pids->room ? pids->room * 2 : 16;
		pid_t *v = reallocarray(pids->v, room, sizeof *v);

		if (!v)
			return -ENOMEM;
		pids->v = v;
		pids->room = room;
	}
	pids->v[pids->n++] = pid;
	return 0;
}

/* CONFIG_PROC_CHILDREN's list of one thread; it may be longer than any buffer. */
static int
read_children_of_thread(const char *path, struct pids *pids)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), r = 0;
	pid_t pid = 0;
	char part[4096];
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	while (r == 0 && pids->n < pids->max && (n = fd_read_all(fd, part, sizeof part)) > 0)
		for (ssize_t i = 0; r == 0 && pids->n < pids->max && i < n; i++) {
			if (part[i] >= '0' && part[i] <= '9') {
				pid = pid * 10 + (part[i] - '0');
			} else if (pid > 0) {
				r = add_pid(pids, pid);
				pid = 0;
			}
		}
	fd_close(&fd);
	return r == 0 && n < 0 ? (int)n : r;
}

int
proc_has_only_child(pid_t only)
{
	struct pids pids = { .max = 2 };
	int r = read_children_of_thread("/proc/thread-self/children", &pids);

	if (r == 0)
		r = pids.n == 1 && pids.v[0] == only;
	free(pids.v);
	return r;
}

static int
read_children(pid_t pid, struct pids *pids)
{
	char path[300];
	struct dirent *entry;
	DIR *dir;
	int r = 0;

	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? -ESRCH : -errno;
	while ((r == 0 || r == -ESRCH) && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(
		    path, sizeof path, "/proc/%d/task/%.20s/children", (int)pid, entry->d_name);
		r = read_children_of_thread(path, pids);
	}
	closedir(dir);
	return r == -ESRCH ? 0 : r;
}

static int
scan_children(pid_t pid, struct pids *pids)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return -errno;
	while (r == 0 && (entry = readdir(dir))) {
		pid_t other = (pid_t)strtol(entry->d_name, NULL, 10);
		struct proc_stat stat;

		if (other > 0 && proc_stat(other, &stat) == 0 && stat.ppid == pid)
			r = add_pid(pids, other);
	}
	closedir(dir);
	return r;
}

int
proc_children(pid_t pid, pid_t **ret_pids, size_t *ret_count)
{
	return proc_first_children(pid, SIZE_MAX, ret_pids, ret_count);
}

int
proc_first_children(pid_t pid, size_t max, pid_t **ret_pids, size_t *ret_count)
{
	struct pids pids = { .max = max };
	int r = read_children(pid, &pids);

	if (r == -ENOENT) {
		pids.n = 0;
		r = scan_children(pid, &pids);
	}
	if (r < 0) {
		free(pids.v);
		return r;
	}
	*ret_pids = pids.v;
	*ret_count = pids.n;
	return 0;
}

int
proc_boot_id(char ret_text[static BOOT_ID_TEXT])
{
	const char *path = getauxval(AT_SECURE) ? NULL : getenv("REEVE_BOOT_ID_FILE");
	int r = read_small(path ? path : "/proc/sys/kernel/random/boot_id", ret_text, BOOT_ID_TEXT);

	if (r < 0)
		return r;
	ret_text[strcspn(ret_text, "\n")] = '\0';
	return *ret_text ? 0 : -EBADMSG;
}
