/* supervisor/clone3.h - containers in which clone3 is forbidden with the wrong error. */
#ifndef SUPERVISOR_CLONE3_H
#define SUPERVISOR_CLONE3_H

/*
 * The C library does without clone3 where it is told ENOSYS, but takes EPERM, which old container
 * profiles answer, for final: nothing could start a thread. Then this process and all it starts are
 * told ENOSYS from now on, by a filter of our own: of several the latest one's errno counts,
 * seccomp(2). Before there are threads. 0: nothing to do, or done; 1: done, and what is started
 * from now on cannot gain rights (sudo); -errno.
 */
int clone3_forgive(void);

#endif
