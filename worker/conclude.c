#include "worker/conclude.h"

#include "ipc/clock.h"
#include "worker/kill.h"
#include "worker/undo.h"

static int
tell_task_end(struct runner *runner)
{
	struct fact *end = &runner->end;

	end->kind = FACT_END;
	end->killed = runner->attempt->steps_were_killed;
	attempt_fact(runner->attempt, end);
	return pump_sync(runner->attempt, false);
}

/* Nothing is alive any more, and what failed meanwhile is not why the task ends. */
static void
settle_cancel(struct runner *runner)
{
	struct attempt *attempt = runner->attempt;

	codec_free(&fact_codec, &runner->end);
	runner->end.outcome = TASK_CANCELLED;
	if (kill_has_others(0, NULL))
		command_kill_all(attempt, 0, &runner->receipt);
	if (!runner->receipt.method)
		str_set(&runner->receipt.method, "nothing was running");
	runner->receipt.duration_ms = clock_boot_ms() - attempt->cancel_ms;
	command_tell_killed(attempt, &runner->receipt);
}

/* A step that asks is not half done: whoever was asked is waited for, whatever else is stopped. */
static bool
is_asking(const struct brief *brief)
{
	for (size_t i = 0; i < brief->steps.n; i++)
		if (brief->spec.steps.v[i].kind == STEP_KIND_CONFIRM &&
		    brief->steps.v[i].state == STEP_RUNNING)
			return true;
	return false;
}

/* Its undo is not due: the next attempt goes on with what there is. */
static bool
is_put_off(const struct brief *brief)
{
	return brief->spec.on_interrupt == INTERRUPT_RESUME || is_asking(brief);
}

/* Nobody wanted it to end: machine or service is about to go. */
static void
settle_suspension(struct runner *runner)
{
	struct fact *end = &runner->end;

	codec_free(&fact_codec, end);
	end->outcome = TASK_INTERRUPTED;
	if (kill_has_others(0, NULL))
		command_kill_all(runner->attempt, 0, &runner->receipt);
	if (is_put_off(&runner->attempt->brief))
		return;
	str_set(&end->code, "suspended");
	str_set(&end->message, "stopped, since the machine or the service was about to go down");
}

/* What became of the steps decides what becomes of the task, after what must be undone is. */
int
conclude(struct runner *runner, enum step_end end)
{
	struct attempt *attempt = runner->attempt;

	switch (end) {
	case STEP_ENDED_BROKEN:
		return attempt->journal.error;
	case STEP_ENDED_WELL:
		runner->end.outcome = attempt->has_warned ? TASK_WARNED : TASK_COMPLETED;
		return tell_task_end(runner);
	case STEP_ENDED_BY_CANCEL:
		if (attempt->orders.want == WANT_SUSPEND)
			settle_suspension(runner);
		else
			settle_cancel(runner);
		break;
	case STEP_ENDED_BADLY:
		runner->end.outcome = TASK_FAILED;
		break;
	}
	if (runner->end.outcome != TASK_INTERRUPTED || !is_put_off(&attempt->brief))
		undo_steps(runner);
	if (attempt->journal.error)
		return attempt->journal.error;
	return tell_task_end(runner);
}
