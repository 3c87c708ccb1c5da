/* worker/pull/backoff.h - how long to wait before the next try. Pure. */
#ifndef WORKER_PULL_BACKOFF_H
#define WORKER_PULL_BACKOFF_H

#include <stdint.h>

enum {
	BACKOFF_MAX_MS = 60 * 1000
};

/*
 * BASE_MS doubled for every failure before this one (FAILURES from 1), at most BACKOFF_MAX_MS,
 * of which a random half is taken off: machines that failed together do not come back together.
 */
uint64_t backoff_ms(unsigned failures, uint64_t base_ms, uint32_t random);

#endif
