#include "supervisor/can.h"

#include "supervisor/inquiry.h"

enum cancel_mode
can_step_mode(const struct record *record)
{
	const struct record_step *step;

	if (record->step == 0 || record->step > record->steps.n)
		return CANCEL_NOW;
	step = &record->steps.v[record->step - 1];
	if (step->state != STEP_RUNNING || step->cancel == 0)
		return CANCEL_NOW;
	return step->cancel;
}

struct can
can_do(const struct record *record)
{
	struct can can = { .cancel = CANCEL_NOW, .answer = inquiry_is_open(record) };

	if (task_state_is_end(record->state)) {
		can.cancel = CANCEL_NEVER;
		can.reason = "it has ended";
		can.retry = record->state == TASK_FAILED || record->state == TASK_CANCELLED ||
			    record->state == TASK_INTERRUPTED;
		return can;
	}
	if (record->state == TASK_CANCELLING) {
		can.cancel = CANCEL_NEVER;
		can.reason = "it is being cancelled already";
		return can;
	}
	if (record->state == TASK_UNDOING) {
		can.cancel = CANCEL_NEVER;
		can.reason = "it is undoing its steps";
		return can;
	}
	can.cancel = can_step_mode(record);
	if (can.cancel == CANCEL_AFTER)
		can.reason = "the current step must end first";
	else if (can.cancel == CANCEL_NEVER)
		can.reason = "the current step must not be cancelled";
	return can;
}

bool
can_undo_step(const struct record_step *step)
{
	if (!step->has_undo || step->state == STEP_UNDONE)
		return false;
	/* Rows of older builds do not say that it was run. */
	return step->was_run ||
	       (step->tries > 0 &&
		   (step->state == STEP_DONE || step->state == STEP_RUNNING ||
		       step->state == STEP_FAILED || step->state == STEP_CANCELLED));
}

/* What stands behind one that was undone had its turn, and failed at it. */
const struct record_step *
can_undoing(const struct record *record)
{
	const struct record_step *next = NULL;

	for (size_t i = record->steps.n; i-- > 0;) {
		const struct record_step *step = &record->steps.v[i];

		if (step->state == STEP_UNDONE)
			next = NULL;
		else if (!next && can_undo_step(step))
			next = step;
	}
	return next;
}

bool
can_undo_something(const struct record *record)
{
	for (size_t i = 0; i < record->steps.n; i++)
		if (can_undo_step(&record->steps.v[i]))
			return true;
	return false;
}
