#include "ipc/spawn.h"

#include "ipc/fd.h"
#include "ipc/proc.h"
#include "ipc/spawn_child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	STACK_BYTES = 64 * 1024
};

const char *
spawn_method_name(enum spawn_method method)
{
	static const char *const names[] = {
		[SPAWN_CLONE3] = "clone3", [SPAWN_CLONE] = "clone", [SPAWN_FORK] = "fork"
	};

	return method >= SPAWN_CLONE3 && method <= SPAWN_FORK ? names[method] : "invalid";
}

const char *
spawn_stage_name(enum spawn_stage stage)
{
	static const char *const names[] = { [SPAWN_STAGE_NONE] = "nothing",
		[SPAWN_STAGE_CLONE] = "make a process",
		[SPAWN_STAGE_FDS] = "pass its files on",
		[SPAWN_STAGE_CGROUP] = "enter its cgroup",
		[SPAWN_STAGE_SESSION] = "start its session",
		[SPAWN_STAGE_CREDENTIALS] = "become its user",
		[SPAWN_STAGE_CWD] = "enter its directory",
		[SPAWN_STAGE_EXEC] = "execute it" };

	return stage <= SPAWN_STAGE_EXEC ? names[stage] : "invalid";
}

/* The stack is its own mapping: on ours, ASan takes the child's frames for our own. One for each
 * thread that starts programs, kept: a mapping more and less for each program costs both sides. */
static void *
own_stack(void)
{
	static _Thread_local void *kept;
	void *stack;

	if (kept)
		return kept;
	stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	if (stack != MAP_FAILED)
		kept = stack;
	return kept;
}

/* ---- signals ----------------------------------------------------------------------- */

static uint64_t ignored;
static pthread_once_t ignored_once = PTHREAD_ONCE_INIT;

static uint64_t
bit_of(int sig)
{
	return UINT64_C(1) << (sig - 1);
}

/* What our programs ignore, and what this one was told to ignore from birth. */
static uint64_t
usually_ignored(void)
{
	return bit_of(SIGPIPE) | bit_of(SIGXFSZ);
}

static void
find_ignored(void)
{
	struct sigaction action;

	ignored = usually_ignored();
	for (int sig = 1; sig < NSIG; sig++)
		if (sigaction(sig, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
			ignored |= bit_of(sig);
}

/*
 * clone3(2) as vfork: the child runs on STACK in our memory, we sleep until it execs or ends. The
 * call is made in place, since a child must not return through a frame its parent will use.
 */
__attribute__((noinline, no_sanitize("address", "undefined", "thread"))) static pid_t
raw_clone3(struct clone_args *args, struct spawn_child *child)
{
#if defined(__x86_64__)
	register long rax __asm__("rax") = SYS_clone3;
	register struct clone_args *rdi __asm__("rdi") = args;
	register size_t rsi __asm__("rsi") = sizeof *args;
	register struct spawn_child *r12 __asm__("r12") = child;
	register void (*r13)(struct spawn_child *) __asm__("r13") = spawn_child_run;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %%r12, %%rdi\n\t"
			 "call *%%r13\n\t"
			 "ud2\n"
			 "1:"
			 : "+r"(rax)
			 : "r"(rdi), "r"(rsi), "r"(r12), "r"(r13)
			 : "rcx", "r11", "memory");
	return (pid_t)rax;
#else
	(void)args;
	(void)child;
	return -ENOSYS;
#endif
}

/* *RET_PIDFD is written by the kernel, which clang-tidy does not see. */
static pid_t
clone3_child(struct spawn_child *child, void *stack,
    int *ret_pidfd) // NOLINT(readability-non-const-parameter)
{
	const struct spawn_spec *spec = child->spec;
	struct clone_args args = {
		.flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
		.pidfd = (uint64_t)(uintptr_t)ret_pidfd,
		.exit_signal = SIGCHLD,
		.stack = (uint64_t)(uintptr_t)stack,
		.stack_size = STACK_BYTES,
	};

	if (!spec->ignores_usual)
		pthread_once(&ignored_once, find_ignored);
	/* Handlers are gone already. */
	child->reset = spec->ignores_usual ? usually_ignored() : ignored;
	if (spec->sibling) {
		args.flags |= CLONE_PARENT;
		args.exit_signal = 0; /* the only legal one with CLONE_PARENT */
	}
	if (spec->cgroup_fd >= 0 && !child->enter_cgroup) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (unsigned)spec->cgroup_fd;
	}
	return raw_clone3(&args, child);
}

__attribute__((no_sanitize("address", "undefined", "thread"))) static int
enter_child(void *arg)
{
	spawn_child_run(arg);
}

static pid_t
clone_child(struct spawn_child *child, void *stack, int *ret_pidfd)
{
	int flags =
	    CLONE_VM | CLONE_VFORK | CLONE_PIDFD | (child->spec->sibling ? CLONE_PARENT : SIGCHLD);
	pid_t pid;

	child->enter_cgroup = true;
	child->reset = UINT64_MAX;
	pid = clone(enter_child, (char *)stack + STACK_BYTES, flags, child, ret_pidfd);
	return pid < 0 ? (pid_t)-errno : pid;
}

/* ---- shared memory: clone3 and clone -------------------------------------------- */

static bool
is_cgroup_refusal(pid_t error)
{
	return error == -EACCES || error == -EBADF || error == -EOPNOTSUPP || error == -EBUSY ||
	       error == -EINVAL;
}

static int
spawn_shared(struct spawn_child *child, enum spawn_method method, struct spawned *ret)
{
	void *stack = own_stack();
	int pidfd = -1;
	pid_t pid;

	if (!stack)
		return -ENOMEM;
	if (method == SPAWN_CLONE3) {
		pid = clone3_child(child, stack, &pidfd);
		if (child->spec->cgroup_fd >= 0 && is_cgroup_refusal(pid)) {
			child->enter_cgroup = true;
			pid = clone3_child(child, stack, &pidfd);
		}
	} else {
		pid = clone_child(child, stack, &pidfd);
	}
	if (pid < 0)
		return pid;
	ret->pid = pid;
	ret->pidfd = pidfd;
	ret->stage = child->stage;
	if (child->error == 0)
		return 0;
	if (!child->spec->sibling)
		waitid((idtype_t)P_PIDFD, (id_t)pidfd, &(siginfo_t){ 0 }, WEXITED);
	fd_close(&ret->pidfd);
	return child->error;
}

/* ---- fork ------------------------------------------------------------------------ */

struct fork_pipes {
	int report[2]; /* child -> us: its pid, then stage and error if it fails; EOF: exec'd */
	int go[2];     /* us -> child: we hold its pidfd. EOF means the same: we are gone */
};

static void
close_pipes(struct fork_pipes *pipes)
{
	for (int i = 0; i < 2; i++) {
		fd_close(&pipes->report[i]);
		fd_close(&pipes->go[i]);
	}
}

/* In the child: as a sibling it forks once more and ends, so that our parent inherits the other. */
static void
run_forked(struct spawn_child *child, struct fork_pipes *pipes)
{
	pid_t pid = 0;
	char go;

	if (child->spec->sibling)
		pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid != 0)
		_exit(pid < 0);
	fd_close(&pipes->go[1]);
	pid = (pid_t)syscall(SYS_getpid);
	if (write(pipes->report[1], &pid, sizeof pid) != (ssize_t)sizeof pid ||
	    read(pipes->go[0], &go, 1) < 0)
		_exit(127);
	child->report_fd = pipes->report[1];
	if (child->spec->sibling)
		child->parent = 0; /* whoever it is by now */
	spawn_child_run(child);
}

static int
read_report(struct spawn_child *child, struct fork_pipes *pipes, struct spawned *ret)
{
	struct spawn_report report;
	ssize_t n;

	if (fd_read_all(pipes->report[0], &ret->pid, sizeof ret->pid) != (ssize_t)sizeof ret->pid)
		return -EAGAIN;
	ret->pidfd = proc_pidfd_open(ret->pid);
	fd_close(&pipes->go[1]);
	n = fd_read_all(pipes->report[0], &report, sizeof report);
	if (n == 0)
		return ret->pidfd < 0 ? ret->pidfd : 0;
	ret->stage = n == (ssize_t)sizeof report ? report.stage : SPAWN_STAGE_EXEC;
	if (!child->spec->sibling && ret->pidfd >= 0)
		waitid((idtype_t)P_PIDFD, (id_t)ret->pidfd, &(siginfo_t){ 0 }, WEXITED);
	fd_close(&ret->pidfd);
	return n == (ssize_t)sizeof report ? report.error : -EIO;
}

/* One at a time: two children that wait would hold each other's pipes open. */
static pthread_mutex_t fork_lock = PTHREAD_MUTEX_INITIALIZER;

static int
spawn_forked(struct spawn_child *child, struct spawned *ret)
{
	struct fork_pipes pipes = { { -1, -1 }, { -1, -1 } };
	pid_t pid;
	int r;

	child->enter_cgroup = true;
	if (pipe2(pipes.report, O_CLOEXEC) < 0 || pipe2(pipes.go, O_CLOEXEC) < 0) {
		r = -errno;
		close_pipes(&pipes);
		return r;
	}
	pid = fork();
	if (pid == 0)
		run_forked(child, &pipes);
	if (pid < 0) {
		r = -errno;
	} else {
		fd_close(&pipes.report[1]);
		fd_close(&pipes.go[0]);
		r = read_report(child, &pipes, ret);
		if (child->spec->sibling)
			waitpid(pid, NULL, 0);
	}
	close_pipes(&pipes);
	return r;
}

/* ---- which method ------------------------------------------------------------------ */

static enum spawn_method probed;
static pthread_once_t probe_once = PTHREAD_ONCE_INIT;

/* clone3 answers EINVAL to nonsense where it exists; profiles that forbid it say ENOSYS or EPERM.
 */
static enum spawn_method
probe(void)
{
	const char *wish = getenv("REEVE_SPAWN");

	for (enum spawn_method method = SPAWN_CLONE3; wish && method <= SPAWN_FORK; method++)
		if (strcmp(wish, spawn_method_name(method)) == 0)
			return method;
#if defined(__x86_64__)
	if (syscall(SYS_clone3, NULL, 0) < 0 && errno == EINVAL)
		return SPAWN_CLONE3;
#endif
	return SPAWN_CLONE;
}

static void
set_probed(void)
{
	probed = probe();
}

enum spawn_method
spawn_method(void)
{
	pthread_once(&probe_once, set_probed);
	return probed;
}

static int
spawn_by(enum spawn_method method, struct spawn_child *child, struct spawned *ret)
{
	int r;

	if (method != SPAWN_FORK)
		return spawn_shared(child, method, ret);
	pthread_mutex_lock(&fork_lock);
	r = spawn_forked(child, ret);
	pthread_mutex_unlock(&fork_lock);
	return r;
}

int
spawn(const struct spawn_spec *spec, struct spawned *ret)
{
	enum spawn_method method = spawn_method();
	struct spawn_child child = { .spec = spec,
		.report_fd = -1,
		.reset = UINT64_MAX,
		.parent = spec->sibling ? getppid() : getpid(),
		.enter_cgroup = spec->cgroup_by_write };
	sigset_t all, old;
	int r;

	*ret = (struct spawned){ .pidfd = -1, .stage = SPAWN_STAGE_CLONE };
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = spawn_by(method, &child, ret);
	/* Forbidden after all: one step down the ladder. */
	while (r < 0 && ret->stage == SPAWN_STAGE_CLONE && method < SPAWN_FORK &&
	       (r == -ENOSYS || r == -EPERM || r == -EINVAL))
		r = spawn_by(++method, &child, ret);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r == 0)
		ret->stage = SPAWN_STAGE_NONE;
	return r;
}
