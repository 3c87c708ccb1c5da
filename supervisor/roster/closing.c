/* An attempt is over: prove that nothing of it lives, then let the verdict move the task. */
#include "supervisor/roster/closing.h"
#include "ipc/clock.h"
#include "ipc/failpoint.h"
#include "ipc/log.h"
#include "supervisor/apply.h"
#include "supervisor/inquiry.h"
#include "supervisor/killing.h"
#include "supervisor/launch.h"
#include "supervisor/roster/attempt.h"
#include "supervisor/roster/change.h"
#include "supervisor/roster/learn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	KILL_BUDGET_MS = 10 * 1000,
	KILL_AGAIN_MS = 1000,
	MAX_PAUSE_MS = 60 * 1000,
	REAP_MS = 2000 /* the keeper's word follows a death within a few ms */
};

/* ---- the end of a task ------------------------------------------------------- */

uint64_t
closing_expiry(const struct task *task, uint64_t ended_ms)
{
	const struct record *rec = &task->rec;
	const struct retention *retention = &task->roster->env.retention;

	if (rec->keep)
		return 0;
	if (rec->keep_ms > 0)
		return ended_ms + rec->keep_ms;
	switch ((int)rec->state) {
	case TASK_COMPLETED:
	case TASK_WARNED:
		return ended_ms + retention->completed_ms;
	case TASK_CANCELLED:
		return ended_ms + retention->cancelled_ms;
	case TASK_INTERRUPTED:
		return ended_ms + retention->interrupted_ms;
	default:
		return ended_ms + retention->failed_ms;
	}
}

void
closing_end_task(struct change *change)
{
	struct task *task = change->task;
	struct record *rec = &task->rec;
	bool completed = rec->state == TASK_COMPLETED || rec->state == TASK_WARNED;
	char line[LIMIT_TITLE];
	struct fact *event;

	rec->ended_ms = clock_wall_ms();
	inquiry_close(rec);
	rec->expires_ms = closing_expiry(task, rec->ended_ms);
	if (completed)
		rec->progress = 1;
	verdict_outcome(rec, line, sizeof line);
	if (str_set(&rec->outcome, line) < 0)
		log_warn("task %llu: no memory for its outcome", (unsigned long long)rec->id);
	learn_from(change);
	event = change_event(change, FACT_ENDED);
	event->outcome = rec->state;
	str_set(&event->message, line);
}

static void
pause_before(struct record *rec, uint64_t pause_ms)
{
	rec->retry_at_ms = clock_wall_ms() + (pause_ms < MAX_PAUSE_MS ? pause_ms : MAX_PAUSE_MS);
}

/* 0, 1, 3, 7, ... seconds: the first resume is at once, a crash loop slows down. */
static uint64_t
resume_pause_ms(uint64_t resumes)
{
	return resumes > 6 ? MAX_PAUSE_MS
			   : ((UINT64_C(1) << (resumes ? resumes - 1 : 0)) - 1) * 1000;
}

static void
note_interruption(struct change *change, const struct verdict *verdict, const struct over *over)
{
	struct record *rec = &change->task->rec;
	const char *code = over->loss == LOSS_DIED   ? "worker_died"
			   : over->loss == LOSS_NONE ? "suspended"
						     : "interrupted";
	struct fact *event = change_event(change, FACT_INTERRUPTED);

	event->step = rec->step;
	event->exit = over->exit;
	str_set(&event->code, code);
	str_set(&event->message, verdict->message);
	apply_interruption(rec, clock_wall_ms(), code, verdict->message, &over->exit);
}

/* What the verdict's event needs of the row beside the state. */
static void
prepare(struct change *change, const struct verdict *verdict, const struct over *over)
{
	struct task *task = change->task;
	struct record *rec = &task->rec;

	if (verdict->event == EV_NEVER_RAN) {
		change_event(change, FACT_NEVER_RAN);
		rec->attempt.number--;
		pause_before(rec, over->detail ? 1000 : 0);
	} else if (verdict->event == EV_RESUME && over->loss == LOSS_NONE) {
		/* no mishap: it does not count as one */
		rec->want = WANT_RUN;
		rec->order_rev++;
		pause_before(rec, 0);
		apply_error(rec, NULL, NULL, 0, NULL, NULL);
		str_set(&change_event(change, FACT_RETRYING)->text, "goes on where it was stopped");
	} else if (verdict->event == EV_RESUME) {
		rec->order_rev += rec->want == WANT_SUSPEND;
		rec->want = WANT_RUN;
		rec->resumes++;
		pause_before(rec, resume_pause_ms(rec->resumes));
		str_set(
		    &change_event(change, FACT_RETRYING)->text, "resumes after an interruption");
	} else if (verdict->event == EV_UNDO) {
		rec->resumes = rec->attempt.mode == ATTEMPT_UNDO ? rec->resumes + 1 : 0;
		rec->decided_outcome = verdict->outcome;
		pause_before(rec, over->loss == LOSS_NEVER_RAN ? 1000 : 0);
		attempt_record(task, ATTEMPT_UNDO);
		change_event(change, FACT_STARTED);
	}
}

static bool
is_final(enum task_event event)
{
	return event == EV_COMPLETED || event == EV_WARNED || event == EV_FAILED ||
	       event == EV_CANCELLED || event == EV_INTERRUPTED;
}

static bool
leaves_running(const struct record *rec)
{
	for (size_t i = 0; i < rec->steps.n; i++)
		if (rec->steps.v[i].leaves_running && step_state_is_done(rec->steps.v[i].state))
			return true;
	return false;
}

/* Its berth is the next one's once this is committed. */
static void
vacate(struct change *change, const struct attempt *attempt)
{
	const struct record *rec = &change->task->rec;

	if (attempt->is_berth_occupied)
		return;
	change->vacated = rec->attempt.berth;
	change->is_berth_spent =
	    attempt->over.loss != LOSS_NONE || attempt->is_spent || leaves_running(rec);
}

/* Nothing of it lives. */
static void
settle(struct attempt *attempt)
{
	struct task *task = attempt->task;
	struct record *rec = &task->rec;
	struct over over = attempt->over;
	struct verdict verdict = verdict_of(rec, &over);
	struct change *change = change_begin(task);
	bool cancelled = rec->want == WANT_CANCEL || rec->want == WANT_CANCEL_AFTER;

	(void)FAILPOINT("close.before");
	vacate(change, attempt);
	apply_attempt_over(rec, cancelled ? STEP_CANCELLED : STEP_FAILED, clock_wall_ms());
	rec->attempt.closed = true;
	if (verdict.is_interruption)
		note_interruption(change, &verdict, &over);
	if (verdict.code && verdict.event != EV_RESUME && !rec->error.code)
		apply_error(rec, verdict.code, verdict.message, rec->step, &over.exit, NULL);
	if (verdict.event == EV_UNDO)
		inquiry_close(rec);
	prepare(change, &verdict, &over);
	roster_set_unkillable(task, false);
	attempt_free(attempt);
	change_step(change, verdict.event);
	if (is_final(verdict.event))
		closing_end_task(change);
	change_commit(change);
}

/* ---- proving it empty ---------------------------------------------------------- */

static void
describe_victims(const struct tree_result *result, bool survived, struct receipt_procs *procs)
{
	for (size_t i = 0; i < result->nvictims; i++) {
		const struct tree_victim *victim = &result->victims[i];
		struct receipt_proc *proc;

		if (victim->survived != survived)
			continue;
		proc = list_add((struct list *)procs, &receipt_proc_codec);
		if (!proc)
			return;
		proc->pid = (uint64_t)victim->pid;
		proc->start_ticks = victim->start_ticks;
		str_set(&proc->name, victim->name);
		str_set(&proc->how, victim->own_session ? "own session"
				    : victim->own_group ? "own group"
							: "left by its worker");
	}
}

/* A cancel that the worker did not see through has its receipt from here. */
static void
write_receipt(struct attempt *attempt, const struct killing *killing)
{
	struct receipt *receipt = &attempt->task->rec.receipt;

	if (attempt->was_killed_by_itself || attempt->task->rec.want != WANT_CANCEL)
		return;
	codec_free(&receipt_codec, receipt);
	receipt->signalled = 1;
	receipt->killed = killing->result.killed;
	receipt->duration_ms = clock_boot_ms() - attempt->order_ms;
	str_set(&receipt->method,
	    killing->used_cgroup ? "cgroup+walk by the supervisor" : "walk by the supervisor");
	describe_victims(&killing->result, false, &receipt->escaped);
	describe_victims(&killing->result, true, &receipt->survivors);
}

static void
try_again_later(struct attempt *attempt)
{
	roster_set_unkillable(attempt->task, true);
	ev_now_update(attempt->task->roster->env.loop);
	ev_timer_set(&attempt->timer, KILL_AGAIN_MS / 1000., 0.);
	ev_timer_start(attempt->task->roster->env.loop, &attempt->timer);
}

static void
on_killed(struct job *job)
{
	struct killing *killing = (struct killing *)job;
	struct attempt *attempt = killing->owner;

	if (!attempt) { /* given up meanwhile */
		killing_free(killing);
		return;
	}
	attempt->killing = NULL;
	write_receipt(attempt, killing);
	/* What the worker could not kill: as long as that lives, so does the task. */
	if (killing->is_empty && !killing_has_survivor(&attempt->task->rec.receipt.survivors)) {
		settle(attempt);
	} else {
		log_warn("task %llu: %zu processes could not be killed yet",
		    (unsigned long long)attempt->task->rec.id, killing->result.survived);
		try_again_later(attempt);
	}
	killing_free(killing);
}

/* Orphans of a dead worker come to its keeper; those of an earlier keeper are out of reach. */
static bool
may_hunt_strays(const struct attempt *attempt)
{
	const struct task *task = attempt->task;

	return attempt->over.loss != LOSS_NONE && strcmp(task->rec.attempt.keeper_instance,
						      reaps_instance(task->roster->env.reaps)) == 0;
}

static void
start_killing(struct attempt *attempt)
{
	struct task *task = attempt->task;
	const struct roster_env *env = &task->roster->env;
	struct killing *killing;

	attempt_set_phase(attempt, ATTEMPT_EMPTYING, 0);
	ev_timer_stop(env->loop, &attempt->cancel_timer);
	if (may_hunt_strays(attempt) && task->roster->nameless > 0) {
		/* one of the keeper's children may be a worker we do not know yet */
		ev_timer_set(&attempt->timer, .1, 0.);
		ev_timer_start(env->loop, &attempt->timer);
		return;
	}
	killing = calloc(1, sizeof *killing);
	if (!killing) {
		try_again_later(attempt);
		return;
	}
	killing->job.done = on_killed;
	killing->owner = attempt;
	killing->cgroups = env->cgroups;
	killing->census = env->census;
	killing->berth = task->rec.attempt.berth;
	killing->worker_pid = attempt->pid; /* compared with its start time: gone is gone */
	killing->worker_start_ticks = attempt->start_ticks;
	killing->keeper_pid = may_hunt_strays(attempt) ? reaps_keeper_pid(env->reaps) : 0;
	killing->budget_ms = KILL_BUDGET_MS;
	attempt->killing = killing;
	killing_start(killing, env->kills);
}

void
attempt_kill(struct attempt *attempt, enum loss loss)
{
	attempt->over.loss = loss;
	start_killing(attempt);
}

/* The worker ended in order, and what it started is dead or was told to stay. */
static bool
is_proven_empty(const struct task *task)
{
	const struct record *rec = &task->rec;

	if (killing_has_survivor(&rec->receipt.survivors))
		return false;
	return leaves_running(rec) ||
	       cgroup_is_empty(task->roster->env.cgroups, rec->attempt.berth) == 1;
}

void
attempt_over(struct attempt *attempt, enum loss loss)
{
	const struct task *task = attempt->task;

	attempt->over.loss = loss;
	if (loss == LOSS_NEVER_RAN || loss == LOSS_UNSTARTABLE || loss == LOSS_SECRETS ||
	    (loss == LOSS_NONE && is_proven_empty(task))) {
		settle(attempt);
	} else {
		if (attempt->pid > 0)
			census_leave(task->roster->env.census, attempt->pid, attempt->start_ticks);
		start_killing(attempt);
	}
}

/* ---- how it ended ---------------------------------------------------------------- */

static bool
is_of_this_boot(const struct attempt *attempt)
{
	return strcmp(attempt->task->rec.attempt.boot_id, attempt->task->roster->env.boot_id) == 0;
}

/* What no worker can have left that ended by itself: it writes whole frames, and cuts off what had
 * no room. One that is killed may leave a piece, and a machine that goes down worse. */
static bool
is_damaged(const struct attempt *attempt, const struct exit_info *exit_info)
{
	return is_of_this_boot(attempt) && exit_info->known && !exit_info->signal &&
	       (attempt->tail == INGEST_BAD || attempt->tail == INGEST_TORN);
}

void
attempt_find_end(struct attempt *attempt)
{
	struct exit_info exit_info = { 0 };
	const struct reaps *reaps = attempt->task->roster->env.reaps;
	const struct record_attempt *started = &attempt->task->rec.attempt;
	bool same_keeper = strcmp(started->keeper_instance, reaps_instance(reaps)) == 0;

	if (started->ended) {
		attempt_over(attempt, LOSS_NONE);
	} else if (same_keeper && (attempt->pid <= 0 || !reaps_find(reaps, attempt->pid,
							    attempt->start_ticks, &exit_info))) {
		attempt_set_phase(attempt, ATTEMPT_DEAD, REAP_MS);
	} else if (is_damaged(attempt, &exit_info)) {
		log_warn("task %llu: its journal is damaged at byte %llu",
		    (unsigned long long)attempt->task->rec.id,
		    (unsigned long long)attempt->cursor.offset);
		attempt_over(attempt, LOSS_TAMPERED);
	} else {
		attempt->over.exit = exit_info;
		attempt->over.new_boot = !is_of_this_boot(attempt);
		attempt_over(attempt, same_keeper ? LOSS_DIED : LOSS_UNKNOWN);
	}
}
