/*
 * tests/fake/container.c - what a container is to a service, made from the kernel's own parts.
 *
 *   container MODE PROGRAM ARGUMENT...
 *
 * MODE is words joined by commas: `pid` (a pid namespace, in which PROGRAM is number 1), `rocgroup`
 * (cgroups can be seen but not changed), `enosys` or `eperm` (a seccomp profile that forbids clone3
 * with that error), `stranger` (PROGRAM has a child that is no business of its, which holds a lock
 * on the file $CONTAINER_STRANGER, and leaves orphans that end). Takes root, but for the last two.
 */
#include "ipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *mode;

static bool
has(const char *word)
{
	const char *at = strstr(mode, word);

	return at && (at == mode || at[-1] == ',') && strchr(",", at[strlen(word)]);
}

static void
need(bool is_fine, const char *what)
{
	if (is_fine)
		return;
	fprintf(stderr, "container: %s: %s\n", what, strerror(errno));
	_exit(126);
}

static void
forbid_clone3(unsigned error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { .len = 4, .filter = code };

	if (geteuid() != 0)
		need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no new rights");
	need(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0, "seccomp");
}

static void
furnish(void)
{
	struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };

	need(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private mounts");
	need(mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0, "/proc");
	if (has("rocgroup"))
		need(syscall(SYS_mount_setattr, AT_FDCWD, "/sys/fs/cgroup", AT_RECURSIVE,
			 &read_only, sizeof read_only) == 0,
		    "cgroups that cannot be changed");
}

/* Its parent ends before it. */
static void
leave_orphan(void)
{
	pid_t pid = fork();

	if (pid == 0 && fork() != 0)
		_exit(0);
	if (pid == 0) {
		nanosleep(&(struct timespec){ .tv_nsec = 10 * 1000 * 1000 }, NULL);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

/* The file $CONTAINER_STRANGER with TAIL behind its name. */
static const char *
file(const char *tail)
{
	static char path[4096];

	snprintf(path, sizeof path, "%s%s", getenv("CONTAINER_STRANGER"), tail);
	return path;
}

static void
nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 20 * 1000 * 1000 }, NULL);
}

static void
lock(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

	need(fd >= 0 && fd_lock(fd) == 0, "the stranger's lock");
}

/* One that stays, younger than whatever runs by now. */
static void
leave_daemon(void)
{
	pid_t pid = fork();

	if (pid == 0 && fork() != 0)
		_exit(0);
	if (pid == 0) {
		lock(file(".daemon"));
		while (access(file(".end"), F_OK) != 0)
			nap();
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void
be_stranger(void)
{
	bool has_daemon = false;

	lock(file(""));
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		leave_orphan();
		nap();
		if (has_daemon || access(file(".go"), F_OK) != 0)
			continue;
		leave_daemon();
		has_daemon = true;
	}
}

static void
become(char **argv)
{
	if (has("pid"))
		furnish();
	if (has("stranger") && fork() == 0)
		be_stranger();
	if (has("enosys"))
		forbid_clone3(ENOSYS);
	if (has("eperm"))
		forbid_clone3(EPERM);
	execv(argv[0], argv);
	need(false, argv[0]);
}

/* Outside: signals are passed in, and its end is ours. */
static int
look_after(pid_t pid)
{
	sigset_t set;
	int signal, status;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	while (sigwait(&set, &signal) == 0) {
		if (signal != SIGCHLD)
			kill(pid, signal);
		else if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	return EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	sigset_t set, old;
	pid_t pid;

	if (argc < 3)
		return 2;
	mode = argv[1];
	if (!has("pid"))
		become(argv + 2);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &old);
	need(unshare(CLONE_NEWPID | CLONE_NEWNS) == 0, "namespaces of its own");
	pid = fork();
	need(pid >= 0, "fork");
	if (pid > 0)
		_exit(look_after(pid)); /* no leak checker finds its way between two namespaces */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigprocmask(SIG_SETMASK, &old, NULL);
	become(argv + 2);
}
