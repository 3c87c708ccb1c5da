/*
 * store/record.h - what is remembered of a task: the row of table `task`.
 *
 * One struct, one field table (record.c). Field numbers are explicit and never reused; fields
 * of a newer build are kept in `rest`, at every depth. Strings are owned by the record.
 * SCHEMA.md says what each field is for.
 */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include "ipc/msg.h"
#include "ipc/spec.h"
#include "ipc/task.h"

enum {
	RECORD_MAX_BYTES = 8 * 1024 * 1024, /* an encoded row; more is -EMSGSIZE */
	RECORD_TOKEN_BYTES = 18             /* 0xc4 0x10 and the 16 bytes */
};

struct record_sub {
	uint64_t sub, parent; /* parent 0: the step */
	char *name, *detail;
	uint64_t count;
	enum step_state state;
	uint64_t started_ms, ended_ms;
	struct blob rest;
};
struct record_subs {
	struct record_sub *v;
	size_t n;
};

struct record_step {
	char *name;
	enum step_state state;
	char *detail;
	double progress; /* 0..1 of the step when last known; NaN unknown */
	uint64_t started_ms, ended_ms;
	uint64_t tries; /* in the latest attempt */
	struct exit_info exit;
	struct pairs outputs;
	struct blob checkpoint;
	struct record_subs subs;
	uint64_t subs_dropped;
	enum cancel_mode cancel;
	double weight; /* NaN: equal */
	bool has_undo;
	bool leaves_running; /* what it starts and leaves alive is meant to stay */
	uint64_t lines;      /* of output, in the latest try */
	bool confirms;       /* it asks and does nothing else */
	struct answers answers;
	bool was_run; /* its own work has begun, in any attempt, and was not undone since */
	struct blob rest;
};
struct record_steps {
	struct record_step *v;
	size_t n;
};

struct record_error {
	char *code, *message, *tail;
	uint64_t step; /* from 1; 0: none */
	struct exit_info exit;
	struct blob rest;
};

/* Somebody the task belongs to: the first is the owner. */
struct record_person {
	char *name; /* unix:NAME or web:SUBJECT */
	uint64_t uid;
	uint64_t since_ms;
	struct blob rest;
};
struct record_persons {
	struct record_person *v;
	size_t n;
};

struct record_interruption {
	uint64_t ts_ms, attempt, step;
	char *code, *message;
	struct exit_info exit;
	struct blob rest;
};
struct record_interruptions {
	struct record_interruption *v;
	size_t n;
};

struct record_warning {
	uint64_t ts_ms, step;
	char *text;
	struct blob rest;
};
struct record_warnings {
	struct record_warning *v;
	size_t n;
};

/* Waits for an answer: through attempts, until it is answered, withdrawn or its step is over. */
struct record_question {
	uint64_t step;      /* from 1 */
	uint64_t asked_ms;  /* its time runs from here */
	struct question it; /* text NULL: nothing is asked */
	struct blob rest;
};

/* The attempt that was started last, as committed before its spawn. */
struct record_attempt {
	uint64_t number; /* 0: none yet */
	enum attempt_mode mode;
	char *keeper_instance, *boot_id; /* of the keeper and boot it was started under */
	uint64_t started_ms;
	uint64_t pid, start_ticks; /* from HELLO; 0 before */
	uint64_t cursor;           /* bytes of its journal that are in this row */
	uint64_t next_seq;         /* expected in the frame at the cursor */
	bool ended;                /* its END is in this row: outcome and error below are its own */
	bool closed;               /* proven empty; nothing of it is left */
	uint64_t berth;            /* where it lives (supervisor/berth.h), until it is closed */
	struct blob rest;
};

struct record {
	uint64_t id;
	struct blob token; /* 16 bytes as msgpack bin, made by the client */
	char *type, *title, *scope, *key, *dedupe_key;
	struct record_persons persons;
	uint64_t owner_uid, owner_gid; /* the Unix account commands run as */
	struct pairs labels;
	enum task_state state;
	enum task_state
	    decided_outcome; /* while undoing or cancelling: what it will end as; 0 none */
	uint64_t created_ms, started_ms, ended_ms;
	uint64_t order_rev;
	enum want want;
	bool force;
	char *cancelled_by;
	enum on_interrupt on_interrupt;
	char *cancel_note;
	uint64_t step; /* current, from 1; 0 none */
	struct record_steps steps;
	struct record_attempt attempt;
	uint64_t resumes;    /* interruptions since a step was last finished */
	struct pairs params; /* as frozen; secret ones are absent */
	struct strs secrets; /* the names of those; their values are stored nowhere */
	struct blob result;
	struct record_warnings warnings;
	uint64_t warnings_dropped;
	struct record_error error; /* code NULL: none */
	struct receipt receipt;    /* method NULL: none */
	struct record_interruptions interruptions;
	double progress; /* last known; NaN */
	char *outcome;   /* the stored one line, after the end */
	uint64_t log_bytes;
	bool keep;
	uint64_t keep_ms;     /* from its recipe: how long it stays after its end; 0: the setting */
	uint64_t expires_ms;  /* 0: active or kept */
	uint64_t cursor_seq;  /* sequence of its newest event when committed; informative */
	uint64_t retry_at_ms; /* TASK_RETRYING: due then */
	uint64_t queue_order; /* smaller is served first among queued ones; its id, or less for
				 returners */
	struct record_question question;
	struct blob rest;
};

extern const struct codec record_codec;

/* Of its lists, for list_add. */
extern const struct codec record_step_codec, record_sub_codec, record_person_codec;
extern const struct codec record_warning_codec, record_interruption_codec;
extern const struct codec record_question_codec; /* of its question, for codec_free */

#endif
