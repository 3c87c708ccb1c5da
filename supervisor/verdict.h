/*
 * supervisor/verdict.h - an attempt is over and nothing of it is left alive: what now?
 *
 * Pure. Every way an attempt can end is classified here into one event of the life cycle
 * plus what to remember; nothing is guessed, and an exit nobody saw is unknown, never 0.
 */
#ifndef SUPERVISOR_VERDICT_H
#define SUPERVISOR_VERDICT_H

#include "store/record.h"
#include "supervisor/lifecycle.h"

enum loss {
	LOSS_NONE = 0,    /* its END is in the row */
	LOSS_DIED,        /* reaped by the keeper it was started under: exit is known */
	LOSS_UNKNOWN,     /* keeper or machine went down as well: nobody saw it end */
	LOSS_NEVER_RAN,   /* the spawn did not happen */
	LOSS_NO_HELLO,    /* it lived and never said so */
	LOSS_TAMPERED,    /* its journal is shorter than what was read from it, or makes no sense */
	LOSS_UNSTARTABLE, /* the spawn failed for a reason that will not go away */
	LOSS_SECRETS      /* the secrets it needs went down with an earlier keeper */
};

struct over {
	enum loss loss;
	struct exit_info exit; /* LOSS_DIED */
	const char *detail;    /* words for the message; borrowed; NULL */
	bool new_boot;         /* started under another boot of the machine */
};

struct verdict {
	enum task_event event;
	enum task_state outcome; /* what an undo attempt will end as; 0: none is needed */
	const char *code;        /* error to record unless there is one; NULL. Static */
	char message[256];
	bool is_interruption;
};

enum {
	MAX_RESUMES = 5
}; /* interruptions in a row without a step finished or a checkpoint */
enum {
	MAX_UNDO_ATTEMPTS = 3
};

struct verdict verdict_of(const struct record *record, const struct over *over);

/* The one stored line, from an ended record: result in brief, first warning, reason, who cancelled.
 */
void verdict_outcome(const struct record *record, char *ret_line, size_t room);

#endif
