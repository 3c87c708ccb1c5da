#include "ipc/tree.h"

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
	PAUSE_NS = 500 * 1000
};

struct process {
	struct proc_stat stat;
	bool in_tree; /* descends from the root and is not spared */
	bool stopped; /* by us, in an earlier round */
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

static bool
is_alive(const struct proc_stat *stat)
{
	return stat->state != 'Z' && stat->state != 'X';
}

/* Marks the living descendants. Returns how many there are. */
static size_t
mark_tree(struct census_of_all *all, const struct walk_of_tree *walk)
{
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++) {
		struct process *process = &all->v[i];

		process->in_tree = is_alive(&process->stat) && descends(all, process, walk);
		n += process->in_tree;
	}
	return n;
}

static int
signal_process(const struct process *process, int sig)
{
	int fd = proc_pidfd_open_exact(process->stat.pid, process->stat.start_ticks);
	int r = fd < 0 ? 0 : proc_pidfd_signal(fd, sig);

	fd_close(&fd);
	return r == -ESRCH ? 0 : r;
}

/* Stops whoever still moves. Returns how many did: none means that nobody can fork any more. */
static size_t
stop_tree(const struct census_of_all *all)
{
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].in_tree && all->v[i].stat.state != 'T' && all->v[i].stat.state != 't')
			n += signal_process(&all->v[i], SIGSTOP) == 0;
	return n;
}

static bool
is_described(const struct tree_result *result, const struct proc_stat *stat)
{
	for (size_t i = 0; i < result->nvictims; i++)
		if (result->victims[i].pid == stat->pid &&
		    result->victims[i].start_ticks == stat->start_ticks)
			return true;
	return false;
}

static void
describe(const struct census_of_all *all, const struct process *process, pid_t root,
    struct tree_result *result)
{
	const struct process *parent = find(all, root);
	struct tree_victim *victim;

	result->killed++;
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

/* Returns how many refused to be killed. */
static size_t
kill_all(const struct census_of_all *all, pid_t root, struct tree_result *result)
{
	size_t refused = 0;

	for (size_t i = 0; i < all->n; i++) {
		if (!all->v[i].in_tree)
			continue;
		if (!is_described(result, &all->v[i].stat))
			describe(all, &all->v[i], root, result);
		refused += signal_process(&all->v[i], SIGKILL) < 0;
	}
	return refused;
}

static void
note_survivors(const struct census_of_all *all, struct tree_result *result)
{
	result->survived = 0;
	for (size_t i = 0; i < all->n; i++) {
		if (!all->v[i].in_tree)
			continue;
		result->survived++;
		for (size_t k = 0; k < result->nvictims; k++)
			if (result->victims[k].pid == all->v[i].stat.pid)
				result->victims[k].survived = true;
	}
	result->killed -= result->survived < result->killed ? result->survived : result->killed;
}

static void
pause_briefly(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
}

/* One look: 0 when nothing lives, 1 when another round is needed, -errno. */
static int
kill_round(struct census_of_all *all, const struct walk_of_tree *walk, struct tree_result *result)
{
	int r = read_all(all);

	if (r < 0)
		return r;
	if (mark_tree(all, walk) == 0)
		return 0;
	if (stop_tree(all) == 0)
		kill_all(all, walk->root, result);
	return 1;
}

int
tree_kill(const struct tree_kill *spec, struct tree_result *ret_result)
{
	struct walk_of_tree walk = { .root = spec->root, .spare = spec->spare, .arg = spec->arg };
	struct census_of_all all = { 0 };
	int r;

	*ret_result = (struct tree_result){ 0 };
	while ((r = kill_round(&all, &walk, ret_result)) > 0) {
		if (spec->on_round)
			spec->on_round(spec->arg);
		if (clock_boot_ms() >= spec->deadline_ms)
			break;
		pause_briefly();
	}
	if (r > 0) {
		/* At the deadline everybody is killed, stopped or not. */
		kill_all(&all, spec->root, ret_result);
		pause_briefly();
		r = read_all(&all);
		if (r == 0 && mark_tree(&all, &walk) > 0)
			r = -EBUSY;
		note_survivors(&all, ret_result);
	}
	free(all.v);
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
