/*
 * supervisor/roster/change.h - one decision about one task: commit, then publish, then act.
 *
 *   change = change_begin(task);
 *   change_step(change, EV_HELLO);      looks up, changes rec.state, remembers the action
 *   change_event(change, FACT_…);       a line of history
 *   change_commit(change);              encodes rec, hands over; what follows happens when it is
 * down
 */
#ifndef SUPERVISOR_ROSTER_CHANGE_H
#define SUPERVISOR_ROSTER_CHANGE_H

#include "supervisor/roster/roster.h"

/* On the loop, after commit and publication; RESULT 0, or -ENOSPC for a refused submission. */
typedef void (*change_done_fn)(struct task *task, int result, void *arg);

struct change {
	struct commit commit;
	struct task *task;
	struct fact *events; /* owned; as they stand in the batch */
	size_t nevents;
	enum task_action action;
	bool has_moved;   /* the task's state is another one */
	uint64_t vacated; /* the berth of an attempt that is over with this; 0: none */
	bool is_berth_spent;
	change_done_fn done;
	void *arg;
	struct change *next_done;
};

/* Never NULL: out of memory ends the process (the next one takes up from the store). */
struct change *change_begin(struct task *task);

/* Applies EVENT to the task's state. False: the table says it means nothing now. */
bool change_step(struct change *change, enum task_event event);

/* An event of KIND, stamped; fill in what it uses before the next call. Valid until then. */
struct fact *change_event(struct change *change, enum fact_kind kind);

/* Takes FACT's content. */
void change_take_fact(struct change *change, struct fact *fact);

void change_then(struct change *change, change_done_fn done, void *arg);

void change_commit(struct change *change);
void change_commit_new(struct change *change, const void *spec, size_t len); /* a submission */

/* Sends the task's present wish to its worker. */
void change_send_order(struct task *task, bool report);

#endif
