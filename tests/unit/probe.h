/* tests/unit/probe.h - a program that tells on stdout what it finds around it. */
#ifndef TESTS_UNIT_PROBE_H
#define TESTS_UNIT_PROBE_H

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	PROBE_STATUS = 7
};

static void
tell_signals(void)
{
	sigset_t mask;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int sig = 1; sig < NSIG; sig++) {
		struct sigaction action;

		if (sigismember(&mask, sig) == 1)
			printf("blocked %d\n", sig);
		if (sigaction(sig, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
			printf("ignored %d\n", sig);
	}
}

static void
tell_fds(void)
{
	printf("fds");
	for (int fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf(" %d", fd);
	printf(".\n");
}

static void
tell_credentials(void)
{
	gid_t groups[16];
	int n = getgroups(16, groups);

	printf("uid %u %u gid %u %u groups", (unsigned)getuid(), (unsigned)geteuid(),
	    (unsigned)getgid(), (unsigned)getegid());
	for (int i = 0; i < n; i++)
		printf(" %u", (unsigned)groups[i]);
	printf(".\n");
}

static inline int
probe(char **argv, char **envp)
{
	char cwd[PATH_MAX] = "?", score[16] = "?\n";
	int death_signal = 0;
	mode_t mask = umask(0);
	FILE *file;

	tell_fds();
	file = fopen("/proc/self/oom_score_adj", "re");
	if (file && !fgets(score, sizeof score, file))
		score[0] = '\0';
	prctl(PR_GET_PDEATHSIG, &death_signal);
	printf(
	    "arg %s env %s\ncwd %s\n", argv[1], envp[0] ? envp[0] : "-", getcwd(cwd, sizeof cwd));
	printf("umask %o\nsession %d\ngroup %d\n", (unsigned)mask, getsid(0) == getpid(),
	    getpgrp() == getpid());
	printf("death %d\noom %s", death_signal, score);
	tell_credentials();
	tell_signals();
	fflush(stdout);
	_exit(PROBE_STATUS);
}

#endif
