#include "supervisor/lifecycle.h"

/* clang-format off */
#define GO(state, act) { .verdict = VERDICT_GO, .to = (state), .action = (act) }
#define IGNORE         { .verdict = VERDICT_IGNORE }
#define BUG            { .verdict = VERDICT_BUG }

/* An attempt that is over and proven empty. STATE_UNDO is where a further undo attempt shows. */
#define ATTEMPT_SETTLES(state_undo)                              \
	[EV_COMPLETED]   = GO(TASK_COMPLETED, ACT_END),          \
	[EV_WARNED]      = GO(TASK_WARNED, ACT_END),             \
	[EV_FAILED]      = GO(TASK_FAILED, ACT_END),             \
	[EV_CANCELLED]   = GO(TASK_CANCELLED, ACT_END),          \
	[EV_INTERRUPTED] = GO(TASK_INTERRUPTED, ACT_END),        \
	[EV_RESUME]      = GO(TASK_RETRYING, ACT_WAIT),          \
	[EV_UNDO]        = GO(state_undo, ACT_LAUNCH)
#define NO_ATTEMPT                                               \
	[EV_NEVER_RAN] = BUG, [EV_HELLO] = BUG, [EV_UNDO_BEGAN] = BUG, [EV_ASKED] = BUG, \
	[EV_WITHDRAWN] = BUG, [EV_ABANDON] = BUG, [EV_COMPLETED] = BUG, [EV_WARNED] = BUG, \
	[EV_FAILED] = BUG, [EV_CANCELLED] = BUG, [EV_INTERRUPTED] = BUG, [EV_RESUME] = BUG, \
	[EV_UNDO] = BUG
/* Only a task that waits can be granted a slot, come due or be asked for again. */
#define NOT_WAITING [EV_GRANTED] = BUG, [EV_DUE] = IGNORE, [EV_RETRY] = BUG

/* Every cell is written out. An empty one does not pass the tests. */
static const struct task_step steps[TASK_STATE_MAX][EV_COUNT] = {
	[TASK_QUEUED] = {
		NO_ATTEMPT,
		[EV_ANSWERED]    = IGNORE,
		[EV_GRANTED]     = GO(TASK_STARTING, ACT_LAUNCH),
		[EV_CANCEL]      = GO(TASK_CANCELLED, ACT_END),
		[EV_CANCEL_UNDO] = GO(TASK_CANCELLING, ACT_LAUNCH),
		[EV_DUE]         = IGNORE,
		[EV_RETRY]       = BUG,
	},
	[TASK_STARTING] = {
		NOT_WAITING,
		ATTEMPT_SETTLES(TASK_UNDOING),
		[EV_NEVER_RAN]   = GO(TASK_RETRYING, ACT_WAIT),
		[EV_HELLO]       = GO(TASK_RUNNING, ACT_NONE),
		[EV_UNDO_BEGAN]  = GO(TASK_UNDOING, ACT_NONE),
		[EV_ASKED]       = BUG,
		[EV_ANSWERED]    = IGNORE,
		[EV_WITHDRAWN]   = IGNORE,
		[EV_CANCEL]      = GO(TASK_CANCELLING, ACT_ORDER),
		[EV_CANCEL_UNDO] = BUG,
		[EV_ABANDON]     = BUG,
	},
	[TASK_RUNNING] = {
		NOT_WAITING,
		ATTEMPT_SETTLES(TASK_UNDOING),
		[EV_NEVER_RAN]   = BUG,
		[EV_HELLO]       = IGNORE,
		[EV_UNDO_BEGAN]  = GO(TASK_UNDOING, ACT_NONE),
		[EV_ASKED]       = GO(TASK_WAITING, ACT_NONE),
		[EV_ANSWERED]    = IGNORE,
		[EV_WITHDRAWN]   = IGNORE,
		[EV_CANCEL]      = GO(TASK_CANCELLING, ACT_ORDER),
		[EV_CANCEL_UNDO] = BUG,
		[EV_ABANDON]     = BUG,
	},
	[TASK_WAITING] = {
		[EV_GRANTED]     = GO(TASK_RUNNING, ACT_ORDER),
		[EV_DUE]         = IGNORE,
		[EV_RETRY]       = BUG,
		ATTEMPT_SETTLES(TASK_UNDOING),
		[EV_NEVER_RAN]   = BUG,
		[EV_HELLO]       = IGNORE,
		[EV_UNDO_BEGAN]  = GO(TASK_UNDOING, ACT_NONE),
		[EV_ASKED]       = IGNORE,
		[EV_ANSWERED]    = GO(TASK_WAITING, ACT_ENQUEUE),
		[EV_WITHDRAWN]   = GO(TASK_RUNNING, ACT_NONE),
		[EV_CANCEL]      = GO(TASK_CANCELLING, ACT_ORDER),
		[EV_CANCEL_UNDO] = BUG,
		[EV_ABANDON]     = BUG,
	},
	[TASK_PAUSED] = {
		NOT_WAITING,
		ATTEMPT_SETTLES(TASK_UNDOING),
		[EV_NEVER_RAN]   = BUG,
		[EV_HELLO]       = IGNORE,
		[EV_UNDO_BEGAN]  = GO(TASK_UNDOING, ACT_NONE),
		[EV_ASKED]       = BUG,
		[EV_ANSWERED]    = IGNORE,
		[EV_WITHDRAWN]   = IGNORE,
		[EV_CANCEL]      = GO(TASK_CANCELLING, ACT_ORDER),
		[EV_CANCEL_UNDO] = BUG,
		[EV_ABANDON]     = BUG,
	},
	[TASK_RETRYING] = {
		NO_ATTEMPT,
		[EV_ANSWERED]    = IGNORE,
		[EV_GRANTED]     = BUG,
		[EV_CANCEL]      = GO(TASK_CANCELLED, ACT_END),
		[EV_CANCEL_UNDO] = GO(TASK_CANCELLING, ACT_LAUNCH),
		[EV_DUE]         = GO(TASK_QUEUED, ACT_ENQUEUE),
		[EV_RETRY]       = BUG,
	},
	[TASK_CANCELLING] = {
		NOT_WAITING,
		ATTEMPT_SETTLES(TASK_CANCELLING),
		[EV_NEVER_RAN]   = BUG,
		[EV_HELLO]       = GO(TASK_CANCELLING, ACT_ORDER),
		[EV_UNDO_BEGAN]  = IGNORE,
		[EV_ASKED]       = IGNORE,
		[EV_ANSWERED]    = IGNORE,
		[EV_WITHDRAWN]   = IGNORE,
		[EV_CANCEL]      = GO(TASK_CANCELLING, ACT_ORDER),
		[EV_CANCEL_UNDO] = BUG,
		[EV_ABANDON]     = GO(TASK_CANCELLED, ACT_END),
	},
	[TASK_UNDOING] = {
		NOT_WAITING,
		ATTEMPT_SETTLES(TASK_UNDOING),
		[EV_NEVER_RAN]   = BUG,
		[EV_HELLO]       = IGNORE,
		[EV_UNDO_BEGAN]  = IGNORE,
		[EV_ASKED]       = BUG,
		[EV_ANSWERED]    = IGNORE,
		[EV_WITHDRAWN]   = IGNORE,
		[EV_CANCEL]      = GO(TASK_UNDOING, ACT_ORDER),
		[EV_CANCEL_UNDO] = BUG,
		[EV_ABANDON]     = BUG,
	},
#define ENDED(on_retry)                                                         \
 {                                                                              \
  NO_ATTEMPT, [EV_GRANTED] = BUG, [EV_CANCEL] = IGNORE, [EV_CANCEL_UNDO] = BUG, \
  [EV_ANSWERED] = BUG,                                                          \
  [EV_DUE] = IGNORE, [EV_RETRY] = on_retry,                                     \
 }
#define AGAIN GO(TASK_QUEUED, ACT_ENQUEUE)
	[TASK_COMPLETED]   = ENDED(BUG),
	[TASK_WARNED]      = ENDED(BUG),
	[TASK_FAILED]      = ENDED(AGAIN),
	[TASK_CANCELLED]   = ENDED(AGAIN),
	[TASK_INTERRUPTED] = ENDED(AGAIN),
};
/* clang-format on */

static const struct {
	const char *name, *when;
} events[EV_COUNT] = {
#define X(sym, name_, when_) [sym] = { .name = name_, .when = when_ },
	TASK_EVENTS(X)
#undef X
};

struct task_step
lifecycle_step(enum task_state state, enum task_event event)
{
	if (state <= 0 || state >= TASK_STATE_MAX || event >= EV_COUNT)
		return (struct task_step)BUG;
	return steps[state][event];
}

const char *
task_event_name(enum task_event event)
{
	return event < EV_COUNT ? events[event].name : "invalid";
}

const char *
task_event_when(enum task_event event)
{
	return event < EV_COUNT ? events[event].when : "invalid";
}

const char *
task_action_name(enum task_action action)
{
	static const char *const names[] = { [ACT_NONE] = "-",
		[ACT_LAUNCH] = "launch",
		[ACT_ENQUEUE] = "enqueue",
		[ACT_WAIT] = "wait",
		[ACT_ORDER] = "order",
		[ACT_END] = "end" };

	return names[action];
}
