#include "ipc/ahead.h"

#include <sched.h>

void
ahead_begin(struct ahead *ahead)
{
	const struct sched_param first = { .sched_priority = 1 };
	struct sched_param before;

	ahead->policy = sched_getscheduler(0);
	if (ahead->policy < 0 || sched_getparam(0, &before) < 0 ||
	    sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first) < 0)
		ahead->policy = -1;
	else
		ahead->priority = before.sched_priority;
}

void
ahead_end(const struct ahead *ahead)
{
	const struct sched_param before = { .sched_priority = ahead->priority };

	if (ahead->policy >= 0)
		(void)sched_setscheduler(0, ahead->policy, &before);
}
