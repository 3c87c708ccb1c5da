#include "tests/integ/world.h"

#include "ipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

/* Half of what a machine has unless it is told otherwise. */
static const char numbers[] = "16384";

/* Since Linux 6.14 each pid namespace has a limit of its own; before, the machine's would change.
 */
static bool
has_own_limit(void)
{
	struct utsname name;
	long major, minor;
	char *end;

	if (uname(&name) < 0)
		return false;
	major = strtol(name.release, &end, 10);
	minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
	return major > 6 || (major == 6 && minor >= 14);
}

static int
settle_in(void)
{
	int fd, r;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return -errno;
	fd = open("/proc/sys/kernel/pid_max", O_WRONLY | O_CLOEXEC);
	r = fd < 0 ? -errno : fd_write_all(fd, numbers, strlen(numbers));
	fd_close(&fd);
	return r;
}

bool
world_apart(void)
{
	int status = 0;
	pid_t pid;

	if (!has_own_limit() || unshare(CLONE_NEWPID | CLONE_NEWNS) < 0)
		return false;
	pid = fork();
	if (pid == 0 && settle_in() == 0)
		return true;
	if (pid == 0)
		perror("a pid namespace of our own");
	if (pid <= 0 || waitpid(pid, &status, 0) != pid)
		_exit(EXIT_FAILURE);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}
