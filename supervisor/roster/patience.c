#include "supervisor/roster/attempt.h"

#include "ipc/clock.h"
#include "ipc/log.h"
#include "ipc/proc.h"
#include "supervisor/can.h"
#include "supervisor/roster/change.h"

enum {
	CANCEL_POLL_MS = 250,
	OBEY_MS = 1000,        /* an order must be journalled by then */
	GRACE_EXTRA_MS = 2000, /* beyond the grace the steps were given */
	IDLE_LOOKS = 4,        /* in a row: it is not busy */
	BUSY_MS = 10 * 1000    /* on top of either, for who works or is not let */
};

/* In a crowd that forks without end a worker is given little of the processors, and it is the only
 * one who reaps what it hunts: to stop it would make things worse. Stopped or asleep it is not
 * busy.
 */
static bool
is_busy(struct attempt *attempt)
{
	uint64_t before = attempt->cpu_ticks;
	struct proc_stat stat;

	if (proc_stat(attempt->pid, &stat) < 0 || stat.start_ticks != attempt->start_ticks)
		return false;
	attempt->cpu_ticks = stat.cpu_ticks;
	attempt->idle_looks++;
	if (stat.state == 'R' || stat.state == 'D' || stat.cpu_ticks != before)
		attempt->idle_looks = 0;
	return attempt->idle_looks < IDLE_LOOKS;
}

/* How long a cancel may take its worker. */
static uint64_t
patience_ms(struct attempt *attempt, bool obeyed)
{
	uint64_t usual_ms = obeyed ? attempt->grace_ms + GRACE_EXTRA_MS : (uint64_t)OBEY_MS;

	return is_busy(attempt) ? usual_ms + BUSY_MS : usual_ms;
}

static void
on_cancel_timer(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct attempt *attempt = timer->data;
	const struct record *rec = &attempt->task->rec;
	uint64_t waited_ms = clock_boot_ms() - attempt->order_ms;
	bool obeyed = attempt->obeyed_rev >= rec->order_rev;
	bool may_wait = can_step_mode(rec) != CANCEL_NOW && !rec->force;

	(void)revents;
	if (attempt->phase != ATTEMPT_ALIVE) {
		ev_timer_stop(loop, timer);
		return;
	}
	attempt_ingest(attempt);
	if (!obeyed)
		change_send_order(attempt->task, false); /* the pipe may have been full */
	if (may_wait || attempt->is_undoing || attempt->was_killed_by_itself)
		return;
	if (waited_ms > patience_ms(attempt, obeyed)) {
		log_warn("task %llu: its worker does not %s; killing it",
		    (unsigned long long)rec->id, obeyed ? "come to an end" : "obey");
		attempt_kill(attempt, LOSS_DIED);
	}
}

void
attempt_expect_end(struct task *task)
{
	struct attempt *attempt = task->attempt;
	struct ev_loop *loop;

	if (!attempt || !want_ends(task->rec.want))
		return;
	attempt->order_ms = clock_boot_ms();
	loop = task->roster->env.loop;
	ev_timer_stop(loop, &attempt->cancel_timer);
	ev_now_update(loop);
	ev_timer_init(&attempt->cancel_timer, on_cancel_timer, CANCEL_POLL_MS / 1000.,
	    CANCEL_POLL_MS / 1000.);
	attempt->cancel_timer.data = attempt;
	ev_timer_start(loop, &attempt->cancel_timer);
}
