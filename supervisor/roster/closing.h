/* supervisor/roster/closing.h - the end of a task, however it came about. */
#ifndef SUPERVISOR_ROSTER_CLOSING_H
#define SUPERVISOR_ROSTER_CLOSING_H

#include "supervisor/roster/change.h"

/* CHANGE has moved the task to an end: stamps it, writes its outcome and the event. */
void closing_end_task(struct change *change);

#endif
