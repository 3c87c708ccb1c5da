#include "supervisor/killing.h"

#include "ipc/clock.h"
#include "ipc/failpoint.h"
#include "ipc/fd.h"
#include "ipc/proc.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
	DEATH_MS = 1000 /* from SIGKILL to the end of a process that nothing holds */
};

/* The supervisor itself, every worker that lives and what steps left running are no strays, nor is
 * who is older than the worker whose strays are hunted. */
static bool
is_no_stray(pid_t pid, uint64_t start_ticks, void *arg)
{
	struct killing *killing = arg;

	return pid == getpid() || start_ticks < killing->worker_start_ticks ||
	       census_has(killing->census, pid, start_ticks);
}

static struct tree_victim *
find_victim(const struct tree_result *result, const struct tree_victim *like)
{
	for (size_t i = 0; i < result->nvictims; i++)
		if (result->victims[i].pid == like->pid &&
		    result->victims[i].start_ticks == like->start_ticks)
			return &result->victims[i];
	return NULL;
}

/* Who survived the walk before has died since, or is met again by the one after. */
static void
forget_survivors(struct tree_result *result)
{
	for (size_t i = 0; i < result->nvictims; i++)
		result->victims[i].survived = false;
	result->killed += result->survived;
	result->survived = 0;
}

/* Adds what WALK found to the job's result. */
static void
add_result(struct tree_result *result, struct tree_result *walk)
{
	struct tree_victim *victims =
	    reallocarray(result->victims, result->nvictims + walk->nvictims + 1, sizeof *victims);

	if (victims)
		result->victims = victims;
	forget_survivors(result);
	result->killed += walk->killed;
	result->survived = walk->survived;
	for (size_t i = 0; victims && i < walk->nvictims; i++) {
		struct tree_victim *known = find_victim(result, &walk->victims[i]);

		if (!known) {
			result->victims[result->nvictims++] = walk->victims[i];
			continue;
		}
		known->survived = walk->victims[i].survived;
		result->killed--; /* was counted when it was met first */
	}
	tree_result_free(walk);
}

static int
walk(struct killing *killing, pid_t root, tree_spare_fn spare, uint64_t deadline_ms)
{
	struct tree_kill spec = {
		.root = root, .spare = spare, .arg = killing, .deadline_ms = deadline_ms
	};
	struct tree_result result;
	int r = tree_kill(&spec, &result);

	add_result(&killing->result, &result);
	return r;
}

/* Stopped first, so that it starts nothing new while its children are hunted. */
static void
kill_worker(struct killing *killing, uint64_t deadline_ms)
{
	int pidfd = proc_pidfd_open_exact(killing->worker_pid, killing->worker_start_ticks);
	struct pollfd gone = { .fd = pidfd, .events = POLLIN };

	if (pidfd < 0)
		return;
	proc_pidfd_signal(pidfd, SIGSTOP);
	walk(killing, killing->worker_pid, NULL, deadline_ms);
	proc_pidfd_signal(pidfd, SIGKILL);
	if (poll(&gone, 1, DEATH_MS) <= 0)
		killing->worker_survived =
		    true; /* the kernel holds it: a disk that does not answer */
	fd_close(&pidfd);
}

/* The kernel empties a killed cgroup in its own time; that is short. */
static bool
wait_for_cgroup(struct killing *killing, uint64_t deadline_ms)
{
	int r;

	while ((r = cgroup_is_empty(killing->cgroups, killing->berth)) == 0 &&
	       clock_boot_ms() < deadline_ms)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	return r != 0;
}

static void
work(struct job *job)
{
	struct killing *killing = (struct killing *)job;
	uint64_t deadline_ms = clock_boot_ms() + killing->budget_ms;
	int strays = 0;

	(void)FAILPOINT("kill.before");
	killing->used_cgroup = cgroup_kill(killing->cgroups, killing->berth, CGROUP_STEPS) == 0;
	if (killing->worker_pid > 0)
		kill_worker(killing, deadline_ms);
	if (killing->used_cgroup)
		cgroup_kill(killing->cgroups, killing->berth, CGROUP_ALL);
	(void)FAILPOINT("kill.between");
	if (killing->keeper_pid > 0)
		strays = walk(killing, killing->keeper_pid, is_no_stray, deadline_ms);
	killing->is_empty = wait_for_cgroup(killing, deadline_ms) && strays >= 0 &&
			    killing->result.survived == 0 && !killing->worker_survived;
	if (killing->is_empty)
		cgroup_remove(killing->cgroups, killing->berth);
}

void
killing_start(struct killing *killing, struct jobs *jobs)
{
	killing->job.work = work;
	jobs_add(jobs, &killing->job);
}

void
killing_free(struct killing *killing)
{
	tree_result_free(&killing->result);
	free(killing);
}

bool
killing_has_survivor(const struct receipt_procs *survivors)
{
	for (size_t i = 0; i < survivors->n; i++) {
		const struct receipt_proc *survivor = &survivors->v[i];
		struct proc_stat stat;

		if (proc_stat((pid_t)survivor->pid, &stat) < 0 || !proc_is_alive(&stat))
			continue;
		/* A worker of an earlier build did not say when it had started. */
		if (survivor->start_ticks == 0 || survivor->start_ticks == stat.start_ticks)
			return true;
	}
	return false;
}
