#include "ipc/proc.h"

#include "ipc/fd.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

/* Fields of /proc/PID/stat behind the name, counted from the state. */
enum {
	STAT_PPID = 1,
	STAT_PGID = 2,
	STAT_SID = 3,
	STAT_UTIME = 11,
	STAT_STIME = 12,
	STAT_START = 19,
	STAT_FIELDS = 20
};

static int
parse_stat(char *text, pid_t pid, struct proc_stat *ret_stat)
{
	char *open = strchr(text, '('), *close = strrchr(text, ')'); /* the name may hold both */
	struct proc_stat stat = { .pid = pid };
	unsigned long long fields[STAT_FIELDS] = { 0 };
	char *at;

	if (!open || !close || close < open || close[1] != ' ' || close[2] == '\0')
		return -EBADMSG;
	*close = '\0';
	snprintf(stat.comm, sizeof stat.comm, "%s", open + 1);
	stat.state = close[2];
	at = close + 3;
	for (int i = 1; i < STAT_FIELDS; i++) {
		char *end;

		fields[i] = strtoull(at, &end, 10); /* a negative one wraps, and back by the cast */
		if (end == at)
			return -EBADMSG;
		at = end;
	}
	stat.ppid = (pid_t)fields[STAT_PPID];
	stat.pgid = (pid_t)fields[STAT_PGID];
	stat.sid = (pid_t)fields[STAT_SID];
	stat.cpu_ticks = fields[STAT_UTIME] + fields[STAT_STIME];
	stat.start_ticks = fields[STAT_START];
	*ret_stat = stat;
	return 0;
}

int
proc_stat(pid_t pid, struct proc_stat *ret_stat)
{
	char text[1024], path[32];
	ssize_t got;
	int fd;

	if (pid <= 0)
		return -ESRCH;
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	got = fd_read_all(fd, text, sizeof text - 1);
	fd_close(&fd);
	if (got < 0)
		return (int)got;
	text[got] = '\0';
	return parse_stat(text, pid, ret_stat);
}

uint64_t
proc_self_start(void)
{
	struct proc_stat stat = { 0 };

	(void)proc_stat(getpid(), &stat); /* without /proc: 0, which is nobody's */
	return stat.start_ticks;
}

int
proc_pidfd_open(pid_t pid)
{
	int fd;

	if (pid <= 0)
		return -ESRCH;
	fd = pidfd_open(pid, 0);
	return fd < 0 ? -errno : fd;
}

int
proc_pidfd_signal(int pidfd, int sig)
{
	return pidfd_send_signal(pidfd, sig, NULL, 0) < 0 ? -errno : 0;
}

int
proc_pidfd_open_exact(pid_t pid, uint64_t start_ticks)
{
	struct proc_stat stat;
	int fd = proc_pidfd_open(pid), r;

	if (fd < 0)
		return fd;
	/* While the pidfd is open and its process there, the number means that process. */
	r = proc_stat(pid, &stat);
	if (r == 0 && stat.start_ticks == start_ticks)
		return fd;
	fd_close(&fd);
	return r < 0 ? r : -ESRCH;
}

int
proc_boot_id(char ret_text[static BOOT_ID_TEXT])
{
	const char *path = secure_getenv("REEVE_BOOT_ID_FILE");
	char *text = NULL;
	size_t len;
	int r;

	r = fd_read_file(
	    AT_FDCWD, path && *path ? path : "/proc/sys/kernel/random/boot_id", 256, &text, &len);
	if (r < 0)
		return r;
	len = strcspn(text, " \r\n");
	if (len == 0 || len >= BOOT_ID_TEXT)
		r = -EBADMSG;
	if (r == 0) {
		memcpy(ret_text, text, len);
		ret_text[len] = '\0';
	}
	free(text);
	return r;
}
