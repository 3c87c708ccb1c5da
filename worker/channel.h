/*
 * worker/channel.h - what a step says over its pipe (ipc/PROTOCOL.md, "Steps").
 *
 * The step is not trusted: a frame that is none closes the channel and costs one warning; of one
 * with a field beyond its limit nothing is taken, and a warning names field and limit.
 * A step that floods is read more slowly, which is felt by nobody but itself.
 */
#ifndef WORKER_CHANNEL_H
#define WORKER_CHANNEL_H

#include "worker/attempt.h"

struct channel {
	int fd;        /* owned; -1: closed */
	int answer_fd; /* likewise: where the step reads answers */
	size_t step;   /* index, from 0 */
	struct buf in; /* bytes of a frame that is not whole yet */
	uint64_t sub;  /* number of the latest sub-step; goes on over the tries of a step */
	size_t begun;  /* sub-steps of this try */
	uint64_t open[LIMIT_SUB_DEPTH];
	size_t depth;           /* of `open` */
	size_t untold;          /* open sub-steps that are not told: too deep, or too many */
	bool has_progress;      /* it speaks of its progress itself */
	struct blob checkpoint; /* read and not journalled yet */
	bool has_checkpoint;
	bool warned_subs;
	size_t limits_warned; /* messages left out that a warning told of */
	char *undeclared;     /* the first output the recipe does not declare */
	bool is_asking;       /* it waits for the answer that attempt->asking does */
};

/* LAST_SUB: where an earlier try of the same step stopped counting. Takes FD. */
void channel_init(struct channel *channel, int fd, size_t step, uint64_t last_sub);
void channel_fini(struct channel *channel);

/* Hands on the answer that the step waits for, when there is one. */
void channel_answer(struct channel *channel, struct attempt *attempt);

/* Reads once, without waiting, and acts on every whole frame. Closes at the end of file. */
void channel_read(struct channel *channel, struct attempt *attempt);

/* The step is over: sub-steps it left open end as STATE. */
void channel_end(struct channel *channel, struct attempt *attempt, enum step_state state);

#endif
