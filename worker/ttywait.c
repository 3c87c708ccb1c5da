#include "worker/ttywait.h"

#include "ipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum {
	MAX_POLLED = 64,
	CALL_TEXT = 256
};

struct call {
	long number;
	uint64_t args[3];
};

static bool
is_tty(pid_t pid, uint64_t fd, dev_t tty)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof path, "/proc/%d/fd/%llu", (int)pid, (unsigned long long)fd);
	return stat(path, &st) == 0 && S_ISCHR(st.st_mode) &&
	       (st.st_rdev == tty || st.st_rdev == makedev(5, 0)); /* /dev/tty */
}

/* "0 0x3 0x7ffd... ...", numbers of call and arguments; "running"; "-1 ..." outside of any. */
static bool
parse_call(const char *text, struct call *ret)
{
	char *end;

	ret->number = strtol(text, &end, 10);
	if (end == text)
		return false;
	for (size_t i = 0; i < 3; i++) {
		text = end;
		ret->args[i] = strtoull(text, &end, 16);
		if (end == text)
			return false;
	}
	return true;
}

/* 0; -EAGAIN: it runs; -errno. */
static int
read_call(pid_t pid, struct call *ret)
{
	char path[64], text[CALL_TEXT];
	ssize_t n;
	int fd, r;

	*ret = (struct call){ .number = -1 };
	snprintf(path, sizeof path, "/proc/%d/syscall", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof text - 1);
	r = n < 0 ? -errno : 0;
	fd_close(&fd);
	if (r < 0)
		return r;
	text[n] = '\0';
	return parse_call(text, ret) ? 0 : -EAGAIN;
}

/* Out of its memory. */
static bool
fetch(pid_t pid, uint64_t address, void *data, size_t len)
{
	char path[64];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		n = pread(fd, data, len, (off_t)address);
	fd_close(&fd);
	return n == (ssize_t)len;
}

static bool
polls_tty(pid_t pid, const struct call *call, dev_t tty)
{
	struct pollfd fds[MAX_POLLED] = { { .fd = -1 } };
	size_t n = call->args[1] < MAX_POLLED ? (size_t)call->args[1] : MAX_POLLED;

	if (n == 0 || !fetch(pid, call->args[0], fds, n * sizeof fds[0]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (fds[i].fd >= 0 && (fds[i].events & POLLIN) &&
		    is_tty(pid, (uint64_t)fds[i].fd, tty))
			return true;
	return false;
}

static bool
selects_tty(pid_t pid, const struct call *call, dev_t tty)
{
	unsigned long bits[FD_SETSIZE / (8 * sizeof(long))] = { 0 };
	size_t n = call->args[0] < FD_SETSIZE ? (size_t)call->args[0] : FD_SETSIZE;
	size_t per = 8 * sizeof bits[0], words = (n + per - 1) / per;

	if (n == 0 || call->args[1] == 0 ||
	    !fetch(pid, call->args[1], bits, words * sizeof bits[0]))
		return false;
	for (size_t fd = 0; fd < n; fd++)
		if (((bits[fd / per] >> (fd % per)) & 1) && is_tty(pid, fd, tty))
			return true;
	return false;
}

static bool
is_poll(long number)
{
#ifdef SYS_poll
	if (number == SYS_poll)
		return true;
#endif
	return number == SYS_ppoll;
}

static bool
is_select(long number)
{
#ifdef SYS_select
	if (number == SYS_select)
		return true;
#endif
	return number == SYS_pselect6;
}

enum tty_wait
tty_wait_of(pid_t pid, dev_t tty)
{
	struct call call;
	int r = read_call(pid, &call);

	if (r < 0)
		return r == -EACCES || r == -EPERM ? TTY_WAIT_HIDDEN : TTY_WAIT_NONE;
	if (call.number == SYS_read || call.number == SYS_readv)
		return is_tty(pid, call.args[0], tty) ? TTY_WAIT_READS : TTY_WAIT_NONE;
	if ((is_poll(call.number) && polls_tty(pid, &call, tty)) ||
	    (is_select(call.number) && selects_tty(pid, &call, tty)))
		return TTY_WAIT_WATCHES;
	return TTY_WAIT_NONE;
}
