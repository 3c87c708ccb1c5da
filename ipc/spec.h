/*
 * ipc/spec.h - a frozen recipe, and the brief that sends a worker to work.
 *
 * A recipe is read once, at submit, checked against its parameters and frozen into a
 * struct spec; nothing changes it afterwards. A brief is one attempt's orders: the spec,
 * as whom and where it runs, and what earlier attempts already did. It is written to
 * a sealed memfd that the worker inherits: no secret of it stays on the disk. Workers never see
 * YAML.
 *
 * Strings in a spec may still hold ${steps.STEP.OUTPUT}, which only the worker can
 * expand (ipc/expand.h), and env ${param} of a secret one; other ${param} are expanded
 * already, and `$${` is kept until then.
 */
#ifndef IPC_SPEC_H
#define IPC_SPEC_H

#include "ipc/codec.h"
#include "ipc/question.h"
#include "ipc/task.h"

/* A command: argv, or sh text for /bin/sh -e -c. Both empty: none. */
struct spec_cmd {
	struct strs argv;
	char *sh;
	uint64_t timeout_ms; /* of a check, verify or undo; 0: the step's */
};

enum step_kind {
	STEP_KIND_CMD = 1,
	STEP_KIND_PULL = 2,
	STEP_KIND_CONFIRM = 3
};
#define STEP_KIND_MAX 3

/* One download, run as `reeve-pull` with these fields as arguments. */
struct spec_pull {
	char *url;
	char *sha256; /* 64 hex digits, or NULL */
	char *to;     /* absolute, or relative to the step's directory */
	char *size;   /* decimal bytes, when known in advance; or NULL */
};

/* The name of what a STEP_KIND_CONFIRM asks. */
#define CONFIRM_QUESTION "confirm"

/* Whose word on a step's progress is taken. X(symbol, number, the word in recipes) */
/* clang-format off */
#define PROGRESS_KINDS(X)               \
	X(PROGRESS_AUTO,    1, "auto")    \
	X(PROGRESS_NONE,    2, "none")    \
	X(PROGRESS_LINES,   3, "lines")   \
	X(PROGRESS_PERCENT, 4, "percent") \
	X(PROGRESS_COUNT,   5, "count")   \
	X(PROGRESS_OSC,     6, "osc")     \
	X(PROGRESS_CURL,    7, "curl")    \
	X(PROGRESS_WGET,    8, "wget")    \
	X(PROGRESS_GIT,     9, "git")     \
	X(PROGRESS_RSYNC,  10, "rsync")   \
	X(PROGRESS_PIP,    11, "pip")     \
	X(PROGRESS_NPM,    12, "npm")     \
	X(PROGRESS_DOCKER, 13, "docker")  \
	X(PROGRESS_FFMPEG, 14, "ffmpeg")
/* clang-format on */
enum progress_kind {
#define X(sym, num, word) sym = num,
	PROGRESS_KINDS(X)
#undef X
	PROGRESS_FILE = 15 /* no word: `progress:` is a map then */
};
#define PROGRESS_KIND_MAX 15

struct spec_progress {
	enum progress_kind kind; /* 0: as PROGRESS_AUTO */
	char *file;              /* PROGRESS_FILE: grows towards `size`; path as pull's `to` */
	char *size;              /* decimal bytes */
};

struct spec_step {
	char *name;
	enum step_kind kind;
	struct spec_cmd cmd;     /* STEP_KIND_CMD */
	struct spec_pull pull;   /* STEP_KIND_PULL */
	struct question confirm; /* STEP_KIND_CONFIRM; its fields are outputs of the step */
	struct spec_cmd check;   /* exit 0: already done, not run */
	struct spec_cmd undo;
	struct spec_cmd
	    verify; /* after it, or after a check that found it done: exit 0, or it failed */
	struct pairs env;
	char *cwd;           /* NULL: the task's */
	struct strs outputs; /* names it may set */
	enum cancel_mode cancel;
	uint64_t timeout_ms;     /* of one try; 0: none */
	uint64_t retry_attempts; /* tries beyond the first */
	uint64_t retry_delay_ms; /* doubled each time, at most 5 min */
	double weight;           /* share of the task's progress; NaN: equal */
	bool leave_running;      /* what it leaves alive is not killed after success */
	struct spec_progress progress;
	bool tty;                /* it runs on a terminal */
	uint64_t stall_after_ms; /* so long without a sign of life is told; 0: the task's */
};

struct spec_steps {
	struct spec_step *v;
	size_t n;
};

struct spec {
	char *type; /* "command" for ad-hoc ones */
	char *title;
	char *description;
	char *scope;      /* NULL: none */
	char *dedupe_key; /* what joining compares besides type and owner; NULL: never joins */
	enum on_interrupt on_interrupt;
	char *cancel_note;
	uint64_t keep_ms;    /* how long it stays after its end; 0: as the service is set */
	char *run_as;        /* honoured only from a trusted recipe; NULL: the caller */
	struct pairs params; /* as given and defaulted; PARAM_* in the environment of steps */
	struct spec_steps steps;
	bool has_workdir; /* steps run in the task's own directory unless cwd says otherwise */
	uint64_t stall_after_ms; /* of its steps; 0: what is usual for each kind of step */
	struct strs secrets;     /* names of the parameters whose values are nowhere in here */
};

extern const struct codec spec_codec;
extern const struct codec spec_step_codec;

/* How a step of this name went in an earlier task of the same type. */
struct past_run {
	uint64_t took_ms;
	uint64_t lines; /* of output */
};
struct past_runs {
	struct past_run *v;
	size_t n;
};
extern const struct codec past_run_codec;

/* What earlier attempts left, per step and in the spec's order. */
struct brief_step {
	enum step_state state;
	struct pairs outputs;
	struct blob checkpoint; /* given back to the step */
	struct answers answers; /* given to it again; with the secrets that are still known */
	uint64_t lines;         /* of output, the last time in any task; 0: unknown */
	struct past_runs runs;  /* of earlier tasks, the latest last */
	bool was_run;           /* there is something to undo */
};
struct brief_steps {
	struct brief_step *v;
	size_t n;
};

struct brief {
	uint64_t task;
	uint64_t attempt; /* from 1 */
	enum attempt_mode mode;
	char *keeper_instance; /* of the start record; echoed in HELLO */
	char *boot_id;
	uint64_t uid, gid;
	struct blob groups; /* array of integers; absent: none but gid */
	bool change_user;   /* set the credentials above (the service is root) */
	struct pairs env;   /* complete environment of every command, before the step's own */
	uint64_t umask;
	char *workdir;                     /* STATE/work/ID, or the caller's directory; absolute */
	uint64_t workdir_dev, workdir_ino; /* 0: need not be compared */
	bool own_workdir;                  /* made by us: REEVE_OUTPUT files live below it */
	char *news_path, *orders_path;     /* opened again on SIGUSR1 */
	uint64_t grace_ms;                 /* between TERM and KILL on a cancel */
	uint64_t order_rev;                /* orders up to here are obeyed already */
	struct spec spec;
	struct brief_steps steps;
	struct pairs secrets; /* values of spec.secrets; never in a brief that is stored */
};

extern const struct codec brief_codec;

#endif
