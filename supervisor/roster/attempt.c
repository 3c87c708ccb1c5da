#include "supervisor/roster/attempt.h"

#include "ipc/clock.h"
#include "ipc/fd.h"
#include "ipc/frame.h"
#include "ipc/log.h"
#include "ipc/proc.h"
#include "supervisor/apply.h"
#include "supervisor/can.h"
#include "supervisor/inquiry.h"
#include "supervisor/launch.h"
#include "supervisor/roster/change.h"
#include "supervisor/roster/daemons.h"
#include "supervisor/roster/question.h"
#include "supervisor/roster/suspend.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	HELLO_MS = 10 * 1000 /* without a sign of life for so long it is lost */
};

static void on_news(struct news *news, void *arg);
static void on_timer(struct ev_loop *loop, ev_timer *timer, int revents);

static struct ev_loop *
loop_of(const struct attempt *attempt)
{
	return attempt->task->roster->env.loop;
}

static unsigned long long
id_of(const struct attempt *attempt)
{
	return attempt->task->rec.id;
}

struct attempt *
attempt_new(struct task *task)
{
	struct attempt *attempt = calloc(1, sizeof *attempt);

	assert(!task->attempt);
	if (!attempt) {
		log_error("out of memory; starting afresh from the store");
		_exit(SUPERVISOR_EXIT_IO);
	}
	attempt->task = task;
	attempt->journal_fd = attempt->pidfd = -1;
	attempt->cursor.offset = task->rec.attempt.cursor;
	attempt->cursor.next_seq = task->rec.attempt.next_seq;
	attempt->grace_ms = task->roster->env.grace_ms;
	attempt->since_ms = attempt->order_ms = clock_boot_ms();
	link_init(&attempt->link, task->roster->env.loop, on_news, attempt);
	ev_timer_init(&attempt->timer, on_timer, 0., 0.);
	attempt->timer.data = attempt;
	task->attempt = attempt;
	return attempt;
}

static void
count_phase(const struct attempt *attempt, int by)
{
	struct roster *roster = attempt->task->roster;

	if (attempt->phase == ATTEMPT_NAMELESS)
		roster->nameless += by;
	if (attempt->phase == ATTEMPT_DEAD)
		roster->dead += by;
	assert(roster->nameless >= 0 && roster->dead >= 0);
}

void
attempt_free(struct attempt *attempt)
{
	struct task *task;

	if (!attempt)
		return;
	task = attempt->task;
	if (attempt->pidfd >= 0)
		ev_io_stop(loop_of(attempt), &attempt->exit_watch);
	ev_timer_stop(loop_of(attempt), &attempt->timer);
	ev_timer_stop(loop_of(attempt), &attempt->cancel_timer);
	count_phase(attempt, -1);
	if (attempt->pid > 0)
		census_leave(task->roster->env.census, attempt->pid, attempt->start_ticks);
	if (attempt->killing)
		attempt->killing->owner = NULL;
	link_stop(&attempt->link);
	fd_close(&attempt->pidfd);
	fd_close(&attempt->journal_fd);
	task->attempt = NULL;
	free(attempt);
}

void
attempt_set_phase(struct attempt *attempt, enum attempt_phase phase, uint64_t timer_ms)
{
	count_phase(attempt, -1);
	if (phase != attempt->phase)
		attempt->since_ms = clock_boot_ms();
	attempt->phase = phase;
	count_phase(attempt, 1);
	ev_timer_stop(loop_of(attempt), &attempt->timer);
	if (timer_ms == 0)
		return;
	ev_now_update(loop_of(attempt));
	ev_timer_set(&attempt->timer, (double)timer_ms / 1000., 0.);
	ev_timer_start(loop_of(attempt), &attempt->timer);
}

char *
attempt_pipe_path(const struct task *task, const char *what)
{
	return berth_pipe_path(task->roster->env.run_dir, task->rec.attempt.berth, what);
}

/* ---- facts ------------------------------------------------------------------ */

struct taking {
	struct attempt *attempt;
	struct change *change; /* NULL until there is something to commit */
};

/* The order left before its commit, and that was lost with the supervisor: whoever was told
 * "accepted" may rely on it all the same. Who it was is not known any more. */
static void
take_back_cancel(struct change *change, const struct fact *fact)
{
	struct record *rec = &change->task->rec;

	rec->order_rev = fact->rev;
	if (fact->want != WANT_CANCEL && fact->want != WANT_CANCEL_AFTER)
		return;
	if (rec->want == WANT_RUN)
		change_event(change, FACT_CANCELLING);
	rec->want = (enum want)fact->want;
	change_step(change, EV_CANCEL);
}

/* Remembers what matters to a pending cancel, and moves the task where the fact says it is. */
static void
follow(struct attempt *attempt, struct change *change, const struct fact *fact)
{
	switch ((int)fact->kind) {
	case FACT_HELLO:
		change_step(change, EV_HELLO);
		break;
	case FACT_UNDO_BEGIN:
		attempt->is_undoing = true;
		change_step(change, EV_UNDO_BEGAN);
		break;
	case FACT_OBEYED:
		attempt->obeyed_rev = fact->rev;
		if (fact->rev > attempt->task->rec.order_rev)
			take_back_cancel(change, fact);
		break;
	case FACT_LEFT_RUNNING:
		daemons_add(change, fact);
		break;
	case FACT_KILLED:
		attempt->was_killed_by_itself = true;
		roster_set_unkillable(attempt->task, fact->receipt.survivors.n > 0);
		break;
	case FACT_END:
		attempt->is_spent = fact->killed > 0;
		break;
	case FACT_STEP_BEGIN:
	case FACT_STEP_END:
		attempt->order_ms = clock_boot_ms(); /* a new step may be cancelled anew */
		break;
	default:
		break;
	}
}

/* A worker of another attempt, keeper or boot has no business in this journal. */
static bool
is_credible_hello(const struct attempt *attempt, const struct fact *fact)
{
	const struct record_attempt *started = &attempt->task->rec.attempt;

	return fact->keeper_instance && fact->boot_id && fact->pid > 0 && fact->pid <= INT32_MAX &&
	       strcmp(fact->keeper_instance, started->keeper_instance) == 0 &&
	       strcmp(fact->boot_id, started->boot_id) == 0 &&
	       fact->task == attempt->task->rec.id && fact->attempt == started->number;
}

static int
take_fact(struct fact *fact, void *arg)
{
	struct taking *taking = arg;
	struct attempt *attempt = taking->attempt;
	struct task *task = attempt->task;
	bool is_told_already = fact->kind == FACT_QUESTION && inquiry_is_known(&task->rec, fact);
	int r;

	if (!fact_kind_is_from_worker(fact->kind) ||
	    (fact->kind == FACT_HELLO && !is_credible_hello(attempt, fact)))
		r = -EPROTO;
	else
		r = apply_fact(&task->rec, fact);
	if (r < 0) {
		codec_free(&fact_codec, fact);
		return r;
	}
	if (!taking->change)
		taking->change = change_begin(task);
	follow(attempt, taking->change, fact);
	question_follow(taking->change, fact);
	if (is_told_already)
		codec_free(&fact_codec, fact);
	else
		change_take_fact(taking->change, fact);
	return 0;
}

/* The worker alone says how far it is; until it does, what was known of this attempt stands. */
static void
remember_progress(struct task *task)
{
	if (!task->has_news)
		return;
	if (!isnan(task->news.progress))
		task->rec.progress = task->news.progress;
	task->rec.log_bytes = task->news.log_bytes;
}

/* The supervisor's cursor moves in the same transaction as the facts before it. */
static int
ingest_once(struct attempt *attempt)
{
	struct taking taking = { .attempt = attempt };
	struct task *task = attempt->task;
	int end = ingest_read(attempt->journal_fd, &attempt->cursor, take_fact, &taking);

	if (!taking.change)
		return end;
	task->rec.attempt.cursor = attempt->cursor.offset;
	task->rec.attempt.next_seq = attempt->cursor.next_seq;
	remember_progress(task);
	taking.change->commit.may_wait = taking.change->action == ACT_NONE;
	change_commit(taking.change);
	return end;
}

void
attempt_ingest(struct attempt *attempt)
{
	int end;

	if (attempt->journal_fd < 0 || attempt->is_tampered)
		return;
	do
		end = ingest_once(attempt);
	while (end == INGEST_MORE);
	attempt->tail = end;
	if (end == -EPROTO || end == INGEST_CUT) {
		log_warn("task %llu: its journal makes no sense at byte %llu", id_of(attempt),
		    (unsigned long long)attempt->cursor.offset);
		attempt->is_tampered = true;
		attempt_kill(attempt, LOSS_TAMPERED);
	} else if (end < 0) {
		log_error("task %llu: reading its journal: %s", id_of(attempt), strerror(-end));
	}
}

static void
on_news(struct news *news, void *arg)
{
	struct attempt *attempt = arg;
	struct task *task = attempt->task;

	if (attempt->phase == ATTEMPT_EMPTYING)
		return;
	if (news) {
		struct news old = task->news;

		task->news = *news;
		*news = old;
		task->has_news = true;
		task->news_ms = clock_boot_ms();
	}
	attempt_ingest(attempt);
	if (news && task->attempt && task->seen)
		task->roster->listener.news(task, task->roster->listener.arg);
}

/* ---- life and death --------------------------------------------------------- */

static void
die(struct attempt *attempt)
{
	attempt_ingest(attempt);
	if (attempt->phase != ATTEMPT_EMPTYING) /* else its last words made no sense */
		attempt_find_end(attempt);
}

void
attempt_reaped(struct task *task)
{
	attempt_find_end(task->attempt);
}

static void
on_worker_exit(struct ev_loop *loop, ev_io *watch, int revents)
{
	struct attempt *attempt = watch->data;

	(void)revents;
	ev_io_stop(loop, watch);
	if (attempt->phase == ATTEMPT_ALIVE)
		die(attempt);
}

/* Takes PIDFD. */
void
attempt_watch_exit(struct attempt *attempt, int pidfd)
{
	attempt->pidfd = pidfd;
	ev_io_init(&attempt->exit_watch, on_worker_exit, pidfd, EV_READ);
	attempt->exit_watch.data = attempt;
	ev_io_start(loop_of(attempt), &attempt->exit_watch);
}

static void
on_launched(struct job *job)
{
	struct launch *launch = (struct launch *)job;
	struct task *task = launch->owner; /* cannot go while it has an attempt */
	struct attempt *attempt = task->attempt;

	if (launch->result < 0) {
		log_warn("task %llu: %s", id_of(attempt), launch->message);
		attempt->over.detail = launch->message;
		attempt->is_berth_occupied = launch->is_occupied;
		attempt_over(attempt, launch->lacks_secrets  ? LOSS_SECRETS
				      : launch->is_transient ? LOSS_NEVER_RAN
							     : LOSS_UNSTARTABLE);
		launch_free(launch);
		return;
	}
	attempt->pid = launch->pid;
	attempt->start_ticks = launch->start_ticks;
	attempt->journal_fd = launch->journal_fd;
	link_start(&attempt->link, launch->news_fd, launch->orders_fd);
	attempt_watch_exit(attempt, launch->pidfd);
	attempt_set_phase(attempt, ATTEMPT_ALIVE, HELLO_MS);
	launch_free(launch);
	attempt_ingest(attempt);
	if (attempt->phase != ATTEMPT_ALIVE)
		return;
	if (task->rec.order_rev > attempt->briefed_rev)
		change_send_order(task, false);
	if (want_ends(task->rec.want)) {
		change_send_order(task, false);
		attempt_expect_end(task);
	} else if (task->roster->is_suspending) {
		suspend_late(task);
	}
}

static int
fill_steps(struct launch *launch, const struct task *task)
{
	const struct record *rec = &task->rec;
	struct brief_step *steps = calloc(rec->steps.n ? rec->steps.n : 1, sizeof *steps);

	if (!steps)
		return -ENOMEM;
	launch->steps = (struct brief_steps){ .v = steps, .n = rec->steps.n };
	for (size_t i = 0; i < rec->steps.n; i++) {
		const struct record_step *from = &rec->steps.v[i];

		steps[i].state = from->state;
		steps[i].was_run = can_undo_step(from);
		for (size_t k = 0; k < from->outputs.n; k++)
			if (pairs_set(&steps[i].outputs, from->outputs.v[k].name,
				from->outputs.v[k].value) < 0)
				return -ENOMEM;
		if (from->checkpoint.data &&
		    blob_set(&steps[i].checkpoint, from->checkpoint.data, from->checkpoint.len) < 0)
			return -ENOMEM;
		if (question_answers(task, i, &steps[i].answers) < 0)
			return -ENOMEM;
	}
	return 0;
}

void
attempt_record(struct task *task, enum attempt_mode mode)
{
	struct record_attempt *attempt = &task->rec.attempt;
	const struct roster_env *env = &task->roster->env;

	attempt->number++;
	attempt->mode = mode;
	attempt->started_ms = clock_wall_ms();
	attempt->pid = attempt->start_ticks = 0;
	attempt->cursor = 0;
	attempt->next_seq = journal_first_seq(task->rec.id, attempt->number);
	attempt->ended = attempt->closed = false;
	attempt->berth = berths_take(&task->roster->berths);
	if (attempt->berth == 0 ||
	    str_set(&attempt->keeper_instance, reaps_instance(env->reaps)) < 0 ||
	    str_set(&attempt->boot_id, env->boot_id) < 0) {
		log_error("out of memory; starting afresh from the store");
		_exit(SUPERVISOR_EXIT_IO);
	}
	if (mode == ATTEMPT_RUN) {
		question_forget_lost(task);
		apply_attempt_begins(&task->rec);
	}
}

void
attempt_launch(struct task *task)
{
	const struct roster_env *env = &task->roster->env;
	const struct record *rec = &task->rec;
	struct launch *launch = calloc(1, sizeof *launch);
	struct attempt *attempt = attempt_new(task);

	attempt->phase = ATTEMPT_LAUNCHING;
	attempt->briefed_rev = rec->order_rev;
	if (!launch || fill_steps(launch, task) < 0) {
		log_error("out of memory; starting afresh from the store");
		_exit(SUPERVISOR_EXIT_IO);
	}
	*launch = (struct launch){ .job.done = on_launched,
		.owner = task,
		.store = env->store,
		.cgroups = env->cgroups,
		.census = env->census,
		.state_dir = env->state_dir,
		.journals_fd = env->journals_fd,
		.attempts_fd = env->attempts_fd,
		.worker_fd = env->worker_fd,
		.id = rec->id,
		.attempt = rec->attempt.number,
		.berth = rec->attempt.berth,
		.mode = rec->attempt.mode,
		.steps = launch->steps,
		.grace_ms = attempt->grace_ms };
	if (rec->secrets.n > 0 && vault_get(env->vault, rec->id, &launch->secrets) == -ENOMEM) {
		log_error("out of memory; starting afresh from the store");
		_exit(SUPERVISOR_EXIT_IO);
	}
	launch->keeper_instance = strdup(rec->attempt.keeper_instance);
	launch->boot_id = strdup(rec->attempt.boot_id);
	launch->news_path = attempt_pipe_path(task, "news");
	launch->orders_path = attempt_pipe_path(task, "orders");
	if (!launch->keeper_instance || !launch->boot_id || !launch->news_path ||
	    !launch->orders_path) {
		log_error("out of memory; starting afresh from the store");
		_exit(SUPERVISOR_EXIT_IO);
	}
	task->has_news = false;
	launch_start(launch, env->files);
}

/* ---- timers ----------------------------------------------------------------- */

static void
on_timer(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct attempt *attempt = timer->data;

	(void)loop;
	(void)revents;
	switch (attempt->phase) {
	case ATTEMPT_NAMELESS:
		attempt_look(attempt);
		break;
	case ATTEMPT_ALIVE:
		attempt_ingest(attempt);
		if (attempt->phase == ATTEMPT_ALIVE && attempt->task->rec.attempt.pid == 0)
			attempt_kill(attempt, LOSS_NO_HELLO);
		break;
	case ATTEMPT_DEAD:
		log_warn("task %llu: the keeper did not say how its worker ended", id_of(attempt));
		attempt_over(attempt, LOSS_UNKNOWN);
		break;
	case ATTEMPT_EMPTYING:
		attempt_kill(attempt, attempt->over.loss);
		break;
	case ATTEMPT_LAUNCHING:
		break;
	}
}
