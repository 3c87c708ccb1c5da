#include "worker/kin.h"

#include "ipc/fd.h"
#include "ipc/proc.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	IO_TEXT = 512
};

/* What stands behind NAME in TEXT. */
static uint64_t
number_behind(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

/* Bytes from and to disks, proc_pid_io(5). */
static uint64_t
io_bytes(pid_t pid)
{
	char path[40], text[IO_TEXT];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/io", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		n = fd_read_all(fd, text, sizeof text - 1);
	fd_close(&fd);
	if (n < 0)
		return 0;
	text[n] = '\0';
	return number_behind(text, "\nread_bytes: ") + number_behind(text, "\nwrite_bytes: ");
}

static void
add(struct kin *kin, const struct proc_stat *stat)
{
	struct kin_one *one = &kin->v[kin->n++];

	*one = (struct kin_one){ .pid = stat->pid, .state = stat->state };
	snprintf(one->name, sizeof one->name, "%s", stat->comm);
	kin->cpu_ticks += stat->cpu_ticks + stat->waited_ticks;
	kin->io_bytes += io_bytes(stat->pid);
	kin->ids += (uint64_t)stat->pid + stat->start_ticks;
}

/* The children of PARENT. True when there are any. */
static bool
add_children(struct kin *kin, const struct spared *spared, pid_t parent)
{
	size_t before = kin->n, n = 0;
	pid_t *pids = NULL;

	if (proc_first_children(parent, KIN_MAX, &pids, &n) < 0)
		return false;
	for (size_t i = 0; i < n && kin->n < KIN_MAX; i++) {
		struct proc_stat stat;

		if (proc_stat(pids[i], &stat) == 0 && proc_is_alive(&stat) &&
		    !spared_has(spared, stat.pid, stat.start_ticks))
			add(kin, &stat);
	}
	free(pids);
	return kin->n > before;
}

void
kin_look(const struct spared *spared, struct kin *ret_kin)
{
	ret_kin->n = 0;
	ret_kin->cpu_ticks = ret_kin->io_bytes = ret_kin->ids = 0;
	add_children(ret_kin, spared, getpid());
	for (size_t i = 0; i < ret_kin->n; i++)
		ret_kin->v[i].is_parent = add_children(ret_kin, spared, ret_kin->v[i].pid);
}

bool
kin_has(const struct kin *kin, pid_t pid)
{
	for (size_t i = 0; i < kin->n; i++)
		if (kin->v[i].pid == pid)
			return true;
	return false;
}

char *
kin_text(const struct kin_one *one, char text[static KIN_TEXT])
{
	snprintf(text, KIN_TEXT, "%s (pid %d)", one->name, (int)one->pid);
	return text;
}
