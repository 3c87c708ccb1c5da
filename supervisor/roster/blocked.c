/* Why a task does not move. */
#include "supervisor/inquiry.h"
#include "supervisor/roster/roster.h"

static const struct task *
slot_holder(const struct roster *roster)
{
	for (const struct task *task = roster->first; task; task = task->next)
		if (roster_uses_slot(task))
			return task;
	return NULL;
}

struct blocked
roster_blocked(const struct task *task)
{
	struct blocked blocked = { .since_ms = task->blocked_since_ms };
	const struct news *news = task->has_news ? &task->news : NULL;
	const struct task *holder;

	if (task->is_unkillable) {
		blocked.kind = BLOCK_UNKILLABLE;
		blocked.text = "processes that cannot be killed";
	} else if (task->rec.state == TASK_WAITING && inquiry_is_open(&task->rec)) {
		blocked.kind = BLOCK_QUESTION;
		blocked.since_ms = task->rec.question.asked_ms;
	} else if (task->rec.state == TASK_QUEUED && task->roster->drain.boot_id) {
		blocked.kind = BLOCK_DRAIN;
		blocked.text = "the service takes nothing new (drain)";
		if (task->roster->drain.since_ms > blocked.since_ms)
			blocked.since_ms = task->roster->drain.since_ms;
	} else if (roster_stands_in_queue(task->rec.state) &&
		   task->roster->queue.used >= task->roster->queue.slots) {
		holder = slot_holder(task->roster);
		blocked.kind = BLOCK_SLOT;
		blocked.holder = holder ? holder->rec.id : 0;
		blocked.text = holder ? NULL : "no slots are given out";
	} else if (news && news->blocked && task_state_has_worker(task->rec.state)) {
		blocked.kind = news->blocked;
		blocked.text = news->holder;
		blocked.since_ms = news->blocked_since_ms;
	}
	return blocked;
}
