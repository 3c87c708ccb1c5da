/*
 * ipc/task.h - the nouns every process shares: task states, step states, kinds
 * of command, and the limits that bound whatever comes from outside.
 *
 * The numbers are written to disk and to pipes: never renumber, never reuse.
 * 0 is reserved everywhere, so that zeroed memory is nothing at all.
 */
#ifndef IPC_TASK_H
#define IPC_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* clang-format off */
/* X(symbol, number, name, is_end, has_worker, holds_slot) */
#define TASK_STATES(X)                                                          \
	X(TASK_QUEUED,       1, "queued",                  false, false, false) \
	X(TASK_STARTING,     2, "starting",                false, true,  true)  \
	X(TASK_RUNNING,      3, "running",                 false, true,  true)  \
	X(TASK_WAITING,      4, "waiting_confirmation",    false, true,  false) \
	X(TASK_PAUSED,       5, "paused",                  false, true,  false) \
	X(TASK_RETRYING,     6, "retrying",                false, false, false) \
	X(TASK_CANCELLING,   7, "cancelling",              false, true,  true)  \
	X(TASK_UNDOING,      8, "undoing",                 false, true,  true)  \
	X(TASK_COMPLETED,    9, "completed",               true,  false, false) \
	X(TASK_WARNED,      10, "completed_with_warnings", true,  false, false) \
	X(TASK_FAILED,      11, "failed",                  true,  false, false) \
	X(TASK_CANCELLED,   12, "cancelled",               true,  false, false) \
	X(TASK_INTERRUPTED, 13, "interrupted",             true,  false, false)
#define TASK_STATE_MAX 14 /* one more than the largest number above */

/* X(symbol, number, name, is_done): is_done steps are not run again by a later attempt */
#define STEP_STATES(X)                                        \
	X(STEP_PENDING,      1, "pending",      false)        \
	X(STEP_RUNNING,      2, "running",      false)        \
	X(STEP_DONE,         3, "done",         true)         \
	X(STEP_ALREADY_DONE, 4, "already_done", true)         \
	X(STEP_SKIPPED,      5, "skipped",      false)        \
	X(STEP_FAILED,       6, "failed",       false)        \
	X(STEP_UNDONE,       7, "undone",       false)        \
	X(STEP_CANCELLED,    8, "cancelled",    false)
#define STEP_STATE_MAX 9

/* Why a task does not move. X(symbol, number, name, by_step): BY_STEP ones a step may say itself */
#define BLOCK_KINDS(X)                             \
	X(BLOCK_SLOT,       1, "slot",       false) \
	X(BLOCK_LOCK,       2, "lock",       true)  \
	X(BLOCK_DISK,       3, "disk",       true)  \
	X(BLOCK_NETWORK,    4, "network",    true)  \
	X(BLOCK_QUESTION,   5, "question",   false) \
	X(BLOCK_STALL,      6, "stall",      false) \
	X(BLOCK_UNKILLABLE, 7, "unkillable", false) \
	X(BLOCK_DRAIN,      8, "drain",      false)
#define BLOCK_KIND_MAX 9
/* clang-format on */

enum task_state {
#define X(sym, num, name, is_end, worker, slot) sym = num,
	TASK_STATES(X)
#undef X
};

enum step_state {
#define X(sym, num, name, is_done) sym = num,
	STEP_STATES(X)
#undef X
};

enum block_kind {
#define X(sym, num, name, by_step) sym = num,
	BLOCK_KINDS(X)
#undef X
};

/* When a step lets itself be cancelled; what a recipe writes as `cancel:`. */
enum cancel_mode {
	CANCEL_NOW = 1,
	CANCEL_AFTER = 2,
	CANCEL_NEVER = 3
};
#define CANCEL_MODE_MAX 3

/* What becomes of a task whose worker went down; a recipe's `on_interrupt:`. */
enum on_interrupt {
	INTERRUPT_STOP = 1,
	INTERRUPT_RESUME = 2
};
#define ON_INTERRUPT_MAX 2

/* What an attempt is for. */
enum attempt_mode {
	ATTEMPT_RUN = 1,
	ATTEMPT_UNDO = 2
};
#define ATTEMPT_MODE_MAX 2

/* Limits. Whoever reads something from outside checks it against these first. */
enum {
	LIMIT_STEPS = 64, /* steps in a recipe */
	LIMIT_SUBS = 512, /* sub-steps kept per step; later ones are counted only */
	LIMIT_SUB_DEPTH = 4,
	LIMIT_ARGS = 1024,           /* words of one command */
	LIMIT_PAIRS = 256,           /* labels, environment, outputs, parameters: each */
	LIMIT_NAME = 128,            /* bytes: names of steps, outputs, labels, parameters */
	LIMIT_TITLE = 512,           /* bytes: title, label, scope, key, detail */
	LIMIT_TEXT = 16 * 1024,      /* bytes: one argument, value, warning, message */
	LIMIT_VALUE = 32 * 1024,     /* bytes: checkpoint, result, output file: msgpack */
	LIMIT_WARNINGS = 64,         /* kept per task; later ones are counted only */
	LIMIT_OUTPUTS = 1024 * 1024, /* bytes: names and values of all outputs of a task */
	LIMIT_TAIL = 4 * 1024,       /* bytes of last output kept with a failure */
	LIMIT_FRAME = 64 * 1024,     /* bytes of one frame's body: journal and pipes */
	LIMIT_RPC = 1024 * 1024,     /* bytes of one message on the control socket */
	LIMIT_SPEC = 512 * 1024,     /* bytes of a frozen spec */
	LIMIT_RECIPE = 256 * 1024,   /* bytes of a recipe's text */
	LIMIT_GROUPS = 256,          /* supplementary groups of an owner */
	LIMIT_RUNS = 5               /* earlier runs of a step that are remembered */
};

/* Names as contract.md spells them; "invalid" for a number that is none. Static storage. */
const char *task_state_name(enum task_state state);
const char *step_state_name(enum step_state state);
const char *cancel_mode_name(enum cancel_mode mode);
const char *block_kind_name(enum block_kind kind);

/* The state called NAME, or 0. */
enum task_state task_state_parse(const char *name);

/* The kind called NAME, where a step may say so; or 0. */
enum block_kind block_kind_by_step(const char *name);

/* True once no event but an explicit retry can move a task out of STATE. */
bool task_state_is_end(enum task_state state);

/* What a task holds in STATE. */
bool task_state_has_worker(enum task_state state);
bool task_state_holds_slot(enum task_state state);

/* True when a later attempt need not run the step again. */
bool step_state_is_done(enum step_state state);

#endif
