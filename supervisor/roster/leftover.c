#include "supervisor/roster/leftover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct leftover {
	uint64_t berth;
	bool is_removed;
};

/* Groups to remove; their berths are taken until then. Where something lives on the next sweep
 * looks again. */
struct sweep {
	struct job job;
	struct roster *roster;
	bool others; /* also what services that are gone have left */
	struct leftover *v;
	size_t n, room;
};

static int
add(struct sweep *sweep, uint64_t berth)
{
	if (sweep->n == sweep->room) {
		size_t room = sweep->room ? 2 * sweep->room : 4;
		struct leftover *v = reallocarray(sweep->v, room, sizeof *v);

		if (!v)
			return -ENOMEM;
		sweep->v = v;
		sweep->room = room;
	}
	sweep->v[sweep->n++] = (struct leftover){ .berth = berth };
	return 0;
}

static void
work(struct job *job)
{
	struct sweep *sweep = (struct sweep *)job;
	struct cgroups *cgroups = sweep->roster->env.cgroups;

	for (size_t i = 0; i < sweep->n; i++)
		sweep->v[i].is_removed = cgroup_remove(cgroups, sweep->v[i].berth) == 0;
	if (sweep->others)
		cgroups_sweep(cgroups);
}

static void
on_done(struct job *job)
{
	struct sweep *sweep = (struct sweep *)job;

	for (size_t i = 0; i < sweep->n; i++)
		if (sweep->v[i].is_removed)
			berths_release(&sweep->roster->berths, sweep->v[i].berth);
		else /* without memory for that it is left to the next supervisor */
			(void)berths_hold(&sweep->roster->lingering, sweep->v[i].berth);
	free(sweep->v);
	free(sweep);
}

/* A berth is in one sweep at a time: once it is free somebody else may be in it. */
static void
add_lingering(struct sweep *sweep)
{
	struct berths *lingering = &sweep->roster->lingering;
	uint64_t berth = 0;

	while ((berth = berths_next(lingering, berth)) != 0 && add(sweep, berth) == 0)
		berths_release(lingering, berth);
}

static struct sweep *
sweep_new(struct roster *roster)
{
	struct sweep *sweep = calloc(1, sizeof *sweep);

	if (sweep) {
		sweep->job = (struct job){ .work = work, .done = on_done };
		sweep->roster = roster;
		add_lingering(sweep);
	}
	return sweep;
}

static void
look_at(uint64_t berth, void *arg)
{
	struct sweep *sweep = arg;
	struct berths *berths = &sweep->roster->berths;

	/* One that is not swept for want of memory is found again by the next supervisor. */
	if (!berths_is_taken(berths, berth) && berths_hold(berths, berth) == 0)
		(void)add(sweep, berth);
}

int
leftover_sweep(struct roster *roster)
{
	struct sweep *sweep = sweep_new(roster);
	int r = 0;

	if (!sweep)
		return -ENOMEM;
	for (const struct task *task = roster->first; r == 0 && task; task = task->next)
		if (task->rec.attempt.berth > 0 && !task->rec.attempt.closed)
			r = berths_hold(&roster->berths, task->rec.attempt.berth);
	if (r < 0) {
		free(sweep);
		return r;
	}
	sweep->others = true;
	/* A place that cannot be read is no reason not to serve. */
	(void)cgroup_each(roster->env.cgroups, look_at, sweep);
	jobs_add(roster->env.files, &sweep->job);
	return 0;
}

void
leftover_vacate(struct roster *roster, uint64_t berth, bool is_spent)
{
	struct sweep *sweep;

	if (!is_spent) {
		berths_release(&roster->berths, berth);
		return;
	}
	sweep = sweep_new(roster);
	if (sweep && (add(sweep, berth) == 0 || sweep->n > 0))
		jobs_add(roster->env.files, &sweep->job);
	else
		free(sweep);
}
