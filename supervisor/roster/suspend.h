/*
 * supervisor/roster/suspend.h - every worker ends at a checkpoint, so that machine or container may
 * go.
 *
 * Steps are asked to end as by a cancel, with the same grace; but nobody wanted the task cancelled:
 * with on_interrupt: resume it goes on in the next service, at its first unfinished step and with
 * the last checkpoint, and else it undoes its steps and ends interrupted. A step that says after or
 * never is waited for.
 */
#ifndef SUPERVISOR_ROSTER_SUSPEND_H
#define SUPERVISOR_ROSTER_SUSPEND_H

#include "supervisor/roster/roster.h"

/* Nothing is started from now on. Asking again asks again. */
void suspend_all(struct roster *roster);

/* For an attempt that was being launched meanwhile. */
void suspend_late(struct task *task);

/* True when no worker is left, but for those that nobody can kill. */
bool suspend_is_done(const struct roster *roster);

#endif
