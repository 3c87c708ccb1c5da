/* A supervisor that starts finds attempts under way: adopt those that live, find the end of the
 * rest. */
#include "ipc/clock.h"
#include "ipc/failpoint.h"
#include "ipc/fd.h"
#include "ipc/log.h"
#include "ipc/proc.h"
#include "supervisor/launch.h"
#include "supervisor/roster/attempt.h"
#include "supervisor/roster/change.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	NAMELESS_POLL_MS = 100,
	HELLO_MS = 10 * 1000, /* without a sign of life for so long it is lost */
};

/* The pipes as the worker has them; where they had vanished, it is told to open new ones. */
static void
reconnect(struct attempt *attempt)
{
	char *news_path = attempt_pipe_path(attempt->task, "news");
	char *orders_path = attempt_pipe_path(attempt->task, "orders");
	bool made_news = false, made_orders = false;
	int news_fd = news_path ? link_open_fifo(news_path, &made_news) : -ENOMEM;
	int orders_fd = orders_path ? link_open_fifo(orders_path, &made_orders) : -ENOMEM;

	free(news_path);
	free(orders_path);
	if (news_fd < 0 || orders_fd < 0) {
		log_warn("task %llu: its pipes cannot be opened: %s",
		    (unsigned long long)attempt->task->rec.id,
		    strerror(news_fd < 0 ? -news_fd : -orders_fd));
		news_fd = fd_close(&news_fd);
		orders_fd = fd_close(&orders_fd);
		return;
	}
	link_start(&attempt->link, news_fd, orders_fd);
	if (made_news || made_orders)
		proc_pidfd_signal(attempt->pidfd, SIGUSR1);
	change_send_order(attempt->task, true);
}

/* What this process has not got now says nothing about a worker. */
static bool
is_shortage(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -ENOMEM;
}

/* Locked, a pidfd, and the start time it told: then this is the worker, and we have it. 0, -ESRCH
 * while that cannot be said, or a shortage. */
static int
adopt(struct attempt *attempt)
{
	const struct record_attempt *started = &attempt->task->rec.attempt;
	struct census *census = attempt->task->roster->env.census;
	int pidfd, r = FAILPOINT("adopt.pidfd");

	if (started->pid == 0)
		return -ESRCH;
	pidfd = r < 0 ? r : proc_pidfd_open_exact((pid_t)started->pid, started->start_ticks);
	if (pidfd < 0)
		return is_shortage(pidfd) ? pidfd : -ESRCH;
	r = fd_is_locked(attempt->journal_fd) != 1 ? -ESRCH : census_open(census);
	if (r < 0) {
		fd_close(&pidfd);
		return r;
	}
	attempt->pid = (pid_t)started->pid;
	attempt->start_ticks = started->start_ticks;
	census_enter(census, attempt->pid, attempt->start_ticks);
	census_close(census);
	attempt_watch_exit(attempt, pidfd);
	attempt_set_phase(attempt, ATTEMPT_ALIVE, 0);
	reconnect(attempt);
	if (want_ends(attempt->task->rec.want))
		attempt_expect_end(attempt->task);
	log_info("task %llu: adopted its worker, pid %d", (unsigned long long)attempt->task->rec.id,
	    (int)attempt->pid);
	return 0;
}

/* Unlocked, and nothing in the journal: it never ran if this keeper lives since. */
static bool
never_ran(const struct attempt *attempt)
{
	const struct roster_env *env = &attempt->task->roster->env;
	const struct record_attempt *started = &attempt->task->rec.attempt;

	return attempt->cursor.offset == 0 &&
	       strcmp(started->keeper_instance, reaps_instance(env->reaps)) == 0 &&
	       strcmp(started->boot_id, env->boot_id) == 0;
}

/* 0 when it is open or there is none; a shortage otherwise. */
static int
open_journal(struct attempt *attempt)
{
	const struct roster_env *env = &attempt->task->roster->env;
	const struct record *rec = &attempt->task->rec;
	const struct record_attempt *started = &rec->attempt;
	bool same_boot = started->boot_id && strcmp(started->boot_id, env->boot_id) == 0;
	int r = FAILPOINT("adopt.journal");

	if (attempt->journal_fd >= 0)
		return 0;
	if (r == 0)
		r = berth_open_journal(env->journals_fd, started->berth, rec->id, started->number);
	if (r < 0)
		return is_shortage(r) ? r : 0;
	attempt->journal_fd = r;
	if (!same_boot &&
	    (uint64_t)lseek(attempt->journal_fd, 0, SEEK_END) < attempt->cursor.offset)
		fd_close(&attempt->journal_fd); /* the disk lost its end: the store has it */
	return 0;
}

static void
look_again(struct attempt *attempt, int shortage)
{
	if (shortage < 0 && attempt->phase != ATTEMPT_NAMELESS)
		log_warn("task %llu: cannot look for its worker yet: %s",
		    (unsigned long long)attempt->task->rec.id, strerror(-shortage));
	attempt_set_phase(attempt, ATTEMPT_NAMELESS, NAMELESS_POLL_MS);
}

/* Somebody holds the lock. */
static void
look_at_living(struct attempt *attempt)
{
	int r = adopt(attempt);

	if (r == 0)
		return;
	if (r == -ESRCH && clock_boot_ms() > attempt->since_ms + HELLO_MS)
		attempt_kill(attempt, LOSS_NO_HELLO);
	else
		look_again(attempt, r == -ESRCH ? 0 : r);
}

/* A journal that lives is one whose lock is held. Tested again until it is clear what it is. */
void
attempt_look(struct attempt *attempt)
{
	int r = open_journal(attempt);

	if (r < 0) {
		look_again(attempt, r);
		return;
	}
	attempt_ingest(attempt);
	if (attempt->phase == ATTEMPT_EMPTYING)
		return;
	if (attempt->journal_fd >= 0 && fd_is_locked(attempt->journal_fd) == 1) {
		look_at_living(attempt);
		return;
	}
	attempt_ingest(attempt); /* it may have written and died between the two */
	if (attempt->phase == ATTEMPT_EMPTYING)
		return;
	attempt->pid = (pid_t)attempt->task->rec.attempt.pid;
	attempt->start_ticks = attempt->task->rec.attempt.start_ticks;
	attempt_set_phase(attempt, ATTEMPT_DEAD, 0);
	if (never_ran(attempt))
		attempt_over(attempt, LOSS_NEVER_RAN);
	else
		attempt_find_end(attempt);
}

void
attempt_take_up(struct task *task)
{
	struct attempt *attempt = attempt_new(task);

	(void)FAILPOINT("adopt.before");
	attempt_set_phase(attempt, ATTEMPT_DEAD, 0);
	attempt_look(attempt);
}
