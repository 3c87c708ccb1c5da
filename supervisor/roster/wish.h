/*
 * supervisor/roster/wish.h - what people ask for. Rights are checked by the caller.
 *
 * Answers come after the commit, with one exception: a cancel is ordered and accepted at once.
 */
#ifndef SUPERVISOR_ROSTER_WISH_H
#define SUPERVISOR_ROSTER_WISH_H

#include "supervisor/roster/change.h"

/* A task that does not exist yet. Everything in it is the caller's to free. */
struct submission {
	uint8_t token[16];
	const struct brief *brief; /* frozen: spec, environment, credentials, directory */
	const char *person;        /* unix:NAME */
	uint64_t uid;              /* the person's */
	bool is_admin;
	const char *title, *scope, *key;
	const struct pairs *labels;
	const struct pairs *secrets; /* values of brief->spec.secrets, for the vault */
};

struct submitted {
	uint64_t id;
	enum task_state state;
	bool joined;
	bool is_known;       /* sent again after a lost reply: nothing new */
	struct strs differs; /* names of parameters and fields that differ from the joined task's */
	uint64_t
	    conflict; /* id of the active task whose key is used for other work; with -EEXIST */
};

/* RESULT 0, -ENOSPC (refused: the disk is full), -EEXIST (conflict), -ENOBUFS (the vault is full),
 * -EUSERS (he has as many as he may), -ESHUTDOWN (drained). RET is borrowed. */
typedef void (*submitted_fn)(const struct submitted *ret, int result, void *arg);

/* Calls DONE once, now or after the commit. */
void wish_submit(
    struct roster *roster, const struct submission *submission, submitted_fn done, void *arg);

struct cancel_request {
	const char *person;
	uint64_t uid;
	bool is_admin, force, abandon;
};

struct cancel_answer {
	bool accepted, left;
	const char *reason; /* static; not accepted */
};

struct cancel_answer wish_cancel(struct task *task, const struct cancel_request *request);

struct retry_request {
	const char *person;
	const struct pairs *secrets; /* again: they were not kept beyond the end */
};

/* What stands in the way of a retry. */
struct retry_refusal {
	uint64_t active;             /* -EEXIST: does the same work */
	char secret[LIMIT_NAME + 1]; /* -ENOKEY */
};

/*
 * 0 and DONE follows after the commit; -EINVAL: not in a state to be retried; -EEXIST: a
 * submission of this work would join what is active; -ENOKEY: a secret is missing, or is none of
 * its parameters; -ENOBUFS; -ESHUTDOWN: drained; -ENOENT; -EUCLEAN.
 */
int wish_retry(struct roster *roster, uint64_t id, const struct retry_request *request,
    change_done_fn done, void *arg, struct retry_refusal *ret_refusal);

/* As wish_retry, but for its refusals; an active task is kept or not from its end on. */
int wish_keep(struct roster *roster, uint64_t id, bool keep, change_done_fn done, void *arg);

#endif
