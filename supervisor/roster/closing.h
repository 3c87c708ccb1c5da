/* supervisor/roster/closing.h - the end of a task, however it came about. */
#ifndef SUPERVISOR_ROSTER_CLOSING_H
#define SUPERVISOR_ROSTER_CLOSING_H

#include "supervisor/roster/change.h"

/* CHANGE has moved the task to an end: stamps it, writes its outcome and the event. */
void closing_end_task(struct change *change);

/* When the ended task may go, if its end is at ENDED_MS; 0: never. */
uint64_t closing_expiry(const struct task *task, uint64_t ended_ms);

#endif
