/*
 * ipc/proc.h - who a process is, and signals that cannot hit a stranger.
 *
 * A pid alone names nobody: it is reused. A process is (pid, start time), and is
 * signalled through a pidfd only, opened first and compared afterwards.
 * proc(5), pidfd_open(2), pidfd_send_signal(2).
 */
#ifndef IPC_PROC_H
#define IPC_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct proc_stat {
	pid_t pid, ppid, pgid, sid;
	char state;            /* 'R', 'S', 'Z', 'T', ... */
	uint64_t start_ticks;  /* since boot, field 22 */
	uint64_t cpu_ticks;    /* user + system */
	uint64_t waited_ticks; /* the same of the children it has waited for */
	int threads;           /* a zombie with more than one: its main thread alone has ended */
	char comm[32];
};

/* Reads /proc/PID/stat: 0, -ESRCH when there is none, -errno. Works on zombies. */
int proc_stat(pid_t pid, struct proc_stat *ret_stat);

/* True while any of its threads may still run. */
bool proc_is_alive(const struct proc_stat *stat);

/* Start time of the caller. */
uint64_t proc_self_start(void);

int proc_pidfd_open(pid_t pid);            /* fd (close-on-exec) or -errno */
int proc_pidfd_signal(int pidfd, int sig); /* 0 or -errno */

/* A pidfd for PID that is certainly the process started at START_TICKS: fd, -ESRCH if gone. */
int proc_pidfd_open_exact(pid_t pid, uint64_t start_ticks);

/* Children of PID from /proc/PID/task/TID/children of every thread, falling back to a scan of
 * /proc. *ret_pids is owned. 0 or -errno. */
int proc_children(pid_t pid, pid_t **ret_pids, size_t *ret_count);
/* Whether ONLY is the one child of the calling thread. 1, 0, or -errno. */
int proc_has_only_child(pid_t only);
/* The first MAX of them: the dead that nobody reaps may be thousands. */
int proc_first_children(pid_t pid, size_t max, pid_t **ret_pids, size_t *ret_count);

enum {
	BOOT_ID_TEXT = 40
};
/* The kernel's boot id, or the content of REEVE_BOOT_ID_FILE (ignored when set-id). 0 or -errno. */
int proc_boot_id(char ret_text[static BOOT_ID_TEXT]);

#endif
