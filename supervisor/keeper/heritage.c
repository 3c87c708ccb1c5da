#include "supervisor/keeper/heritage.h"

#include "ipc/fd.h"
#include "ipc/install.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* "PID FD FD FD FD": for this process alone, whoever else should get to see it. */
static const char variable[] = "REEVE_KEEPER_FDS";

static int
parse(const char *text, struct heritage *ret_heritage)
{
	int *fds = ret_heritage->fds, pid;

	if (sscanf(text, "%d %d %d %d %d", &pid, &fds[0], &fds[1], &fds[2], &fds[3]) !=
		1 + HERITAGE_PARTS ||
	    pid != (int)getpid())
		return -EINVAL;
	return 0;
}

void
heritage_take(struct heritage *ret_heritage)
{
	static const struct heritage none = { .fds = { -1, -1, -1, -1 } };
	const char *text = getenv(variable);

	*ret_heritage = none;
	if (text && parse(text, ret_heritage) < 0)
		*ret_heritage = none;
	unsetenv(variable);
	for (size_t i = 0; i < HERITAGE_PARTS; i++) {
		int *fd = &ret_heritage->fds[i];

		if (*fd <= STDERR_FILENO || fcntl(*fd, F_SETFD, FD_CLOEXEC) < 0)
			*fd = -1;
	}
}

void
heritage_close(struct heritage *heritage)
{
	for (size_t i = 0; i < HERITAGE_PARTS; i++)
		fd_close(&heritage->fds[i]);
}

static void
set_flags(const struct heritage *heritage, int flags)
{
	for (size_t i = 0; i < HERITAGE_PARTS; i++)
		if (heritage->fds[i] >= 0)
			fcntl(heritage->fds[i], F_SETFD, flags);
}

int
heritage_leave(const struct heritage *heritage, char **argv)
{
	const int *fds = heritage->fds;
	char text[128], path[PATH_MAX];
	int r = install_self(path);

	if (r < 0)
		return r;
	snprintf(
	    text, sizeof text, "%d %d %d %d %d", (int)getpid(), fds[0], fds[1], fds[2], fds[3]);
	if (setenv(variable, text, 1) < 0)
		return -errno;
	set_flags(heritage, 0); /* the one program that may inherit them is ourselves */
	execv(path, argv);
	r = -errno;
	set_flags(heritage, FD_CLOEXEC);
	unsetenv(variable);
	return r;
}
