/*
 * worker/runner.h - the steps of one attempt in their order, and how it ends.
 */
#ifndef WORKER_RUNNER_H
#define WORKER_RUNNER_H

#include "worker/command.h"

struct runner {
	struct attempt *attempt;
	struct spared spared;
	struct receipt receipt;
	struct fact end; /* outcome, code, message, step, exit, tail: what will be told last */
};

/* Says who we are, runs the steps (or, in mode ATTEMPT_UNDO, undoes them), and says how it ended.
 * 0 when the end is on the disk; -errno when the journal took nothing more. Blocks. */
int runner_run(struct attempt *attempt);

#endif
