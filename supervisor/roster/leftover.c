#include "supervisor/roster/leftover.h"

#include <errno.h>
#include <stdlib.h>

struct sweep {
	struct job job;
	struct roster *roster;
	struct {
		uint64_t id, attempt;
	} * over;
	size_t n, room;
};

static bool
is_under_way(const struct sweep *sweep, uint64_t id, uint64_t attempt)
{
	const struct task *task = roster_find(sweep->roster, id);

	return task && task->rec.attempt.number == attempt && !task->rec.attempt.closed;
}

static void
look_at(uint64_t id, uint64_t attempt, void *arg)
{
	struct sweep *sweep = arg;

	if (is_under_way(sweep, id, attempt))
		return;
	if (sweep->n == sweep->room) {
		size_t room = sweep->room ? 2 * sweep->room : 16;
		void *over = reallocarray(sweep->over, room, sizeof *sweep->over);

		if (!over)
			return; /* the next supervisor finds it again */
		sweep->over = over;
		sweep->room = room;
	}
	sweep->over[sweep->n].id = id;
	sweep->over[sweep->n++].attempt = attempt;
}

static void
work(struct job *job)
{
	struct sweep *sweep = (struct sweep *)job;
	struct cgroups *cgroups = sweep->roster->env.cgroups;

	for (size_t i = 0; i < sweep->n; i++)
		(void)cgroup_remove(cgroups, sweep->over[i].id, sweep->over[i].attempt);
	cgroups_sweep(cgroups);
}

static void
on_done(struct job *job)
{
	struct sweep *sweep = (struct sweep *)job;

	free(sweep->over);
	free(sweep);
}

int
leftover_sweep(struct roster *roster)
{
	struct sweep *sweep = calloc(1, sizeof *sweep);

	if (!sweep)
		return -ENOMEM;
	sweep->job = (struct job){ .work = work, .done = on_done };
	sweep->roster = roster;
	/* A place that cannot be read is no reason not to serve. */
	(void)cgroup_each(roster->env.cgroups, look_at, sweep);
	jobs_add(roster->env.files, &sweep->job);
	return 0;
}
