#include "supervisor/keeper/heritage.h"

#include "ipc/fd.h"
#include "ipc/install.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* "PID FD FD ...": for this process alone, whoever else should get to see it. */
static const char variable[] = "REEVE_KEEPER_FDS";

/* What an older build knew nothing of is not there. */
static void
parse(const char *text, struct heritage *heritage)
{
	char *at;

	if (strtol(text, &at, 10) != (long)getpid())
		return;
	for (size_t i = 0; i < HERITAGE_PARTS && *at == ' '; i++)
		heritage->fds[i] = (int)strtol(at, &at, 10);
}

void
heritage_take(struct heritage *ret_heritage)
{
	const char *text = getenv(variable);

	for (size_t i = 0; i < HERITAGE_PARTS; i++)
		ret_heritage->fds[i] = -1;
	if (text)
		parse(text, ret_heritage);
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
	char text[128], path[PATH_MAX];
	int len, r = install_self(path);

	if (r < 0)
		return r;
	len = snprintf(text, sizeof text, "%d", (int)getpid());
	for (size_t i = 0; i < HERITAGE_PARTS; i++)
		len += snprintf(text + len, sizeof text - (size_t)len, " %d", heritage->fds[i]);
	if (setenv(variable, text, 1) < 0)
		return -errno;
	set_flags(heritage, 0); /* the one program that may inherit them is ourselves */
	execv(path, argv);
	r = -errno;
	set_flags(heritage, FD_CLOEXEC);
	unsetenv(variable);
	return r;
}
