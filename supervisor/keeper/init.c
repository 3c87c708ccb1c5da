#include "supervisor/keeper/init.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Tells a build that takes the place of the inner process what it is. */
static const char variable[] = "REEVE_KEEPER_ENDS_ALL";

static void
block_all(sigset_t *ret_old)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, ret_old);
}

static int
status_of(const siginfo_t *info)
{
	return info->si_code == CLD_EXITED ? info->si_status : 128 + info->si_status;
}

/* Until INNER has ended; returns its status. */
static int
be_init(pid_t inner)
{
	sigset_t all;

	sigfillset(&all);
	for (;;) {
		siginfo_t signal_info, child = { 0 };

		if (sigwaitinfo(&all, &signal_info) > 0 && signal_info.si_signo != SIGCHLD)
			kill(inner, signal_info.si_signo); /* ours until we have reaped it */
		while (waitid(P_ALL, 0, &child, WEXITED | WNOHANG) == 0 && child.si_pid != 0) {
			if (child.si_pid == inner)
				return status_of(&child);
			child.si_pid = 0;
		}
	}
}

static bool
has_children(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0;
}

bool
init_stay(bool is_heir, int *ret_status, bool *ret_ends_all)
{
	sigset_t old;
	pid_t inner;

	*ret_ends_all = getpid() == 1 || (is_heir && getenv(variable));
	if (is_heir)
		return false;
	if (*ret_ends_all)
		setenv(variable, "1", 1);
	else
		unsetenv(variable);
	if (!*ret_ends_all && !has_children())
		return false;
	block_all(&old);
	inner = fork();
	if (inner == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sigprocmask(SIG_SETMASK, &old, NULL);
		return false;
	}
	*ret_status = inner < 0 ? EXIT_FAILURE : be_init(inner);
	return true;
}
