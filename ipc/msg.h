/*
 * ipc/msg.h - what worker, supervisor and steps tell each other.
 *
 *   facts  worker -> journal -> supervisor   must never be lost or doubled
 *   news   worker -> FIFO -> supervisor      what the next news replaces
 *   orders supervisor -> FIFO -> worker      the whole wish, with a revision
 *   step messages  step -> worker -> (facts and news), by name, ipc/PROTOCOL.md
 *
 * Events, the numbered history a client sees, are facts too: those of the worker plus
 * those the supervisor adds (submitted, joined, ...).
 */
#ifndef IPC_MSG_H
#define IPC_MSG_H

#include "ipc/codec.h"
#include "ipc/question.h"
#include "ipc/task.h"

/* clang-format off */
/* X(symbol, number, name, from_worker, help: the fields it uses beside ts_ms) */
#define FACT_KINDS(X)                                                                            \
	X(FACT_HELLO,        1, "hello",        true,  "task attempt pid start_ticks boot_id keeper_instance build") \
	X(FACT_STEP_BEGIN,   2, "step_begin",   true,  "step name count(try, from 1; 0: its check)")    \
	X(FACT_STEP_END,     3, "step_end",     true,  "step state exit code message tail killed count(lines of output)") \
	X(FACT_SUB_BEGIN,    4, "sub_begin",    true,  "step sub parent name count(items, 0 unknown)")  \
	X(FACT_SUB_END,      5, "sub_end",      true,  "step sub state detail")                         \
	X(FACT_CHECKPOINT,   6, "checkpoint",   true,  "step value")                                    \
	X(FACT_OUTPUT,       7, "output",       true,  "step name text")                                \
	X(FACT_WARNING,      8, "warning",      true,  "step text")                                     \
	X(FACT_NOTIFICATION, 9, "notification", true,  "step text")                                     \
	X(FACT_RESULT,      10, "result",       true,  "step value")                                    \
	X(FACT_QUESTION,    11, "question",     true,  "step question")                                 \
	X(FACT_OBEYED,      12, "obeyed",       true,  "rev want")                                      \
	X(FACT_STEP_RETRY,  13, "step_retry",   true,  "step count(next try) delay_ms message exit")    \
	X(FACT_UNDO_BEGIN,  14, "undo_begin",   true,  "step; step 0 for the whole phase")              \
	X(FACT_UNDONE,      15, "undone",       true,  "step state(undone|failed) exit message")        \
	X(FACT_KILLED,      16, "killed",       true,  "receipt")                                       \
	X(FACT_END,         17, "end",          true,  "outcome code message step exit tail killed(1: the cgroup of its steps was)")           \
	X(FACT_LEFT_RUNNING,18, "left_running", true,  "step pid start_ticks")                         \
	X(FACT_WITHDRAWN,   19, "withdrawn",    true,  "step name(of the question)")                    \
	X(FACT_SUBMITTED,   64, "submitted",    false, "text(by whom)")                                 \
	X(FACT_JOINED,      65, "joined",       false, "text(by whom)")                                 \
	X(FACT_LEFT,        66, "left",         false, "text(who)")                                     \
	X(FACT_STARTED,     67, "started",      false, "attempt")                                       \
	X(FACT_CANCELLING,  68, "cancelling",   false, "text(by whom) rev")                             \
	X(FACT_INTERRUPTED, 69, "interrupted",  false, "code message step exit")                        \
	X(FACT_RETRYING,    70, "retrying",     false, "text(by whom or why)")                          \
	X(FACT_KEPT,        71, "kept",         false, "count(1 kept, 0 not)")                          \
	X(FACT_ENDED,       72, "ended",        false, "outcome message")                               \
	X(FACT_NEVER_RAN,   73, "never_ran",    false, "attempt; the spawn did not happen")             \
	X(FACT_ANSWERED,    74, "answered",     false, "step answer")
#define FACT_KIND_MAX 128
/* clang-format on */

enum fact_kind {
#define X(sym, num, name, from_worker, help) sym = num,
	FACT_KINDS(X)
#undef X
};

const char *fact_kind_name(enum fact_kind kind); /* "invalid" for none */
bool fact_kind_is_from_worker(enum fact_kind kind);

/* How a process ended. */
struct exit_info {
	bool known;
	int64_t code;   /* exit status, 0 when signalled */
	int64_t signal; /* 0: it exited */
};
extern const struct codec exit_codec;

struct receipt_proc {
	uint64_t pid;
	char *name;
	char *how;            /* "own session", "own group", "daemon", ... : how it had escaped */
	uint64_t start_ticks; /* with the pid it names one process; 0: not said (older workers) */
};
struct receipt_procs {
	struct receipt_proc *v;
	size_t n;
};

/* What a cancel did: kept with the task, shown as `receipt`. */
struct receipt {
	uint64_t
	    signalled;   /* processes of the step's group that got the TERM: at least the leader */
	uint64_t killed; /* processes that needed KILL */
	struct receipt_procs escaped;   /* had left the group and were caught */
	struct receipt_procs survivors; /* could not be killed */
	char *method;                   /* "cgroup+walk", "walk", ... */
	uint64_t duration_ms;
};
extern const struct codec receipt_codec, receipt_proc_codec;

struct fact {
	enum fact_kind kind;
	uint64_t ts_ms;   /* wall clock of the writer */
	uint64_t task;    /* set by the supervisor; in a journal only FACT_HELLO has it */
	uint64_t attempt; /* likewise */
	uint64_t step;    /* from 1; 0: the task as a whole */
	uint64_t sub;     /* from 1 within the step and attempt */
	uint64_t parent;  /* sub it is nested in, 0: the step */
	uint64_t count;
	enum step_state state;
	enum task_state outcome; /* FACT_END, FACT_ENDED */
	struct exit_info exit;
	char *name, *text, *detail, *code, *message, *tail;
	struct blob value;
	uint64_t rev, delay_ms, killed;
	uint64_t want; /* enum want */
	struct receipt receipt;
	uint64_t pid, start_ticks;
	char *boot_id, *keeper_instance, *build;
	struct question question;
	struct answer answer; /* without its secrets */
	struct blob rest;
};
extern const struct codec fact_codec;

/* The latest snapshot of one attempt. */
struct news {
	uint64_t step;   /* current step, from 1 */
	double fraction; /* of the step, 0..1; NaN unknown */
	double progress; /* of the task, 0..1, never falls within an attempt; NaN unknown */
	uint64_t bytes_done, bytes_total; /* 0: none, unknown */
	uint64_t rate;                    /* bytes per second */
	char *label;
	uint64_t log_bytes;      /* logical end of the log */
	enum block_kind blocked; /* what it waits for; 0: nothing known */
	char *holder;            /* who keeps it; NULL: unknown */
	uint64_t blocked_since_ms;
	uint64_t left_ms; /* of the task, when it was said; 0: unknown */
};
extern const struct codec news_codec;

enum want {
	WANT_RUN = 1,
	WANT_PAUSE = 2,
	WANT_CANCEL = 3,
	WANT_CANCEL_AFTER = 4,
	WANT_SUSPEND = 5 /* end, to go on in another attempt or to undo, as on_interrupt says */
};
#define WANT_MAX 5

/* True when a worker that obeys it comes to an end without waiting for anything but a step. */
bool want_ends(enum want want);

struct order {
	uint64_t rev;
	enum want want;
	bool force;           /* a cancel that overrides `never` and stops undo */
	bool report;          /* send the latest news now */
	struct answer answer; /* the latest one; question NULL: none */
	bool hold;            /* a step that was answered waits until there is a slot */
};
extern const struct codec order_codec;

/* clang-format off */
/* What a step may say, ipc/PROTOCOL.md. X(symbol, number, name, help: fields and their types) */
#define STEP_MSG_KINDS(X)                                                                  \
	X(STEP_MSG_PROGRESS,     1, "progress",     "fraction: float 0..1; label: str")        \
	X(STEP_MSG_BYTES,        2, "bytes",        "done: uint; total: uint; rate: uint; label: str") \
	X(STEP_MSG_LABEL,        3, "label",        "label: str")                              \
	X(STEP_MSG_BEGIN,        4, "begin",        "name: str; count: uint")                  \
	X(STEP_MSG_COMPLETE,     5, "complete",     "detail: str")                             \
	X(STEP_MSG_FAIL,         6, "fail",         "detail: str")                             \
	X(STEP_MSG_CHECKPOINT,   7, "checkpoint",   "value: any")                              \
	X(STEP_MSG_OUTPUT,       8, "output",       "name: str; text: str")                    \
	X(STEP_MSG_WARNING,      9, "warning",      "text: str")                               \
	X(STEP_MSG_NOTIFICATION,10, "notification", "text: str")                               \
	X(STEP_MSG_RESULT,      11, "result",       "value: any")                              \
	X(STEP_MSG_WAITING,     12, "waiting",      "on: str; holder: str")                    \
	X(STEP_MSG_QUESTION,    13, "question",     "question: map")                            \
	X(STEP_MSG_WITHDRAW,    14, "withdraw",     "name: str")
/* clang-format on */

enum step_msg_kind {
#define X(sym, num, name, help) sym = num,
	STEP_MSG_KINDS(X)
#undef X
};
enum step_msg_kind step_msg_kind_parse(const char *name); /* 0 for none */

struct step_msg {
	char *type; /* a name from the table */
	double fraction;
	uint64_t done, total, rate, count;
	char *label, *name, *detail, *text;
	struct blob value;
	char *on, *holder;
	struct question question;
};
extern const struct codec step_msg_codec; /* by name; unknown keys are skipped */

/* The one frame a step may read at its start, from the fd named in REEVE_START_FD. */
struct step_start {
	uint64_t task, attempt, try_; /* on the wire: task, attempt, try */
	struct blob checkpoint;       /* of the last time, absent at first */
};
extern const struct codec step_start_codec;

#endif
