/* supervisor/keeper/ring.h - the keeper's side of struct reap_ring: its only writer. */
#ifndef SUPERVISOR_KEEPER_RING_H
#define SUPERVISOR_KEEPER_RING_H

#include "ipc/inherit.h"

#include <signal.h>

struct ring {
	int fd; /* memfd, handed to each supervisor */
	struct reap_ring *map;
};

/* A new ring with an instance drawn at random; or, when LEFT (borrowed; -1: none) is a ring of this
 * very process as another build, one that goes on from there. 0 or -errno. */
int ring_open(struct ring *ring, int left);
void ring_close(struct ring *ring);

/* Notes how INFO's process ended, while it still is a zombie. */
void ring_note(struct ring *ring, const siginfo_t *info);

#endif
