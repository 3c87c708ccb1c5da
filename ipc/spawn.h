/*
 * ipc/spawn.h - starts a program in a new process, exactly as described, or says at
 * which stage it failed and why.
 *
 * Default is clone3(CLONE_VM|CLONE_VFORK|CLONE_PIDFD[|CLONE_PARENT][|CLONE_INTO_CGROUP])
 * on a stack of its own: it costs the same at any resident size and the errno of exec
 * comes back synchronously. Fallbacks: legacy clone(), and fork. The child, up to exec, is
 * one function of raw system calls with all signals blocked.
 * clone(2), execveat(2), credentials(7).
 */
#ifndef IPC_SPAWN_H
#define IPC_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum spawn_method {
	SPAWN_CLONE3 = 1,
	SPAWN_CLONE,
	SPAWN_FORK
};

/* Where it failed; spawn_stage_name() for messages. */
enum spawn_stage {
	SPAWN_STAGE_NONE = 0,
	SPAWN_STAGE_CLONE,
	SPAWN_STAGE_FDS,
	SPAWN_STAGE_CGROUP,
	SPAWN_STAGE_SESSION,
	SPAWN_STAGE_CREDENTIALS,
	SPAWN_STAGE_CWD,
	SPAWN_STAGE_EXEC
};

struct spawn_fd {
	int from; /* the caller's fd; stays open and close-on-exec there */
	int to;   /* its number in the child */
};

struct spawn_cred {
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t ngroups;
};

struct spawn_spec {
	int exec_fd; /* program to start by execveat(fd, "", AT_EMPTY_PATH); -1: paths */
	const char *const *paths; /* NULL-terminated candidates tried in order, as execvp does; a
				     directory is -EISDIR, a missing interpreter -ELIBACC */
	char *const *argv;
	char *const *envp;
	const struct spawn_fd *fds; /* everything the child inherits; all others are closed */
	size_t nfds;                /* <= 16; `to` numbers are distinct, < 64 */
	bool sibling;     /* the caller's parent becomes its parent (CLONE_PARENT, exit_signal 0) */
	bool new_session; /* setsid() */
	bool new_tty;     /* with new_session: fd 0 of the child becomes its controlling terminal */
	bool new_group;   /* setpgid(0, 0) */
	int cgroup_fd;    /* directory to start in, by CLONE_INTO_CGROUP or cgroup.procs; -1 */
	bool cgroup_by_write; /* enter it by cgroup.procs: a cgroup that was once killed kills at
				 once what CLONE_INTO_CGROUP starts in it (cgroup.kill, Linux 6.18)
			       */
	const struct spawn_cred *cred; /* NULL: keep ours */
	const char *cwd;               /* entered after the credentials changed; NULL: keep ours */
	dev_t cwd_dev; /* with cwd_ino: the directory it must still be, else ESTALE; 0: any */
	ino_t cwd_ino;
	bool ignores_usual; /* the caller ignores SIGPIPE and SIGXFSZ and was told to ignore none */
	int umask;          /* -1: keep */
	int death_signal;  /* PR_SET_PDEATHSIG, with a check that the parent still lives; 0: none */
	int oom_score_adj; /* INT_MIN: keep. Lowering is best effort */
};

struct spawned {
	pid_t pid;
	int pidfd;              /* owned by the caller */
	enum spawn_stage stage; /* on failure */
};

/* The best method that works here, probed once by trying. Thread-safe after the first call.
 * REEVE_SPAWN=clone3|clone|fork overrides. */
enum spawn_method spawn_method(void);
const char *spawn_method_name(enum spawn_method method);
const char *spawn_stage_name(enum spawn_stage stage);

/*
 * Returns 0, or -errno of RET->stage with nothing left running (a child that failed before exec is
 * reaped, or, when `sibling`, ends with status 127 for the caller's parent to reap). Blocks until
 * the program was exec'd. With SPAWN_FORK and `sibling` the caller's parent must be a subreaper.
 */
int spawn(const struct spawn_spec *spec, struct spawned *ret);

#endif
