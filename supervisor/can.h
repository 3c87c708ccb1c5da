/*
 * supervisor/can.h - what somebody may do with a task now, and why not. Pure.
 */
#ifndef SUPERVISOR_CAN_H
#define SUPERVISOR_CAN_H

#include "store/record.h"

struct can {
	enum cancel_mode cancel;
	const char *reason; /* why cancel is not `now`; NULL otherwise. Static. */
	bool retry;
	bool answer;
};

struct can can_do(const struct record *record);

/* The mode of the step that runs now; CANCEL_NOW when none does. */
enum cancel_mode can_step_mode(const struct record *record);

/* The step that an undo in reverse order has come to; NULL: none is left. */
const struct record_step *can_undoing(const struct record *record);

/* Its work was begun, in whichever attempt, and there is something that takes it back. What its
 * check found done before that is not its work. */
bool can_undo_step(const struct record_step *step);

/* Steps that an undo would have to look at: begun or done, with `undo`. */
bool can_undo_something(const struct record *record);

#endif
