/*
 * worker/vigil.h - watches a step that is silent for signs of life, and says when there are none:
 * what lock it waits for, or that it stands still and since when. Nothing is stopped by it.
 *
 * Signs of life are progress, output and facts, which are seen as they come; and CPU time, disk
 * I/O, and processes that come and go, which are looked for the less often the longer it is silent.
 */
#ifndef WORKER_VIGIL_H
#define WORKER_VIGIL_H

#include "worker/attempt.h"
#include "worker/kin.h"

struct vigil {
	uint64_t stall_after_ms;     /* 0: nobody watches */
	const struct spared *spared; /* borrowed */
	uint64_t sign_ms;            /* boot clock: of the last sign of life */
	uint64_t look_ms;            /* boot clock: the next look is due */
	/* As last seen. */
	double fraction;
	uint64_t bytes_done, output_bytes, facts_end;
	uint64_t looked_ms, cpu_ticks, io_bytes, ids;
	bool is_still; /* since the last sign: it was told */
};

/* A command of step STEP (from 0) has begun. */
void vigil_begin(
    struct vigil *vigil, struct attempt *attempt, size_t step, const struct spared *spared);
/* It is over: nothing is waited for any more. */
void vigil_end(struct vigil *vigil, struct attempt *attempt);

/* Looks when it is time. Returns milliseconds until it is again, -1: never. */
int vigil_turn(struct vigil *vigil, struct attempt *attempt, uint64_t now_ms);

#endif
