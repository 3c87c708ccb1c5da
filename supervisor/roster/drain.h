/*
 * supervisor/roster/drain.h - nothing new is taken, what runs is finished, what waits keeps
 * waiting.
 *
 * Stored, so that it holds over a restart of the service; not over one of the machine, which is
 * what it is for.
 */
#ifndef SUPERVISOR_ROSTER_DRAIN_H
#define SUPERVISOR_ROSTER_DRAIN_H

#include "supervisor/roster/roster.h"

/* What the store says. 0 or -errno. */
int drain_load(struct roster *roster);
void drain_fini(struct roster *roster);

/* On for PERSON, or off; DONE once that is stored. 0, or -ENOMEM without calling DONE. */
int drain_set(
    struct roster *roster, bool is_on, const char *person, void (*done)(void *arg), void *arg);

#endif
