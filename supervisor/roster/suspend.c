#include "supervisor/roster/suspend.h"

#include "supervisor/roster/attempt.h"
#include "supervisor/roster/change.h"

/* Once it is stored, so that whoever takes over knows why the worker has ended. */
static void
on_stored(struct task *task, int result, void *arg)
{
	(void)result; /* only submissions are refused */
	(void)arg;
	change_send_order(task, false);
	attempt_expect_end(task);
}

/* One that is being cancelled or is undoing comes to its end by itself. */
static bool
may_suspend(const struct task *task)
{
	return task->attempt && task->rec.want == WANT_RUN &&
	       (task->rec.state == TASK_STARTING || task->rec.state == TASK_RUNNING ||
		   task->rec.state == TASK_WAITING || task->rec.state == TASK_PAUSED);
}

void
suspend_late(struct task *task)
{
	struct change *change;

	if (!may_suspend(task))
		return;
	change = change_begin(task);
	task->rec.want = WANT_SUSPEND;
	task->rec.order_rev++;
	change_then(change, on_stored, NULL);
	change_commit(change);
}

void
suspend_all(struct roster *roster)
{
	roster->is_draining = roster->is_suspending = true;
	for (struct task *task = roster->first; task; task = task->next)
		suspend_late(task);
}

bool
suspend_is_done(const struct roster *roster)
{
	for (const struct task *task = roster->first; task; task = task->next)
		if ((task->attempt && !task->is_unkillable) || task->commits > 0)
			return false;
	return true;
}
