/*
 * worker/outputs.h - values that steps hand to later steps: set by message or by the file
 * REEVE_OUTPUT, used by ${steps.STEP.OUTPUT} and, in sh text, by OUT_STEP_OUTPUT.
 */
#ifndef WORKER_OUTPUTS_H
#define WORKER_OUTPUTS_H

#include "worker/attempt.h"

/*
 * Journals and keeps one output of step INDEX. 0; -ENOENT: the recipe does not declare it; -EFBIG:
 * it is too long; -E2BIG: all of the task's together are; -EACCES: it holds a secret; -errno.
 */
int outputs_set(struct attempt *attempt, size_t index, const char *name, const char *value);

enum {
	OUTPUTS_WHY = 320
};
/* Why outputs_set did not take NAME, for people: in TEXT, which is returned. */
const char *outputs_why(int error, const char *name, char text[static OUTPUTS_WHY]);

/* For expand(): REFERENCE is steps.STEP.OUTPUT or a parameter. ARG is the brief. */
const char *outputs_lookup(const char *reference, void *arg);

/* The fields with which step INDEX's question was answered, secrets and all; NULL: none. */
const struct pairs *outputs_answered(const struct brief *brief, size_t index);

enum {
	OUTPUTS_FILE_MAX = 64 * 1024
};

/* An empty file for the step to write to; *ret_path (owned) is where. The step's user owns it. */
int outputs_file_make(struct attempt *attempt, char **ret_path);

/*
 * Reads and removes the file, and sets what it says. 0; with *ret_name (owned) what outputs_set
 * says of it; without, -EINVAL: a line is no name=value; -EFBIG: more than OUTPUTS_FILE_MAX;
 * -EPERM: it is not the file that was made; -errno.
 */
int outputs_file_take(struct attempt *attempt, size_t index, char **ret_name);

/* Removes the file unread: the step has failed. */
void outputs_file_drop(struct attempt *attempt);

#endif
