/*
 * worker/conclude.h - the end of an attempt: what becomes of the task when its steps came to
 * theirs.
 */
#ifndef WORKER_CONCLUDE_H
#define WORKER_CONCLUDE_H

#include "worker/runner.h"

/* How the last step that was run came to its end. */
enum step_end {
	STEP_ENDED_WELL = 1,
	STEP_ENDED_BADLY,
	STEP_ENDED_BY_CANCEL,
	STEP_ENDED_BROKEN
};

/* Undoes what has to be undone and tells the end. 0 when that is on the disk; -errno when the
 * journal took nothing more. Blocks. */
int conclude(struct runner *runner, enum step_end end);

#endif
