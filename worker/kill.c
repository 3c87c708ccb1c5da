#include "worker/kill.h"

#include "ipc/ahead.h"
#include "ipc/clock.h"
#include "ipc/failpoint.h"
#include "ipc/fd.h"
#include "ipc/proc.h"
#include "ipc/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	MAX_SEEN = 4096,
	MAX_ASKED = 64, /* to be told how many got the TERM: more are a crowd */
	MAX_NAMED = 64,
	FEW_DEAD = 8,
	REAP_AT_ONCE = 1024,
	YOUNGEST = 512, /* children that a sweep begins with */
	FRESH_MS = 300,
	SWEEPS = 16,
	SWEEP_MS = 2000 /* goes on for so long: whatever else there is to do takes longer */
};

/* Live descendants at one moment: for people to read and to count, not to rely on. */
struct census {
	struct proc_stat *v;
	size_t n, room, max;
};

static int
census_add(struct census *census, const struct proc_stat *stat)
{
	if (census->n == census->max)
		return -ENOBUFS;
	if (census->n == census->room) {
		size_t room = census->room ? census->room * 2 : 16;
		struct proc_stat *v = reallocarray(census->v, room, sizeof *v);

		if (!v)
			return -ENOMEM;
		census->v = v;
		census->room = room;
	}
	census->v[census->n++] = *stat;
	return 0;
}

static int
census_children(struct census *census, pid_t parent)
{
	struct proc_stat stat;
	pid_t *pids;
	size_t n;
	int r = proc_first_children(parent, census->max, &pids, &n);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n && r == 0; i++)
		if (proc_stat(pids[i], &stat) == 0)
			r = census_add(census, &stat);
	free(pids);
	return r;
}

static void
census_take(struct census *census, size_t max)
{
	*census = (struct census){ .max = max };
	census_children(census, getpid());
	for (size_t i = 0; i < census->n; i++)
		if (proc_is_alive(&census->v[i]))
			census_children(census, census->v[i].pid);
}

/* It may have been another process's before. */
static bool
has_number(const struct spared *spared, pid_t pid)
{
	for (size_t i = 0; spared && i < spared->n; i++)
		if (spared->v[i].pid == pid)
			return true;
	return false;
}

bool
spared_has(const struct spared *spared, pid_t pid, uint64_t start_ticks)
{
	for (size_t i = 0; spared && i < spared->n; i++)
		if (spared->v[i].pid == pid && spared->v[i].start_ticks == start_ticks)
			return true;
	return false;
}

int
spared_add_children(struct spared *spared)
{
	struct census children = { .max = SIZE_MAX };
	int r = census_children(&children, getpid());

	for (size_t i = 0; r == 0 && i < children.n; i++) {
		void *v;

		if (spared_has(spared, children.v[i].pid, children.v[i].start_ticks) ||
		    !proc_is_alive(&children.v[i]))
			continue;
		v = reallocarray(spared->v, spared->n + 1, sizeof *spared->v);
		if (!v) {
			r = -ENOMEM;
			break;
		}
		spared->v = v;
		spared->v[spared->n].pid = children.v[i].pid;
		spared->v[spared->n++].start_ticks = children.v[i].start_ticks;
	}
	free(children.v);
	return r;
}

void
spared_free(struct spared *spared)
{
	free(spared->v);
	*spared = (struct spared){ 0 };
}

static uint64_t
count_group(pid_t leader)
{
	struct census census;
	uint64_t count = 0;

	census_take(&census, MAX_ASKED);
	for (size_t i = 0; i < census.n; i++)
		count += census.v[i].pgid == leader && proc_is_alive(&census.v[i]);
	free(census.v);
	return count;
}

uint64_t
kill_ask(pid_t leader)
{
	uint64_t count;

	count = count_group(leader);
	(void)FAILPOINT("worker.kill.before_term");
	kill(-leader, SIGTERM);
	kill(-leader, SIGCONT); /* a stopped process takes the TERM only when it goes on */
	return count;
}

bool
kill_group_lives(pid_t leader)
{
	kill_reap(leader);
	return count_group(leader) > 0;
}

/* Nobody but LEADER (0: nobody at all) is our child: the usual end of a step, known soonest. */
static bool
is_alone(pid_t leader)
{
	siginfo_t info;

	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0)
		return errno == ECHILD;
	return leader > 0 && proc_has_only_child(leader) == 1; /* a worker is one thread */
}

bool
kill_has_others(pid_t leader, const struct spared *spared)
{
	struct census children = { .max = SIZE_MAX };
	bool has;

	if (is_alone(leader))
		return false;
	has = census_children(&children, getpid()) < 0; /* not knowing is no reason to trust */
	for (size_t i = 0; i < children.n && !has; i++)
		has = children.v[i].pid != leader &&
		      !spared_has(spared, children.v[i].pid, children.v[i].start_ticks);
	free(children.v);
	return has;
}

/* By the list: to ask for anybody would find a dead LEADER for ever, and in a crowd it would search
 * all who live each time. */
static void
reap_listed(pid_t leader, size_t max)
{
	pid_t *pids;
	size_t n;

	if (proc_first_children(getpid(), max, &pids, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		siginfo_t info;

		if (pids[i] != leader)
			waitid(P_PID, (id_t)pids[i], &info, WEXITED | WNOHANG | __WALL);
	}
	free(pids);
}

void
kill_reap(pid_t leader)
{
	struct ahead ahead;
	siginfo_t info;

	for (int i = 0; i < FEW_DEAD; i++) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0 ||
		    info.si_pid == 0)
			return;
		if (info.si_pid == leader)
			break;
		waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | WNOHANG | __WALL);
	}
	if (is_alone(leader))
		return;
	ahead_begin(&ahead);
	reap_listed(leader, REAP_AT_ONCE); /* there may be other things to do */
	ahead_end(&ahead);
}

/* Who is dead from now on waits for nobody to reap him: the kernel does that, and sooner. */
static void
leave_reaping_to_kernel(bool leave)
{
	const struct sigaction action = { .sa_handler = SIG_DFL,
		.sa_flags = leave ? SA_NOCLDWAIT : 0 };

	sigaction(SIGCHLD, &action, NULL);
}

static bool
has_died(pid_t leader)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)leader, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 &&
	       info.si_pid == leader;
}

/*
 * SIGSTOP to the youngest of our children. Between the list and its signal a child may end and be
 * reaped, but its number comes again only after all others: not within FRESH_MS.
 */
static void
stop_youngest(const struct kill_spec *spec, const pid_t *pids, size_t n, uint64_t until_ms)
{
	for (size_t k = n; k-- > 0 && clock_boot_ms() < until_ms;)
		if (!has_number(spec->spared, pids[k]))
			kill(pids[k], SIGSTOP);
}

/*
 * Orphans that fork and end faster than /proc can be read are our children for a moment. A pass
 * over all of them is over in less than a slice of time, which is all we get where hundreds want
 * the processors. The youngest come first, they are the living ones; the dead, thousands perhaps,
 * only cost time and go after the first pass. Until nobody new has come; the walk proves it.
 */
static void
sweep(const struct kill_spec *spec)
{
	uint64_t deadline_ms = clock_boot_ms() + SWEEP_MS;
	size_t nbefore = 0;
	pid_t *before = NULL;
	bool same = false;

	for (int i = 0; !same && (i < SWEEPS || clock_boot_ms() < deadline_ms); i++) {
		uint64_t fresh_ms = clock_boot_ms() + FRESH_MS;
		size_t n, skipped;
		pid_t *pids;

		if (proc_children(getpid(), &pids, &n) < 0)
			break;
		skipped = i == 0 && n > YOUNGEST ? n - YOUNGEST : 0;
		stop_youngest(spec, pids + skipped, n - skipped, fresh_ms);
		same = i > 1 && n == nbefore && memcmp(pids, before, n * sizeof *pids) == 0;
		free(before);
		before = pids;
		nbefore = n;
		if (i == 0)
			reap_listed(spec->leader, SIZE_MAX);
	}
	free(before);
	reap_listed(spec->leader, SIZE_MAX);
}

static void
name_proc(
    struct receipt_procs *procs, pid_t pid, uint64_t start_ticks, const char *name, const char *how)
{
	struct receipt_proc *proc;

	for (size_t i = 0; i < procs->n; i++)
		if (procs->v[i].pid == (uint64_t)pid && procs->v[i].start_ticks == start_ticks)
			return;
	if (procs->n == MAX_NAMED)
		return;
	proc = list_add((struct list *)procs, &receipt_proc_codec);
	if (!proc)
		return;
	proc->pid = (uint64_t)pid;
	proc->start_ticks = start_ticks;
	str_set(&proc->name, name);
	str_set(&proc->how, how);
}

/* What is alive before the KILL: it is counted, and who is not in the step's group is named. */
static uint64_t
record_escapes(const struct kill_spec *spec, struct receipt *receipt)
{
	struct census census;
	uint64_t alive = 0;

	census_take(&census, MAX_SEEN);
	for (size_t i = 0; i < census.n; i++) {
		const struct proc_stat *stat = &census.v[i];

		if (!proc_is_alive(stat) || spared_has(spec->spared, stat->pid, stat->start_ticks))
			continue;
		alive++;
		if (stat->pgid == spec->leader)
			continue;
		name_proc(&receipt->escaped, stat->pid, stat->start_ticks, stat->comm,
		    stat->ppid == getpid()      ? "daemon"
		    : stat->sid != spec->leader ? "own session"
						: "own group");
	}
	free(census.v);
	return alive;
}

/* True when the kernel took it. */
static bool
cgroup_kill(int cgroup_fd)
{
	int fd = cgroup_fd < 0 ? -1 : openat(cgroup_fd, "s/cgroup.kill", O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, "1", 1) == 1;

	fd_close(&fd);
	return ok;
}

static void
on_round(void *arg)
{
	sweep(arg);
}

static bool
spare_some(pid_t pid, uint64_t start_ticks, void *arg)
{
	const struct kill_spec *spec = arg;

	return spared_has(spec->spared, pid, start_ticks);
}

static void
record_walk(const struct tree_result *result, uint64_t alive, struct receipt *receipt)
{
	receipt->killed += result->killed > alive ? result->killed : alive;
	for (size_t i = 0; i < receipt->survivors.n; i++)
		codec_free(&receipt_proc_codec, &receipt->survivors.v[i]);
	receipt->survivors.n = 0;
	for (size_t i = 0; i < result->nvictims; i++) {
		const struct tree_victim *victim = &result->victims[i];

		if (victim->survived)
			name_proc(&receipt->survivors, victim->pid, victim->start_ticks,
			    victim->name, victim->own_session ? "own session" : "in its group");
	}
}

int
kill_all(struct kill_spec *spec, struct receipt *receipt)
{
	bool has_spared = spec->spared && spec->spared->n > 0;
	struct tree_kill walk = { .root = getpid(),
		.spare = has_spared ? spare_some : NULL,
		.on_round = on_round,
		.arg = spec,
		.deadline_ms = spec->deadline_ms };
	struct tree_result result;
	struct ahead ahead;
	uint64_t alive;
	bool with_cgroup;
	int r;

	(void)FAILPOINT("worker.kill.before_kill");
	ahead_begin(&ahead);
	/* The leader's end is still to be told. */
	leave_reaping_to_kernel(spec->leader == 0 || has_died(spec->leader));
	sweep(spec); /* so that there is time to look at them */
	alive = record_escapes(spec, receipt);
	with_cgroup = !has_spared && cgroup_kill(spec->cgroup_fd);
	if (with_cgroup && spec->cgroup_was_killed)
		*spec->cgroup_was_killed = true;
	r = tree_kill(&walk, &result);
	record_walk(&result, alive, receipt);
	tree_result_free(&result);
	leave_reaping_to_kernel(false);
	kill_reap(spec->leader);
	ahead_end(&ahead);
	str_set(&receipt->method, with_cgroup ? "cgroup+walk" : "walk");
	(void)FAILPOINT("worker.kill.after_kill");
	return r;
}
