/* supervisor/roster/leftover.h - berths that nobody lives in any more, and how they become free. */
#ifndef SUPERVISOR_ROSTER_LEFTOVER_H
#define SUPERVISOR_ROSTER_LEFTOVER_H

#include "supervisor/roster/roster.h"

/* At start, when every active task is in the roster: takes the berths of attempts under way, and
 * removes the groups of all others, on the file thread. 0 or -errno. */
int leftover_sweep(struct roster *roster);

/* An attempt is proven empty and that is committed. IS_SPENT: its cgroup was killed, or may hold
 * what was left running, and is no use to the next one. */
void leftover_vacate(struct roster *roster, uint64_t berth, bool is_spent);

#endif
