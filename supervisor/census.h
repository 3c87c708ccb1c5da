/*
 * supervisor/census.h - the workers that live and what steps left running on purpose, for whoever
 * hunts strays on another thread.
 *
 * A spawn holds the census from before the process exists until it is entered, so a hunter who
 * asks about a pid never takes a newborn worker for a stray.
 */
#ifndef SUPERVISOR_CENSUS_H
#define SUPERVISOR_CENSUS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct census_entry {
	pid_t pid;
	uint64_t start_ticks;
};

struct census {
	pthread_mutex_t lock;
	struct census_entry *entries; /* under lock */
	size_t n, room;
};

void census_init(struct census *census);
void census_fini(struct census *census);

/* Around a spawn: 0, or -ENOMEM when there is no room for one more (then it is not open). What is
 * born can be entered, once. */
int census_open(struct census *census);
void census_enter(struct census *census, pid_t pid, uint64_t start_ticks);
void census_close(struct census *census);

void census_leave(struct census *census, pid_t pid, uint64_t start_ticks);
bool census_has(struct census *census, pid_t pid, uint64_t start_ticks);

#endif
