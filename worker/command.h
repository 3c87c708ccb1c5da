/*
 * worker/command.h - one command of a step, from its start until nothing of it is left.
 */
#ifndef WORKER_COMMAND_H
#define WORKER_COMMAND_H

#include "worker/kill.h"
#include "worker/sandbox.h"

struct command {
	struct sandbox sandbox;
	uint64_t timeout_ms; /* 0: none */
	enum cancel_mode cancel;
	bool leave_running;      /* what it leaves alive stays, after success */
	struct spared *spared;   /* stay alive anyway, but for a cancel; grows by leave_running */
	struct receipt *receipt; /* what a cancel did is added here */
};

enum command_end {
	COMMAND_EXITED = 1,
	COMMAND_TIMED_OUT,
	COMMAND_CANCELLED,
	COMMAND_NOT_STARTED,
	COMMAND_BROKEN /* the journal takes nothing more: all is killed */
};

struct command_result {
	enum command_end end;
	struct exit_info exit;
	struct sandbox_error error; /* COMMAND_NOT_STARTED */
	uint64_t killed;            /* what was left alive after it, and is no more */
	uint64_t last_sub;
	char *undeclared; /* owned; an output by message that the recipe does not know; NULL */
};

bool command_succeeded(const struct command_result *result);

/* Runs it and waits. RESULT->undeclared is the caller's. */
void command_run(
    struct attempt *attempt, const struct command *command, struct command_result *result);

/* Kills all there is for a cancel, trying for as long as something survives. */
void command_kill_all(struct attempt *attempt, pid_t leader, struct receipt *receipt);

/* Kills what COMMAND's step has left running beside the spared, after all. Returns how many. */
uint64_t command_kill_left(struct attempt *attempt, const struct command *command);

/* FACT_KILLED. */
void command_tell_killed(struct attempt *attempt, struct receipt *receipt);

#endif
