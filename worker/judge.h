/*
 * worker/judge.h - a command has ended: has its step, and if not why not? In words for people.
 */
#ifndef WORKER_JUDGE_H
#define WORKER_JUDGE_H

#include "worker/command.h"

/* Why a try failed. */
struct failure {
	const char *code; /* static; NULL: it did not fail */
	bool is_final;    /* another try would fail the same way */
	struct exit_info exit;
	char message[640];
};

/* Of one that succeeded what it left in REEVE_OUTPUT is taken, and may be what is wrong. Frees
 * RESULT->undeclared. */
void judge(struct attempt *attempt, const struct command *command, struct command_result *result,
    struct failure *ret_failure);

#endif
