#include "worker/command.h"

#include "ipc/clock.h"
#include "ipc/failpoint.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	GROUP_POLL_MS = 10,
	WALK_MS = 10 * 1000,
	AGAIN_MS = 1000
};
enum {
	START_TRIES = 20,
	START_PAUSE_MS = 500
};

bool
command_succeeded(const struct command_result *result)
{
	return result->end == COMMAND_EXITED && result->exit.known && result->exit.code == 0 &&
	       result->exit.signal == 0;
}

/* A cancel stops this command now, and not after it. */
static bool
must_stop(const struct attempt *attempt, const struct command *command)
{
	const struct orders *orders = &attempt->orders;

	if (!orders_want_cancel(orders))
		return false;
	if (orders->force || command->sandbox.role == ROLE_UNDO)
		return orders->force;
	return want_ends(orders->want) && command->cancel != CANCEL_AFTER &&
	       command->cancel != CANCEL_NEVER;
}

/* True when the wish that has just come ends the command. */
static bool
take_wish(struct attempt *attempt, const struct command *command)
{
	bool stop = must_stop(attempt, command);
	bool later =
	    !stop && orders_want_cancel(&attempt->orders) && attempt->orders.want != WANT_SUSPEND;

	attempt_obey(attempt, later ? WANT_CANCEL_AFTER : attempt->orders.want);
	return stop;
}

static struct kill_spec
kill_spec_of(struct attempt *attempt, pid_t leader, const struct spared *spared)
{
	return (struct kill_spec){ .cgroup_fd = attempt->cgroup_fd,
		.leader = leader,
		.spared = spared,
		.deadline_ms = clock_boot_ms() + WALK_MS,
		.cgroup_was_killed = &attempt->steps_were_killed };
}

/* TERM to the group; back when it is gone or its grace is over. */
static void
ask_to_end(struct attempt *attempt, struct child *child, struct receipt *receipt)
{
	uint64_t now_ms = clock_boot_ms();
	uint64_t grace_ms = now_ms + attempt->brief.grace_ms;

	receipt->signalled += kill_ask(child->pid);
	while (now_ms < grace_ms && (!child->over || kill_group_lives(child->pid))) {
		uint64_t next_ms = child->over ? now_ms + GROUP_POLL_MS : grace_ms;
		enum pump_event event =
		    pump(attempt, child, next_ms < grace_ms ? next_ms : grace_ms);

		if (event == PUMP_BROKEN)
			return;
		if (event == PUMP_WISH)
			attempt_obey(attempt, attempt->orders.want);
		now_ms = clock_boot_ms();
	}
}

/* Its leader was killed: its last words, and its end, without waiting for who else holds its pipes.
 */
static void
read_out(struct attempt *attempt, struct child *child)
{
	uint64_t deadline_ms = clock_boot_ms() + AGAIN_MS;

	while (!child->over) {
		enum pump_event event = pump(attempt, child, deadline_ms);

		if (event == PUMP_WISH)
			attempt_obey(attempt, attempt->orders.want);
		else if (event != PUMP_EXITED)
			return;
	}
}

void
command_tell_killed(struct attempt *attempt, struct receipt *receipt)
{
	struct fact fact;

	codec_init(&fact_codec, &fact);
	fact.kind = FACT_KILLED;
	fact.receipt = *receipt;
	attempt_fact(attempt, &fact);
}

void
command_kill_all(struct attempt *attempt, pid_t leader, struct receipt *receipt)
{
	struct kill_spec spec = kill_spec_of(attempt, leader, NULL);
	bool told = false;

	while (kill_all(&spec, receipt) < 0 && !attempt->journal.error) {
		if (!told)
			command_tell_killed(attempt, receipt);
		told = true;
		if (pump(attempt, NULL, clock_boot_ms() + AGAIN_MS) == PUMP_WISH)
			attempt_obey(attempt, attempt->orders.want);
		spec.deadline_ms = clock_boot_ms() + WALK_MS;
	}
}

static void
warn_of_survivors(struct attempt *attempt, size_t step, const struct receipt *receipt)
{
	char text[128];

	snprintf(
	    text, sizeof text, "%zu of its processes could not be killed", receipt->survivors.n);
	attempt_warn(attempt, step + 1, text);
}

/* After a success, a failure or a timeout: what is left, but for what earlier steps left on
 * purpose. */
static uint64_t
kill_leftovers(struct attempt *attempt, const struct command *command, pid_t leader)
{
	struct kill_spec spec = kill_spec_of(attempt, leader, command->spared);
	struct receipt receipt;
	uint64_t killed;

	if (!kill_has_others(0, command->spared))
		return 0;
	codec_init(&receipt_codec, &receipt);
	if (kill_all(&spec, &receipt) < 0)
		warn_of_survivors(attempt, command->sandbox.step, &receipt);
	killed = receipt.killed;
	codec_free(&receipt_codec, &receipt);
	return killed;
}

uint64_t
command_kill_left(struct attempt *attempt, const struct command *command)
{
	return kill_leftovers(attempt, command, 0);
}

static void
stop_for_timeout(struct attempt *attempt, const struct command *command, struct child *child,
    struct command_result *result)
{
	struct receipt receipt;

	codec_init(&receipt_codec, &receipt);
	ask_to_end(attempt, child, &receipt);
	codec_free(&receipt_codec, &receipt);
	result->killed = kill_leftovers(attempt, command, child->pid);
	read_out(attempt, child);
}

static void
stop_for_cancel(struct attempt *attempt, const struct command *command, struct child *child)
{
	ask_to_end(attempt, child, command->receipt);
	command_kill_all(attempt, child->pid, command->receipt);
	read_out(attempt, child);
}

/* Whoever started a daemon that way wonders where it is. */
static void
remark_killed(struct attempt *attempt, uint64_t killed)
{
	char text[160];

	if (killed == 0)
		return;
	snprintf(text, sizeof text,
	    "killed what the step had left running (%llu %s); leave_running in a recipe lets it be",
	    (unsigned long long)killed, killed == 1 ? "process" : "processes");
	output_say(&attempt->output, text);
}

/* Told, so that the supervisor never takes them for strays. */
static void
leave_running(struct attempt *attempt, const struct command *command)
{
	struct spared *spared = command->spared;
	size_t before = spared->n;
	struct fact fact;

	(void)spared_add_children(spared); /* as far as there is memory for them */
	for (size_t i = before; i < spared->n; i++) {
		codec_init(&fact_codec, &fact);
		fact.kind = FACT_LEFT_RUNNING;
		fact.step = command->sandbox.step + 1;
		fact.pid = (uint64_t)spared->v[i].pid;
		fact.start_ticks = spared->v[i].start_ticks;
		attempt_fact(attempt, &fact);
	}
}

static void
tidy_after_exit(struct attempt *attempt, const struct command *command, struct child *child,
    struct command_result *result)
{
	if (!kill_has_others(child->pid, command->spared))
		return;
	if (command->leave_running && command_succeeded(result)) {
		leave_running(attempt, command);
		return;
	}
	result->killed = kill_leftovers(attempt, command, child->pid);
	remark_killed(attempt, result->killed);
}

static enum command_end
watch(struct attempt *attempt, const struct command *command, struct child *child)
{
	uint64_t deadline_ms = command->timeout_ms ? clock_boot_ms() + command->timeout_ms : 0;

	for (;;) {
		switch (pump(attempt, child, deadline_ms)) {
		case PUMP_EXITED:
			return COMMAND_EXITED;
		case PUMP_DEADLINE:
			return COMMAND_TIMED_OUT;
		case PUMP_WISH:
			if (take_wish(attempt, command))
				return COMMAND_CANCELLED;
			break;
		case PUMP_BROKEN:
			return COMMAND_BROKEN;
		}
	}
}

/* Nobody will hear of it: everything goes, and the supervisor draws its own conclusions. */
static void
kill_broken(struct attempt *attempt, struct child *child)
{
	struct kill_spec spec = kill_spec_of(attempt, child->pid, NULL);
	struct receipt receipt;

	codec_init(&receipt_codec, &receipt);
	kill_all(&spec, &receipt);
	codec_free(&receipt_codec, &receipt);
}

static void
finish(struct attempt *attempt, const struct command *command, struct child *child,
    struct command_result *result)
{
	switch (result->end) {
	case COMMAND_EXITED:
		result->exit = child->exit;
		tidy_after_exit(attempt, command, child, result);
		break;
	case COMMAND_TIMED_OUT:
		stop_for_timeout(attempt, command, child, result);
		break;
	case COMMAND_CANCELLED:
		stop_for_cancel(attempt, command, child);
		break;
	case COMMAND_BROKEN:
	case COMMAND_NOT_STARTED:
		kill_broken(attempt, child);
		break;
	}
	result->exit = child->exit;
	if (child->exited)
		child_reap(child);
	kill_reap(0);
}

/* The machine may be short of processes, memory or fds for a moment. 0, or why it cannot be. */
static int
start(struct attempt *attempt, const struct command *command, struct child *child,
    struct command_result *result)
{
	int r = 0;

	for (int i = 0; i < START_TRIES; i++) {
		(void)FAILPOINT("worker.spawn.before");
		r = sandbox_start(attempt, &command->sandbox, child, &result->error);
		if (r == 0 || !result->error.may_pass)
			break;
		if (pump(attempt, NULL, clock_boot_ms() + START_PAUSE_MS) == PUMP_WISH &&
		    take_wish(attempt, command))
			return -ECANCELED;
	}
	(void)FAILPOINT("worker.spawn.after");
	return r;
}

void
command_run(struct attempt *attempt, const struct command *command, struct command_result *result)
{
	struct child child;
	int r;

	*result = (struct command_result){ .last_sub = command->sandbox.last_sub };
	r = start(attempt, command, &child, result);
	if (r < 0) {
		result->end = r == -ECANCELED ? COMMAND_CANCELLED : COMMAND_NOT_STARTED;
		return;
	}
	vigil_begin(&child.vigil, attempt, command->sandbox.step, command->spared);
	result->end = watch(attempt, command, &child);
	finish(attempt, command, &child, result);
	vigil_end(&child.vigil, attempt);
	if (command->sandbox.role == ROLE_RUN) {
		channel_end(&child.channel, attempt,
		    command_succeeded(result)          ? STEP_DONE
		    : result->end == COMMAND_CANCELLED ? STEP_CANCELLED
						       : STEP_FAILED);
		result->last_sub = child.channel.sub;
		result->undeclared = child.channel.undeclared;
		child.channel.undeclared = NULL;
	}
	child_fini(&child);
}
