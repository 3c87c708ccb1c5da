/*
 * worker/prompt.h - the terminal of a step that has one (`tty: true`): cleans what is written to
 * it, sees when the step waits for somebody who types, asks people, and types their answer.
 *
 * That somebody is waited for is never guessed from the text alone: a process of the foreground
 * group stands in a read of the terminal (ttywait.h), and nothing was written for a while. Where
 * the kernel does not tell, only a line behind which the echo is off counts: a password.
 */
#ifndef WORKER_PROMPT_H
#define WORKER_PROMPT_H

#include "worker/attempt.h"
#include "worker/escape.h"
#include "worker/kill.h"

enum {
	PROMPT_LINE = 512
};

/* What a yes is typed as. */
enum prompt_way {
	PROMPT_TEXT = 0, /* the text that was given */
	PROMPT_LETTER,   /* y or n */
	PROMPT_WORD      /* yes or no */
};

struct prompt {
	int ours, theirs; /* the two ends: OURS borrowed, THEIRS held as long as the step runs, so
			   * that it may close and open the terminal; -1: none */
	struct escape escape;
	size_t step;
	char line[PROMPT_LINE]; /* without an end so far */
	size_t len;
	bool is_asking;
	enum prompt_way way; /* of what is asked */
	uint64_t answered;   /* so many were */
	uint64_t spoke_ms;   /* boot clock: of the last output or typing */
	uint64_t asked_ms;
	uint64_t look_ms; /* the next look is due */
};

void prompt_init(struct prompt *prompt);
void prompt_fini(struct prompt *prompt);

/* A terminal of 24 lines and 80 columns that belongs to the step's user. Both ends become the
 * caller's; PROMPT borrows RET_OURS. 0 or -errno. */
int prompt_open(struct prompt *prompt, const struct attempt *attempt, size_t step, int *ret_ours,
    int *ret_theirs);

/* Leaves what is text in DATA, which the step wrote. Returns its length. */
size_t prompt_take(struct prompt *prompt, char *data, size_t len, uint64_t now_ms);

/* Looks when it is time, asks or withdraws. Returns milliseconds until it is again, -1: never. */
int prompt_turn(
    struct prompt *prompt, struct attempt *attempt, const struct spared *spared, uint64_t now_ms);

/* Types the answer, when there is one. */
void prompt_answer(struct prompt *prompt, struct attempt *attempt);

/* The step's program has ended: nobody waits any more. */
void prompt_end(struct prompt *prompt, struct attempt *attempt);

#endif
