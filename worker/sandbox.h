/*
 * worker/sandbox.h - what a command of a step finds around it, and its start.
 *
 * Arguments, environment and directory are expanded here, one value at a time; sh text is
 * never touched. The program runs in a session of its own, as the step's user, in the steps'
 * cgroup, and inherits stdin (/dev/null) and two output pipes, or a terminal for all three, and
 * the fds of the step protocol.
 */
#ifndef WORKER_SANDBOX_H
#define WORKER_SANDBOX_H

#include "worker/pump.h"

enum {
	STEP_FD = 3,
	STEP_START_FD = 4,
	STEP_ANSWER_FD = 5
};

enum role {
	ROLE_RUN = 1,
	ROLE_CHECK,
	ROLE_UNDO,
	ROLE_VERIFY
};

struct sandbox {
	size_t step; /* index, from 0 */
	enum role role;
	uint64_t attempt_try;    /* from 1 */
	uint64_t last_sub;       /* where the numbers of sub-steps go on */
	const char *output_path; /* REEVE_OUTPUT; NULL: none */
};

/* Why a command could not be started. */
struct sandbox_error {
	const char *code;  /* "exec_failed", "expand_failed", "spawn_failed"; static */
	int64_t exit_code; /* 127: not found, 126: not to be run; 0: neither */
	bool may_pass;     /* the machine is short of something: worth another try soon */
	char message[512];
};

/* True when the step has a command of this ROLE. */
bool sandbox_has(const struct attempt *attempt, size_t step, enum role role);

/* True when it runs on a terminal of its own. */
bool sandbox_has_tty(const struct attempt *attempt, const struct sandbox *sandbox);

/* Starts it. 0: CHILD lives; -errno: ERROR says why not, and CHILD needs nothing. */
int sandbox_start(struct attempt *attempt, const struct sandbox *sandbox, struct child *child,
    struct sandbox_error *error);

#endif
