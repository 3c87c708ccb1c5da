/*
 * worker/attempt.h - what one attempt at a task holds: its orders, its journal, its log, its
 * news, and where its steps live.
 *
 * brief.steps is kept as long as spec.steps and is the present state of each step.
 */
#ifndef WORKER_ATTEMPT_H
#define WORKER_ATTEMPT_H

#include "ipc/spec.h"
#include "worker/asking.h"
#include "worker/bulletin.h"
#include "worker/journal.h"
#include "worker/orders.h"
#include "worker/output.h"

/* How much steps may have written to the journal: a store that fills up again slowly. */
struct allowance {
	double facts, bytes; /* left; may fall below 0 once */
	uint64_t at_ms;      /* boot clock: of the last look */
	bool was_used_up;    /* the warning was given */
};

struct attempt {
	const char *name; /* "ID.N" */
	struct brief brief;
	int cgroup_fd;          /* with w/ and s/ in it; -1: none */
	int steps_fd;           /* s/ of it; -1: none */
	bool steps_were_killed; /* by cgroup.kill of s/: see spawn_spec.cgroup_by_write */
	int null_fd;
	int signal_fd; /* SIGCHLD, SIGTERM, SIGUSR1 */
	gid_t *groups;
	size_t ngroups;
	struct journal journal;
	struct mask mask; /* of brief.secrets */
	struct output output;
	struct bulletin bulletin;
	struct orders orders;
	struct asking asking;
	struct allowance allowance;
	uint64_t cancel_ms; /* boot clock: when the first cancel was heard of; 0: none */
	bool has_warned;    /* the task will end completed with warnings */
};

/* Takes what ipc/inherit.h gives and reads the brief. 0; -EEXIST when somebody ran this attempt
 * before; -errno. attempt_close it whatever happened. */
int attempt_open(struct attempt *attempt, const char *name);
void attempt_close(struct attempt *attempt);

/* Stamps FACT, masks secrets in its texts, journals it, and rings. 0, or as journal_add. */
int attempt_fact(struct attempt *attempt, struct fact *fact);

/* FACT_WARNING of step STEP (from 1; 0: none). */
void attempt_warn(struct attempt *attempt, uint64_t step, const char *text);

/* Reads the orders that are there. */
void attempt_hear(struct attempt *attempt);

/* Says that the present wish is followed, as WANT, which may be less than was asked for. */
void attempt_obey(struct attempt *attempt, enum want want);

/* May a step have more facts written now? */
bool attempt_may_take(struct attempt *attempt, uint64_t now_ms);

/* After SIGUSR1: both FIFOs by their paths again. */
void attempt_reopen_fifos(struct attempt *attempt);

#endif
