#include "ipc/spawn_child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define IN_CHILD __attribute__((no_sanitize("address", "undefined", "thread")))

enum {
	MAX_FDS = 16,
	LOOP_FDS = 4096
};

/* Ends the child; its parent reads why. */
IN_CHILD _Noreturn static void
fail(struct spawn_child *child, enum spawn_stage stage, int error)
{
	struct spawn_report report = { .stage = stage, .error = -error };

	child->stage = stage;
	child->error = -error;
	if (child->report_fd >= 0)
		syscall(SYS_write, child->report_fd, &report, sizeof report);
	for (;;)
		syscall(SYS_exit_group, 127);
}

IN_CHILD static void
enter_cgroups(struct spawn_child *child)
{
	const struct spawn_spec *spec = child->spec;
	long fd;

	if (spec->cgroup_fd >= 0 && child->enter_cgroup) {
		fd = syscall(SYS_openat, spec->cgroup_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
		if (fd < 0 || syscall(SYS_write, fd, "0", 1) < 0)
			fail(child, SPAWN_STAGE_CGROUP, errno);
		syscall(SYS_close, fd);
	}
}

IN_CHILD static void
write_oom_score(int score)
{
	char text[8];
	long fd = syscall(SYS_openat, AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	unsigned value = score < 0 ? (unsigned)-score : (unsigned)score;
	int at = sizeof text;

	do
		text[--at] = (char)('0' + value % 10);
	while ((value /= 10) > 0 && at > 1);
	if (score < 0)
		text[--at] = '-';
	if (fd >= 0) {
		syscall(SYS_write, fd, text + at, sizeof text - (size_t)at);
		syscall(SYS_close, fd);
	}
}

IN_CHILD static void
start_session(struct spawn_child *child)
{
	const struct spawn_spec *spec = child->spec;

	if (spec->new_session && syscall(SYS_setsid) < 0)
		fail(child, SPAWN_STAGE_SESSION, errno);
	if (spec->new_group && syscall(SYS_setpgid, 0, 0) < 0)
		fail(child, SPAWN_STAGE_SESSION, errno);
	if (spec->oom_score_adj != INT_MIN)
		write_oom_score(spec->oom_score_adj);
}

/* From here on every fd goes at exec, but for those that are passed on afterwards. */
IN_CHILD static void
mark_all_fds(void)
{
	if (syscall(SYS_close_range, 0, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		return;
	for (int fd = 0; fd < LOOP_FDS; fd++) /* before Linux 5.11 */
		syscall(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
}

/* The first number above everything that is passed on: no higher than a low RLIMIT_NOFILE needs. */
IN_CHILD static int
first_spare(const struct spawn_spec *spec)
{
	int spare = STDERR_FILENO + 1;

	for (size_t i = 0; i < spec->nfds; i++)
		if (spec->fds[i].to >= spare)
			spare = spec->fds[i].to + 1;
	return spare;
}

/* A copy of FD that is out of the way and goes at exec. */
IN_CHILD static int
put_aside(struct spawn_child *child, int fd, int spare)
{
	long copy = syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, spare);

	if (copy < 0)
		fail(child, SPAWN_STAGE_FDS, errno);
	return (int)copy;
}

/* By way of spare numbers, since one's `to` may be another's `from`; report and program too. */
IN_CHILD static int
pass_fds(struct spawn_child *child)
{
	const struct spawn_spec *spec = child->spec;
	int copies[MAX_FDS], exec_fd = -1, spare = first_spare(spec);

	mark_all_fds();
	if (spec->nfds > MAX_FDS)
		fail(child, SPAWN_STAGE_FDS, EINVAL);
	if (child->report_fd >= 0)
		child->report_fd = put_aside(child, child->report_fd, spare);
	if (spec->exec_fd >= 0)
		exec_fd = put_aside(child, spec->exec_fd, spare);
	for (size_t i = 0; i < spec->nfds; i++)
		copies[i] = put_aside(child, spec->fds[i].from, spare);
	for (size_t i = 0; i < spec->nfds; i++)
		if (syscall(SYS_dup3, copies[i], spec->fds[i].to, 0) < 0)
			fail(child, SPAWN_STAGE_FDS, errno);
	return exec_fd;
}

/* Raw, since the C library would change every thread of our parent. */
IN_CHILD static void
become(struct spawn_child *child)
{
	const struct spawn_cred *cred = child->spec->cred;

	if (!cred)
		return;
	if (syscall(SYS_setgroups, cred->ngroups, cred->groups) < 0 ||
	    syscall(SYS_setresgid, cred->gid, cred->gid, cred->gid) < 0 ||
	    syscall(SYS_setresuid, cred->uid, cred->uid, cred->uid) < 0)
		fail(child, SPAWN_STAGE_CREDENTIALS, errno);
}

IN_CHILD static void
enter_directory(struct spawn_child *child)
{
	const struct spawn_spec *spec = child->spec;
	struct stat info;

	if (spec->umask >= 0)
		syscall(SYS_umask, spec->umask);
	if (!spec->cwd)
		return;
	if (syscall(SYS_chdir, spec->cwd) < 0)
		fail(child, SPAWN_STAGE_CWD, errno);
	if (spec->cwd_ino == 0)
		return;
	if (syscall(SYS_newfstatat, AT_FDCWD, ".", &info, 0) < 0)
		fail(child, SPAWN_STAGE_CWD, errno);
	if (info.st_ino != spec->cwd_ino || info.st_dev != spec->cwd_dev)
		fail(child, SPAWN_STAGE_CWD, ESTALE);
}

/* The kernel's own struct: handlers that point into our program mean nothing after exec. */
IN_CHILD static void
reset_signals(const struct spawn_child *child)
{
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} deflt = { 0 };
	uint64_t none = 0;

	for (int sig = 1; sig <= 64; sig++)
		if (child->reset >> (sig - 1) & 1)
			syscall(SYS_rt_sigaction, sig, &deflt, NULL, sizeof deflt.mask);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
}

/* The kernel has one word for a directory and for a file without x, and another one for a file
 * that is missing and for one whose interpreter is. Here the rights are those of who runs it. */
IN_CHILD static int
refine(const char *path, int error)
{
	struct stat info;

	if (syscall(SYS_newfstatat, AT_FDCWD, path, &info, 0) < 0)
		return error;
	if (error == ENOENT)
		return ELIBACC;
	return S_ISDIR(info.st_mode) ? EISDIR : error;
}

/* As execvp(3): a name that is not there is looked for further on, a refusal is remembered. */
IN_CHILD static int
exec_first(const struct spawn_spec *spec)
{
	int refusal = ENOENT;

	for (const char *const *path = spec->paths; path && *path; path++) {
		int error;

		syscall(SYS_execve, *path, spec->argv, spec->envp);
		error = errno;
		if (error != EACCES && error != ENOENT && error != ENOTDIR)
			return error;
		if (error != ENOTDIR)
			error = refine(*path, error);
		if (error != ENOENT && error != ENOTDIR)
			refusal = error;
	}
	return refusal;
}

IN_CHILD _Noreturn void
spawn_child_run(struct spawn_child *child)
{
	const struct spawn_spec *spec = child->spec;
	int exec_fd;

	start_session(child);
	enter_cgroups(child);
	exec_fd = pass_fds(child);
	if (spec->new_tty && syscall(SYS_ioctl, STDIN_FILENO, TIOCSCTTY, 0) < 0)
		fail(child, SPAWN_STAGE_SESSION, errno);
	become(child);
	if (spec->death_signal) {
		syscall(SYS_prctl, PR_SET_PDEATHSIG, spec->death_signal, 0, 0, 0);
		if (child->parent && (pid_t)syscall(SYS_getppid) != child->parent)
			fail(child, SPAWN_STAGE_SESSION, ESRCH);
	}
	enter_directory(child);
	reset_signals(child);
	if (exec_fd < 0)
		fail(child, SPAWN_STAGE_EXEC, exec_first(spec));
	syscall(SYS_execveat, exec_fd, "", spec->argv, spec->envp, AT_EMPTY_PATH);
	fail(child, SPAWN_STAGE_EXEC, errno);
}
