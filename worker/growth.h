/*
 * worker/growth.h - how far a file has grown towards a size that is known beforehand.
 *
 * It is looked at with the rights of whoever runs the step. What stood there when the step began
 * says nothing until it changes.
 */
#ifndef WORKER_GROWTH_H
#define WORKER_GROWTH_H

#include "worker/attempt.h"

#include <sys/stat.h>

struct growth {
	char *path;     /* owned, absolute; NULL: none */
	uint64_t bytes; /* it will have */
	struct stat before;
	bool was_there, has_changed;
	uint64_t due_ms; /* boot clock: of the next look */
};

/* Notes what stands there now. Takes nothing: PATH and BYTES were set before. */
void growth_begin(struct growth *growth, const struct attempt *attempt, uint64_t now_ms);
void growth_fini(struct growth *growth);

/* Looks when it is due and tells the bulletin. Returns milliseconds until the next look, -1 for
 * never. */
int growth_look(struct growth *growth, struct attempt *attempt, uint64_t now_ms);

#endif
