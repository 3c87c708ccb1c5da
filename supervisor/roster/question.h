/*
 * supervisor/roster/question.h - what a task asks people, and their answers.
 *
 * Answered once: whoever comes second is told who was first. The answer goes to the worker with an
 * order, and the task on once it has a slot. Secrets are kept in the vault, and nowhere else.
 */
#ifndef SUPERVISOR_ROSTER_QUESTION_H
#define SUPERVISOR_ROSTER_QUESTION_H

#include "supervisor/roster/change.h"

/* Beside the id of a task: where the vault has what is secret in its answers. */
#define QUESTION_SECRETS (UINT64_C(1) << 63)

struct answering {
	const char *question; /* its id; NULL: the one that is open */
	struct answer answer; /* yes, fields, by, token; taken */
};

/* What became of it. */
struct answered {
	const char *field; /* that is to blame; borrowed; NULL: none */
	char problem[QUESTION_PROBLEM];
};

/*
 * 0, and DONE follows after the commit; -EINVAL: see field and problem; -EALREADY, -ENOBUFS: see
 * problem; -ENOENT: nothing of the kind is asked.
 */
int wish_answer(struct task *task, struct answering *answering, change_done_fn done, void *arg,
    struct answered *ret);

/* The answer given last with all that is known of it, for an order. RET is owned; false: none. */
bool question_for_order(const struct task *task, struct answer *ret);

/* The answers of step INDEX (from 0) likewise, for a brief. 0 or -ENOMEM. */
int question_answers(const struct task *task, size_t index, struct answers *ret);

/* Its answer was waiting for a slot, and there is one. */
void question_grant(struct task *task);

/* FACT was applied: what it means to the task that its question is open, or not any more. */
void question_follow(struct change *change, const struct fact *fact);

/* Its default counts in time. */
void question_arm(struct task *task);

/* An attempt is about to begin: steps that are done but for secrets that are lost ask again. */
void question_forget_lost(struct task *task);

/* The task is over. */
void question_drop_secrets(struct task *task);

void question_init(struct task *task);
void question_fini(struct task *task);

#endif
