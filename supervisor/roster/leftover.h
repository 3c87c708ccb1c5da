/* supervisor/roster/leftover.h - cgroups that belong to nobody any more. */
#ifndef SUPERVISOR_ROSTER_LEFTOVER_H
#define SUPERVISOR_ROSTER_LEFTOVER_H

#include "supervisor/roster/roster.h"

/*
 * Removes the groups of attempts that are over and of services that are gone. Kills nothing: where
 * a process was told to stay, its group stays. Once at start, when every active task is in ROSTER
 * and before any is started: the file thread comes to this first. 0 or -ENOMEM.
 */
int leftover_sweep(struct roster *roster);

#endif
