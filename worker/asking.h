/*
 * worker/asking.h - the question that a task's running step has for people (ipc/question.h).
 *
 *   asking_begin(attempt, step, &question);      journals it, unless its answer is known
 *   ... pump() ... asking_answer(attempt)        NULL until it may be gone on with
 *   asking_end(attempt);                         withdraws it where nobody has answered
 *
 * One at a time. Who asks waits in pump(), which hears of the answer with the other orders; nobody
 * is asked again whose answer is known and still does.
 */
#ifndef WORKER_ASKING_H
#define WORKER_ASKING_H

#include "ipc/question.h"
#include "worker/orders.h"

struct attempt;

struct asking {
	size_t step;              /* index, from 0 */
	struct question question; /* text NULL: nothing is asked */
	struct answer answer;     /* question NULL: none yet */
	bool is_told;             /* the question is in the journal */
};

void asking_init(struct asking *asking);
void asking_fini(struct asking *asking);
bool asking_is_open(const struct attempt *attempt);

/* Takes QUESTION (left empty), which question_problem() has nothing against. 0; -EBUSY: another one
 * is open; -ENOMEM. The answer may be there at once. */
int asking_begin(struct attempt *attempt, size_t step, struct question *question);

/* The answer, with its secrets, once there is one and the task has a slot; borrowed. */
const struct answer *asking_answer(const struct attempt *attempt);

/* Nothing is asked any more. */
void asking_end(struct attempt *attempt);

/* Orders were read: keeps the answer that came with them. */
void asking_hear(struct attempt *attempt);

#endif
