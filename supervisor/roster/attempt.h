/*
 * supervisor/roster/attempt.h - what is held of one attempt while it lives.
 *
 * Made when an attempt is launched or adopted, freed when it is proven empty. Every
 * resource of a worker is here and nowhere else: pidfd, journal, pipes, timers.
 */
#ifndef SUPERVISOR_ROSTER_ATTEMPT_H
#define SUPERVISOR_ROSTER_ATTEMPT_H

#include "supervisor/ingest.h"
#include "supervisor/killing.h"
#include "supervisor/link.h"
#include "supervisor/roster/roster.h"
#include "supervisor/verdict.h"

enum attempt_phase {
	ATTEMPT_LAUNCHING, /* the file thread has it */
	ATTEMPT_NAMELESS,  /* it may live: we have no pidfd, for want of its HELLO or of room */
	ATTEMPT_ALIVE,
	ATTEMPT_DEAD,    /* gone; waiting for the keeper's word on how */
	ATTEMPT_EMPTYING /* what it left is being killed */
};

struct attempt {
	struct task *task;
	enum attempt_phase phase;
	struct link link;
	int journal_fd, pidfd; /* -1: none */
	ev_io exit_watch;      /* on pidfd */
	ev_timer timer;        /* meaning by phase */
	ev_timer cancel_timer; /* a cancel that is not obeyed */
	pid_t pid;             /* 0: unknown */
	uint64_t start_ticks;
	struct ingest_cursor cursor;
	int tail;          /* what follows the cursor: the last enum ingest_end, or -errno */
	uint64_t grace_ms; /* what its worker gives steps; of an adopted one what is set now */
	uint64_t since_ms; /* boot clock: when this phase began */
	uint64_t order_ms; /* boot clock: when the cancel could first be obeyed */
	uint64_t obeyed_rev;
	uint64_t briefed_rev; /* answers up to here are in its brief */
	uint64_t cpu_ticks;   /* of the worker, when a cancel was last waited for */
	unsigned idle_looks;  /* since it was seen to work */
	bool is_undoing, was_killed_by_itself; /* it journalled UNDO_BEGIN, KILLED */
	bool is_tampered;
	bool is_spent;           /* its cgroup was killed: the next one needs another */
	bool is_berth_occupied;  /* somebody else is in its berth */
	struct over over;        /* how it ended, from ATTEMPT_DEAD on */
	struct killing *killing; /* under way, on its thread; NULL: none */
};

/* One of its two pipes, WHAT news or orders. Owned, or NULL. */
char *attempt_pipe_path(const struct task *task, const char *what);

/* rec.attempt becomes the next one, not started yet. */
void attempt_record(struct task *task, enum attempt_mode mode);

/* Starts the worker of the attempt that rec describes. Its commit is down. */
void attempt_launch(struct task *task);

/* At start: reads the journal of rec's attempt, looks at its lock, adopts it or finds its end. */
void attempt_take_up(struct task *task);

/* A cancel was ordered: from now on it must obey in time. */
void attempt_expect_end(struct task *task);

/* The keeper noted a death; perhaps the one we wait for. */
void attempt_reaped(struct task *task);

void attempt_free(struct attempt *attempt);

/* Reads what the journal has; commits it. */
void attempt_ingest(struct attempt *attempt);

/* ---- between attempt.c and adopt.c ---- */

struct attempt *attempt_new(struct task *task); /* never NULL */
/* Enters PHASE; in TIMER_MS its timer fires, 0: never. */
void attempt_set_phase(struct attempt *attempt, enum attempt_phase phase, uint64_t timer_ms);
void attempt_watch_exit(struct attempt *attempt, int pidfd); /* takes PIDFD */
/* adopt.c: tests its lock (again), and adopts it or finds its end. */
void attempt_look(struct attempt *attempt);

/* closing.c: it is dead and its journal read to the end: how it ended, by its own word or by the
 * keeper's. */
void attempt_find_end(struct attempt *attempt);
/* closing.c: it is dead and its journal read to the end (or it never lived). */
void attempt_over(struct attempt *attempt, enum loss loss);
/* closing.c: kill it and all it started, then it is over with LOSS. */
void attempt_kill(struct attempt *attempt, enum loss loss);

#endif
