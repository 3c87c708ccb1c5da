/*
 * worker/confirm.h - a step that asks a question and does nothing else.
 */
#ifndef WORKER_CONFIRM_H
#define WORKER_CONFIRM_H

#include "worker/attempt.h"

enum confirmed {
	CONFIRMED_YES = 1, /* or a no with which the task goes on */
	CONFIRMED_NO,
	CONFIRMED_CANCELLED,
	CONFIRMED_BROKEN, /* the journal takes nothing more */
	CONFIRMED_UNASKED /* see *ret_why */
};

enum {
	CONFIRM_WHY = 320
};

/* Asks what step INDEX asks and waits; what was answered becomes the step's outputs. */
enum confirmed confirm_step(
    struct attempt *attempt, size_t index, char ret_why[static CONFIRM_WHY]);

#endif
