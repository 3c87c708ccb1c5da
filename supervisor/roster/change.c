#include "supervisor/roster/change.h"

#include "ipc/clock.h"
#include "ipc/failpoint.h"
#include "ipc/log.h"
#include "supervisor/inquiry.h"
#include "supervisor/roster/attempt.h"
#include "supervisor/roster/leftover.h"
#include "supervisor/roster/question.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Memory for a decision is a few kilobytes; when even that is gone, starting afresh is the cure. */
static void *
need(void *memory)
{
	if (!memory) {
		log_error("out of memory; starting afresh from the store");
		_exit(SUPERVISOR_EXIT_IO);
	}
	return memory;
}

struct change *
change_begin(struct task *task)
{
	struct change *change = need(calloc(1, sizeof *change));

	change->commit.batch = need(store_batch_new());
	change->task = task;
	return change;
}

bool
change_step(struct change *change, enum task_event event)
{
	struct task *task = change->task;
	struct task_step step = lifecycle_step(task->rec.state, event);

	if (step.verdict == VERDICT_IGNORE)
		return false;
	if (step.verdict != VERDICT_GO)
		log_error("task %llu: event %s in state %s", (unsigned long long)task->rec.id,
		    task_event_name(event), task_state_name(task->rec.state));
	assert(step.verdict == VERDICT_GO);
	change->has_moved = change->has_moved || step.to != task->rec.state;
	roster_set_state(task, step.to);
	if (step.action != ACT_NONE)
		change->action = step.action;
	return true;
}

struct fact *
change_event(struct change *change, enum fact_kind kind)
{
	struct fact *event;

	change->events =
	    need(reallocarray(change->events, change->nevents + 1, sizeof *change->events));
	event = &change->events[change->nevents++];
	codec_init(&fact_codec, event);
	event->kind = kind;
	event->ts_ms = clock_wall_ms();
	event->task = change->task->rec.id;
	event->attempt = change->task->rec.attempt.number;
	return event;
}

void
change_take_fact(struct change *change, struct fact *fact)
{
	struct fact *event = change_event(change, fact->kind);

	fact->task = event->task;
	fact->attempt = event->attempt;
	*event = *fact;
	codec_init(&fact_codec, fact);
}

void
change_then(struct change *change, change_done_fn done, void *arg)
{
	change->done = done;
	change->arg = arg;
}

static void
free_change(struct change *change)
{
	for (size_t i = 0; i < change->nevents; i++)
		codec_free(&fact_codec, &change->events[i]);
	free(change->events);
	store_batch_free(change->commit.batch);
	free(change);
}

static void
see_committed(struct change *change)
{
	struct task *task = change->task;
	size_t len;
	const uint8_t *row = store_batch_task_bytes(change->commit.batch, &len);

	free(task->seen);
	task->seen = need(malloc(len));
	memcpy(task->seen, row, len);
	task->seen_len = len;
}

static void
publish(struct change *change)
{
	struct task *task = change->task;
	struct roster_listener *listener = &task->roster->listener;
	uint64_t seq = store_batch_first_seq(change->commit.batch);
	struct record record;

	if (change->nevents == 0 && change->has_moved)
		listener->news(task, listener->arg);
	if (change->nevents == 0 ||
	    codec_decode(&record_codec, task->seen, task->seen_len, &record, NULL) < 0)
		return;
	for (size_t i = 0; i < change->nevents; i++)
		listener->event(task, &record, seq + i, &change->events[i], listener->arg);
	codec_free(&record_codec, &record);
}

static void
act(struct task *task, enum task_action action)
{
	switch (action) {
	case ACT_NONE:
		break;
	case ACT_LAUNCH:
		if (task->rec.retry_at_ms > clock_wall_ms())
			roster_arm_due(task);
		else
			attempt_launch(task);
		break;
	case ACT_ENQUEUE:
		roster_enqueue(task);
		break;
	case ACT_WAIT:
		if (task->rec.state == TASK_RETRYING) /* or it was cancelled meanwhile */
			roster_arm_due(task);
		break;
	case ACT_ORDER:
		change_send_order(task, false);
		attempt_expect_end(task);
		break;
	case ACT_END:
		if (task_state_is_end(task->rec.state)) /* or it is being retried already */
			roster_leave(task);
		break;
	}
}

static void
on_forgotten(struct commit *commit, int result)
{
	struct change *change = (struct change *)commit;

	(void)result;
	change->task->commits--;
	free_change(change);
}

/* A row without its submission: somebody joined a task that was then refused, and for that there
 * was room. */
static void
forget(struct task *task)
{
	struct change *change = change_begin(task);

	need(store_batch_delete_task(change->commit.batch, task->rec.id) == 0 ? task : NULL);
	change->commit.class = COMMIT_MUST;
	change->commit.done = on_forgotten;
	task->commits++;
	committer_add(task->roster->env.committer, &change->commit);
}

static void
on_committed(struct commit *commit, int result)
{
	struct change *change = (struct change *)commit;
	struct task *task = change->task;

	task->commits--;
	if (result < 0 && !task->seen)
		task->is_refused = true;
	if (result == 0 && task->is_refused) {
		forget(task);
		result = -ENOSPC;
	}
	if (result == 0) {
		(void)FAILPOINT("publish.before");
		see_committed(change);
		if (task->rec.state == TASK_CANCELLING)
			task->cancel_pending = false;
		publish(change);
		if (change->vacated > 0)
			leftover_vacate(task->roster, change->vacated, change->is_berth_spent);
		act(task, change->action);
	} else {
		roster_leave(task);
	}
	if (change->done)
		change->done(task, result, change->arg);
	free_change(change);
}

static void
hand_over(struct change *change, enum commit_class class)
{
	struct task *task = change->task;
	int r = 0;

	for (size_t i = 0; i < change->nevents; i++)
		r = r < 0 ? r : store_batch_add_event(change->commit.batch, &change->events[i]);
	if (r == 0)
		r = store_batch_put_task(change->commit.batch, &task->rec);
	need(r == 0 ? task : NULL);
	/* What is done to a task that may still be refused is refused with it. */
	change->commit.class = task->seen ? class : COMMIT_NEW;
	change->commit.done = on_committed;
	task->commits++;
	committer_add(task->roster->env.committer, &change->commit);
}

void
change_commit(struct change *change)
{
	hand_over(change, COMMIT_MUST);
}

void
change_commit_new(struct change *change, const void *spec, size_t len)
{
	need(store_batch_put_spec(change->commit.batch, change->task->rec.id, spec, len) == 0
		 ? change
		 : NULL);
	hand_over(change, COMMIT_NEW);
}

void
change_send_order(struct task *task, bool report)
{
	struct order order;

	if (!task->attempt)
		return;
	codec_init(&order_codec, &order);
	order.rev = task->rec.order_rev;
	order.want = task->rec.want ? task->rec.want : WANT_RUN;
	order.force = task->rec.force;
	order.report = report;
	order.hold = task->rec.state == TASK_WAITING && !inquiry_is_open(&task->rec);
	if (!question_for_order(task, &order.answer))
		codec_init(&answer_codec, &order.answer);
	if (link_order(&task->attempt->link, &order) < 0)
		log_debug("task %llu: the order waits for the worker's pipe",
		    (unsigned long long)task->rec.id);
	codec_free(&order_codec, &order);
}
