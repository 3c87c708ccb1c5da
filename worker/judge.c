#include "worker/judge.h"

#include "ipc/clock.h"
#include "worker/outputs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
explain_exit(
    const struct command_result *result, const struct command *command, struct failure *failure)
{
	char text[CLOCK_TEXT];

	failure->code = "step_failed";
	failure->exit = result->exit;
	if (result->end == COMMAND_NOT_STARTED) {
		failure->code = result->error.code;
		failure->exit.known = result->error.exit_code != 0;
		failure->exit.code = result->error.exit_code;
		failure->is_final = !result->error.may_pass;
		snprintf(failure->message, sizeof failure->message, "%s", result->error.message);
	} else if (result->end == COMMAND_TIMED_OUT) {
		failure->code = "timed_out";
		snprintf(failure->message, sizeof failure->message,
		    "did not end within %s and was stopped",
		    clock_format_duration(command->timeout_ms, text));
	} else if (result->exit.signal) {
		snprintf(failure->message, sizeof failure->message, "was killed by signal %d (%s)",
		    (int)result->exit.signal, strsignal((int)result->exit.signal));
	} else {
		snprintf(failure->message, sizeof failure->message, "exited with status %d",
		    (int)result->exit.code);
	}
}

static void
fail_output(struct failure *failure, const char *code, const char *text, const char *name)
{
	failure->code = code;
	failure->is_final = true;
	failure->exit = (struct exit_info){ .known = true };
	snprintf(failure->message, sizeof failure->message, "%s%s%.200s%s", text, name ? " \"" : "",
	    name ? name : "", name ? "\"" : "");
}

/* What a successful command left in REEVE_OUTPUT. */
static void
take_outputs(struct attempt *attempt, size_t index, struct failure *failure)
{
	char *name = NULL, text[OUTPUTS_WHY];
	int r = outputs_file_take(attempt, index, &name);

	if (r == -ENOENT)
		fail_output(failure, "undeclared_output",
		    "set an output that its recipe does not declare:", name ? name : "?");
	else if (r == -EINVAL)
		fail_output(
		    failure, "bad_output", "wrote a line without \"=\" to REEVE_OUTPUT", NULL);
	else if (r < 0 && name)
		fail_output(failure, "bad_output", outputs_why(r, name, text), NULL);
	else if (r == -EFBIG)
		fail_output(failure, "bad_output", "wrote more than 64 KiB to REEVE_OUTPUT", NULL);
	else if (r < 0)
		fail_output(failure, "bad_output", "its REEVE_OUTPUT cannot be read", NULL);
	free(name);
}

/* The step did what it does, and it does not work. */
static void
blame_verify(struct failure *failure)
{
	char why[sizeof failure->message];

	snprintf(why, sizeof why, "%s", failure->message);
	failure->code = "verify_failed";
	snprintf(failure->message, sizeof failure->message, "its verify %.600s", why);
}

void
judge(struct attempt *attempt, const struct command *command, struct command_result *result,
    struct failure *failure)
{
	*failure = (struct failure){ 0 };
	if (!command_succeeded(result)) {
		explain_exit(result, command, failure);
		if (command->sandbox.role == ROLE_VERIFY)
			blame_verify(failure);
		if (command->sandbox.output_path)
			outputs_file_drop(attempt);
	} else if (command->sandbox.output_path) {
		take_outputs(attempt, command->sandbox.step, failure);
	}
	if (!failure->code && result->undeclared)
		fail_output(failure, "undeclared_output",
		    "set an output that its recipe does not declare:", result->undeclared);
	free(result->undeclared);
	result->undeclared = NULL;
}
