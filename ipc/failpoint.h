/*
 * ipc/failpoint.h - named places where a test makes time stop, a process die or a
 * call fail. Compiled out of the release build.
 *
 * REEVE_FAILPOINTS="commit.before=kill,spawn.after=sleep:3,store.commit=errno:ENOSPC*2"
 *   sleep:MS  kill (SIGKILL to oneself)  errno:NAME   `*N` only the first N times
 *   `%P` with P percent probability, drawn from REEVE_SEED and the pid
 * REEVE_FAILPOINT_DIR: each of the above is armed also while a file NAME is there
 * (its content is the action), so that a running process can be hurt. An action that ends
 * in `*1` takes its file away: the first process that comes by is hurt, and no other.
 */
#ifndef IPC_FAILPOINT_H
#define IPC_FAILPOINT_H

#ifdef REEVE_FAILPOINTS
/* 0, or -errno when NAME is armed with an errno. */
int failpoint(const char *name);
# define FAILPOINT(name) failpoint(name)
#else
# define FAILPOINT(name) 0
#endif

#endif
