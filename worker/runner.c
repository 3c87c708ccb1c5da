#include "worker/runner.h"

#include "ipc/clock.h"
#include "ipc/proc.h"
#include "ipc/version.h"
#include "worker/conclude.h"
#include "worker/confirm.h"
#include "worker/judge.h"
#include "worker/outputs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	ASK_TIMEOUT_MS = 10 * 60 * 1000, /* of a check or a verify */
	RETRY_DELAY_MAX_MS = 5 * 60 * 1000
};

static int
tell_hello(struct attempt *attempt)
{
	const struct brief *brief = &attempt->brief;
	char boot_id[BOOT_ID_TEXT] = "";
	char build[] = REEVE_VERSION;
	struct fact fact;
	int r;

	codec_init(&fact_codec, &fact);
	fact.kind = FACT_HELLO;
	fact.task = brief->task;
	fact.attempt = brief->attempt;
	fact.pid = (uint64_t)getpid();
	fact.start_ticks = proc_self_start();
	fact.boot_id = brief->boot_id;
	if (!brief->boot_id && proc_boot_id(boot_id) == 0)
		fact.boot_id = boot_id;
	fact.keeper_instance = brief->keeper_instance;
	fact.build = build;
	r = attempt_fact(attempt, &fact);
	/* Unheard of, a worker must not run anything. */
	return r == 0 && journal_waiting(&attempt->journal) > 0 ? -ENOSPC : r;
}

static void
tell_begin(struct attempt *attempt, size_t index, uint64_t try)
{
	struct fact fact;

	codec_init(&fact_codec, &fact);
	fact.kind = FACT_STEP_BEGIN;
	fact.step = index + 1;
	fact.name = attempt->brief.spec.steps.v[index].name;
	fact.count = try;
	attempt_fact(attempt, &fact);
	attempt->brief.steps.v[index].state = STEP_RUNNING;
	attempt->brief.steps.v[index].was_run |= try > 0;
}

static void
tell_end(struct attempt *attempt, size_t index, struct fact *fact)
{
	fact->kind = FACT_STEP_END;
	fact->step = index + 1;
	fact->count = attempt->output.line_ends;
	attempt_fact(attempt, fact);
	attempt->brief.steps.v[index].state = fact->state;
}

static void
end_well(struct attempt *attempt, size_t index, enum step_state state, uint64_t killed)
{
	struct fact fact;

	codec_init(&fact_codec, &fact);
	fact.state = state;
	fact.exit.known = attempt->brief.spec.steps.v[index].kind != STEP_KIND_CONFIRM;
	fact.killed = killed;
	tell_end(attempt, index, &fact);
	bulletin_step_done(&attempt->bulletin, index);
}

static void
end_cancelled(struct attempt *attempt, size_t index, const struct command_result *result)
{
	struct fact fact;

	codec_init(&fact_codec, &fact);
	fact.state = STEP_CANCELLED;
	if (result)
		fact.exit = result->exit;
	tell_end(attempt, index, &fact);
}

/* The step failed for good: it is told, and kept for the end of the task. */
static void
end_badly(struct runner *runner, size_t index, const struct failure *failure, uint64_t killed)
{
	struct attempt *attempt = runner->attempt;
	struct fact *end = &runner->end;
	char *code = strdup(failure->code), *message = strdup(failure->message);
	char *tail = output_tail(&attempt->output);
	struct fact fact;

	codec_init(&fact_codec, &fact);
	fact.state = STEP_FAILED;
	fact.exit = failure->exit;
	fact.code = code;
	fact.message = message;
	fact.tail = tail;
	fact.killed = killed;
	tell_end(attempt, index, &fact);
	end->step = index + 1;
	end->exit = failure->exit;
	end->code = code;
	end->message = message;
	end->tail = tail;
}

/* One command with its REEVE_OUTPUT. */
static void
run_command(struct attempt *attempt, struct command *command, struct command_result *result,
    struct failure *failure)
{
	const struct spec_step *step = &attempt->brief.spec.steps.v[command->sandbox.step];
	char *path = NULL;
	bool sets = step->outputs.n > 0 && command->sandbox.role != ROLE_VERIFY;
	int r = sets ? outputs_file_make(attempt, &path) : 0;

	command->sandbox.output_path = path;
	if (r < 0) {
		*result = (struct command_result){ .end = COMMAND_NOT_STARTED };
		result->error.code = "spawn_failed";
		snprintf(result->error.message, sizeof result->error.message,
		    "cannot make the file for its outputs: %s", strerror(-r));
	} else {
		command_run(attempt, command, result);
	}
	judge(attempt, command, result, failure);
	command->sandbox.output_path = NULL;
	free(path);
}

static struct command
command_for(struct runner *runner, size_t index, enum role role)
{
	const struct spec_step *step = &runner->attempt->brief.spec.steps.v[index];
	uint64_t own_ms = role == ROLE_CHECK    ? step->check.timeout_ms
			  : role == ROLE_VERIFY ? step->verify.timeout_ms
						: 0;
	uint64_t timeout_ms = own_ms ? own_ms : step->timeout_ms;

	if (role != ROLE_RUN && timeout_ms == 0)
		timeout_ms = ASK_TIMEOUT_MS;
	return (struct command){ .sandbox = { .step = index, .role = role, .attempt_try = 1 },
		.timeout_ms = timeout_ms,
		.cancel = role == ROLE_CHECK ? CANCEL_NOW : step->cancel,
		.leave_running = role == ROLE_RUN && step->leave_running,
		.spared = &runner->spared,
		.receipt = &runner->receipt };
}

/* The journal is on the disk, and nobody has changed his mind: the next program may run. */
static enum step_end
get_ready(struct attempt *attempt)
{
	int r;

	bulletin_flush(&attempt->bulletin, clock_boot_ms());
	while ((r = pump_sync(attempt, true)) == -ECANCELED) {
		attempt_obey(attempt, attempt->orders.want);
		if (orders_want_cancel(&attempt->orders))
			return STEP_ENDED_BY_CANCEL;
	}
	return r < 0 ? STEP_ENDED_BROKEN : STEP_ENDED_WELL;
}

/* A check or a verify. STEP_ENDED_BADLY: FAILURE says why it did not exit with 0. */
static enum step_end
ask(struct runner *runner, size_t index, enum role role, struct command_result *result,
    struct failure *failure)
{
	struct command command = command_for(runner, index, role);
	enum step_end ready = get_ready(runner->attempt);

	*result = (struct command_result){ .end = COMMAND_CANCELLED };
	if (ready != STEP_ENDED_WELL)
		return ready;
	run_command(runner->attempt, &command, result, failure);
	if (result->end == COMMAND_CANCELLED)
		return STEP_ENDED_BY_CANCEL;
	if (result->end == COMMAND_BROKEN)
		return STEP_ENDED_BROKEN;
	return failure->code ? STEP_ENDED_BADLY : STEP_ENDED_WELL;
}

/* STEP_ENDED_WELL: already done, and it works. STEP_ENDED_BADLY: it has to be run. */
static enum step_end
check_step(struct runner *runner, size_t index)
{
	struct output *output = &runner->attempt->output;
	struct command_result result;
	struct failure failure;
	enum step_end end = ask(runner, index, ROLE_CHECK, &result, &failure);

	if (end == STEP_ENDED_BADLY && result.end == COMMAND_NOT_STARTED)
		output_say(output, failure.message);
	if (end != STEP_ENDED_WELL || !sandbox_has(runner->attempt, index, ROLE_VERIFY))
		return end;
	end = ask(runner, index, ROLE_VERIFY, &result, &failure);
	if (end == STEP_ENDED_BADLY) {
		output_say(output, "its check found it done, and yet it is run:");
		output_say(output, failure.message);
	}
	return end;
}

/* What it was to leave running works no more than it does: the next try starts its own. */
static void
give_up_left(struct runner *runner, size_t index, size_t nspared, struct command_result *result)
{
	struct command command = command_for(runner, index, ROLE_VERIFY);

	if (runner->spared.n == nspared)
		return;
	runner->spared.n = nspared;
	result->killed += command_kill_left(runner->attempt, &command);
}

/* The work itself, and whether it works. */
static enum step_end
run_and_verify(struct runner *runner, struct command *command, struct command_result *result,
    struct failure *failure)
{
	struct attempt *attempt = runner->attempt;
	size_t index = command->sandbox.step, nspared = runner->spared.n;
	uint64_t killed;
	enum step_end end;

	run_command(attempt, command, result, failure);
	command->sandbox.last_sub = result->last_sub;
	if (result->end == COMMAND_BROKEN)
		return STEP_ENDED_BROKEN;
	if (result->end == COMMAND_CANCELLED)
		return STEP_ENDED_BY_CANCEL;
	if (failure->code || !sandbox_has(attempt, index, ROLE_VERIFY))
		return failure->code ? STEP_ENDED_BADLY : STEP_ENDED_WELL;
	killed = result->killed;
	bulletin_label(&attempt->bulletin, "verifying");
	end = ask(runner, index, ROLE_VERIFY, result, failure);
	result->killed += killed;
	if (end == STEP_ENDED_BADLY)
		give_up_left(runner, index, nspared, result);
	return end;
}

static uint64_t
delay_before(const struct spec_step *step, uint64_t next_try)
{
	uint64_t delay_ms = step->retry_delay_ms;

	for (uint64_t i = 2; i < next_try && delay_ms < RETRY_DELAY_MAX_MS; i++)
		delay_ms *= 2;
	return delay_ms < RETRY_DELAY_MAX_MS ? delay_ms : RETRY_DELAY_MAX_MS;
}

/* Waits before the next try. False: a cancel came, or the journal takes nothing more. */
static bool
wait_for_retry(
    struct attempt *attempt, size_t index, uint64_t next_try, const struct failure *failure)
{
	uint64_t delay_ms = delay_before(&attempt->brief.spec.steps.v[index], next_try);
	uint64_t deadline_ms = clock_boot_ms() + delay_ms;
	char message[sizeof failure->message];
	enum pump_event event;
	struct fact fact;

	snprintf(message, sizeof message, "%s", failure->message);
	codec_init(&fact_codec, &fact);
	fact.kind = FACT_STEP_RETRY;
	fact.step = index + 1;
	fact.count = next_try;
	fact.delay_ms = delay_ms;
	fact.message = message;
	fact.exit = failure->exit;
	attempt_fact(attempt, &fact);
	while ((event = pump(attempt, NULL, deadline_ms)) == PUMP_WISH) {
		attempt_obey(attempt, attempt->orders.want);
		if (orders_want_cancel(&attempt->orders))
			return false;
	}
	return event == PUMP_DEADLINE;
}

/* One try after the other, the first of which is begun. */
static enum step_end
try_step(struct runner *runner, size_t index)
{
	struct attempt *attempt = runner->attempt;
	const struct spec_step *step = &attempt->brief.spec.steps.v[index];
	struct command command = command_for(runner, index, ROLE_RUN);
	struct command_result result;
	struct failure failure;
	bool is_last;

	for (uint64_t try = 1;; try++) {
		enum step_end end = get_ready(attempt);

		if (end != STEP_ENDED_WELL)
			return end;
		command.sandbox.attempt_try = try;
		end = run_and_verify(runner, &command, &result, &failure);
		if (end == STEP_ENDED_BROKEN)
			return end;
		if (end == STEP_ENDED_BY_CANCEL) {
			end_cancelled(attempt, index, &result);
			return end;
		}
		if (end == STEP_ENDED_WELL) {
			end_well(attempt, index, STEP_DONE, result.killed);
			return end;
		}
		is_last = try > step->retry_attempts || failure.is_final;
		if (!is_last && attempt->orders.want == WANT_SUSPEND) {
			end_cancelled(attempt, index, &result); /* the next attempt tries again */
			return STEP_ENDED_BY_CANCEL;
		}
		if (is_last || orders_want_cancel(&attempt->orders)) {
			end_badly(runner, index, &failure, result.killed);
			return attempt->orders.want != WANT_SUSPEND &&
				       orders_want_cancel(&attempt->orders)
				   ? STEP_ENDED_BY_CANCEL
				   : STEP_ENDED_BADLY;
		}
		if (!wait_for_retry(attempt, index, try + 1, &failure))
			return attempt->journal.error ? STEP_ENDED_BROKEN : STEP_ENDED_BY_CANCEL;
		output_begin(&attempt->output, (uint16_t)(index + 1));
		bulletin_step_begin(&attempt->bulletin, index);
		tell_begin(attempt, index, try + 1);
	}
}

/* A no is a cancel by who said it. */
static enum step_end
confirm(struct runner *runner, size_t index)
{
	struct failure failure = { .code = "not_asked" };
	char why[CONFIRM_WHY] = "";

	switch (confirm_step(runner->attempt, index, why)) {
	case CONFIRMED_YES:
		end_well(runner->attempt, index, STEP_DONE, 0);
		return STEP_ENDED_WELL;
	case CONFIRMED_NO:
		runner->attempt->cancel_ms = clock_boot_ms();
		return STEP_ENDED_BY_CANCEL;
	case CONFIRMED_CANCELLED:
		return STEP_ENDED_BY_CANCEL;
	case CONFIRMED_BROKEN:
		return STEP_ENDED_BROKEN;
	case CONFIRMED_UNASKED:
		break;
	}
	snprintf(failure.message, sizeof failure.message, "%s", why);
	end_badly(runner, index, &failure, 0);
	return STEP_ENDED_BADLY;
}

static enum step_end
run_step(struct runner *runner, size_t index)
{
	struct attempt *attempt = runner->attempt;
	bool is_waiting; /* for an answer, into the next attempt */
	enum step_end end;

	output_begin(&attempt->output, (uint16_t)(index + 1));
	bulletin_step_begin(&attempt->bulletin, index);
	if (sandbox_has(attempt, index, ROLE_CHECK)) {
		tell_begin(attempt, index, 0);
		end = check_step(runner, index);
		if (end == STEP_ENDED_WELL)
			end_well(attempt, index, STEP_ALREADY_DONE, 0);
		if (end != STEP_ENDED_BADLY)
			goto out;
	}
	tell_begin(attempt, index, 1);
	end = attempt->brief.spec.steps.v[index].kind == STEP_KIND_CONFIRM
		  ? confirm(runner, index)
		  : try_step(runner, index);
out:
	is_waiting = attempt->brief.spec.steps.v[index].kind == STEP_KIND_CONFIRM &&
		     attempt->orders.want == WANT_SUSPEND;
	if (end == STEP_ENDED_BY_CANCEL && !is_waiting &&
	    attempt->brief.steps.v[index].state == STEP_RUNNING)
		end_cancelled(attempt, index, NULL);
	return end;
}

/* A cancel that waited for the end of a step, or came between two. */
static bool
is_cancelled_between(struct attempt *attempt)
{
	attempt_hear(attempt);
	if (attempt->orders.is_new)
		attempt_obey(attempt, attempt->orders.want);
	return orders_want_cancel(&attempt->orders);
}

static enum step_end
run_steps(struct runner *runner)
{
	struct attempt *attempt = runner->attempt;
	enum step_end end = STEP_ENDED_WELL;

	for (size_t i = 0; i < attempt->brief.steps.n && end == STEP_ENDED_WELL; i++) {
		if (step_state_is_done(attempt->brief.steps.v[i].state))
			continue;
		end = is_cancelled_between(attempt) ? STEP_ENDED_BY_CANCEL : run_step(runner, i);
	}
	return end;
}

int
runner_run(struct attempt *attempt)
{
	struct runner runner = { .attempt = attempt };
	int r = tell_hello(attempt);

	codec_init(&receipt_codec, &runner.receipt);
	codec_init(&fact_codec, &runner.end);
	if (r == 0 && attempt->brief.mode == ATTEMPT_UNDO)
		r = conclude(&runner, STEP_ENDED_BADLY);
	else if (r == 0)
		r = conclude(&runner, run_steps(&runner));
	codec_free(&fact_codec, &runner.end);
	codec_free(&receipt_codec, &runner.receipt);
	spared_free(&runner.spared);
	return r;
}
