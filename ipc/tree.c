#include "ipc/tree.h"

#include "ipc/ahead.h"
#include "ipc/clock.h"
#include "ipc/fd.h"
#include "ipc/proc.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	MAX_DESCRIBED = 64,
	PROOFS = 8,
	QUIET_ROUNDS = 3, /* without a newcomer: who does not stop by now will not fork either */
	PAUSE_NS = 500 * 1000,
	EACH_NS = 2 * 1000, /* and this for everyone who has a signal to take */
	MAX_PAUSE_NS = 20 * 1000 * 1000,
	REFUSED_MS =
	    500 /* with nobody left but who may not be signalled: time will not change that */
};

struct process {
	struct proc_stat stat;
	bool in_tree; /* descends from the root and is not spared */
	bool asked;   /* was sent SIGSTOP in this round or an earlier one */
	bool counted; /* among the killed */
	bool refused; /* EPERM: it became another user */
};

/* Everybody, from one pass over /proc: a walk along children would miss who moves meanwhile. */
struct census_of_all {
	struct process *v;
	size_t n, room;
};

static int
add_process(struct census_of_all *all, const struct proc_stat *stat)
{
	if (all->n == all->room) {
		size_t room = all->room ? all->room * 2 : 256;
		struct process *v = reallocarray(all->v, room, sizeof *v);

		if (!v)
			return -ENOMEM;
		all->v = v;
		all->room = room;
	}
	all->v[all->n++] = (struct process){ .stat = *stat };
	return 0;
}

static int
compare_pids(const void *a, const void *b)
{
	const struct process *left = a, *right = b;

	return (left->stat.pid > right->stat.pid) - (left->stat.pid < right->stat.pid);
}

static int
read_all(struct census_of_all *all)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int r = 0;

	all->n = 0;
	if (!dir)
		return -errno;
	while (r == 0 && (entry = readdir(dir))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		struct proc_stat stat;

		if (pid > 0 && proc_stat(pid, &stat) == 0)
			r = add_process(all, &stat);
	}
	closedir(dir);
	if (all->n > 1)
		qsort(all->v, all->n, sizeof *all->v, compare_pids);
	return r;
}

static struct process *
find(const struct census_of_all *all, pid_t pid)
{
	struct process key = { .stat.pid = pid };

	return all->n ? bsearch(&key, all->v, all->n, sizeof *all->v, compare_pids) : NULL;
}

struct walk_of_tree {
	pid_t root;
	tree_spare_fn spare;
	void *arg;
};

/* Climbs from PROCESS to the root; a spared ancestor spares it too. */
static bool
descends(
    const struct census_of_all *all, const struct process *process, const struct walk_of_tree *walk)
{
	for (size_t hops = 0; hops <= all->n; hops++) {
		if (process->stat.pid == walk->root)
			return hops > 0;
		if (walk->spare &&
		    walk->spare(process->stat.pid, process->stat.start_ticks, walk->arg))
			return false;
		if (process->stat.ppid == walk->root)
			return true;
		process = find(all, process->stat.ppid);
		if (!process)
			return false;
	}
	return false;
}

/* Marks the living descendants. Returns how many there are. */
static size_t
mark_tree(struct census_of_all *all, const struct walk_of_tree *walk)
{
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++) {
		struct process *process = &all->v[i];

		process->in_tree = proc_is_alive(&process->stat) && descends(all, process, walk);
		n += process->in_tree;
	}
	return n;
}

/* What was learnt about a process in earlier rounds goes with it. */
static void
carry_over(const struct census_of_all *before, struct census_of_all *now)
{
	size_t k = 0;

	for (size_t i = 0; i < now->n; i++) {
		struct process *process = &now->v[i];

		while (k < before->n && before->v[k].stat.pid < process->stat.pid)
			k++;
		if (k == before->n)
			return;
		if (before->v[k].stat.pid != process->stat.pid ||
		    before->v[k].stat.start_ticks != process->stat.start_ticks)
			continue;
		process->asked = before->v[k].asked;
		process->counted = before->v[k].counted;
		process->refused = before->v[k].refused;
	}
}

static void
signal_process(struct process *process, int sig)
{
	int fd = proc_pidfd_open_exact(process->stat.pid, process->stat.start_ticks);

	if (fd < 0)
		return; /* gone */
	process->refused = proc_pidfd_signal(fd, sig) == -EPERM;
	fd_close(&fd);
}

/* What a round of SIGSTOP met. */
struct stopping {
	size_t fresh;  /* seen for the first time */
	size_t moving; /* not stopped, and not known to refuse */
};

static struct stopping
stop_tree(struct census_of_all *all)
{
	struct stopping met = { 0 };

	for (size_t i = 0; i < all->n; i++) {
		struct process *process = &all->v[i];

		if (!process->in_tree)
			continue;
		met.fresh += !process->asked;
		if (process->stat.state != 'T' && process->stat.state != 't') {
			signal_process(process, SIGSTOP);
			met.moving += !process->refused;
		}
		process->asked = true;
	}
	return met;
}

static void
describe(const struct census_of_all *all, const struct process *process, pid_t root,
    struct tree_result *result)
{
	const struct process *parent = find(all, root);
	struct tree_victim *victim;

	if (!result->victims)
		result->victims = calloc(MAX_DESCRIBED, sizeof *result->victims);
	if (!result->victims || result->nvictims == MAX_DESCRIBED)
		return;
	victim = &result->victims[result->nvictims++];
	victim->pid = process->stat.pid;
	victim->start_ticks = process->stat.start_ticks;
	memcpy(victim->name, process->stat.comm, sizeof victim->name);
	victim->own_session = !parent || process->stat.sid != parent->stat.sid;
	victim->own_group = process->stat.pgid == process->stat.pid ||
			    (parent && process->stat.pgid != parent->stat.pgid);
}

static void
kill_tree(struct census_of_all *all, pid_t root, struct tree_result *result)
{
	for (size_t i = 0; i < all->n; i++) {
		struct process *process = &all->v[i];

		if (!process->in_tree)
			continue;
		if (!process->counted) {
			process->counted = true;
			result->killed++;
			describe(all, process, root, result);
		}
		signal_process(process, SIGKILL);
	}
}

static bool
is_described_as(const struct tree_victim *victim, const struct proc_stat *stat)
{
	return victim->pid == stat->pid && victim->start_ticks == stat->start_ticks;
}

static void
note_survivors(struct census_of_all *all, pid_t root, struct tree_result *result)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct process *process = &all->v[i];

		if (!process->in_tree)
			continue;
		result->survived++;
		if (process->counted)
			result->killed--;
		else
			describe(all, process, root, result);
		for (size_t k = 0; k < result->nvictims; k++)
			if (is_described_as(&result->victims[k], &process->stat))
				result->victims[k].survived = true;
	}
}

/* Everything one tree_kill goes through. */
struct hunt {
	struct walk_of_tree walk;
	struct census_of_all now, before;
	size_t alive;   /* in the tree, at the last look */
	size_t refused; /* of these */
	unsigned quiet; /* rounds since somebody new was seen */
};

static int
look(struct hunt *hunt)
{
	struct census_of_all swap = hunt->before;
	int r;

	hunt->before = hunt->now;
	hunt->now = swap;
	r = read_all(&hunt->now);
	if (r < 0)
		return r;
	carry_over(&hunt->before, &hunt->now);
	hunt->alive = mark_tree(&hunt->now, &hunt->walk);
	return 0;
}

static size_t
count_refused(const struct census_of_all *all)
{
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		n += all->v[i].in_tree && all->v[i].refused;
	return n;
}

/* True when every one of PIDS, the root's children, is dead or spared. */
static bool
are_dead(const struct walk_of_tree *walk, const pid_t *pids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct proc_stat stat;

		if (proc_stat(pids[i], &stat) < 0 || !proc_is_alive(&stat))
			continue;
		if (!walk->spare || !walk->spare(stat.pid, stat.start_ticks, walk->arg))
			return false;
	}
	return true;
}

/*
 * A census without a living descendant proves nothing: it takes time, and a process may fork and
 * end behind the reader's back. Orphans come back to the root at the end of its list of children,
 * the dead have none, so: all on the list dead, and then the same list once more, is the proof.
 */
static bool
is_proven_empty(const struct walk_of_tree *walk)
{
	pid_t *first = NULL, *second = NULL;
	size_t nfirst = 0, nsecond = 0;
	int r = proc_children(walk->root, &first, &nfirst);
	bool proven = r == -ESRCH; /* a root that is gone has no descendants */

	if (r == 0 && are_dead(walk, first, nfirst) &&
	    proc_children(walk->root, &second, &nsecond) == 0)
		proven = nfirst == nsecond &&
			 (nfirst == 0 || memcmp(first, second, nfirst * sizeof *first) == 0);
	free(first);
	free(second);
	return proven;
}

static bool
prove_empty(const struct walk_of_tree *walk)
{
	/* Somebody may be reaping at this moment, which changes the list. */
	for (int i = 0; i < PROOFS; i++)
		if (is_proven_empty(walk))
			return true;
	return false;
}

/* One look: 0 when nothing lives, 1 when another round is needed, -errno. */
static int
run_round(struct hunt *hunt, struct tree_result *result)
{
	struct stopping met;
	int r = look(hunt);

	if (r < 0)
		return r;
	if (hunt->alive == 0)
		return prove_empty(&hunt->walk) ? 0 : 1;
	met = stop_tree(&hunt->now);
	hunt->quiet = met.fresh > 0 ? 0 : hunt->quiet + 1;
	if (met.moving == 0 || hunt->quiet >= QUIET_ROUNDS)
		kill_tree(&hunt->now, hunt->walk.root, result);
	hunt->refused = count_refused(&hunt->now);
	return 1;
}

static void
pause_for(uint64_t ns)
{
	if (ns > MAX_PAUSE_NS)
		ns = MAX_PAUSE_NS;
	nanosleep(&(struct timespec){ .tv_nsec = (long)ns }, NULL);
}

/* Whom we may not signal can only end by himself; the others need the processors to obey. */
static uint64_t
pause_after(const struct hunt *hunt)
{
	if (hunt->alive > 0 && hunt->refused == hunt->alive)
		return MAX_PAUSE_NS;
	return PAUSE_NS + (uint64_t)hunt->alive * EACH_NS;
}

/* At the deadline everybody is killed, stopped or not, and who lives on is named. */
static int
give_up(struct hunt *hunt, struct tree_result *result)
{
	int r;

	kill_tree(&hunt->now, hunt->walk.root, result);
	pause_for(pause_after(hunt));
	r = look(hunt);
	if (r < 0)
		return r;
	note_survivors(&hunt->now, hunt->walk.root, result);
	return hunt->alive > 0 || !prove_empty(&hunt->walk) ? -EBUSY : 0;
}

int
tree_kill(const struct tree_kill *spec, struct tree_result *ret_result)
{
	uint64_t hopeful_ms = clock_boot_ms(); /* when there was last somebody we may signal */
	struct hunt hunt = { .walk = {
				 .root = spec->root, .spare = spec->spare, .arg = spec->arg } };
	struct ahead ahead;
	int r;

	*ret_result = (struct tree_result){ 0 };
	ahead_begin(&ahead);
	while ((r = run_round(&hunt, ret_result)) > 0) {
		if (spec->on_round)
			spec->on_round(spec->arg);
		if (hunt.alive == 0 || hunt.refused < hunt.alive)
			hopeful_ms = clock_boot_ms();
		if (clock_boot_ms() >= spec->deadline_ms ||
		    clock_boot_ms() - hopeful_ms >= REFUSED_MS)
			break;
		pause_for(pause_after(&hunt));
	}
	if (r > 0)
		r = give_up(&hunt, ret_result);
	ahead_end(&ahead);
	free(hunt.now.v);
	free(hunt.before.v);
	return r;
}

void
tree_result_free(struct tree_result *result)
{
	free(result->victims);
	*result = (struct tree_result){ 0 };
}

int
tree_count(pid_t root, tree_spare_fn spare, void *arg)
{
	struct walk_of_tree walk = { .root = root, .spare = spare, .arg = arg };
	struct census_of_all all = { 0 };
	int r = read_all(&all);

	if (r == 0)
		r = (int)mark_tree(&all, &walk);
	free(all.v);
	return r;
}
