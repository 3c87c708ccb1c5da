/*
 * ipc/ahead.h - a thread goes before all others for as long as it hunts a crowd: a thousand
 * processes that fork without end leave it a thousandth of the processors.
 *
 * Root may do that; for others nothing changes. sched(7).
 */
#ifndef IPC_AHEAD_H
#define IPC_AHEAD_H

struct ahead {
	int policy, priority; /* before; -1: nothing was changed */
};

/* Of the calling thread. May nest. */
void ahead_begin(struct ahead *ahead);
void ahead_end(const struct ahead *ahead);

#endif
