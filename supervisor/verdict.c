#include "supervisor/verdict.h"

#include "supervisor/can.h"
#include "supervisor/inquiry.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static enum task_event
event_of_outcome(enum task_state outcome)
{
	switch ((int)outcome) {
	case TASK_COMPLETED:
		return EV_COMPLETED;
	case TASK_WARNED:
		return EV_WARNED;
	case TASK_CANCELLED:
		return EV_CANCELLED;
	case TASK_INTERRUPTED:
		return EV_INTERRUPTED;
	default:
		return EV_FAILED;
	}
}

static bool
all_steps_done(const struct record *record)
{
	for (size_t i = 0; i < record->steps.n; i++)
		if (!step_state_is_done(record->steps.v[i].state))
			return false;
	return true;
}

static struct verdict
disbelieve(const char *why)
{
	struct verdict verdict = { .event = EV_FAILED, .code = "protocol" };

	snprintf(verdict.message, sizeof verdict.message, "%s", why);
	return verdict;
}

/* After an end that leaves steps half done: undo first where there is something to undo. */
static void
end_or_undo(const struct record *record, enum task_state outcome, struct verdict *verdict)
{
	bool tried_enough =
	    record->attempt.mode == ATTEMPT_UNDO && record->resumes >= MAX_UNDO_ATTEMPTS;

	if (can_undo_something(record) && !tried_enough && !record->force) {
		verdict->event = EV_UNDO;
		verdict->outcome = outcome;
	} else {
		verdict->event = event_of_outcome(outcome);
	}
}

static bool
cancel_wanted(const struct record *record)
{
	return record->want == WANT_CANCEL || record->want == WANT_CANCEL_AFTER;
}

/* It did as it was told, and goes on if it may. */
static struct verdict
suspended(const struct record *record)
{
	struct verdict verdict = { .event = EV_INTERRUPTED, .is_interruption = true };

	if (record->on_interrupt == INTERRUPT_RESUME || inquiry_is_all(record))
		verdict.event = EV_RESUME;
	snprintf(verdict.message, sizeof verdict.message,
	    "stopped at a checkpoint, since the machine or the service was about to go down");
	return verdict;
}

/* The worker said how it ended; a claim that does not fit its own steps is not believed. */
static struct verdict
ended(const struct record *record)
{
	struct verdict verdict = { 0 };
	enum task_state outcome = record->decided_outcome;

	if (!task_state_is_end(outcome))
		return disbelieve("the worker did not say how the task ended");
	if ((outcome == TASK_COMPLETED || outcome == TASK_WARNED) && !all_steps_done(record))
		return disbelieve("the worker reported completion with steps left to do");
	if (outcome == TASK_INTERRUPTED && record->want == WANT_SUSPEND)
		return suspended(record);
	if (outcome == TASK_INTERRUPTED && cancel_wanted(record))
		end_or_undo(record, TASK_CANCELLED, &verdict);
	if (verdict.event)
		return verdict;
	if (outcome == TASK_COMPLETED && (record->warnings.n > 0 || record->warnings_dropped > 0))
		outcome = TASK_WARNED;
	verdict.event = event_of_outcome(outcome);
	return verdict;
}

static void
describe_loss(const struct over *over, struct verdict *verdict)
{
	const char *detail = over->detail ? over->detail : "";

	switch (over->loss) {
	case LOSS_DIED:
		verdict->code = "worker_died";
		if (over->exit.signal)
			snprintf(verdict->message, sizeof verdict->message,
			    "the worker was killed by signal %d (%s)", (int)over->exit.signal,
			    strsignal((int)over->exit.signal));
		else
			snprintf(verdict->message, sizeof verdict->message,
			    "the worker exited with status %d before its work was done",
			    (int)over->exit.code);
		return;
	case LOSS_NO_HELLO:
		verdict->code = "spawn_lost";
		snprintf(verdict->message, sizeof verdict->message,
		    "the worker was started and gave no sign of life for 10 s");
		return;
	case LOSS_TAMPERED:
		verdict->code = "tampered";
		snprintf(verdict->message, sizeof verdict->message,
		    "the attempt's journal was changed from outside%s%s", *detail ? ": " : "",
		    detail);
		return;
	case LOSS_UNSTARTABLE:
		verdict->code = "spawn_failed";
		snprintf(verdict->message, sizeof verdict->message,
		    "the worker could not be started: %s", detail);
		return;
	case LOSS_SECRETS:
		verdict->code = "secrets_gone";
		snprintf(verdict->message, sizeof verdict->message,
		    "its secret parameters are gone with the service that held them: they are "
		    "never stored. Run it again");
		return;
	case LOSS_NONE:
	case LOSS_UNKNOWN:
	case LOSS_NEVER_RAN:
		break;
	}
	verdict->code = "interrupted";
	snprintf(verdict->message, sizeof verdict->message, "%s; how the worker ended is not known",
	    over->new_boot ? "the machine was restarted" : "the service went down with it");
}

static bool
may_resume(const struct record *record, const struct over *over)
{
	bool may = record->on_interrupt == INTERRUPT_RESUME && record->resumes < MAX_RESUMES;

	/* Of a question nothing is half done, and who was asked may take days. */
	return (over->loss == LOSS_DIED || over->loss == LOSS_UNKNOWN) &&
	       (may || inquiry_is_all(record));
}

/* The machine went down, or it was about to and the worker had to be killed for it. */
static bool
is_nobodys_fault(const struct record *record, const struct over *over)
{
	return over->loss == LOSS_UNKNOWN ||
	       (over->loss == LOSS_DIED && record->want == WANT_SUSPEND);
}

struct verdict
verdict_of(const struct record *record, const struct over *over)
{
	struct verdict verdict = { 0 };

	if (over->loss == LOSS_NONE)
		return ended(record);
	if (over->loss == LOSS_NEVER_RAN && record->attempt.mode == ATTEMPT_RUN &&
	    record->state == TASK_STARTING) {
		verdict.event = EV_NEVER_RAN;
		return verdict;
	}
	describe_loss(over, &verdict);
	verdict.is_interruption = over->loss == LOSS_DIED || over->loss == LOSS_UNKNOWN;
	if (record->decided_outcome) {
		verdict.code = NULL; /* what it failed of stands already */
		end_or_undo(record, record->decided_outcome, &verdict);
	} else if (cancel_wanted(record)) {
		verdict.code = NULL;
		end_or_undo(record, TASK_CANCELLED, &verdict);
	} else if (may_resume(record, over)) {
		verdict.event = EV_RESUME;
	} else {
		end_or_undo(record, is_nobodys_fault(record, over) ? TASK_INTERRUPTED : TASK_FAILED,
		    &verdict);
	}
	return verdict;
}

static const char *
step_name(const struct record *record, uint64_t step)
{
	return step > 0 && step <= record->steps.n ? record->steps.v[step - 1].name : NULL;
}

static void
cancelled_line(const struct record *record, char *line, size_t room)
{
	const char *step = step_name(record, record->step);
	const char *by = record->cancelled_by ? record->cancelled_by : "somebody";

	if (record->receipt.survivors.n > 0)
		snprintf(line, room, "cancelled by %s; %zu process%s could not be killed", by,
		    record->receipt.survivors.n, record->receipt.survivors.n > 1 ? "es" : "");
	else if (step)
		snprintf(line, room, "cancelled by %s during step %s", by, step);
	else
		snprintf(line, room, "cancelled by %s before it started", by);
}

static void
failed_line(const struct record *record, char *line, size_t room)
{
	const char *step = step_name(record, record->error.step);
	const char *message = record->error.message ? record->error.message : "no reason was given";

	if (step)
		snprintf(line, room, "step %s: %s", step, message);
	else
		snprintf(line, room, "%s", message);
}

/* What an undo failed at, or a forced cancel kept from it. In the order it would have had. */
static void
add_not_undone(const struct record *record, char *line, size_t room)
{
	const char *before = "; not undone: ";

	for (size_t i = record->steps.n; i-- > 0;) {
		const struct record_step *step = &record->steps.v[i];
		size_t len = strlen(line);

		if (!can_undo_step(step))
			continue;
		snprintf(line + len, room - len, "%s%s", before, step->name ? step->name : "?");
		before = ", ";
	}
}

void
verdict_outcome(const struct record *record, char *ret_line, size_t room)
{
	bool too_late = cancel_wanted(record);

	ret_line[0] = '\0';
	switch ((int)record->state) {
	case TASK_COMPLETED:
		snprintf(ret_line, room, "%s",
		    too_late ? "completed; the cancel came too late" : "completed");
		break;
	case TASK_WARNED:
		snprintf(ret_line, room, "completed with warnings: %s",
		    record->warnings.n > 0 ? record->warnings.v[0].text : "");
		break;
	case TASK_CANCELLED:
		cancelled_line(record, ret_line, room);
		add_not_undone(record, ret_line, room);
		break;
	case TASK_FAILED:
	case TASK_INTERRUPTED:
		failed_line(record, ret_line, room);
		add_not_undone(record, ret_line, room);
		break;
	default:
		break;
	}
}
