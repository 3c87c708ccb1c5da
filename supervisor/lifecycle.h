/*
 * supervisor/lifecycle.h - what may happen to a task, and what is done about it.
 *
 * Pure: no I/O, no clock, no allocation. The table in lifecycle.c is the one place
 * where a transition is legal or not; supervisor/LIFECYCLE.md is checked against it.
 * There are no guards in the cells: whatever depends on more than the state is a
 * distinct event, chosen by supervisor/verdict.h or by the command that was called.
 */
#ifndef SUPERVISOR_LIFECYCLE_H
#define SUPERVISOR_LIFECYCLE_H

#include "ipc/task.h"

/* clang-format off */
/* X(symbol, name, when) */
#define TASK_EVENTS(X)                                                                    \
	X(EV_GRANTED,     "granted",     "its turn came and a slot is free")              \
	X(EV_NEVER_RAN,   "never_ran",   "the worker of this attempt was never started")  \
	X(EV_HELLO,       "hello",       "the worker says it is there")                   \
	X(EV_UNDO_BEGAN,  "undo_began",  "the worker has begun to undo")                  \
	X(EV_ASKED,       "asked",       "a step waits for an answer")                    \
	X(EV_ANSWERED,    "answered",    "the answer is recorded")                        \
	X(EV_WITHDRAWN,   "withdrawn",   "no answer is waited for any more")              \
	X(EV_CANCEL,      "cancel",      "somebody entitled cancels it; nothing to undo, or a worker does it") \
	X(EV_CANCEL_UNDO, "cancel_undo", "cancelled while no worker lives, with steps to undo") \
	X(EV_ABANDON,     "abandon",     "an administrator gives up on processes that cannot be killed") \
	X(EV_COMPLETED,   "completed",   "attempt over, proven empty: every step is done") \
	X(EV_WARNED,      "warned",      "the same, with warnings")                       \
	X(EV_FAILED,      "failed",      "attempt over: failed, nothing to undo")         \
	X(EV_CANCELLED,   "cancelled",   "attempt over: cancelled, nothing to undo")      \
	X(EV_INTERRUPTED, "interrupted", "attempt over: it or the machine went down, to end so") \
	X(EV_RESUME,      "resume",      "attempt over: interrupted, to be gone on with") \
	X(EV_UNDO,        "undo",        "attempt over without undoing what it should have") \
	X(EV_DUE,         "due",         "the pause before the next attempt is over")     \
	X(EV_RETRY,       "retry",       "somebody asks for another attempt")
/* clang-format on */

enum task_event {
#define X(sym, name, when) sym,
	TASK_EVENTS(X)
#undef X
	EV_COUNT
};

enum task_verdict {
	VERDICT_UNDECIDED = 0, /* an empty cell: a bug in the table */
	VERDICT_GO,            /* change state, commit, then act */
	VERDICT_IGNORE,        /* late but harmless */
	VERDICT_BUG            /* cannot happen; the supervisor itself is wrong */
};

/* Done once the change is committed. */
enum task_action {
	ACT_NONE,
	ACT_LAUNCH,  /* start the worker of the attempt that was just recorded */
	ACT_ENQUEUE, /* take its place in the queue */
	ACT_WAIT,    /* arm the timer until retry_at */
	ACT_ORDER,   /* send the wish to the worker */
	ACT_END      /* release everything, publish the end */
};

struct task_step {
	enum task_verdict verdict;
	enum task_state to;
	enum task_action action;
};

/* The one question: what does EVENT mean for a task in STATE? Never fails. */
struct task_step lifecycle_step(enum task_state state, enum task_event event);

const char *task_event_name(enum task_event event); /* static; "invalid" for none */
const char *task_event_when(enum task_event event);
const char *task_action_name(enum task_action action);

#endif
