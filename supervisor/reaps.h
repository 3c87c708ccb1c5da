/*
 * supervisor/reaps.h - how children of the keeper ended, as it noted before reaping them.
 *
 * Reads the ring the keeper shares (ipc/inherit.h); takes no lock and trusts the keeper.
 */
#ifndef SUPERVISOR_REAPS_H
#define SUPERVISOR_REAPS_H

#include "ipc/inherit.h"
#include "ipc/msg.h"

#include <sys/types.h>

struct reaps {
	const struct reap_ring *ring; /* mapped read-only */
};

/* Maps FD (borrowed). 0, -EINVAL when it is no ring, -errno. */
int reaps_open(struct reaps *reaps, int fd);
void reaps_close(struct reaps *reaps);

const char *reaps_instance(const struct reaps *reaps);
pid_t reaps_keeper_pid(const struct reaps *reaps);

/* True with *ret_exit when the process was reaped by this keeper and its record still stands. */
bool reaps_find(
    const struct reaps *reaps, pid_t pid, uint64_t start_ticks, struct exit_info *ret_exit);

#endif
