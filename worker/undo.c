#include "worker/undo.h"

#include "worker/pump.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	UNDO_TIMEOUT_MS = 10 * 60 * 1000
};

/* A step that was found already done was not done by us, and stays, unless an earlier attempt did
 * it and was interrupted before it could say so. */
static bool
needs_undo(const struct attempt *attempt, size_t index)
{
	const struct brief_step *step = &attempt->brief.steps.v[index];

	return step->was_run && step->state != STEP_UNDONE &&
	       sandbox_has(attempt, index, ROLE_UNDO);
}

static void
tell(struct attempt *attempt, enum fact_kind kind, uint64_t step)
{
	struct fact fact;

	codec_init(&fact_codec, &fact);
	fact.kind = kind;
	fact.step = step;
	attempt_fact(attempt, &fact);
}

static void
describe(const struct command_result *result, char *text, size_t room)
{
	text[0] = '\0';
	if (result->end == COMMAND_NOT_STARTED)
		snprintf(text, room, "its undo could not be started: %s", result->error.message);
	else if (result->end == COMMAND_TIMED_OUT)
		snprintf(text, room, "its undo took too long");
	else if (result->end == COMMAND_CANCELLED)
		snprintf(text, room, "its undo was stopped");
	else if (result->exit.signal)
		snprintf(text, room, "its undo was killed by signal %d (%s)",
		    (int)result->exit.signal, strsignal((int)result->exit.signal));
	else if (result->exit.code)
		snprintf(text, room, "its undo failed with status %d", (int)result->exit.code);
}

static void
tell_undone(struct attempt *attempt, size_t index, const struct command_result *result)
{
	char text[600];
	struct fact fact;

	describe(result, text, sizeof text);
	codec_init(&fact_codec, &fact);
	fact.kind = FACT_UNDONE;
	fact.step = index + 1;
	fact.state = command_succeeded(result) ? STEP_UNDONE : STEP_FAILED;
	fact.exit = result->exit;
	fact.message = *text ? text : NULL;
	attempt_fact(attempt, &fact);
	attempt->brief.steps.v[index].state = fact.state;
}

/* False: a forced cancel, or a journal that takes nothing more, ends the undoing. */
static bool
undo_one(struct runner *runner, size_t index)
{
	struct attempt *attempt = runner->attempt;
	const struct spec_step *step = &attempt->brief.spec.steps.v[index];
	uint64_t timeout_ms = step->undo.timeout_ms ? step->undo.timeout_ms : step->timeout_ms;
	const struct command command = {
		.sandbox = { .step = index, .role = ROLE_UNDO, .attempt_try = 1 },
		.timeout_ms = timeout_ms ? timeout_ms : UNDO_TIMEOUT_MS,
		.cancel = CANCEL_NEVER,
		.spared = &runner->spared,
		.receipt = &runner->receipt
	};
	struct command_result result;

	output_begin(&attempt->output, (uint16_t)(index + 1));
	bulletin_label(&attempt->bulletin, "undoing");
	tell(attempt, FACT_UNDO_BEGIN, index + 1);
	if (pump_sync(attempt, false) < 0)
		return false;
	command_run(attempt, &command, &result);
	if (result.end == COMMAND_BROKEN)
		return false;
	tell_undone(attempt, index, &result);
	return pump_sync(attempt, false) == 0 && result.end != COMMAND_CANCELLED;
}

static bool
is_forced(const struct attempt *attempt)
{
	return orders_want_cancel(&attempt->orders) && attempt->orders.force;
}

void
undo_steps(struct runner *runner)
{
	struct attempt *attempt = runner->attempt;
	bool told = false;
	size_t i;

	for (i = attempt->brief.steps.n; i-- > 0;) {
		if (!needs_undo(attempt, i))
			continue;
		if (is_forced(attempt))
			break;
		if (!told)
			tell(attempt, FACT_UNDO_BEGIN, 0);
		told = true;
		if (!undo_one(runner, i))
			break;
	}
}
